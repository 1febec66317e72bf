"""A bar cut into bars that share its volume gives the same fills in sum and the same money, in both programs."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustybt import kernel, reference
from rustybt.model import Outcome, Status
from rustybt.testing.golden import read_case
from rustybt.testing.outcomes import Simulate

BOTH = pytest.mark.parametrize("simulate", [pytest.param(kernel.simulate, id="kernel"), pytest.param(reference.simulate, id="reference")])
CAP = 5
"""An order takes a fifth of the volume, and parts are whole fives, so nothing is lost in rounding a part."""


@dataclass(frozen=True)
class Cut:
    """A bar at one price, the fifths of its volume that its parts have, what is wanted after it, and a limit order sent after it."""

    price: int
    parts: tuple[int, ...]
    target: int
    order: int
    limit: int


CUTS = st.builds(
    Cut,
    price=st.integers(90, 110),
    parts=st.lists(st.integers(0, 12), min_size=1, max_size=4).map(tuple),
    target=st.integers(-40, 40),
    order=st.integers(-30, 30),
    limit=st.integers(88, 112),
)


def text_of(cuts: list[Cut], sent: str, whole: bool) -> tuple[str, list[int]]:
    """The market with whole bars or with their parts, and the last bar of each."""
    bars, volumes, targets, orders, ends = [], [], [], [], []
    number = 0
    for cut in cuts:
        for part in [sum(cut.parts)] if whole else cut.parts:
            bars.append(f"{number} A {cut.price} {cut.price} {cut.price} {cut.price}")
            volumes.append(f"{number} A {CAP * part}")
            number += 1
        ends.append(number - 1)
        if sent == "targets":
            targets.append(f"{number - 1} A {cut.target}")
        elif cut.order:
            orders.append(f"{number - 1} A {cut.order} limit limit={cut.limit}")
    lines = ["[run]", "cash=100000 gross=1 money_scale=2", "[assets]", "A", "[terms]", f"A cap_share={1 / CAP} cap_carry=1 fee_lot=0.07"]
    return "\n".join([*lines, "[bars]", *bars, "[volume]", *volumes, "[targets]", *targets, "[orders]", *orders]), ends


def filled_until(outcome: Outcome, ends: list[int]) -> list[int]:
    """Lots bought and sold up to the end of each whole bar, without regard to their sign."""
    fills = outcome.log.status == Status.FILLED
    return [int(abs(outcome.log.filled[fills & (outcome.log.bar <= end)]).sum()) for end in ends]


@BOTH
@pytest.mark.parametrize("sent", ["targets", "orders"])
@given(cuts=st.lists(CUTS, min_size=2, max_size=6))
def test_a_bar_cut_into_bars_that_share_its_volume_changes_nothing(simulate: Simulate, sent: str, cuts: list[Cut]) -> None:
    whole, ends = text_of(cuts, sent, whole=True)
    parts, own_ends = text_of(cuts, sent, whole=False)
    one, other = simulate(*read_case(whole).session), simulate(*read_case(parts).session)
    assert filled_until(one, ends) == filled_until(other, own_ends)
    assert one.cash[ends].tolist() == other.cash[own_ends].tolist()
    assert one.equity[ends].tolist() == other.equity[own_ends].tolist()
    assert one.lots.tolist() == other.lots.tolist()
