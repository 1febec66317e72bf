"""RustyBT: sweeps of strategy functions that are not the workloads, as many variants as are asked for.

The clock runs from a validated panel in memory to the frame of results, as in `benchmarks.columns.swept`.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import mkdtemp
from typing import Any

import polars as pl

import rustybt as rbt
from benchmarks.columns.ours import frame_of
from benchmarks.markets import Market, draw
from benchmarks.models import Facts, Job
from benchmarks.timing import peak_mib
from rustybt.sweeps import batch, learn
from rustybt.sweeps.onepass import evaluate_each

CLOSE = pl.col("close")
NEVER = 10**9
PART = 1_000


@rbt.strategy
def rsi(window: int = 14, low: float = 30.0, high: float = 70.0) -> rbt.Strategy:
    """In when the relative strength index is low, out when it is high."""
    move = CLOSE.diff()
    up, down = (part.clip(lower_bound=0.0).ewm_mean(alpha=1 / window) for part in (move, -move))
    value = 100 - 100 / (1 + up / down)
    return rbt.Strategy(target=rbt.quantity(pl.when(value < low).then(100).when(value > high).then(0)))


@rbt.strategy
def bollinger(window: int = 20, width: float = 2.0) -> rbt.Strategy:
    """In below the lower band, out above the middle."""
    mean, spread = CLOSE.rolling_mean(window), CLOSE.rolling_std(window)
    return rbt.Strategy(target=rbt.quantity(pl.when(mean - width * spread > CLOSE).then(100).when(mean < CLOSE).then(0)))


@rbt.strategy
def breakout(entry: int = 20, leave: int = 10) -> rbt.Strategy:
    """In above the highest high of some bars, out below the lowest low of fewer."""
    top, bottom = pl.col("high").shift(1).rolling_max(entry), pl.col("low").shift(1).rolling_min(leave)
    return rbt.Strategy(target=rbt.quantity(pl.when(top < CLOSE).then(100).when(bottom > CLOSE).then(0)))


@rbt.strategy
def zscore(window: int = 20, enter: float = 2.0, leave: float = 0.5) -> rbt.Strategy:
    """Against a move of some standard deviations, until it is back."""
    z = (CLOSE - CLOSE.rolling_mean(window)) / CLOSE.rolling_std(window)
    side = pl.when(z < -enter).then(0.5).when(z > enter).then(-0.5).when(z.abs() < leave).then(0.0)
    return rbt.Strategy(target=rbt.weight(side))


@rbt.strategy
def conditions(fast: int = 5, slow: int = 20, hold: int = 3, cut: float = 0.01) -> rbt.Strategy:
    """With a trend that has a move behind it, either way; out while it swings."""
    quick, lazy, move = CLOSE.rolling_mean(fast), CLOSE.rolling_mean(slow), CLOSE.pct_change(hold)
    wild = CLOSE.rolling_std(hold + 1) > 2 * CLOSE.rolling_std(slow)
    side = pl.when(wild).then(0.0).when((quick > lazy) & (move > cut)).then(0.5).when((quick < lazy) & (move < -cut)).then(-0.3)
    return rbt.Strategy(target=rbt.weight(side.otherwise(0.0)))


@rbt.strategy
def ranked(look: int = 20, calm: int = 10, top: int = 3, cut: float = 0.0) -> rbt.Strategy:
    """The strongest for their risk, where they rise and trade more than usual."""
    score = (CLOSE.pct_change(look) / CLOSE.rolling_std(calm)).over("asset")
    busy = pl.col("volume") > pl.col("volume").rolling_mean(calm)
    wins = (score.rank("ordinal", descending=True).over("ts") <= top) & (CLOSE.pct_change(5) > cut) & busy
    return rbt.Strategy(target=rbt.weight(pl.when(wins).then(0.9 / top).otherwise(0.0)))


@rbt.strategy
def sized(fast: int = 5, slow: int = 20, shares: int = 100) -> rbt.Strategy:
    """So many shares while the fast average is above the slow one: variants that differ in their size share all features."""
    above = CLOSE.rolling_mean(fast) > CLOSE.rolling_mean(slow)
    return rbt.Strategy(target=rbt.quantity(pl.when(above).then(shares).otherwise(0)))


@rbt.strategy
def winners(lookback: int = 252, top: int = 10) -> rbt.Strategy:
    """The winners of some months without the last one, equally weighted, every month."""
    score = (CLOSE.shift(21) / CLOSE.shift(lookback) - 1).over("asset")
    wins = score.rank("ordinal", descending=True).over("ts") <= top
    return rbt.Strategy(target=rbt.weight(pl.when(wins).then(0.99 / top).otherwise(0.0)), schedule=rbt.every(21), warmup=300)


GRIDS: dict[str, Callable[[int], Mapping[str, Iterable[Any]]]] = {
    "rsi": lambda n: {"window": range(5, 5 + max(1, n // 100)), "low": range(20, 30), "high": range(65, 75)},
    "bollinger": lambda n: {"window": range(5, 5 + max(1, n // 40)), "width": [1 + i / 50 for i in range(40)]},
    "breakout": lambda n: {"entry": range(5, 5 + max(1, n // 50)), "leave": range(3, 53)},
    "zscore": lambda n: {
        "window": range(5, 5 + max(1, n // 100)),
        "enter": [1 + i / 10 for i in range(10)],
        "leave": [i / 20 for i in range(10)],
    },
    "conditions": lambda n: {
        "fast": range(5, 15),
        "slow": range(20, 20 + max(1, n // 200)),
        "hold": range(1, 6),
        "cut": [0.0, 0.01, 0.02, 0.03],
    },
    "ranked": lambda n: {
        "look": range(5, 5 + max(1, n // 100)),
        "calm": range(5, 10),
        "top": range(1, 6),
        "cut": [0.0, 0.01, 0.02, 0.03],
    },
    "sized": lambda n: {"fast": range(2, 52), "slow": range(52, 152), "shares": range(1, 1 + max(1, n // 5_000))},
    "winners": lambda n: {"lookback": range(42, 42 + max(1, n // 50)), "top": range(1, 51)},
}
"""Grids of about so many variants."""
FAMILIES = {one.name: one for one in (rsi, bollinger, breakout, zscore, conditions, ranked, sized, winners)}


class Clocked:
    """The compiled pass over variants, with a clock of its threads' processor time."""

    def __init__(self) -> None:
        self.inner, self.seconds = evaluate_each, 0.0

    def __call__(self, *given: Any) -> Any:
        """Evaluate variants."""
        began = time.thread_time()
        done = self.inner(*given)
        self.seconds += time.thread_time() - began
        return done


