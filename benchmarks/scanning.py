"""A few days of a few assets out of a hundred million minutes: time, memory, and what of the file is passed over."""

from __future__ import annotations

import json
import math
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.models import Findings, Goal, Table, Task, ratio
from benchmarks.processes import side_by_side
from benchmarks.report import mebibytes, seconds
from rustybt.data.catalog.bars import ROW_GROUP, writer_of
from rustybt.data.catalog.reading import BARS, QUARANTINE
from rustybt.model import Asset

MODULE = "benchmarks.columns.scanned"
WAYS = ("catalog", "pruned", "unpruned")
SIZE = {"assets": 250, "bars": 400_000}
SMALL = {"assets": 10, "bars": 150_000}
PEAK_MIB = 1024.0
FASTER = 5.0
DAYS = 5
FIRST = np.datetime64("2021-01-04T00:00", "m")
NOTES = (
    "catalog: what Catalog.open does with assets=, start= and end=: a panel of the part.",
    "pruned: the sums of the part, by Polars, from the same file.",
    "unpruned: the same sums without the statistics of row groups. Peak: of the whole process.",
)


def measure(small: bool, rounds: int | None, say: Callable[[str], None]) -> Findings:
    """Write a snapshot's file in parts, read a part of it in every way, and remove it."""
    size = SMALL if small else SIZE
    folder = Path(tempfile.mkdtemp(prefix="rustybt-scanning-"))
    try:
        say(f"scanning: writing {size['assets'] * size['bars']:,} rows")
        write_snapshot(folder, size["assets"], size["bars"])
        bytes_ = (folder / BARS).stat().st_size
        middle = date(2021, 1, 4) + timedelta(days=size["bars"] // 1440 // 2)
        chosen = [f"A{number:04}" for number in range(1, size["assets"], max(size["assets"] // 5, 1))]
        case = {
            "folder": str(folder),
            "symbols": chosen,
            "start": middle.isoformat(),
            "end": (middle + timedelta(days=DAYS - 1)).isoformat(),
        }
        kept, groups = row_groups(folder / BARS, chosen, middle)
        say(f"scanning: {bytes_ / 1e6:,.0f} MB, {kept} of {groups} row groups may hold the part")
        found = side_by_side([Task(way, MODULE, {**case, "way": way}) for way in WAYS], rounds=rounds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    by_name = {one.column: one for one in found if one.error is None}
    wrong = [f"{one.column}: {one.error}" for one in found if one.error]
    rows_wanted = len(chosen) * DAYS * 1440
    wrong += [f"{name}: {one.facts['rows']} rows, not {rows_wanted}" for name, one in by_name.items() if one.facts["rows"] != rows_wanted]
    wrong += ["the ways do not read the same bars"] if len({one.facts["volume"] for one in by_name.values()}) > 1 else []
    rows = tuple((one.column, seconds(one.median), mebibytes(one.peak), mebibytes(one.peak - one.before)) for one in by_name.values())
    title = f"{len(chosen)} of {size['assets']} assets, {DAYS} days, of {size['assets'] * size['bars']:,} minutes ({bytes_ / 1e9:.2f} GB)"
    note = f"Row groups that may hold the part by their statistics: {kept} of {groups}."
    both = {"pruned", "unpruned"} <= by_name.keys()
    goals = (
        Goal(
            "peak of the catalog's part, MiB",
            by_name["catalog"].peak if "catalog" in by_name else math.nan,
            PEAK_MIB,
            least=False,
            unit="MiB",
        ),
        Goal("times faster for the statistics of row groups", ratio(by_name["unpruned"], by_name["pruned"]) if both else math.nan, FASTER),
    )
    table = Table(title, ("way", "median", "peak MiB", "of it by the part"), rows, (*NOTES, note))
    return Findings("scanning", tuple(found), (table,), goals, tuple(wrong))


def write_snapshot(folder: Path, assets: int, bars: int) -> None:
    """A snapshot's file as the catalog writes it, an asset at a time, so that it fits in memory whatever its size."""
    minutes = FIRST + np.arange(1, bars + 1)
    ts = pl.Series("ts", minutes.astype("datetime64[us]").astype(np.int64)).cast(pl.Datetime("us", "UTC"))
    sessions = pl.Series("session", (minutes - np.timedelta64(1, "m")).astype("datetime64[D]").astype(np.int32)).cast(pl.Date)
    draw, names = np.random.default_rng(11), [f"A{number:04}" for number in range(assets)]
    writer: pq.ParquetWriter | None = None
    for number in range(assets):
        close = np.maximum(10_000 + np.cumsum(draw.integers(-3, 4, bars)), 200)
        opened = np.concatenate([close[:1], close[:-1]])
        high, low = np.maximum(opened, close) + draw.integers(0, 3, bars), np.minimum(opened, close) - draw.integers(0, 3, bars)
        named = {"open": opened, "high": high, "low": low, "close": close, "volume": draw.integers(1, 5000, bars)}
        exact = {
            name: pa.Array.from_buffers(pa.decimal64(18, 0 if name == "volume" else 2), bars, [None, pa.py_buffer(units)])
            for name, units in named.items()
        }
        asset = pa.DictionaryArray.from_arrays(pa.array(np.full(bars, number, dtype=np.uint16)), pa.array(names))
        part = pa.table({"ts": ts.to_arrow(), "asset": asset, "session": sessions.to_arrow(), **exact})
        writer = writer or writer_of(folder / BARS, part.schema, list(exact))
        writer.write_table(part, row_group_size=ROW_GROUP)
    assert writer is not None
    writer.close()
    pl.DataFrame().write_parquet(folder / QUARANTINE)
    listed = [
        {name: value if value is None or isinstance(value, (int, str)) else str(value) for name, value in asdict(Asset(f"A{i:04}")).items()}
        for i in range(assets)
    ]
    about = {"id": "0" * 64, "assets": listed, "events": None, "calendar": None, "trusted": [], "warnings": [], "adj_digits": 0}
    (folder / "snapshot.json").write_text(json.dumps(about))


def row_groups(path: Path, chosen: list[str], first: date) -> tuple[int, int]:
    """Row groups whose statistics allow the part, and all of them."""
    about, last = pq.read_metadata(path), first + timedelta(days=DAYS - 1)
    names = [about.row_group(0).column(number).path_in_schema for number in range(about.num_columns)]
    kept = 0
    for number in range(about.num_row_groups):
        group = about.row_group(number)
        asset, session = (group.column(names.index(name)).statistics for name in ("asset", "session"))
        inside = any(asset.min <= one <= asset.max for one in chosen)
        kept += inside and session.min <= last and session.max >= first
    return kept, about.num_row_groups
