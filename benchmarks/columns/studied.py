"""RustyBT: the sweeps of `benchmarks.studies`, each an ordinary ``@strategy`` function.

The clock runs from a validated panel in memory to the frame of results, as in `benchmarks.columns.swept`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl

import rustybt as rbt
from benchmarks.columns.ours import frame_of
from benchmarks.models import Facts, Job
from benchmarks.studies import CASH, FAST, SHARES, SLOW, STUDIES, family_of

CLOSE = pl.col("close")


def held(enter: pl.Expr, leave: pl.Expr) -> rbt.Strategy:
    """So many shares from one condition to the other."""
    return rbt.Strategy(target=rbt.quantity(pl.when(enter).then(SHARES).when(leave).then(0)))


@rbt.strategy
def rsi(window: int = 14, low: float = 30.0) -> rbt.Strategy:
    """In when the relative strength index of plain averages is low, out when it is as high."""
    move = CLOSE.diff()
    up, down = (part.clip(lower_bound=0.0).rolling_mean(window) for part in (move, -move))
    value = 100 - 100 / (1 + up / down)
    return held(value < low, value > 100 - low)


@rbt.strategy
def bollinger(window: int = 20, width: float = 2.0) -> rbt.Strategy:
    """In below the lower band, out above the middle."""
    mean, spread = CLOSE.rolling_mean(window), CLOSE.rolling_std(window, ddof=0)
    return held(mean - width * spread > CLOSE, mean < CLOSE)


@rbt.strategy
def donchian(entry: int = 20, leave: int = 10) -> rbt.Strategy:
    """In above the highest high of some bars, out below the lowest low of fewer."""
    return held(pl.col("high").rolling_max(entry).shift(1) < CLOSE, pl.col("low").rolling_min(leave).shift(1) > CLOSE)


@rbt.strategy
def ema_cross(fast: int = 10, slow: int = 50) -> rbt.Strategy:
    """In while the fast exponential average is above the slow one."""
    quick, lazy = (CLOSE.ewm_mean(span=span, adjust=False, min_samples=span) for span in (fast, slow))
    return rbt.Strategy(target=rbt.quantity(pl.when(quick > lazy).then(SHARES).otherwise(0)))


@rbt.strategy
def macd(fast: int = 12, slow: int = 26, signal: int = 9) -> rbt.Strategy:
    """In while the difference of two exponential averages is above its own average."""
    quick, lazy = (CLOSE.ewm_mean(span=span, adjust=False, min_samples=span) for span in (fast, slow))
    line = quick - lazy
    above = line > line.ewm_mean(span=signal, adjust=False, min_samples=signal)
    return rbt.Strategy(target=rbt.quantity(pl.when(above).then(SHARES).otherwise(0)))


@rbt.strategy
def zscore(window: int = 20, enter: float = 2.0, leave: float = 0.5) -> rbt.Strategy:
    """Against a move of some standard deviations, until it is back."""
    z = (CLOSE - CLOSE.rolling_mean(window)) / CLOSE.rolling_std(window, ddof=0)
    side = pl.when(z < -enter).then(SHARES).when(z > enter).then(-SHARES).when(z.abs() < leave).then(0)
    return rbt.Strategy(target=rbt.quantity(side))


@rbt.strategy
def stochastic(window: int = 14, low: float = 20.0) -> rbt.Strategy:
    """In when the close is low within the range of some bars, out when it is as high."""
    top, bottom = pl.col("high").rolling_max(window), pl.col("low").rolling_min(window)
    value = 100 * (CLOSE - bottom) / (top - bottom)
    return held(value < low, value > 100 - low)


@rbt.strategy
def brackets(stop: float = 0.1, take: float = 0.1) -> rbt.Strategy:
    """In from where the fast average crosses the slow one to where it crosses back, or to a stop or a target."""
    above = CLOSE.rolling_mean(FAST) > CLOSE.rolling_mean(SLOW)
    return rbt.Strategy(target=rbt.quantity(pl.when(above).then(SHARES).otherwise(0)), exits=rbt.exits(stop_loss=stop, take_profit=take))


@rbt.strategy
def momentum(look: int = 60, top: int = 10) -> rbt.Strategy:
    """The assets that rose most, so many shares of each."""
    rank = (CLOSE / CLOSE.shift(look)).over("asset").rank("ordinal", descending=True).over("ts")
    return rbt.Strategy(target=rbt.quantity(pl.when(rank <= top).then(SHARES).otherwise(0)))


FAMILIES = {name: globals()[family_of(name).replace("-", "").replace(" ", "_")] for name in STUDIES}


def prepare(case: Facts) -> Job:
    """A sweep behind the door."""
    study, family = STUDIES[case["study"]], FAMILIES[case["study"]]
    panel = rbt.load(frame_of(study.bars(int(case["bars"]))))

    def run() -> dict[str, Any]:
        rows = rbt.sweep(
            family, panel, grid=study.part(case["small"]), trials="off", progress=False, workers=case.get("workers"), budget="500MB",
            cash=CASH, costs=rbt.costs(commission=rbt.bps(10)), max_gross=1,
        ).frame  # fmt: skip
        if rows["error"].null_count() < rows.height:
            raise ValueError(rows["error"].drop_nulls()[0])
        equity = Decimal(rows["final_equity"].sum())
        return {"final_equity": float(equity / rows.height), "orders": int(rows["fills"].sum()), "rows": rows.height}

    return Job(run, {"version": rbt.__version__})
