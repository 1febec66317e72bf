"""Rows as they come: chunks handed out, rows gathered in order, kept in memory or in the directory of the sweep."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from rustybt.engine.begin import begun
from rustybt.ledger.money import decimal_column
from rustybt.sweeps.evaluate import Rows, frame_of
from rustybt.sweeps.executors import evaluated
from rustybt.sweeps.options import Options, chunk_size
from rustybt.sweeps.pacing import Paced, slowly
from rustybt.sweeps.progress import Told, telling, watched
from rustybt.sweeps.registry import Trial, TrialRegistry, recorded
from rustybt.sweeps.store import Folder
from rustybt.sweeps.variants import Chunk, Chunks, Variants
from rustybt.sweeps.work import Work

WRITE_EVERY = 5.0
"""Seconds between parts on the disk, half as many where variants are slow: what a kill can cost."""
PIECE, PART = 2**14, 2**17
"""Rows that are put together in memory, and that go into a file of the directory, about. The trials of as many wait to be counted."""


@dataclass
class Gathered:
    """Rows as they come.

    Attributes:
        tried: trials that are not counted yet, by dataset.
        notes: why some could not be counted.
        seconds: that a variant took by the clock, all workers together; None before `fill`, or where it had nothing to do.
    """

    variants: Variants
    work: Work
    folder: Folder | None
    registry: TrialRegistry | None
    tried: dict[int, list[Trial]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    seconds: float | None = None
    _rows: list[pl.DataFrame] = field(default_factory=list)
    _curves: list[pl.DataFrame] = field(default_factory=list)

    def fill(self, options: Options, progress: Told | bool | None, wanted: Sequence[range]) -> None:
        """Evaluate stretches of variants, in order. What is there is kept, and counted, when it is broken off."""
        left = sum(map(len, wanted))
        workers, done = options.site.workers, self.variants.count - left
        size = chunk_size(left, workers, self.work.panels)
        chunks: Chunks | Paced = self.variants.chunks(size, workers, wanted)
        cut = size > 1 and (self.folder is not None or watched(progress))
        if cut and slowly(self.variants, self.work, apart=options.site.executor != "threads"):
            chunks = Paced(self.variants, wanted, size)
        pending, since = Pending(), time.monotonic()
        began, ran, before, every = since, 0, 0, WRITE_EVERY / (2 if isinstance(chunks, Paced) else 1)
        with telling(progress, self.variants.count, done) as tell, closing(evaluated(self.work, chunks, options.site)) as found:
            if done:
                tell(done, self.variants.count)
            try:
                for chunk, rows in answered(chunks, found):
                    self.tried.setdefault(chunk.block.data, []).extend(rows.trials)
                    if chunk.first != pending.reached:  # others are there already in between
                        self._keep(pending)
                    pending.add(chunk.first, rows, self._curves_of(chunk, rows))
                    _ = self.variants.frame  # made once, while the workers are at the next chunks
                    late = self.folder is not None and time.monotonic() - since > every
                    if late or pending.waiting >= (PIECE if self.folder is None else PART):
                        self._count()  # before the rows are safe: a kill in between counts a run twice, never not at all
                        self._keep(pending)
                        since = time.monotonic()
                    ran += rows.count
                    self.seconds = (time.monotonic() - began) / (ran - before)
                    if isinstance(chunks, Paced):
                        chunks.took(self.seconds * workers)
                    if before == 0 and ran < left:  # what is made once, with the first chunk, is not counted
                        began, before = time.monotonic(), ran
                    tell(done + ran, self.variants.count)
            finally:
                self._count()  # whether it was broken off or not, and before the rows are safe
                self._keep(pending)

    def _count(self) -> None:
        """Tell the registry what was tried."""
        for number, trials in self.tried.items():
            self.notes += recorded(self.registry, self.work.panels[number].snapshot, trials)
        self.tried.clear()

    def _keep(self, pending: Pending) -> None:
        """Put what waits where it belongs."""
        if pending.rows:
            first, rows, curves = pending.take()
            rows = pl.concat([self.variants.frame.slice(first, rows.height), rows], how="horizontal")
            if self.folder is not None:
                self.folder.parts.add(first, rows, curves)
            else:
                self._rows.append(rows)
                self._curves += [] if curves is None else [curves]

    def _curves_of(self, chunk: Chunk, rows: Rows) -> pl.DataFrame | None:
        if rows.curves is None:
            return None
        panel, count = begun(self.work.panels[chunk.block.data], self.work.config), len(rows.curves)
        good = np.flatnonzero(rows.frame["error"].is_null().to_numpy())
        numbers = np.arange(chunk.first, chunk.first + count, dtype=np.uint32)[good]
        ts = pl.Series("ts", np.tile(panel.ts, len(good))).cast(pl.Datetime("us", "UTC"))
        equity = decimal_column("equity", rows.curves[good].reshape(-1), self.work.config.money_scale)
        return pl.DataFrame([pl.Series("variant", np.repeat(numbers, panel.bars)), ts, equity])

    def judged(self, first: int, count: int) -> Iterator[pl.DataFrame]:
        """Rows of some variants with their Sharpe ratios, periods and errors, in parts."""
        if self.folder is not None:
            rows = self.folder.rows().select("sharpe", "periods_per_year", "error")
            yield from (rows.slice(at, min(PIECE, first + count - at)).collect() for at in range(first, first + count, PIECE))
            return
        at = 0
        for held in self._rows:
            begin, end = max(first - at, 0), min(first + count - at, held.height)
            if begin < end:
                yield held[begin:end]
            at += held.height

    def results(self) -> pl.LazyFrame:
        """All rows."""
        return self.folder.rows() if self.folder is not None else pl.concat(self._rows, rechunk=False).lazy()

    def equity(self) -> pl.LazyFrame | None:
        """All curves, or None."""
        if not self.work.curves:
            return None
        return self.folder.curves() if self.folder is not None else pl.concat(self._curves).lazy()


def answered(chunks: Chunks | Paced, found: Iterator[Rows]) -> Iterator[tuple[Chunk, Rows]]:
    """Chunks with their rows, in order."""
    if isinstance(chunks, Chunks):
        return zip(chunks, found, strict=True)
    return ((chunks.handed.popleft(), rows) for rows in found)


@dataclass
class Pending:
    """Rows that follow each other and are not kept yet, and the number of the first."""

    first: int = 0
    rows: list[Rows] = field(default_factory=list)
    curves: list[pl.DataFrame] = field(default_factory=list)
    reached: int = 0

    def add(self, first: int, rows: Rows, curves: pl.DataFrame | None) -> None:
        """Rows of the next variants, or of any where nothing waits."""
        if not self.rows:
            self.first = first
        self.rows.append(rows)
        self.curves += [] if curves is None else [curves]
        self.reached = first + rows.count

    @property
    def waiting(self) -> int:
        """Rows that wait."""
        return self.reached - self.first if self.rows else 0

    def take(self) -> tuple[int, pl.DataFrame, pl.DataFrame | None]:
        """All that waits in one piece, with the number of its first variant."""
        taken = self.first, frame_of(self.rows), pl.concat(self.curves) if self.curves else None
        self.rows, self.curves = [], []
        return taken
