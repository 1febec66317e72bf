"""Where the time of a workload goes: the functions that `rustybt.run` walks, each with its own clock."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import Any

from benchmarks.cases import CASES
from benchmarks.columns.ours import panel_of, settings, spec_of
from benchmarks.models import Facts, Job
from rustybt.analysis.metrics import measure
from rustybt.engine.finish import Ran, finish
from rustybt.engine.offers import build_plan, changes, check_weights
from rustybt.engine.summary import curve_of
from rustybt.engine.tables import build_tables
from rustybt.engine.targets import Signals, decision_bars, targets_of
from rustybt.kernel import Market, simulate
from rustybt.model.decimals import RATE
from rustybt.spec.planner import plan

PARTS = (
    "tables",
    "evaluate",
    "quantise",
    "plan",
    "kernel",
    "books",
    "metrics",
    "orders frame",
    "fills frame",
    "equity frame",
    "all metrics",
)


class Watch:
    """Seconds since the last lap, by name."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = defaultdict(float)
        self._began = time.perf_counter()

    def lap(self, name: str) -> None:
        """What has passed belongs to a part."""
        now = time.perf_counter()
        self.laps[name] += now - self._began
        self._began = now


def prepare(case: Facts) -> Job:
    """A workload behind the door."""
    workload = CASES[case["workload"]]
    spec = spec_of(workload)
    panel, notes = panel_of(workload, spec)
    config = settings(workload, spec)
    strategy = spec.strategies[0]
    sleeves = {strategy.name: strategy}
    scheduled = strategy.schedule is not None

    def run() -> dict[str, Any]:
        watch = Watch()
        tables = build_tables(sleeves, panel.assets, config)
        watch.lap("tables")
        made = plan(strategy)
        bars = decision_bars(strategy, made, panel)
        frame = made.evaluate(panel.frame, panel, rows=bars[panel.row_bar] if scheduled and bars is not None else None)
        watch.lap("evaluate")
        found = targets_of(strategy, frame, panel, None if scheduled else bars, config)
        check_weights(found, int(config.max_gross * RATE), panel.ts)
        targets = found if scheduled else changes(found)
        watch.lap("quantise")
        offers = build_plan([targets], panel.bars, len(panel.assets))
        watch.lap("plan")
        outcome = simulate(tables, Market(panel.open, panel.high, panel.low, panel.close), offers, panel.events)
        watch.lap("kernel")
        signals = {strategy.name: Signals(made, frame, targets, len(found.value))}
        result = finish(Ran(sleeves, config, panel, tables, signals), outcome)
        watch.lap("books")
        measure(curve_of(result))
        watch.lap("metrics")
        for name in ("orders", "fills", "equity"):
            getattr(result, name)
            watch.lap(f"{name} frame")
        result.metrics  # noqa: B018 - a cached property: asking for it is the work
        watch.lap("all metrics")
        return dict(watch.laps) | {"final_equity": result.final_equity}

    return Job(run, notes)
