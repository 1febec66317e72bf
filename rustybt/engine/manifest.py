"""A run as plain values: identity, settings, counts, metrics, versions."""

from __future__ import annotations

import json
import platform
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from rustybt.errors import SpecError
from rustybt.model import FillAt, Intrabar
from rustybt.spec import to_json
from rustybt.spec.explain import explain

if TYPE_CHECKING:
    from rustybt.engine.config import RunConfig
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
            "dataset": result.panel.dataset,
        },
        "versions": {"python": platform.python_version(), "polars": pl.__version__, "numpy": np.__version__},
    }


def guard_verdict(result: Result) -> dict[str, Any]:
    """The guard's verdict on all sleeves, as the report shows it."""
    terms: list[dict[str, Any]] = []
    trusted: dict[str, None] = {}
    opaque: dict[str, None] = {}
    needs = []
    for name, strategy in result.sleeves.items():
        found = explain(strategy)
        prefix = "" if len(result.sleeves) == 1 else f"{name}."
        for term, bounds in found.verdict.to_dict()["terms"].items():
            note = "needs every asset of the bar" if bounds["cross_section"] else ""
            terms.append({"name": prefix + term, "expr": found.expressions[term], "lookback": bounds["lookback"], "note": note})
        trusted |= dict.fromkeys(found.verdict.trusted)
        opaque |= dict.fromkeys(found.verdict.opaque)
        if strategy.on_bar is not None:
            opaque[f"{prefix}on_bar"] = None
        needs.append(found.verdict.needs)
    return {
        "ok": True,
        "summary": f"no look-ahead: proven on the expression trees of {len(terms)} terms{', not on what is opaque' if opaque else ''}",
        "lookback": "; ".join(dict.fromkeys(needs)),
        "terms": terms,
        "trusted": list(trusted),
        "opaque": list(opaque),
        "flags": flags_of(result.config),
    }


def flags_of(config: RunConfig) -> list[str]:
    """Settings that make a result better than it could have been."""
    flags = ["same_bar_close: decides with the close it trades at"] if config.fill is FillAt.SAME_BAR_CLOSE else []
    if config.timing.intrabar is Intrabar.OPTIMISTIC:
        flags.append("intrabar optimistic: the target comes before the stop, an upper bound")
    return flags


def _instant(ts: Any) -> str:
    return f"{np.datetime64(int(ts), 'us')}Z"
