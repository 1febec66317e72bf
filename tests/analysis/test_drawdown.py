"""Falls from the peak: depth, dates, length."""

from __future__ import annotations

import empyrical
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustybt.analysis.metrics import Closes, drawdown_of, worst_drawdowns
from rustybt.analysis.metrics.curve import Curve, simple_returns
from rustybt.analysis.metrics.drawdown import BLOCK, Falls, deepest_of_bars
from tests.analysis.worked import close_to, dated, equity_of, random_returns


def closes_of(values: list[float] | np.ndarray, first: int = 19_723) -> Closes:
    equity = np.asarray(values, dtype=np.float64)
    return Closes(np.arange(first, first + len(equity), dtype=np.int32), equity, simple_returns(equity), False)


def test_hand_worked_falls_with_dates() -> None:
    falls = worst_drawdowns(closes_of([100, 120, 90, 96, 120, 130, 117, 125]))
    assert [round(fall.depth, 12) for fall in falls] == [-0.25, -0.1]
    assert falls[0].dates == ("2024-01-02", "2024-01-03", "2024-01-05")
    assert falls[0].sessions == 3
    assert falls[1].dates == ("2024-01-06", "2024-01-07", None)
    assert falls[1].sessions == 2


def test_hand_worked_summary() -> None:
    summary = Falls.of(np.array([100.0, 80.0, 100.0, 90.0])).summary()
    assert summary["average_drawdown"] == pytest.approx(-0.15)
    assert summary["longest_drawdown"] == 2.0
    assert summary["time_under_water"] == 0.5
    assert summary["ulcer_index"] == pytest.approx(((0.04 + 0.01) / 4) ** 0.5)


def test_equity_that_only_rises_has_no_fall() -> None:
    assert worst_drawdowns(closes_of([100, 100, 101])) == []
    assert Falls.of(np.array([1.0, 2.0])).summary()["average_drawdown"] == 0.0


def test_touching_the_peak_ends_a_fall() -> None:
    falls = worst_drawdowns(closes_of([100, 90, 100, 95, 100]))
    assert [fall.end for fall in falls] == [19_725, 19_727]


def test_leverage_can_lose_more_than_everything() -> None:
    falls = worst_drawdowns(closes_of([100, -20, 10]))
    assert falls[0].depth == pytest.approx(-1.2)


def test_only_so_many_are_given_and_the_deepest_first() -> None:
    values = np.tile([100.0, 99.0, 100.0, 97.0, 100.0, 98.0], 5)
    falls = worst_drawdowns(closes_of(values), 3)
    assert [round(fall.depth, 2) for fall in falls] == [-0.03, -0.03, -0.03]
    assert [fall.start for fall in falls] == sorted(fall.start for fall in falls)


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_empyrical(seed: int) -> None:
    r = random_returns(seed)
    assert close_to(worst_drawdowns(closes_of(equity_of(r)))[0].depth, empyrical.max_drawdown(dated(r)))


def test_a_peak_that_is_not_positive_has_no_drawdown() -> None:
    assert np.isnan(drawdown_of(np.array([0.0, -1.0]))).all()
    assert np.isnan(Falls.of(np.array([-1.0, -2.0])).summary()["ulcer_index"])


@given(st.lists(st.integers(1, 1_000), min_size=1, max_size=60))
def test_falls_are_what_a_plain_walk_finds(values: list[int]) -> None:
    closes = closes_of([float(value) for value in values])
    found = {(fall.start, fall.trough, fall.end, fall.sessions) for fall in worst_drawdowns(closes, 1_000)}
    assert found == set(walked(values))


def walked(values: list[int]) -> list[tuple[int, int, int | None, int]]:
    """Start, trough, end and length of every fall, the obvious way."""
    out: list[tuple[int, int, int | None, int]] = []
    peak, lowest = 0, None
    for place, value in enumerate(values):
        if value >= values[peak]:
            if lowest is not None:
                out.append((19_723 + peak, 19_723 + lowest, 19_723 + place, place - peak))
            peak, lowest = place, None
        elif lowest is None or value < values[lowest]:
            lowest = place
    if lowest is not None:
        out.append((19_723 + peak, 19_723 + lowest, None, len(values) - 1 - peak))
    return out


@given(
    seed=st.integers(0, 2**32 - 1),
    bars=st.sampled_from([1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5]),
    level=st.sampled_from([0, 1, 10**6, 10**12]),
    opening=st.sampled_from([None, -5, 0, 1, 10**9]),
)
def test_blocks_give_the_bits_of_the_lowest_drawdown_over_all_bars(seed: int, bars: int, level: int, opening: int | None) -> None:
    """Blocks that are skipped hold nothing deeper, whether equity falls below zero or not."""
    steps = np.random.default_rng(seed).integers(-(10**4), 10**4, bars)
    units = level + np.cumsum(steps)
    curve = Curve(np.arange(bars), np.arange(bars, dtype=np.int32), units, units, units, 2, opening)
    every = units if opening is None else np.concatenate(([opening], units))
    assert repr(deepest_of_bars(curve)) == repr(float(drawdown_of(every / 100.0).min()))
