"""The run directory: Parquet frames and a manifest, readable by Polars, DuckDB or anything else without RustyBT."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from rustybt._output import is_refusal, put, unwritten
from rustybt.engine.manifest import manifest
from rustybt.engine.page import Frames, inputs_from, write_page
from rustybt.engine.summary import benchmark_series
from rustybt.errors import ConfigError

if TYPE_CHECKING:
    from rustybt.engine.result import Result

FRAMES = ("orders", "fills", "trades", "positions", "equity", "weights", "journal", "signals", "residuals")
MANIFEST = "manifest.json"
PARTS = frozenset({"identity", "strategies", "config", "final_equity", "books", "metrics", "warnings", "verdict", "data"})
"""Of every manifest of a run."""


def save(result: Result, folder: Path) -> Path:
    """Write a run directory, whole or not at all.

    Args:
        result: a finished run.
        folder: must not exist, be empty, or hold an earlier run (which is replaced).

    Returns:
        The folder: ``orders.parquet`` ... ``signals.parquet`` (``violations.parquet`` if the run has controls, ``flows.parquet``,
        ``margin.parquet``, ``currencies.parquet`` if it has several), and ``manifest.json``, which also holds the strategies.

    Raises:
        ConfigError: the folder holds something else, or cannot be written.
    """
    check_writable(folder)
    staged: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staged = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        for name in (*FRAMES, *(("violations",) if result.config.controls is not None else ())):
            getattr(result, name).write_parquet(staged / f"{name}.parquet", metadata={"run_id": result.identity["run_id"]})
        given = result.config
        asked = {"flows": bool(given.flows), "currencies": result.tables.currencies is not None, "margin": given.margin is not None}
        for name in (name for name, wanted in asked.items() if wanted):
            getattr(result, name).write_parquet(staged / f"{name}.parquet", metadata={"run_id": result.identity["run_id"]})
        benchmark = benchmark_series(result)
        if benchmark is not None:
            benchmark.write_parquet(staged / "benchmark.parquet")
        (staged / MANIFEST).write_text(json.dumps(manifest(result), indent=1, default=str) + "\n")
        staged.chmod(0o755)
        put(staged, folder)
    except BaseException as error:
        if staged is not None:
            shutil.rmtree(staged, ignore_errors=True)
        if is_refusal(error):
            raise unwritten(folder, error, "the run", do="choose a folder that can be written") from None
        raise
    return folder


def check_writable(folder: Path) -> None:
    """Refuse a folder that holds something else or cannot be written, before any work is done."""
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir()) and not holds_run(folder)):
        raise ConfigError("the output holds something that is not a run", where=str(folder), do="choose an empty or new folder")
    near = folder
    while not near.exists() and near != near.parent:
        near = near.parent
    if not near.is_dir() or not os.access(near, os.W_OK | os.X_OK):
        raise ConfigError("the output folder cannot be written", where=str(folder), do="choose a folder that can be written")


def holds_run(folder: Path) -> bool:
    """Whether a folder is a run directory, of this version or another: a sweep, and who knows what else, has a file of that name too."""
    try:
        found = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.keys() >= {"identity", "strategies"}


def report_of(folder: Path, path: Path | None = None) -> Path:
    """Write the HTML report of a saved run.

    Raises:
        ConfigError: there is no run in the folder, or it cannot be read.
    """
    from rustybt.analysis.report import render

    found = read_manifest(folder)
    try:
        equity, weights, trades, orders = (
            pl.read_parquet(folder / f"{name}.parquet") for name in ("equity", "weights", "trades", "orders")
        )
        extra = [folder / f"{name}.parquet" for name in ("benchmark", "currencies", "residuals")]
        others = [pl.read_parquet(file) if file.exists() else None for file in extra]
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ConfigError(f"the run cannot be read: {str(error).splitlines()[0]}", where=str(folder), do="write the run again") from None
    shown = Frames(equity, weights, trades, orders, *others)
    try:
        inputs = inputs_from(found, shown)
    except (KeyError, IndexError, TypeError, AttributeError, ArithmeticError, pl.exceptions.PolarsError) as error:
        what = f"the run cannot be read: {type(error).__name__} {str(error).splitlines()[0]}"
        raise ConfigError(what, where=str(folder), do="write the run again") from None
    return write_page(render(inputs), path or folder / "report.html")


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a run directory.

    Raises:
        ConfigError: there is none, or it cannot be read.
    """
    path = folder / MANIFEST
    try:
        found: Any = json.loads(path.read_text())
    except FileNotFoundError:
        raise ConfigError("there is no run here", where=str(folder), do="name a folder written by rustybt run --out") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"the manifest cannot be read: {error}", where=str(path), do="write the run again") from None
    if not isinstance(found, dict) or not found.keys() >= PARTS:
        lacking = ", ".join(sorted(PARTS - found.keys() if isinstance(found, dict) else PARTS))
        do = "name a folder written by rustybt run --out"
        raise ConfigError(f"the manifest is not that of a run: it lacks {lacking}", where=str(path), do=do)
    held: dict[str, Any] = found
    return held