def digest_of(rows: pl.DataFrame) -> str:
    """A number that stands for all rows. Made of parts: Polars copies what it hashes, and the memory of a sweep is what is measured."""
    parts = (int(rows.slice(first, PART).hash_rows(1).sum()) for first in range(0, rows.height, PART))
    return str(sum(parts) % 2**64)


def prepare(case: Facts) -> Job:
    """A sweep behind the door.

    Args:
        case: ``family``, ``variants`` (about), ``assets``, ``bars``; optional ``workers``; ``called``: every variant by a call;
            ``counted``: every trial in a new registry.
    """
    family, assets = str(case["family"]), int(case["assets"])
    passes = Clocked()
    vars(batch)["evaluate_each"] = passes
    panel = rbt.load(frame_of(draw(Market(11, assets, int(case["bars"]), 0.0003, 0.015, 100.0, daily=True))))
    grid = GRIDS[family](int(case["variants"]))
    if case.get("called"):
        learn.FEW = NEVER

    places = (Path(mkdtemp(prefix="trials-")) / "trials.sqlite" if case.get("counted") else "off" for _ in count())

    taken: list[tuple[float, float]] = []
    peaks: list[float] = []

    def run() -> dict[str, Any]:
        trials = next(places)
        passes.seconds, busy = 0.0, time.process_time()
        done = rbt.sweep(
            FAMILIES[family], panel, grid=grid, trials=trials, progress=False, workers=case.get("workers"), budget="500MB",
            costs=rbt.costs(commission=rbt.bps(10)), max_gross=1, cash="100000",
        )  # fmt: skip
        busy, rows = time.process_time() - busy, done.frame
        if rows["error"].null_count() < rows.height:
            raise ValueError(rows["error"].drop_nulls()[0])
        if isinstance(trials, Path):
            shutil.rmtree(trials.parent)
        size = rows.estimated_size() / rows.height
        taken.append((busy, passes.seconds))
        peaks.append(peak_mib())
        warm = taken[1:] or taken  # the first run also loads what it needs
        busy, compiled = (median(one[at] for one in warm) for at in (0, 1))
        return {
            "cpu_s": busy, "compiled_s": compiled, "rows": rows.height, "row_bytes": size, "digest": digest_of(rows), "peak": peaks[0],
        }  # fmt: skip

    return Job(run, {"version": rbt.__version__})
