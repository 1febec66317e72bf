"""The compiled pass over variants: the parts that ordinary runs do not have."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

import rustybt as rbt
from rustybt.analysis.metrics import performance as perf
from rustybt.analysis.metrics.drawdown import drawdown_of
from rustybt.kernel.compile import MODE, entry
from rustybt.kernel.quotient import divided
from rustybt.sweeps.moments import deepest, metrics_of, reduce_one, scratch_of
from rustybt.testing import markets

pytestmark = pytest.mark.skipif(MODE != "compiled", reason="about machine code; to the interpreter there is no pass")


@entry
def all_divided(numbers: Any, below: Any, found: Any) -> int:
    for i in range(numbers.size):
        found[i] = divided(numbers[i], below[i], 1.0 / below[i])
    return 0


@entry
def reduced(curves: Any, last: Any, scales: Any, found: Any, scratch: Any) -> int:
    for v in range(curves.shape[0]):
        reduce_one(curves[v], last, scales, found[v], scratch)
    return 0


@entry
def fall(values: Any) -> Any:
    return deepest(values, values.size)


def test_a_quotient_without_a_division_is_rounded_like_one() -> None:
    rng = np.random.default_rng(7)
    for bits in (10, 30, 45, 53, 60):
        numbers = rng.integers(-(2**bits), 2**bits, 400_000).astype(np.float64)
        scales = 10.0 ** rng.integers(0, 12, len(numbers))
        odd = np.where(rng.random(len(numbers)) < 0.5, scales, rng.uniform(1.0, 10.0**9, len(numbers)))
        found = np.empty(len(numbers))
        all_divided(numbers, odd, found)
        assert found.tobytes() == (numbers / odd).tobytes()


def test_the_deepest_fall_is_that_of_all_quotients() -> None:
    rng = np.random.default_rng(8)
    for size in (1, 2, 15, 16, 17, 33, 500):
        for drift in (-0.02, 0.0, 0.02):
            values = np.cumprod(1 + drift + rng.normal(0, 0.03, size)) * 100_000
            if size > 30 and drift < 0:
                values[20:] -= values[20] * 1.5  # an account below zero
            wanted = (values / np.maximum.accumulate(values)).min() - 1.0 if values[0] > 0 else np.nan
            assert fall(values) == min(wanted, 0.0)
    assert np.isnan(fall(np.array([0.0, 1.0])))


@pytest.mark.parametrize("bars", [1, 2, 7, 8, 9, 127, 128, 129, 130, 257, 1_000, 2_520])
def test_the_numbers_of_curves_are_those_of_a_run(bars: int) -> None:
    rng = np.random.default_rng(bars)
    curves = np.cumsum(rng.integers(-2_000, 2_100, (5, bars)), axis=1) + 10_000_000
    curves[1] = 10_000_000
    found, scales = np.empty((5, 8)), np.array([100.0, 0.01, 10_000_000.0])
    reduced(curves, np.arange(bars), scales, found, scratch_of(bars))
    numbers = metrics_of(found, bars, 252.0)
    for v in range(5):
        values = np.concatenate(([10_000_000.0], curves[v])) / 100.0
        returns = values[1:] / values[:-1] - 1.0
        skew, kurtosis = perf.moments(returns)
        wanted = [perf.total_return(values), perf.cagr(values, 252.0), perf.volatility(returns, 252.0), perf.sharpe(returns, 252.0)]
        wanted += [float(drawdown_of(values).min()), skew, kurtosis]
        names = ("total_return", "cagr", "volatility", "sharpe", "max_drawdown", "skew", "kurtosis")
        assert np.array([numbers[name][v] for name in names]).tobytes() == np.array(wanted, dtype=np.float64).tobytes()


@rbt.strategy
def banded(window: int = 20, enter: float = 1.0, leave: float = 0.5) -> rbt.Strategy:
    """What is written several times, with nulls in between."""
    close = pl.col("close")
    z = (close - close.rolling_mean(window)) / close.rolling_std(window)
    side = pl.when(z < -enter).then(0.4).when(z > enter).then(-0.4).when(z.abs() < leave).then(0.0)
    return rbt.Strategy(target=rbt.weight(side))


@pytest.mark.parametrize("assets", [1, 3])
def test_long_curves_are_those_of_runs(assets: int) -> None:
    panel = markets.panel(assets=assets, bars=1_300, seed=4)
    grid: dict[str, list[Any]] = {"window": [2, 5, 40], "enter": [0.5, 1.0, 1.5], "leave": [0.0, 0.5]}
    done = rbt.sweep(banded, panel, grid=grid, trials="off", progress=False, curves=True, max_gross=3)
    for variant in (0, 4, 9, 17):
        row, run = done.frame.row(variant, named=True), done.run(variant)
        assert {name: row[name] for name in ("sharpe", "cagr", "max_drawdown", "skew", "kurtosis")} == {
            name: run.metrics[name] for name in ("sharpe", "cagr", "max_drawdown", "skew", "kurtosis")
        }
        assert str(row["final_equity"]) == run.final_equity
        assert done.curves is not None
        kept = done.curves.filter(pl.col("variant") == variant).collect()
        assert str(kept["equity"][-1]) == run.final_equity
        assert kept.height == panel.bars


@rbt.strategy
def tilted(window: int = 5, size: float = 0.3, flat: float = 0.0) -> rbt.Strategy:
    """Targets of several assets that change at every bar, at some, or never; up to what the account allows, and beyond."""
    close = pl.col("close")
    up = close.rolling_mean(window) > close.shift(1)
    return rbt.Strategy(target=rbt.weight(pl.when(up).then(size).otherwise(flat)), warmup=50)


@pytest.mark.parametrize(("assets", "gaps"), [(2, 0.0), (7, 0.0), (7, 0.1), (513, 0.0)])
def test_targets_of_several_assets_are_those_of_runs(assets: int, gaps: float) -> None:
    panel = markets.panel(assets=assets, bars=90 if assets > 100 else 400, seed=4, gaps=gaps)
    share = round(2.0 / assets, 4)
    grid: dict[str, list[Any]] = {"window": [2, 9], "size": [0.3 / assets, share, 2 * share], "flat": [0.0, -0.1 / assets]}
    done = rbt.sweep(tilted, panel, grid=grid, trials="off", progress=False, max_gross=2)
    failed = done.frame["error"].is_not_null().to_list()
    assert any(failed)
    assert not all(failed)
    for variant in range(done.frame.height):
        row = done.frame.row(variant, named=True)
        if failed[variant]:
            with pytest.raises(rbt.RustyBTError, match="gross"):
                done.run(variant)
            continue
        run = done.run(variant)
        assert (str(row["final_equity"]), row["sharpe"]) == (run.final_equity, run.metrics["sharpe"])
        assert row["orders"] == run.counts()["orders"]
