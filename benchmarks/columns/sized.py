"""A market of any size, from its Parquet file to frames and metrics, once.

The kernel is warm: loading it costs the same at any size.
"""

from __future__ import annotations

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


def spread(assets: int) -> rbt.Strategy:
    """An equal weight in every asset that is above its trend."""
    above = mean(20) > mean(50)
    return rbt.Strategy("spread", target=rbt.weight(pl.when(above).then(0.99 / assets).otherwise(0.0)))


def prepare(case: Facts) -> Job:
    """Name the file; run everything once on something small."""
    config = configure(cash=10_000_000, costs=rbt.costs(commission=rbt.bps(10)))
    small = rbt.load(frame_of(draw(Market(1, 2, 60, 0.0, 0.01, 100.0, daily=True))))
    for warm in (spread(2), crossing(2, 3)):
        result = run_configured({warm.name: warm}, small, config)
        measure(curve_of(result))
        result.orders, result.fills, result.equity, result.metrics  # noqa: B018 - cached properties: asking for them is the work
    strategy = momentum() if case["strategy"] == "momentum" else spread(case["assets"])

    def to_metrics(panel: Panel) -> Result:
        result = run_configured({strategy.name: strategy}, panel, config)
        measure(curve_of(result))
        return result

    def run() -> dict[str, Any]:
        panel, door = timed("door", lambda: rbt.load(case["path"]))
        peaks = {"door_peak": peak_mib()}
        result, ran = timed("run", lambda: to_metrics(panel))
        peaks["run_peak"] = peak_mib()
        _, frames = timed("frames", lambda: (result.orders, result.fills, result.equity, result.metrics))
        facts = {"rows": panel.frame.height, "fills": result.counts()["fills"], "final_equity": result.final_equity}
        return door | ran | frames | peaks | facts

    return Job(run)


def timed[T](name: str, work: Callable[[], T]) -> tuple[T, dict[str, float]]:
    """What it gives; its seconds by the clock, and by the processor on all threads together."""
    began, busy = time.perf_counter(), time.process_time()
    made = work()
    return made, {f"{name}_s": time.perf_counter() - began, f"{name}_cpu_s": time.process_time() - busy}
