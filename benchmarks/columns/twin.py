"""The kernel alone, exact or in float: the same source with ``a * b / s`` exact and money whole, or both left to the processor."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks.cases import CASES
from benchmarks.columns.ours import panel_of, settings, spec_of
from benchmarks.models import Facts, Job
from rustybt.engine.offers import build_plan
from rustybt.engine.tables import build_tables
from rustybt.engine.targets import evaluate

FLOAT = "rustybt.kernel_float"
"""The package name by which the kernel's source knows that it is to be built in float."""


def kernel(build: str) -> ModuleType:
    """The kernel, or a second copy of its source built in float."""
    exact = importlib.import_module("rustybt.kernel")
    if build == "exact":
        return exact
    folder = Path(str(exact.__file__)).parent
    found = importlib.util.spec_from_file_location(FLOAT, folder / "__init__.py", submodule_search_locations=[str(folder)])
    assert found is not None
    assert found.loader is not None
    copy = importlib.util.module_from_spec(found)
    sys.modules[FLOAT] = copy
    found.loader.exec_module(copy)
    return copy


def prepare(case: Facts) -> Job:
    """A workload up to the kernel's door."""
    workload = CASES[case["workload"]]
    spec = spec_of(workload)
    if case["money_scale"] is not None:
        spec.run["money_scale"] = case["money_scale"]
    panel, notes = panel_of(workload, spec)
    config = settings(workload, spec)
    (strategy,) = spec.strategies
    targets = evaluate(strategy, panel, config).targets
    tables = build_tables({strategy.name: strategy}, panel.assets, config)
    plan = build_plan([targets], panel.bars, len(panel.assets))
    built = kernel(case["build"])
    market = built.Market(panel.open, panel.high, panel.low, panel.close)

    def run() -> dict[str, Any]:
        outcome = built.simulate(tables, market, plan, panel.events)
        return {"final_equity": float(outcome.equity[-1]) / 10.0**config.money_scale, "rows": outcome.log.rows}

    return Job(run, notes)
