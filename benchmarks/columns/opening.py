"""A catalogued set of daily bars, opened by the catalog and by pandas."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import rustybt as rbt
from benchmarks.columns.ours import frame_of
from benchmarks.markets import Market, draw
from benchmarks.models import Job
from rustybt.data.catalog.reading import BARS


def prepare(case: dict[str, Any]) -> Job:
    """A catalog with one dataset, beside the same bars in a Parquet file of doubles."""
    bars, assets, way = case["bars"], case["assets"], case["way"]
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    frame = frame_of(draw(Market(5, assets, bars, 0.0, 0.01, 100.0, daily=True)))
    shelf = rbt.Catalog(folder / "catalog")
    made = rbt.ingest(frame, "set", catalog=shelf, stamp="close")
    plain = folder / "plain.parquet"
    frame.with_columns(pl.col("asset").cast(pl.String)).write_parquet(plain, compression="zstd")
    exact = shelf.folder(made.snapshot) / BARS

    def open_catalog() -> dict[str, Any]:
        panel = shelf.open("set")
        return {"rows": panel.frame.height, "sum": float(panel.frame["close"].sum())}

    def read_pandas() -> dict[str, Any]:
        import pandas as pd

        found = pd.read_parquet(plain)
        return {"rows": len(found), "sum": float(found["close"].sum())}

    def pivot_pandas() -> dict[str, Any]:
        import pandas as pd

        found = pd.read_parquet(plain)
        wide = [found.pivot_table(index="ts", columns="asset", values=name) for name in ("open", "high", "low", "close")]
        return {"rows": len(found), "sum": float(np.nansum(wide[3].to_numpy()))}

    def polars_exact() -> dict[str, Any]:
        found = pl.read_parquet(exact)
        return {"rows": found.height, "sum": float(found["close"].cast(pl.Float64).sum())}

    if way == "kept":
        os.environ.pop("RUSTYBT_PREPARED", None)
        rbt.caching(folder=folder / "kept", memory=0)
        rbt.load(str(plain), stamp="close")

    def at_the_door() -> dict[str, Any]:
        busy = time.process_time()
        panel = rbt.load(str(plain), stamp="close")
        busy = time.process_time() - busy
        return {"rows": panel.frame.height, "sum": float(panel.frame["close"].sum()), "cpu_s": busy}

    ways = {
        "catalog": open_catalog,
        "kept": at_the_door,
        "door": at_the_door,
        "polars": polars_exact,
        "pandas": read_pandas,
        "pandas grid": pivot_pandas,
    }
    return Job(ways[way])
