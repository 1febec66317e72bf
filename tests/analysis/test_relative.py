"""The run against a benchmark: hand-worked numbers and empyrical."""

from __future__ import annotations

import math

import empyrical
import numpy as np
import pytest

from rustybt.analysis.metrics import Benchmark, Closes, relative
from rustybt.analysis.metrics.curve import simple_returns
from rustybt.errors import DataError
from tests.analysis.worked import close_to, dated, equity_of, random_returns

OURS, THEIRS = np.array([0.03, -0.01, 0.02, 0.00]), np.array([0.02, -0.02, 0.01, 0.03])
"""Means 1 % and 1 %. Deviations 2, -2, 1, -1 and 1, -3, 0, 2 %: cross products 2 + 6 + 0 - 2 = 6e-4, squares of the second 14e-4."""


def days(count: int, first: int = 19_723) -> np.ndarray:
    return np.arange(first, first + count, dtype=np.int32)


def test_hand_worked_beta_alpha_and_correlation() -> None:
    assert relative.beta(OURS, THEIRS) == pytest.approx(6 / 14, rel=1e-12)
    assert relative.alpha(OURS, THEIRS, 252) == pytest.approx((0.01 - 6 / 14 * 0.01) * 252, rel=1e-12)
    assert relative.alpha(OURS, THEIRS, 1, risk_free=0.01) == pytest.approx(0.0, abs=1e-15)
    assert relative.correlation(OURS, THEIRS) == pytest.approx(6 / math.sqrt(14 * 10), rel=1e-12)


def test_hand_worked_active_return() -> None:
    # differences 1, 1, 1, -3 %: mean 0, squares 12e-4, sample variance 4e-4
    assert relative.tracking_error(OURS, THEIRS, 1) == pytest.approx(0.02, rel=1e-12)
    assert relative.information_ratio(OURS, THEIRS, 252) == pytest.approx(0.0, abs=1e-12)
    assert relative.information_ratio(OURS + 0.01, THEIRS, 252) == pytest.approx(0.01 / 0.02 * math.sqrt(252), rel=1e-12)


def test_hand_worked_capture() -> None:
    # the benchmark rose in sessions 1, 3, 4 and fell in session 2
    up = ((1.03 * 1.02 * 1.0) ** (1 / 3) - 1) / ((1.02 * 1.01 * 1.03) ** (1 / 3) - 1)
    assert relative.capture(OURS, THEIRS, up=True) == pytest.approx(up, rel=1e-12)
    assert relative.capture(OURS, THEIRS, up=False) == pytest.approx(0.5, rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_empyrical(seed: int) -> None:
    theirs = random_returns(seed)
    ours = 0.7 * theirs + random_returns(seed + 100, scale=0.004)
    a, b = dated(ours), dated(theirs)
    assert np.isclose(relative.beta(ours, theirs), empyrical.beta(a, b), rtol=1e-11)
    # empyrical compounds the alpha of a session over the year
    session = relative.alpha(ours, theirs, 252, 0.0001) / 252
    assert np.isclose((1 + session) ** 252 - 1, empyrical.alpha(a, b, risk_free=0.0001), rtol=1e-9)
    # empyrical's ratio is that of one session
    assert np.isclose(relative.information_ratio(ours, theirs, 252), empyrical.excess_sharpe(a, b) * math.sqrt(252), rtol=1e-11)
    assert np.isclose(relative.tracking_error(ours, theirs, 252), empyrical.annual_volatility(a - b), rtol=1e-11)
    # empyrical annualises both sides of a capture ratio; undo it, side by side
    for up, mask in ((True, theirs > 0), (False, theirs < 0)):
        one, other = ((1 + float(empyrical.annual_return(side[mask]))) ** (1 / 252) - 1 for side in (a, b))
        assert np.isclose(relative.capture(ours, theirs, up=up), one / other, rtol=1e-8)


def test_a_benchmark_that_does_not_move_has_no_beta() -> None:
    still = np.zeros(4)
    assert math.isnan(relative.beta(OURS, still))
    assert math.isnan(relative.correlation(OURS, still))
    assert math.isnan(relative.capture(OURS, still, up=True))


def test_a_run_that_is_the_benchmark_has_no_information_ratio() -> None:
    assert math.isnan(relative.information_ratio(THEIRS, THEIRS, 252))
    assert relative.tracking_error(THEIRS, THEIRS, 252) == 0.0
    assert relative.beta(THEIRS, THEIRS) == pytest.approx(1.0)


def test_a_missing_session_takes_the_value_before_never_the_one_after() -> None:
    benchmark = Benchmark(np.array([10, 12], dtype=np.int32), np.array([5.0, 7.0]))
    assert benchmark.at(np.array([9, 10, 11, 12, 13], dtype=np.int32)).tolist()[1:] == [5.0, 5.0, 7.0, 7.0]
    assert math.isnan(benchmark.at(np.array([9], dtype=np.int32))[0])


def test_unknown_values_are_skipped() -> None:
    benchmark = Benchmark(np.array([1, 2], dtype=np.int32), np.array([4.0, np.nan]))
    assert benchmark.at(np.array([2], dtype=np.int32))[0] == 4.0
    nothing = Benchmark(np.array([1], dtype=np.int32), np.array([np.nan]))
    assert math.isnan(nothing.at(np.array([2], dtype=np.int32))[0])


def test_both_sides_start_at_the_same_close() -> None:
    # opening cash 100 and closes 110, 121: the first session's gain has no counterpart in the benchmark
    values = np.array([100.0, 110.0, 121.0])
    closes = Closes(np.array([5, 5, 6], dtype=np.int32), values, simple_returns(values), True)
    numbers = relative.against_benchmark(closes, Benchmark(days(2, 5), np.array([50.0, 60.0])), 252, 0.0)
    assert numbers["benchmark_return"] == pytest.approx(0.2)
    assert numbers["excess_return"] == pytest.approx(0.1 - 0.2)


def test_a_late_benchmark_is_compared_over_what_both_have() -> None:
    r = random_returns(2, 100)
    closes = Closes(days(101), equity_of(r), r, False)
    numbers = relative.against_benchmark(closes, Benchmark(days(51, 19_773), equity_of(r)[50:]), 252, 0.0)
    assert close_to(numbers["beta"], 1.0)
    assert numbers["excess_return"] == pytest.approx(0.0, abs=1e-12)


def test_no_common_session_gives_nothing() -> None:
    r = random_returns(2, 10)
    closes = Closes(days(11), equity_of(r), r, False)
    assert relative.against_benchmark(closes, Benchmark(days(3, 30_000), np.array([1.0, 2.0, 3.0])), 252, 0.0) == {}


@pytest.mark.parametrize(
    ("sessions", "values", "words"),
    [
        ([1, 2], [1.0], "2 sessions and 1 values"),
        ([2, 1], [1.0, 1.0], "not strictly ascending"),
        ([1, 2], [1.0, 0.0], "value 0.0"),
        ([1, 2], [1.0, np.inf], "value inf"),
    ],
)
def test_a_bad_benchmark_is_refused(sessions: list[int], values: list[float], words: str) -> None:
    with pytest.raises(DataError, match=words):
        Benchmark(np.array(sessions, dtype=np.int32), np.array(values), "SPY")
