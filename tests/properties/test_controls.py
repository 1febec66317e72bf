"""Tightening a control never allows more, in both programs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustybt import kernel, reference
from rustybt.model import Reason, Status
from rustybt.testing.golden import read_case
from rustybt.testing.outcomes import Simulate

BOTH = pytest.mark.parametrize("simulate", [pytest.param(kernel.simulate, id="kernel"), pytest.param(reference.simulate, id="reference")])
TARGETS = st.integers(-60, 60)
ACTIONS = st.sampled_from(["reject", "reduce", "halt"])
LINES = {
    "order_quantity": lambda action, size: f"order_quantity {action} A={size}",
    "position": lambda action, size: f"position {action} A={size}",
    "order_notional": lambda action, size: f"order_notional {action} {size * 100}",
    "gross_exposure": lambda action, size: f"gross_exposure {action} {size / 100:.2f}",
    "net_exposure": lambda action, size: f"net_exposure {action} {size / 100:.2f}",
    "concentration": lambda action, size: f"concentration {action} {size / 100:.2f}",
}


def opened(simulate: Simulate, targets: tuple[int, int], line: str) -> tuple[int, int, int]:
    """Lots held after one decision, after two, and the rows of the first decision that tell of a limit."""
    text = f"""[run]
cash=10000
[assets]
A
[bars]
0 A 100 100 100 100
1 A 100 100 100 100
2 A 100 100 100 100
[targets]
0 A {targets[0]}
1 A {targets[1]}
[controls]
{line}"""
    outcome = simulate(*read_case(text).session)
    first = outcome.log.filled[outcome.log.bar == 1].sum()
    return int(first), int(outcome.lots[0]), int(((outcome.log.status == Status.VIOLATED) & (outcome.log.bar == 0)).sum())


@BOTH
@pytest.mark.parametrize("name", LINES)
@given(target=TARGETS, action=ACTIONS, sizes=st.tuples(st.integers(1, 99), st.integers(1, 99)))
def test_a_tighter_limit_never_opens_more(simulate: Simulate, name: str, target: int, action: str, sizes: tuple[int, int]) -> None:
    tight, loose = min(sizes), max(sizes)
    less, _, noticed = opened(simulate, (target, target), LINES[name](action, tight))
    more, _, unnoticed = opened(simulate, (target, target), LINES[name](action, loose))
    assert abs(less) <= abs(more) <= abs(target)
    assert noticed >= unnoticed
    assert abs(less) <= tight
    if noticed and action != "reduce":
        assert less == 0


@BOTH
@given(targets=st.tuples(TARGETS, TARGETS), size=st.integers(1, 99), action=ACTIONS)
def test_a_reduction_always_passes(simulate: Simulate, targets: tuple[int, int], size: int, action: str) -> None:
    first, last, _ = opened(simulate, targets, f"order_quantity {action} A={size}")
    if first * targets[1] >= 0 and abs(targets[1]) <= abs(first):
        assert last == targets[1]
    elif first * targets[1] < 0:
        assert last * first <= 0


@BOTH
@given(loss=st.integers(1, 99), fall=st.integers(1, 99))
def test_a_drawdown_is_noticed_exactly_when_it_is_passed(simulate: Simulate, loss: int, fall: int) -> None:
    """All of 10000 in A; a fall by so many per cent."""
    text = f"""[run]
cash=10000
[assets]
A
[bars]
0 A 100 100 100 100
1 A 100 100 100 100
2 A {100 - fall} {100 - fall} {100 - fall} {100 - fall}
[targets]
0 A 100
[controls]
drawdown halt {loss / 100:.2f}"""
    log = simulate(*read_case(text).session).log
    assert bool((log.reason == Reason.CONTROL).any()) == (fall > loss)
