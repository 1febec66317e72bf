"""Which exit of a bracket comes first: both programs agree on bars that reach both, and the policies are ordered."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from rustybt import kernel, reference
from rustybt.model import Outcome
from rustybt.testing.golden import read_case
from rustybt.testing.outcomes import differences

POLICIES = ("pessimistic", "nearest", "optimistic")
EXITS = {
    "stop": "stop stop={stop}",
    "stop_limit": "stop_limit stop={stop} limit={beyond}",
    "trail": "stop trail=8",
    "limit": "limit limit={take}",
    "market_if_touched": "market_if_touched stop={take}",
    "limit_if_touched": "limit_if_touched stop={take} limit={near}",
}
WIDE = st.tuples(st.integers(92, 108), st.integers(0, 14), st.integers(0, 14), st.integers(92, 108))
FINER = st.lists(st.tuples(st.integers(90, 110), st.integers(0, 8), st.integers(0, 8)), max_size=3)


@dataclass(frozen=True)
class Deal:
    """A bracket that is entered at the open of bar 1, and the bars that it meets."""

    side: int
    loss: str
    gain: str
    order: bool
    settings: str
    barred: str
    volume: int
    bars: tuple[tuple[int, int, int, int], ...]
    finer: tuple[list[tuple[int, int, int]], ...]


DEALS = st.builds(
    Deal,
    side=st.sampled_from((1, -1)),
    loss=st.sampled_from(("stop", "stop_limit", "trail")),
    gain=st.sampled_from(("limit", "market_if_touched", "limit_if_touched")),
    order=st.booleans(),
    settings=st.sampled_from(("", "delay_bars=1")),
    barred=st.sampled_from(("", "3 A selling", "3 A buying", "3 A all cancels")),
    volume=st.sampled_from((1000, 6)),
    bars=st.lists(WIDE, min_size=3, max_size=5).map(tuple),
    finer=st.lists(FINER, min_size=3, max_size=5).map(tuple),
)


def text_of(deal: Deal, policy: str) -> str:
    """The deal as a golden case."""
    bars, finer = ["0 A 100 100 100 100", "1 A 100 100 100 100"], []
    for number, (start, up, down, end) in enumerate(deal.bars, 2):
        bars.append(f"{number} A {start} {max(start, end) + up} {min(start, end) - down} {end}")
    for number, parts in enumerate(deal.finer[: len(deal.bars)], 2):
        finer += [f"{number} A {start} {start + up} {start - down}" for start, up, down in parts]
    prices = {"stop": 100 - 6 * deal.side, "beyond": 100 - 7 * deal.side, "take": 100 + 6 * deal.side, "near": 100 + 5 * deal.side}
    exits = [f"0 A filled {EXITS[kind].format(**prices)} join dormant oco reduce_only" for kind in (deal.loss, deal.gain)]
    exits = exits if deal.order else exits[::-1]
    lines = [
        "[run]",
        f"cash=10000 intrabar={policy} {deal.settings}",
        "[assets]",
        "A",
        "[terms]",
        "A cap_share=0.5 cap_carry=1 slip_rate=0.001",
    ]
    lines += ["[bars]", *bars, "[finer]", *finer, "[volume]", *(f"{number} A {deal.volume}" for number in range(len(bars)))]
    lines += ["[barred]", deal.barred, "[orders]", f"0 A {10 * deal.side} market", *exits]
    return "\n".join(lines)


def run(deal: Deal, policy: str) -> Outcome:
    """Its outcome, the same in both programs."""
    drawn = read_case(text_of(deal, policy)).session
    one, other = reference.simulate(*drawn), kernel.simulate(*drawn)
    assert differences(one, other) == []
    return other


@given(DEALS)
def test_both_programs_agree_on_which_exit_comes_first(deal: Deal) -> None:
    for policy in POLICIES:
        run(deal, policy)


@given(DEALS.filter(lambda deal: deal.volume == 1000 and not deal.barred and not deal.settings))
def test_optimistic_ends_no_lower_than_nearest_and_nearest_no_lower_than_pessimistic(deal: Deal) -> None:
    plain = Deal(**(vars(deal) | {"finer": (), "loss": "stop"}))
    worst, middle, best = (int(run(plain, policy).equity[-1]) for policy in POLICIES)
    assert worst <= middle <= best
