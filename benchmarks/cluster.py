"""A sweep through Ray: what sending costs, what a chunk costs, and how much of every worker is used. See docs/how-to/cluster.md."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

import rustybt as rbt
from benchmarks.columns.ours import frame_of
from benchmarks.columns.swept import cross
from benchmarks.markets import Market, draw
from benchmarks.models import Findings, Table
from benchmarks.report import seconds
from benchmarks.timing import peak_mib
from rustybt.engine import configure
from rustybt.model import Panel
from rustybt.sweeps import options
from rustybt.sweeps.cluster import connected
from rustybt.sweeps.grid import Assignments
from rustybt.sweeps.parcel import parcel_of
from rustybt.sweeps.variants import Block, Chunk, variants_of
from rustybt.sweeps.work import Work

WORKERS = (1, 2, 4)
LENGTH = {"chunks": 400, "bars": 250_000, "variants": 4_000, "many": 200_000, "assets": 500}
SMALL = {"chunks": 8, "bars": 2_000, "variants": 16, "many": 2_000, "assets": 3}
SHARE = 10
"""Variants of a chunk where efficiency is measured."""


@dataclass(frozen=True)
class Ran:
    """One sweep: seconds by the clock, and of this process's processor; a digest of its rows."""

    clock: float
    driver: float
    digest: int


def measure(small: bool, say: Callable[[str], None]) -> Findings:
    """Measure all of it, in this process and the workers of a Ray on this machine."""
    lengths = SMALL if small else LENGTH
    say("cluster: what is sent")
    sent = sending(lengths["assets"])
    kept = driver_memory(lengths["many"])
    long, short = panel(1, lengths["bars"]), panel(1, 50)
    rows, found = [], dict[str, set[int]]()
    threads = {"fine": swept(short, lengths["chunks"], 1, "threads"), "long": swept(long, lengths["variants"], SHARE, "threads")}
    for name, ran in threads.items():
        found[name] = {ran.digest}
    base = None
    for workers in WORKERS:
        say(f"cluster: {workers} workers")
        with connected(None, workers):
            began = time.perf_counter()
            first = swept(short, lengths["chunks"], 1, "ray", workers)
            start = time.perf_counter() - began
            fine = swept(short, lengths["chunks"], 1, "ray", workers)
            swept(long, lengths["variants"], SHARE, "ray", workers)
            ran = swept(long, lengths["variants"], SHARE, "ray", workers)
        for name, digest in (("fine", first.digest), ("fine", fine.digest), ("long", ran.digest)):
            found[name].add(digest)
        base = base or ran
        each = fine.clock - threads["fine"].clock / workers
        rows.append(
            (
                f"{workers}",
                "",
                seconds(start),
                seconds(max(each, 0.0) / lengths["chunks"]),
                seconds(fine.driver / lengths["chunks"]),
                seconds(ran.clock),
                f"{base.clock / ran.clock:.2f}",
                f"{base.clock / ran.clock / workers:.0%}",
            )
        )
    wrong = tuple(f"{name}: rows differ between executors" for name, digests in found.items() if len(digests) > 1)
    head = ("workers", "", "first sweep", "overhead a chunk", "driver a chunk", "long sweep", "faster by", "efficiency")
    words = (
        f"Overhead: {lengths['chunks']} chunks of one variant of 50 bars, less their time in a thread; driver: its processor time.",
        f"Long: {lengths['variants']} variants of {lengths['bars']:,} bars, {SHARE} a chunk; in a thread {seconds(threads['long'].clock)}.",
        "Workers beyond the processors of the machine cannot be faster.",
    )
    tables = (Table("Ray", head, tuple(rows), words), Table("What is sent and kept", ("what", "", "size"), tuple(sent + kept)))
    return Findings("cluster", (), tables, (), wrong)


