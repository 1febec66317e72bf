"""A market of any size, from its Parquet file to frames and metrics, once.

The kernel is warm: loading it costs the same at any size.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import polars as pl

import rustybt as rbt
from benchmarks.columns.ours import crossing, frame_of, mean, momentum
from benchmarks.markets import Market, draw
from benchmarks.models import Facts, Job
from benchmarks.timing import peak_mib
from rustybt.analysis.metrics import measure
from rustybt.engine import Result, configure, run_configured
from rustybt.engine.summary import curve_of
from rustybt.model import Panel

REPEATED = 2_000_000
"""Rows up to which the run is repeated, and the median taken."""


def spread(assets: int) -> rbt.Strategy:
    """An equal weight in every asset that is above its trend."""
    above = mean(20) > mean(50)
    return rbt.Strategy("spread", target=rbt.weight(pl.when(above).then(0.99 / assets).otherwise(0.0)))


def prepare(case: Facts) -> Job:
    """Name the file; run the kernel once on something small."""
    config = configure(cash=10_000_000, costs=rbt.costs(commission=rbt.bps(10)))
    small = rbt.load(frame_of(draw(Market(1, 2, 60, 0.0, 0.01, 100.0, daily=True))))
    for warm in (spread(2), crossing(2, 3)):
        run_configured({warm.name: warm}, small, config)
    strategy = momentum() if case["strategy"] == "momentum" else spread(case["assets"])

    def to_metrics(panel: Panel) -> Result:
        result = run_configured({strategy.name: strategy}, panel, config)
        measure(curve_of(result))
        return result

    def run() -> dict[str, Any]:
        panel, door = timed(lambda: rbt.load(case["path"]))
        peaks = {"door_peak": peak_mib()}
        result, first = timed(lambda: to_metrics(panel))
        peaks["run_peak"] = peak_mib()
        more = [timed(lambda: to_metrics(panel))[1] for _ in range(2 if panel.frame.height <= REPEATED else 0)]
        _, frames = timed(lambda: (result.orders, result.fills, result.equity, result.metrics))
        facts = {"door_s": door, "run_s": statistics.median([first, *more]), "frames_s": frames, "rows": panel.frame.height}
        return facts | peaks | {"fills": result.counts()["fills"], "final_equity": result.final_equity}

    return Job(run)


def timed[T](work: Callable[[], T]) -> tuple[T, float]:
    """What it gives, and its seconds."""
    began = time.perf_counter()
    made = work()
    return made, time.perf_counter() - began
