"""The run directory: Parquet frames and a manifest, readable by Polars, DuckDB or anything else without RustyBT."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import polars as pl

from rustybt.engine.result import Result
from rustybt.errors import ConfigError

FRAMES = ("orders", "fills", "trades", "positions", "equity", "journal", "signals")
MANIFEST = "manifest.json"
FORMAT = 1


def save(result: Result, folder: Path) -> Path:
    """Write a run directory, whole or not at all.

    Args:
        result: a finished run.
        folder: must not exist, be empty, or hold an earlier run (which is replaced).

    Returns:
        The folder: ``orders.parquet`` ... ``signals.parquet``, ``strategy.json`` where the strategy can be written, and ``manifest.json``.

    Raises:
        ConfigError: the folder holds something else, or cannot be written.
    """
    check_writable(folder)
    staged: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staged = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        for name in FRAMES:
            getattr(result, name).write_parquet(staged / f"{name}.parquet", metadata={"run_id": result.identity["run_id"]})
        (staged / MANIFEST).write_text(json.dumps(manifest(result), indent=1, default=str) + "\n")
        staged.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        staged.replace(folder)
    except OSError as error:
        if staged is not None:
            shutil.rmtree(staged, ignore_errors=True)
        raise ConfigError(f"cannot write the run: {error.strerror or error}", where=str(folder), do="choose a folder that can be written") from None
    except BaseException:
        if staged is not None:
            shutil.rmtree(staged, ignore_errors=True)
        raise
    return folder


def check_writable(folder: Path) -> None:
    """Refuse a folder that holds something else or cannot be written, before any work is done."""
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir()) and not (folder / MANIFEST).is_file()):
        raise ConfigError("the output holds something that is not a run", where=str(folder), do="choose an empty or new folder")
    near = folder
    while not near.exists() and near != near.parent:
        near = near.parent
    if not near.is_dir() or not os.access(near, os.W_OK | os.X_OK):
        raise ConfigError("the output folder cannot be written", where=str(folder), do="choose a folder that can be written")


def manifest(result: Result) -> dict[str, Any]:
    """Identity, settings, counts, metrics and versions of a run as plain values."""
    import platform

    import numpy as np

    from rustybt.spec import to_json

    strategies: dict[str, Any] = {}
    for name, strategy in result.sleeves.items():
        try:
            strategies[name] = json.loads(to_json(strategy))
        except Exception as error:  # a nested callback has no written form; the run is still worth keeping
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
        "data": {
            "assets": list(result.panel.symbols),
            "first": _instant(result.panel.ts[0]),
            "last": _instant(result.panel.ts[-1]),
            "quarantined": result.panel.quarantine.height,
        },
        "versions": {"python": platform.python_version(), "polars": pl.__version__, "numpy": np.__version__},
    }


def _instant(ts: Any) -> str:
    import numpy as np

    return f"{np.datetime64(int(ts), 'us')}Z"