def panel(assets: int, bars: int) -> Panel:
    """Seeded bars behind the door."""
    return rbt.load(frame_of(draw(Market(7, assets, bars, 0.0, 0.01, 100.0, daily=assets > 1))))


def swept(data: Panel, count: int, share: int, executor: str, workers: int = 1) -> Ran:
    """A sweep of so many variants in chunks of so many."""
    variants: list[Mapping[str, Any]] = [{"fast": 2 + at % 60, "slow": 70 + at // 60} for at in range(count)]
    began, busy = time.perf_counter(), time.process_time()
    with chunks_of(share):
        done = rbt.sweep(cross, data, variants=variants, executor=executor, workers=workers, trials="off", progress=False)
    clock, driver = time.perf_counter() - began, time.process_time() - busy
    return Ran(clock, driver, int(done.frame.hash_rows(1).sum()))


@contextmanager
def chunks_of(share: int) -> Iterator[None]:
    """Chunks of so many variants."""
    before, options.CHUNK = options.CHUNK, share
    try:
        yield
    finally:
        options.CHUNK = before


def sending(assets: int) -> list[tuple[str, str, str]]:
    """Bytes of the bars, of a chunk and of its rows; seconds to pack and to open."""
    bars = panel(assets, 2_520)
    work = Work((cross,), (bars,), configure())
    began = time.perf_counter()
    parcel = parcel_of(work)
    packed = time.perf_counter() - began
    began = time.perf_counter()
    parcel.opened()
    opened = time.perf_counter() - began
    size = len(parcel.code) + sum(value.nbytes for one in parcel.bars for value in one.values() if isinstance(value, np.ndarray))
    small = Work((cross,), (panel(1, 2_520),), configure(), counting=False)
    chunk = Chunk(
        0, Block(0, 0, Assignments({"fast": [2 + at % 60 for at in range(512)], "slow": [70 + at // 60 for at in range(512)]}, 512))
    )
    answer = len(pickle.dumps(small.rows(chunk)))
    return [
        (f"bars, {assets} x 2,520", "", f"{size / 2**20:,.1f} MiB, {size / bars.frame.height:.0f} B a row"),
        ("pack them", "", seconds(packed)),
        ("open them on a worker", "", seconds(opened)),
        ("a chunk of 512 variants", "", f"{len(pickle.dumps(chunk)) / 512:.1f} B a variant"),
        ("its rows, sent back", "", f"{answer / 512:.1f} B a variant"),
    ]


def driver_memory(many: int) -> list[tuple[str, str, str]]:
    """What a variant takes where the sweep was called: its assignment and its chunk before, its row after."""
    before = peak_mib()
    assignments = Assignments.of_grid({"fast": range(2, 2 + many // 100), "slow": range(70, 170)})
    variants = variants_of((cross,), ("",), assignments, (False, False))
    held = variants.chunks(512)
    rows = Work((cross,), (panel(1, 300),), configure(), counting=False).rows(Chunk(0, Block(0, 0, assignments.taken(range(8))))).frame
    size = variants.frame.estimated_size() / variants.count + rows.estimated_size() / rows.height
    grown = (peak_mib() - before) * 2**20 / variants.count
    disk = bytes_on_disk(pl.concat([rows] * (len(held) * 64)))
    return [
        (f"assignments and chunks, {variants.count:,} variants", "", f"{grown:,.0f} B a variant"),
        ("rows in memory", "", f"{size:,.0f} B a variant"),
        ("rows as Parquet", "", f"{disk:,.0f} B a variant at most"),
    ]


def bytes_on_disk(rows: pl.DataFrame) -> float:
    """Bytes of a row in a Parquet file, its numbers shuffled so that no two neighbours are alike."""
    from io import BytesIO

    noise = np.random.default_rng(1).random(rows.height)
    made = BytesIO()
    rows.with_columns(pl.col(pl.Float64).fill_null(0.5) * pl.Series(noise)).write_parquet(made)
    return made.tell() / rows.height
