"""How fast a CSV file becomes a dataset, with every check, and how much memory that takes."""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import polars as pl

from benchmarks.columns.ours import frame_of
from benchmarks.markets import Market, draw
from benchmarks.models import Findings, Goal, Table, Task, ratio
from benchmarks.processes import side_by_side
from benchmarks.report import mebibytes, seconds, times

MODULE = "benchmarks.columns.ingested"
WAYS = ("door", "pandas", "catalog", "pandas and Parquet", "pandas, the same")
SIZE = {"assets": 100, "bars": 100_000}
SMALL = {"assets": 20, "bars": 500}
WANTED = 3.0
LARGER, NEEDED = 4, 16
"""Times the rows of the file, and of its bytes free on the disk: of a second file, of which memory alone is shown."""
DIRTY = 97
"""Every so many rows one has a high below its low."""
NOTES = (
    "door: rbt.load of the CSV file, every check, a panel. pandas: read_csv and the same checks, whole ticks, rows set aside.",
    "catalog: rbt.ingest, which also writes the snapshot, reads it back and opens it. pandas and Parquet: also to_parquet.",
    "pandas, the same: what rbt.ingest does: a SHA-256 of the content, Parquet forced to the disk, read back and compared.",
    "of the processor: its time on all threads in the last run, which other work on the machine changes less than the clock.",
)


def measure(small: bool, rounds: int | None, say: Callable[[str], None]) -> Findings:
    """Every way over one file, taking turns."""
    size = SMALL if small else SIZE
    folder = Path(tempfile.mkdtemp(prefix="rustybt-ingestion-"))
    try:
        say(f"ingestion: writing {size['assets'] * size['bars']:,} rows")
        path = folder / "bars.csv"
        write_file(path, size["assets"], size["bars"])
        bytes_ = path.stat().st_size
        say(f"ingestion: {bytes_ / 1e6:,.0f} MB")
        turns = 1 if rounds is None and not small else rounds
        found = side_by_side([Task(way, MODULE, {"way": way, "path": str(path)}) for way in WAYS], rounds=turns)
        room = shutil.disk_usage(folder).free > NEEDED * bytes_
        memory = (_memory(folder, path, say),) if room and not small else ()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    by_name = {one.column: one for one in found if one.error is None}
    wrong = [f"{one.column}: {one.error}" for one in found if one.error]
    facts = {tuple(sorted((name, fact) for name, fact in one.facts.items() if name != "cpu_s")) for one in by_name.values()}
    wrong += [] if len(facts) <= 1 else [f"the ways do not agree on rows, bad rows and the sum of closes: {sorted(facts)}"]
    count = size["assets"] * size["bars"]
    rows = tuple(
        (
            one.column,
            seconds(one.median),
            seconds(one.facts["cpu_s"]),
            f"{count / one.median / 1e6:.2f}",
            mebibytes(one.peak),
            f"{one.peak * 2**20 / bytes_:.1f}",
        )
        for one in by_name.values()
    )
    gains = [
        Goal(
            f"{ours}: times the rate of {theirs}",
            ratio(by_name[theirs], by_name[ours]) if {ours, theirs} <= by_name.keys() else math.nan,
            WANTED,
        )
        for ours, theirs in (("door", "pandas"), ("catalog", "pandas and Parquet"))
    ]
    head = ("way", "median", "of the processor", "million rows a second", "peak MiB", "times the file")
    same = ratio(by_name["pandas, the same"], by_name["catalog"]) if {"catalog", "pandas, the same"} <= by_name.keys() else math.nan
    notes = (*NOTES, f"catalog against a script that checks what it wrote as well (pandas, the same): {times(same)} x.")
    title = f"Ingesting {count:,} CSV rows of {size['assets']} assets ({times(bytes_ / 1e6)} MB)"
    return Findings("ingestion", tuple(found), (Table(title, head, rows, notes), *memory), tuple(gains), tuple(wrong))


def _memory(folder: Path, path: Path, say: Callable[[str], None]) -> Table:
    """What ingesting alone takes of memory, of the file and of one several times as large."""
    large, count = folder / "larger.csv", SIZE["assets"] * SIZE["bars"]
    say(f"ingestion: memory of {count:,} and {LARGER * count:,} rows")
    repeat_file(path, large, LARGER)
    rows = []
    for file, times_ in ((path, 1), (large, LARGER)):
        one = side_by_side([Task("ingest alone", MODULE, {"way": "ingest alone", "path": str(file)})], rounds=0)[0]
        taken = (seconds(one.median), mebibytes(one.before), mebibytes(one.peak)) if one.error is None else (one.error, "", "")
        rows.append((f"{times_ * count:,}", *taken))
    head = ("rows", "one run", "MiB before", "peak MiB")
    return Table("Memory of rbt.ingest, each in a fresh process", head, tuple(rows))


def repeat_file(path: Path, into: Path, times_: int) -> None:
    """The same bars under the names of further assets: ``A0000`` becomes ``B0000``."""
    with into.open("wb") as large:
        for number in range(times_):
            name = b"\n" + bytes([ord("A") + number])
            with path.open("rb") as file:
                heading = file.readline()
                large.write(heading if number == 0 else b"")
                while part := file.readlines(2**24):
                    large.write((b"\n" + b"".join(part)).replace(b"\nA", name)[1:])


def write_file(path: Path, assets: int, bars: int) -> None:
    """Minutes of several assets, in parts, some of them with a high below the low."""
    with path.open("wb") as file:
        for number in range(assets):
            frame = frame_of(draw(Market(50 + number, 1, bars, 0.0, 0.0005, 100.0, daily=False)))
            frame = frame.with_columns(pl.lit(f"A{number:04}").alias("asset"), pl.col("ts").dt.strftime("%Y-%m-%dT%H:%M:%S.000Z"))
            bad = pl.int_range(pl.len()) % DIRTY == DIRTY - 1
            frame = frame.with_columns(high=pl.when(bad).then(pl.col("low") - 0.01).otherwise(pl.col("high")).round(2))
            frame.write_csv(file, include_header=number == 0)
