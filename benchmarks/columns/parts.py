"""Where the time of a workload goes: the functions that `rustybt.run` walks, each with its own clock."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import replace
from typing import Any

from benchmarks.cases import CASES
from benchmarks.columns.ours import panel_of, settings, spec_of
from benchmarks.models import Facts, Job
from rustybt.analysis.metrics import measure
from rustybt.engine.bulk import rules_of
from rustybt.engine.finish import Ran, finish
from rustybt.engine.offers import build_plan
from rustybt.engine.summary import curve_of
from rustybt.engine.targets import build_requests, decision_bars, signals_of, terms_of
from rustybt.kernel import simulate
from rustybt.spec.planner import plan

PARTS = (
    "rules",
    "terms",
    "targets",
    "offers",
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

    def run() -> dict[str, Any]:
        watch = Watch()
        rules = rules_of(sleeves, panel, config)
        watch.lap("rules")
        made = plan(strategy)
        frame = terms_of(made, panel, None if strategy.schedule is None else decision_bars(strategy, made, panel))
        watch.lap("terms")
        signals = {strategy.name: signals_of(strategy, made, frame, panel, config)}
        watch.lap("targets")
        offers = build_plan([signals[strategy.name].targets], panel.bars, len(panel.assets))
        if strategy.orders:
            offers = replace(offers, requests=build_requests(sleeves, panel, signals, config))
        watch.lap("offers")
        outcome = simulate(rules.tables, rules.market, offers, panel.events, rules.tape)
        watch.lap("kernel")
        result = finish(Ran(sleeves, config, panel, rules.tables, signals), outcome)
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
