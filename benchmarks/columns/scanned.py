"""A part of a snapshot of many minutes: as the catalog opens it, and without the statistics of its row groups."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.models import Job
from rustybt.data.catalog.reading import BARS, rebuild
from rustybt.data.options import Options


def prepare(case: dict[str, Any]) -> Job:
    """One way to read the part."""
    folder = Path(case["folder"])
    about = json.loads((folder / "snapshot.json").read_text())
    chosen, start, end = case["symbols"], case["start"], case["end"]
    wanted = pl.col("asset").is_in(chosen) & pl.col("session").is_between(date.fromisoformat(start), date.fromisoformat(end))

    def catalog() -> dict[str, Any]:
        panel = rebuild(folder, about, Options(assets=chosen, start=start, end=end))
        return {"rows": panel.frame.height, "volume": int(panel.frame["volume"].sum())}

    def lazy(use_statistics: bool) -> dict[str, Any]:
        rows = pl.scan_parquet(folder / BARS, glob=False, use_statistics=use_statistics).filter(wanted)
        found = rows.select(pl.len().alias("rows"), pl.col("volume").sum().cast(pl.Int64)).collect(engine="streaming")
        return {"rows": int(found["rows"][0]), "volume": int(found["volume"][0])}

    ways = {"catalog": catalog, "pruned": lambda: lazy(True), "unpruned": lambda: lazy(False)}
    return Job(ways[case["way"]])
