"""Worked numbers of the papers, and what has to hold whatever the numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rustybt.analysis.honesty import (
    Moments,
    deflated_sharpe,
    expected_best,
    independent_trials,
    minimum_backtest_years,
    minimum_track_record,
    probabilistic_sharpe,
)
from rustybt.errors import ConfigError

YEAR = math.sqrt(252)


def test_the_example_of_the_probabilistic_sharpe_ratio() -> None:
    """Bailey and Lopez de Prado 2012: a monthly 0.458 over two years, once normal, once with the skew and kurtosis that it had."""
    assert probabilistic_sharpe(Moments(0.458, 24)) == pytest.approx(0.982, abs=5e-4)
    assert probabilistic_sharpe(Moments(0.458, 24, -2.448, 10.164 - 3)) == pytest.approx(0.913, abs=5e-4)


@pytest.mark.parametrize(("periods", "years"), [(252, 2.73), (52, 2.83), (12, 3.24)])
def test_the_example_of_the_minimum_track_record(periods: int, years: float) -> None:
    """The same paper: a yearly ratio of 2 told from 1 at 95 %, normal returns, daily, weekly and monthly."""
    record = Moments(2 / math.sqrt(periods), 1000)
    assert minimum_track_record(record, 1 / math.sqrt(periods)) / periods == pytest.approx(years, abs=5e-3)


def test_the_track_record_that_is_needed_is_the_one_that_is_sure_enough() -> None:
    record = Moments(0.1, 500, -0.7, 4.0)
    needed = minimum_track_record(record, 0.02, 0.9)
    exact = math.ceil(needed)
    assert (
        probabilistic_sharpe(Moments(0.1, exact, -0.7, 4.0), 0.02) >= 0.9 > probabilistic_sharpe(Moments(0.1, exact - 1, -0.7, 4.0), 0.02)
    )


def test_no_record_is_long_enough_for_a_ratio_below_the_benchmark() -> None:
    assert minimum_track_record(Moments(0.1, 500), 0.1) == math.inf


def test_the_example_of_the_deflated_sharpe_ratio() -> None:
    """Bailey and Lopez de Prado 2014: 2.5 a year over 1,250 days, best of 100, of 46, and of 88 with normal returns."""
    best = Moments(2.5 / math.sqrt(250), 1250, -3.0, 10.0 - 3)
    variance = 0.5 / 250
    assert math.sqrt(variance) * expected_best(100) == pytest.approx(0.1132, abs=5e-5)
    assert deflated_sharpe(best, 100, variance) == pytest.approx(0.9004, abs=5e-5)
    assert deflated_sharpe(best, 46, variance) == pytest.approx(0.9505, abs=5e-5)
    assert deflated_sharpe(Moments(2.5 / math.sqrt(250), 1250), 88, variance) == pytest.approx(0.9505, abs=5e-5)


def test_one_trial_deflates_nothing() -> None:
    record = Moments(0.08, 300, 0.2, 1.0)
    assert deflated_sharpe(record, 1, 0.01) == probabilistic_sharpe(record)


def test_more_trials_never_make_it_better() -> None:
    record = Moments(0.08, 300)
    found = [deflated_sharpe(record, trials, 0.002) for trials in (1, 2, 10, 1000, 10**6)]
    assert found == sorted(found, reverse=True)


@pytest.mark.parametrize("trials", [2, 10, 100, 1000])
def test_the_expected_best_is_that_of_drawn_numbers(trials: int) -> None:
    """The formula is of large numbers of trials; from two to a thousand it stays within 5 % of what is drawn."""
    drawn = np.random.default_rng(5).normal(size=(20_000, trials)).max(axis=1).mean()
    assert expected_best(trials) == pytest.approx(drawn, rel=0.05 if trials > 2 else 0.1)


def test_the_examples_of_the_minimum_backtest() -> None:
    """Bailey and others 2014: the best of ten shows 1.57; five years carry 45 tries."""
    assert expected_best(10) == pytest.approx(1.57, abs=5e-3)
    assert minimum_backtest_years(45) == pytest.approx(5.0, abs=0.05)
    assert minimum_backtest_years(45, 2.0) == pytest.approx(minimum_backtest_years(45) / 4)


def test_correlated_trials_count_as_fewer() -> None:
    assert independent_trials(100, 1.0) == 1.0
    assert independent_trials(100, 0.0) == 100.0
    assert independent_trials(100, -0.2) == 100.0


def test_the_probability_is_right_about_as_often_as_it_says() -> None:
    """Of worthless strategies, about one in twenty is called 95 % sure."""
    rng = np.random.default_rng(11)
    sure = [probabilistic_sharpe(Moments.of(rng.normal(0, 0.01, 250))) > 0.95 for _ in range(4000)]
    assert np.mean(sure) == pytest.approx(0.05, abs=0.012)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: Moments(0.1, 1), "1 returns make no track record"),
        (lambda: Moments(math.nan, 10), "sharpe nan is not a number"),
        (lambda: Moments.of(np.array([0.01])), "no track record"),
        (lambda: Moments.of(np.array([0.01, np.nan, 0.0])), "return nan at position 1"),
        (lambda: Moments.of(np.full(9, 0.01)), "do not vary"),
        (lambda: probabilistic_sharpe(Moments(3.0, 10, 5.0, 0.0)), "do not go with a Sharpe ratio of 3"),
        (lambda: minimum_track_record(Moments(0.1, 10), confidence=95), "confidence 95"),
        (lambda: expected_best(0), "0 trials"),
        (lambda: expected_best(math.inf), "inf trials"),
        (lambda: minimum_backtest_years(10, 0.0), "0.0 is not positive"),
        (lambda: deflated_sharpe(Moments(0.1, 10), 5, -1.0), "variance -1.0"),
        (lambda: independent_trials(0, 0.5), "0 trials"),
        (lambda: independent_trials(5, 1.5), "correlation 1.5"),
    ],
)
def test_what_cannot_be_judged_is_said(wrong: object, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        wrong()  # type: ignore[operator]
