"""Value at risk and correlation against a plain computation of what they say."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustybt import kernel, reference
from rustybt.testing.golden import read_case
from rustybt.testing.outcomes import Simulate, differences

BOTH = pytest.mark.parametrize("simulate", [pytest.param(kernel.simulate, id="kernel"), pytest.param(reference.simulate, id="reference")])
BARS = 6
CLOSES = st.lists(st.tuples(st.integers(50, 150), st.integers(50, 150)), min_size=BARS, max_size=BARS)
RATE = 10**8


def opened(simulate: Simulate, closes: list[tuple[int, int]], targets: tuple[int, int], line: str) -> tuple[int, int]:
    """Lots of A and B after the last bar: A is decided at the first bar, B at the last but one, at which so many bars are known."""
    rows = [f"{t} {name} {p} {p} {p} {p}" for t, pair in enumerate([*closes, closes[-1]]) for name, p in zip("AB", pair, strict=True)]
    text = "\n".join(
        ["[run]", "cash=100000", "[assets]", "A", "B", "[bars]", *rows, "[targets]", f"0 A {targets[0]}", f"{BARS - 1} B {targets[1]}"]
    )
    lots = simulate(*read_case(f"{text}\n[controls]\n{line}").session).lots
    return int(lots[0]), int(lots[1])


def moves(closes: list[int]) -> list[int]:
    """Relative moves in 1e-8, half-even; the first bar has none."""
    return [0, *(round(Fraction((b - a) * RATE, a)) for a, b in pairwise(closes))]


def at_risk(closes: list[tuple[int, int]], lots: tuple[int, int], tail: int) -> int:
    """The loss that comes after the worst ``tail`` ones, in 1e-8 of a unit of money, by sorting."""
    columns = [moves(list(column)) for column in zip(*closes, strict=True)]
    worths = [count * price for count, price in zip(lots, closes[-1], strict=True)]
    losses = [-sum(worth * move for worth, move in zip(worths, row, strict=True)) for row in zip(*columns, strict=True)]
    worst: int = sorted(losses, reverse=True)[tail]
    return max(0, worst)


@BOTH
@given(
    closes=CLOSES,
    targets=st.tuples(st.integers(-100, 100), st.integers(-100, 100)),
    tail=st.integers(0, BARS - 1),
    part=st.integers(1, 400),
    action=st.sampled_from(["reject", "reduce"]),
)
def test_an_order_passes_exactly_when_its_risk_is_within_the_limit_or_not_more_than_before(
    simulate: Simulate, closes: list[tuple[int, int]], targets: tuple[int, int], tail: int, part: int, action: str
) -> None:
    line = f"value_at_risk {action} {part / 10_000:.4f} bars:{BARS} tail:{tail}"
    held, got = opened(simulate, closes, targets, line)
    assert held == targets[0]
    equity = 100_000 + held * (closes[-1][0] - closes[1][0])
    before, wished = at_risk(closes, (held, 0), tail), at_risk(closes, targets, tail)
    bound = max(before, equity * RATE * part // 10_000)
    if wished <= bound:
        assert got == targets[1]
    elif action == "reject":
        assert got == 0
    else:
        assert abs(got) < abs(targets[1])
        assert got * targets[1] >= 0
        assert at_risk(closes, (held, got), tail) <= bound
        assert at_risk(closes, (held, got + (1 if targets[1] > 0 else -1)), tail) > bound


@BOTH
@given(closes=CLOSES, above=st.integers(0, 99), a=st.integers(1, 50), b=st.sampled_from([-1, 1]))
def test_what_moves_together_counts_together(simulate: Simulate, closes: list[tuple[int, int]], above: int, a: int, b: int) -> None:
    """A lot of B finds no room when A fills it and both move together, or against each other for a sale; else it does."""
    x, y = (np.array(moves([pair[side] for pair in closes])) for side in (0, 1))
    correlation = float(np.corrcoef(x, y)[0, 1]) if x.any() and y.any() else 0.0
    if abs(abs(correlation) - above / 100) < 0.001:  # the oracle is a float, and takes moves that are finer
        return
    equity, worth = 100_000 + a * (closes[-1][0] - closes[1][0]), a * closes[-1][0]
    limit = Fraction(worth, equity) + Fraction(1, 10**7)
    line = f"correlated_exposure reject {float(limit):.8f} bars:{BARS} above:{above / 100:.2f}"
    together = 0 if abs(correlation) <= above / 100 else 1 if correlation > 0 else -1
    fits = closes[-1][1] <= worth - together * b * worth
    assert opened(simulate, closes, (a, b), line) == (a, b if fits else 0)


@BOTH
@given(closes=CLOSES, more=st.integers(0, 20))
def test_nothing_is_asked_before_as_many_bars_are_known(simulate: Simulate, closes: list[tuple[int, int]], more: int) -> None:
    bars = BARS + 1 + more
    for line in (f"value_at_risk reject 0.00000001 bars:{bars} tail:0", f"correlated_exposure reject 0.00000001 bars:{bars} above:0"):
        assert opened(simulate, closes, (5, 5), line) == (5, 5)


SIZES = st.integers(1, 60)


@given(closes=CLOSES, sizes=st.tuples(SIZES, SIZES, SIZES, SIZES, SIZES), part=st.integers(1, 3_000), tail=st.integers(0, 2))
def test_a_bound_that_is_seen_at_a_glance_takes_in_every_order_of_the_bar(
    closes: list[tuple[int, int]], sizes: tuple[int, ...], part: int, tail: int
) -> None:
    """Orders that rest, one that is amended after others were checked, one that replaces another, sales: the reference adds up all bars."""
    rows = [f"{t} {name} {p} {p} {p} {p}" for t, pair in enumerate([*closes, closes[-1]]) for name, p in zip("AB", pair, strict=True)]
    a, b, more, c, d = sizes
    orders = [
        f"{BARS - 1} A {a} limit limit=20",
        f"{BARS - 1} B {b} limit limit=30",
        f"{BARS - 1} A {more} market limit=21 amend",
        f"{BARS - 1} B -{c} market",
        f"{BARS - 1} B {d} market",
    ]
    head = ["[run]", "cash=10000", "[assets]", "A", "B", "[bars]", *rows, "[targets]", f"0 A {d}"]
    line = f"value_at_risk reduce {part / 10_000:.4f} bars:{BARS} tail:{tail}"
    case = read_case("\n".join([*head, "[orders]", *orders, "[controls]", line])).session
    assert differences(kernel.simulate(*case), reference.simulate(*case)) == []
