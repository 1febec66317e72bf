"""The kernel alone, exact and in float: the same source with ``a * b / s`` exact and money whole, or both left to the processor.

Both builds are in one process and take turns; the arrays of each are prepared once, and only `step.run` is on the clock.
"""

from __future__ import annotations

import gc
import importlib
import time
from types import ModuleType
from typing import Any

from benchmarks.cases import CASES
from benchmarks.columns.ours import panel_of, settings, spec_of
from benchmarks.models import Facts, Job
from benchmarks.timing import rounds_for
from rustybt.engine.offers import build_plan
from rustybt.engine.tables import build_tables
from rustybt.engine.targets import evaluate
from rustybt.kernel.twin import load

BUILDS = ("exact", "float")


class Desk:
    """A desk of one build, ready to be run again and again.

    Args:
        kernel: the package.
        given: arguments of its `simulate`.
        money: units of money in one.
    """

    def __init__(self, kernel: ModuleType, given: tuple[Any, ...], money: float) -> None:
        name = kernel.__name__
        room, state, simulation = (importlib.import_module(f"{name}.{part}") for part in ("room", "state", "simulate"))
        self._run = importlib.import_module(f"{name}.step").run
        self._desk, self._bars, self._margin = simulation.desk_for(*given)
        self._before = {key: getattr(self._desk, key).copy() for key in state.lengths(1, 1, 1)}
        self._money = money
        while self._walk() < self._bars:  # the first run compiles, and finds out how long a log it takes
            if self._desk.count[state.ERROR]:
                raise ValueError(f"{name} stopped with error {self._desk.count[state.ERROR]}")
            self._reset()
            room.lengthen(self._desk, 2 * self._desk.log_size)
        self.rows = int(self._desk.count[state.LOGGED])

    def _reset(self) -> None:
        for name, value in self._before.items():
            getattr(self._desk, name)[...] = value

    def _walk(self) -> int:
        return int(self._run(self._desk, 0, self._bars, self._margin))

    def seconds(self) -> float:
        """Of the processor, for one run over all bars from the same state: other programs' work does not count."""
        self._reset()
        began = time.thread_time()
        self._walk()
        return time.thread_time() - began

    @property
    def kind(self) -> str:
        """How quantity x price becomes money: ``same`` (it is money), ``divided`` (and rounded) or ``multiplied``."""
        if (self._desk.down[0], self._desk.up[0]) == (1, 1):
            return "same"
        return "multiplied" if self._desk.down[0] == 1 else "divided"

    @property
    def final_equity(self) -> float:
        """Where the last run ended."""
        return float(self._desk.curve_equity[self._bars - 1]) / self._money


def desks(name: str, scale: int | None) -> dict[str, Desk]:
    """A workload up to the kernel's door, by build."""
    workload = CASES[name]
    spec = spec_of(workload)
    if scale is not None:
        spec.run["money_scale"] = scale
    panel, _ = panel_of(workload, spec)
    config = settings(workload, spec)
    (strategy,) = spec.strategies
    targets = evaluate(strategy, panel, config).targets
    tables = build_tables({strategy.name: strategy}, panel.assets, config)
    plan = build_plan([targets], panel.bars, len(panel.assets))
    builds = {"exact": importlib.import_module("rustybt.kernel"), "float": load("float")}
    given = {
        build: (tables, kernel.Market(panel.open, panel.high, panel.low, panel.close), plan, panel.events)
        for build, kernel in builds.items()
    }
    return {build: Desk(kernel, given[build], 10.0**config.money_scale) for build, kernel in builds.items()}


def turns(pair: dict[str, Desk], budget: float) -> dict[str, list[float]]:
    """Seconds of every run by build. The two take turns, and in every second round the other begins."""
    for one in pair.values():
        one.seconds()
    slowest = sum(one.seconds() for one in pair.values())
    taken: dict[str, list[float]] = {build: [] for build in BUILDS}
    gc.disable()
    try:
        for number in range(rounds_for(slowest, budget, fewest=11, most=301)):
            for build in BUILDS if number % 2 else reversed(BUILDS):
                taken[build].append(pair[build].seconds())
    finally:
        gc.enable()
    return taken


def prepare(case: Facts) -> Job:
    """Nothing beforehand: every row is prepared, run and dropped in its turn."""

    def run() -> dict[str, Any]:
        found = []
        for name, scale in case["rows"]:
            pair = desks(name, scale)
            taken = turns(pair, case["budget"])
            found.append(
                {
                    "seconds": taken,
                    "final_equity": {build: one.final_equity for build, one in pair.items()},
                    "rows": {build: one.rows for build, one in pair.items()},
                    "kind": pair["exact"].kind,
                }
            )
        return {"found": found}

    return Job(run)
