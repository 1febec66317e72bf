"""A run as plain values: identity, settings, counts, metrics, versions."""

from __future__ import annotations

import json
import platform
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from rustybt.errors import SpecError
from rustybt.spec import to_json
from rustybt.spec.guard import check

if TYPE_CHECKING:
    from rustybt.engine.result import Result

FORMAT = 1


def manifest(result: Result) -> dict[str, Any]:
    """Identity, settings, counts, metrics and versions of a run as plain values."""
    strategies: dict[str, Any] = {}
    for name, strategy in result.sleeves.items():
        try:
            strategies[name] = json.loads(to_json(strategy))
        except SpecError as error:  # a nested callback has no written form; the run is still worth keeping
            strategies[name] = {"name": strategy.name, "params": dict(strategy.params), "not_written": str(error).splitlines()[0]}
    return {
        "format": FORMAT,
        "identity": dict(result.identity),
        "strategies": strategies,
        "config": result.config.to_dict(),
        "counts": result.counts(),
        "final_equity": result.final_equity,
        "books": str(result.verdict),
        "metrics": dict(result.metrics),
        "warnings": list(result.warnings),
        "verdict": guard_verdict(result),
        "data": {
            "assets": list(result.panel.symbols),
            "first": _instant(result.panel.ts[0]),
            "last": _instant(result.panel.ts[-1]),
            "quarantined": result.panel.quarantine.height,
        },
        "versions": {"python": platform.python_version(), "polars": pl.__version__, "numpy": np.__version__},
    }


def guard_verdict(result: Result) -> dict[str, Any]:
    """The guard's verdict on all sleeves, as the report shows it."""
    verdicts = {name: check(strategy).to_dict() for name, strategy in result.sleeves.items()}
    if len(verdicts) == 1:
        return next(iter(verdicts.values()))
    return {
        "ok": all(one["ok"] for one in verdicts.values()),
        "summary": "; ".join(f"{name}: {one['summary']}" for name, one in verdicts.items()),
        "terms": [{**term, "name": f"{name}.{term['name']}"} for name, one in verdicts.items() for term in one["terms"]],
    }


def _instant(ts: Any) -> str:
    return f"{np.datetime64(int(ts), 'us')}Z"
