"""The report of a run, in memory or saved."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from rustybt._output import written
from rustybt.engine.manifest import manifest
from rustybt.engine.summary import benchmark_series
from rustybt.errors import ConfigError

if TYPE_CHECKING:
    from rustybt.analysis.report import ReportInputs
    from rustybt.engine.result import Result


@dataclass(frozen=True)
class Frames:
    """The frames that a report shows; see the frames of `rustybt.Result`."""

    equity: pl.DataFrame
    weights: pl.DataFrame
    trades: pl.DataFrame
    orders: pl.DataFrame
    benchmark: pl.DataFrame | None = None
    currencies: pl.DataFrame | None = None
    residuals: pl.DataFrame | None = None


def report_inputs(result: Result, *, residuals: bool = False) -> ReportInputs:
    """What the report shows of a run; a page also shows what quantisation left on the table."""
    several = result.currencies if result.tables.currencies is not None else None
    left = result.residuals if residuals else None
    shown = Frames(result.equity, result.weights, result.trades, result.orders, benchmark_series(result), several, left)
    return inputs_from(manifest(result), shown)


def inputs_from(found: Mapping[str, Any], shown: Frames) -> ReportInputs:
    """The report's inputs from a manifest and frames, of a run in memory or of a saved one."""
    from rustybt.analysis.report import ReportInputs

    curve = shown.equity if shown.benchmark is None else shown.equity.join_asof(shown.benchmark, on="ts", strategy="backward")
    names = list(found["strategies"])
    first = found["strategies"][names[0]]
    metrics = found["metrics"]
    return ReportInputs(
        title=", ".join(names),
        metrics=metrics,
        curve=curve,
        spec=first if len(names) == 1 else {"name": ", ".join(names), "strategies": found["strategies"]},
        identity=found["identity"],
        positions=shown.weights,
        trades=shown.trades,
        orders=shown.orders.group_by("status", "reason", "detail", maintain_order=True).agg(pl.len().alias("count")),
        currencies=shown.currencies,
        residuals=shown.residuals,
        costs={
            k.removeprefix("cost_"): v for k, v in metrics.items() if k.startswith("cost_") and k not in ("cost_drag", "cost_of_traded")
        },
        income={k.removeprefix("income_"): v for k, v in metrics.items() if k.startswith("income_")},
        verdict=found["verdict"],
        books={"ok": True, "summary": found["books"]},
        warnings=found["warnings"],
        config=found["config"],
        assets=found["data"]["assets"],
        currency=found["config"]["currency"],
        opening=Decimal(found["config"]["cash"]),
        benchmark_name=found["config"]["benchmark"] or "Benchmark",
    )


def write_report(result: Result, path: Path) -> Path:
    """Write the page of a run."""
    from rustybt.analysis.report import render

    return write_page(render(report_inputs(result, residuals=True)), path)


def check_page(path: Path, what: str = "the report") -> None:
    """Refuse a file that cannot be written, before any work is done.

    Raises:
        ConfigError: it is a folder, or its folder cannot be written.
    """
    near = path.parent
    while not near.exists() and near != near.parent:
        near = near.parent
    if path.is_dir() or not near.is_dir() or not os.access(near, os.W_OK | os.X_OK):
        raise ConfigError(f"{what} cannot be written", where=str(path), do="choose a file that can be written")


def write_page(page: str, path: Path, what: str = "the report") -> Path:
    """Write a page, or another text, whole or not at all.

    Raises:
        ConfigError: it cannot be written.
    """
    with written(path, what, do="choose a file that can be written", folders=True) as part:
        part.write_text(page, encoding="utf-8")
    return path


def summary(result: Result) -> str:
    """The notebook summary of a run."""
    from rustybt.analysis.report import summary_html

    return summary_html(report_inputs(result))
