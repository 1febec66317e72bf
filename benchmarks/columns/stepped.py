"""RustyBT: sweeps of families whose indicators are steps of the compiled pass, a thousand variants of each on 2,520 bars and one worker.

``python -m benchmarks.columns.stepped [--wide] [--runs N] [family ...]`` says for each family microseconds of the processor a variant, the
least and the middle of so many runs, and a hash of its rows. ``--wide`` gives every variant a window of its own, from 5 to 1,004 bars.
To compare two versions run the file with each of them in turns: ``PYTHONPATH=<tree> <tree>/.venv/bin/python stepped.py``.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from statistics import median
from typing import Any

import polars as pl

import rustybt as rbt
from benchmarks.columns.ours import frame_of
from benchmarks.studies import CASH, SHARES, STUDIES

HIGH, LOW, CLOSE = (pl.col(name) for name in ("high", "low", "close"))
BEFORE = CLOSE.shift(1)
RANGE = pl.max_horizontal(HIGH - LOW, (HIGH - BEFORE).abs(), (LOW - BEFORE).abs())
RETURN = (CLOSE / BEFORE).log()


def held(enter: pl.Expr, leave: pl.Expr) -> rbt.Strategy:
    """So many shares from one condition to the other."""
    return rbt.Strategy(target=rbt.quantity(pl.when(enter).then(SHARES).when(leave).then(0)))


@rbt.strategy
def keltner(n: int = 14, k: float = 2.0) -> rbt.Strategy:
    """In above a channel of true ranges, out below its middle."""
    middle, wide = CLOSE.ewm_mean(span=n, adjust=False), RANGE.ewm_mean(alpha=1 / n, adjust=False)
    return held(middle + k * wide < CLOSE, middle > CLOSE)


@rbt.strategy
def atr_breakout(n: int = 14, k: float = 2.0) -> rbt.Strategy:
    """In after a rise of more than some true ranges, out after such a fall."""
    wide = RANGE.rolling_mean(n).shift(1)
    return held(BEFORE + k * wide < CLOSE, BEFORE - k * wide > CLOSE)


@rbt.strategy
def range_ratio(n: int = 5, k: int = 30) -> rbt.Strategy:
    """In when true ranges grow and prices rise, out when they shrink."""
    ratio = RANGE.rolling_mean(n) / RANGE.rolling_mean(k)
    return held((ratio > 1.1) & (CLOSE.shift(n) < CLOSE), ratio < 0.9)


@rbt.strategy
def log_zscore(n: int = 20, k: float = 1.0) -> rbt.Strategy:
    """Against a return of some deviations."""
    z = (RETURN - RETURN.rolling_mean(n)) / RETURN.rolling_std(n)
    return held(z < -k, z > k)


@rbt.strategy
def up_days(n: int = 10, k: int = 6) -> rbt.Strategy:
    """In when so many of some days rose, out when fewer did."""
    ups = (BEFORE < CLOSE).cast(pl.Int64).rolling_sum(n)
    return held(ups >= k, ups < k - 2)


@rbt.strategy
def gains(n: int = 14, k: float = 30.0) -> rbt.Strategy:
    """A relative strength index whose gains are chosen, not clipped."""
    move = CLOSE.diff()
    up, down = (pl.when(one > 0).then(one).otherwise(0.0).rolling_mean(n) for one in (move, -move))
    value = 100 * up / (up + down)
    return held(value < k, value > 100 - k)


@rbt.strategy
def median_cross(n: int = 10, k: int = 30) -> rbt.Strategy:
    """In while one median is above another."""
    fast, slow = CLOSE.rolling_median(n), CLOSE.rolling_median(k)
    return held(fast > slow, fast < slow)


@rbt.strategy
def quantile_band(n: int = 30, k: float = 0.9) -> rbt.Strategy:
    """In above a quantile of some bars, out below their median."""
    return held(CLOSE.rolling_quantile(k, "linear", window_size=n).shift(1) < CLOSE, CLOSE.rolling_median(n) > CLOSE)


@rbt.strategy
def rank_within(n: int = 20, k: float = 0.8) -> rbt.Strategy:
    """In when the close is among the highest of some bars, out when it is among the lowest."""
    rank = CLOSE.rolling_rank(n)
    return held(rank > n * k, rank < n * (1 - k))


@rbt.strategy
def volatility_filter(n: int = 20, k: float = 0.015) -> rbt.Strategy:
    """Above a mean where returns are quiet."""
    quiet, mean = CLOSE.pct_change().rolling_std(n), CLOSE.rolling_mean(n)
    return held((quiet < k) & (mean < CLOSE), mean > CLOSE)


@rbt.strategy
def volatility_breakout(n: int = 20, k: float = 1.0) -> rbt.Strategy:
    """In after a rise of some deviations, out after such a fall."""
    wide = CLOSE.diff().rolling_std(n).shift(1)
    return held(BEFORE + k * wide < CLOSE, BEFORE - k * wide > CLOSE)


@rbt.strategy
def tema(n: int = 10, k: int = 30) -> rbt.Strategy:
    """In while one triple exponential mean is above another."""

    def triple(span: int) -> pl.Expr:
        one = CLOSE.ewm_mean(span=span, adjust=False)
        two = one.ewm_mean(span=span, adjust=False)
        return 3 * one - 3 * two + two.ewm_mean(span=span, adjust=False)

    return rbt.Strategy(target=rbt.quantity(pl.when(triple(n) > triple(k)).then(SHARES).otherwise(0)))


@rbt.strategy
def williams(n: int = 14, k: float = 20.0) -> rbt.Strategy:
    """In when the close is low within the range of some bars, out when it is high."""
    top, bottom = HIGH.rolling_max(n), LOW.rolling_min(n)
    value = -100 * (top - CLOSE) / (top - bottom)
    return held(value < k - 100, value > -k)


FEW, MANY, FIFTY = list(range(3, 28)), list(range(30, 70)), list(range(5, 55))


def shares(first: float, last: float) -> list[float]:
    """Twenty numbers."""
    return [first + (last - first) * step / 19 for step in range(20)]


FAMILIES: dict[str, tuple[Any, list[int], list[Any]]] = {
    "keltner": (keltner, FIFTY, shares(1, 3)),
    "ATR breakout": (atr_breakout, FIFTY, shares(0.5, 2)),
    "true range ratio": (range_ratio, FEW, MANY),
    "z-score of log returns": (log_zscore, FIFTY, shares(0.5, 2)),
    "count of up days": (up_days, FIFTY, list(range(3, 23))),
    "gains by when": (gains, FIFTY, shares(20, 45)),
    "median cross": (median_cross, FEW, MANY),
    "quantile band": (quantile_band, FIFTY, shares(0.6, 0.95)),
    "rank within": (rank_within, FIFTY, shares(0.6, 0.95)),
    "volatility filter": (volatility_filter, FIFTY, shares(0.005, 0.03)),
    "volatility breakout": (volatility_breakout, FIFTY, shares(0.5, 2)),
    "TEMA cross": (tema, FEW, MANY),
    "Williams %R": (williams, FIFTY, shares(10, 40)),
}


def timed(name: str, runs: int, *, wide: bool) -> str:
    """What is said of a family."""
    family, windows, others = FAMILIES[name]
    grid = {"n": list(range(5, 1005)), "k": [others[len(others) // 2]]} if wide else {"n": windows, "k": others}
    panel = rbt.load(frame_of(STUDIES["rsi"].bars(2520)))
    took, text = list[float](), ""
    for _ in range(runs + 1):  # the first one loads what is compiled
        began = time.process_time()
        rows = rbt.sweep(
            family, panel, grid=grid, trials="off", progress=False, workers=1, budget="500MB", cash=CASH,
            costs=rbt.costs(commission=rbt.bps(10)), max_gross=1,
        ).frame  # fmt: skip
        took.append((time.process_time() - began) * 1e6 / rows.height)
        text = hashlib.sha256(rows.write_csv().encode()).hexdigest()[:12]
    return f"{name}\t{min(took[1:]):.1f}\t{median(took[1:]):.1f}\t{text}"


if __name__ == "__main__":
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("families", nargs="*", metavar="family")
    given.add_argument("--runs", type=int, default=5)
    given.add_argument("--wide", action="store_true")
    asked = given.parse_args()
    for one in asked.families or FAMILIES:
        print(timed(one, asked.runs, wide=asked.wide), flush=True)
