"""Blocks and intervals: against the theory, and against the `arch` library."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from arch.bootstrap import StationaryBootstrap, optimal_block_length

from rustybt.analysis.honesty import (
    Draw,
    TradeSample,
    best_block,
    block_indices,
    intervals,
    resampled,
    stationary_indices,
    trade_intervals,
)
from rustybt.analysis.honesty.paths import HEADLINE, UNCHANGED_BY_ORDER, measure_paths
from rustybt.analysis.metrics import performance as perf
from rustybt.analysis.metrics.drawdown import drawdown_of
from rustybt.errors import ConfigError

Floats = np.ndarray[Any, np.dtype[np.float64]]


def autoregressive(length: int, phi: float, seed: int) -> Floats:
    drawn = np.random.default_rng(seed).normal(size=length)
    out = np.empty(length)
    out[0] = drawn[0] / math.sqrt(1 - phi**2)
    for i in range(1, length):
        out[i] = phi * out[i - 1] + drawn[i]
    return out


def test_a_path_is_measured_as_the_metrics_measure_it() -> None:
    rng = np.random.default_rng(4)
    paths = rng.normal(0.0005, 0.02, (30, 90))
    found = measure_paths(paths, 252)
    for row, returns in enumerate(paths):
        values = np.concatenate(([1.0], np.cumprod(1 + returns)))
        deepest = float(drawdown_of(values).min())
        wanted = {
            "total_return": perf.total_return(values),
            "cagr": perf.cagr(values, 252),
            "volatility": perf.volatility(returns, 252),
            "sharpe": perf.sharpe(returns, 252),
            "sortino": perf.sortino(returns, 252),
            "calmar": perf.calmar(perf.cagr(values, 252), deepest),
            "max_drawdown": deepest,
        }
        assert {name: float(found[name][row]) for name in HEADLINE} == pytest.approx(wanted, rel=1e-10)


def test_what_is_not_defined_is_nan() -> None:
    found = measure_paths(np.array([[0.0, 0.0, 0.0], [-0.5, -1.2, 0.3], [0.1, 0.1, 0.1]]), 252)
    assert np.isnan(found["sharpe"]).tolist() == [True, False, True]
    assert np.isnan(found["max_drawdown"]).tolist() == [False, True, False]
    assert np.isnan(found["calmar"]).all()


def test_no_shuffle_changes_what_does_not_depend_on_order() -> None:
    returns = np.random.default_rng(4).normal(0.001, 0.02, 200)
    shuffled = np.random.default_rng(5).permuted(np.tile(returns, (50, 1)), axis=1)
    found = measure_paths(shuffled, 252)
    for name in UNCHANGED_BY_ORDER:
        assert np.ptp(found[name]) < 1e-9, name
    assert np.ptp(found["max_drawdown"]) > 0.05


@pytest.mark.parametrize("draw", [block_indices, stationary_indices])
def test_every_position_is_equally_likely(draw: Any) -> None:
    at = draw(20, 5, 20_000, np.random.default_rng(3))
    assert at.shape == (20_000, 20)
    assert np.bincount(at.ravel(), minlength=20) / at.size == pytest.approx(np.full(20, 0.05), rel=0.02)


def test_blocks_have_the_length_that_was_asked_for() -> None:
    fixed = block_indices(60, 7, 500, np.random.default_rng(3))
    joined = (np.diff(fixed, axis=1) % 60) == 1
    assert joined[:, [k for k in range(59) if (k + 1) % 7]].all()
    random = stationary_indices(2000, 7, 50, np.random.default_rng(3))
    broken = (np.diff(random, axis=1) % 2000) != 1
    assert 1 / broken.mean() == pytest.approx(7, rel=0.03)


@pytest.mark.parametrize("phi", [0.3, 0.5, 0.8])
def test_the_best_block_is_that_of_the_theory(phi: float) -> None:
    """Of a first-order autoregression it is known: (2 phi / (1 - phi^2))^(2/3) n^(1/3)."""
    n = 20_000
    wanted = (2 * phi / (1 - phi**2)) ** (2 / 3) * n ** (1 / 3)
    found = np.mean([best_block(autoregressive(n, phi, seed)) for seed in range(5)])
    assert found == pytest.approx(wanted, rel=0.15)


@pytest.mark.parametrize("phi", [0.0, 0.4, 0.7])
@pytest.mark.parametrize("circular", [False, True])
def test_the_best_block_is_that_of_arch(phi: float, circular: bool) -> None:
    """`arch` leaves off the observations at the ends of a lag and starts its search one lag later, so it is near, not equal."""
    ours, theirs = [], []
    for seed in range(10):
        series = autoregressive(1000, phi, seed)
        ours.append(best_block(series, circular=circular))
        theirs.append(float(optimal_block_length(series)["circular" if circular else "stationary"].iloc[0]))
    assert np.median(ours) == pytest.approx(max(1.0, float(np.median(theirs))), rel=0.25, abs=1.0)


def test_short_and_constant_series_have_blocks() -> None:
    assert best_block(np.full(50, 0.01)) == 1.0
    assert 1 <= best_block(np.array([0.01, -0.02])) <= 2
    assert 1 <= best_block(autoregressive(6, 0.9, 1)) <= 2


def test_intervals_are_those_of_arch() -> None:
    """Percentile intervals of the yearly Sharpe ratio from 20,000 stationary resamples each: the same law, other draws."""
    returns = autoregressive(400, 0.3, 2) * 0.01 + 0.0006
    theirs = StationaryBootstrap(8, returns, seed=np.random.default_rng(1)).conf_int(
        lambda x: np.array([x.mean() / x.std(ddof=1) * math.sqrt(252)]), reps=20_000, method="percentile"
    )
    ours = intervals(returns, 252, Draw(count=20_000, block=8, seed=7))["sharpe"]
    assert (ours.low, ours.high) == pytest.approx((theirs[0, 0], theirs[1, 0]), abs=0.06)
    assert ours.value == perf.sharpe(returns, 252)


def test_an_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """400 records of known Sharpe ratio (0.1 a session), 90 % intervals."""
    rng = np.random.default_rng(9)
    inside = 0
    for seed in range(400):
        found = intervals(rng.normal(0.001, 0.01, 250), 1, Draw(count=400, block=1, seed=seed, confidence=0.9))["sharpe"]
        inside += found.low is not None and found.high is not None and found.low <= 0.1 <= found.high
    assert inside / 400 == pytest.approx(0.9, abs=0.045)


def test_blocks_widen_the_interval_of_returns_that_follow_each_other() -> None:
    returns = autoregressive(1000, 0.6, 3) * 0.01
    alone, together = (intervals(returns, 252, Draw(block=block))["sharpe"] for block in (1, None))
    assert together.high - together.low > 1.3 * (alone.high - alone.low)  # type: ignore[operator]


def test_the_same_seed_gives_the_same_numbers_however_they_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    returns = np.random.default_rng(4).normal(0.001, 0.02, 100)
    draw = Draw(count=50, stationary=False)
    one = resampled(returns, 252, draw)
    assert all(np.array_equal(one[name], again) for name, again in resampled(returns, 252, draw).items())
    assert not np.array_equal(one["sharpe"], resampled(returns, 252, Draw(count=50, stationary=False, seed=1))["sharpe"])


def test_a_statistic_that_most_resamples_lack_has_no_interval() -> None:
    found = intervals(np.array([0.0] * 30 + [0.01]), 252, Draw(count=200, block=1))
    assert (found["calmar"].value, found["calmar"].low) == (None, None)
    assert found["total_return"].low == 0.0


def test_trades_have_intervals() -> None:
    pnl = np.array([30.0, -10.0, 20.0, -10.0, 5.0] * 20)
    found = trade_intervals(TradeSample(pnl, pnl / 1000), Draw(block=1))
    assert found["win_rate"].value == pytest.approx(0.6)
    error = math.sqrt(0.6 * 0.4 / 100)
    assert found["win_rate"].low == pytest.approx(0.6 - 1.96 * error, abs=0.02)
    assert found["win_rate"].high == pytest.approx(0.6 + 1.96 * error, abs=0.02)
    assert found["profit_factor"].value == pytest.approx(55 / 20)
    assert trade_intervals(TradeSample(pnl[:1], pnl[:1])) == {}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: Draw(count=0), "0 resamples"),
        (lambda: Draw(confidence=95), "confidence 95"),
        (lambda: intervals(np.zeros(10), 252, Draw(block=11)), "blocks of 11 do not go into 10"),
        (lambda: intervals(np.array([0.1]), 252), "no track record"),
        (lambda: intervals(np.array([0.1, np.inf]), 252), "return inf at position 1"),
        (lambda: block_indices(5, 0, 1, np.random.default_rng(0)), "blocks of 0"),
    ],
)
def test_what_cannot_be_resampled_is_said(wrong: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        wrong()
