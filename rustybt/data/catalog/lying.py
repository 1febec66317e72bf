"""Where rows on the disk lie in the grid of the kernel, a part at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from rustybt.data.catalog.arrays import Array, Streamed
from rustybt.data.spill.rows import Rows
from rustybt.model.panel import Ints

CHUNK = 2**17
"""Rows of a piece."""
CELLS = 2**18
"""Of a piece of the grid."""


class Lying:
    """Where rows on the disk lie in the grid; as `rustybt.data.grid`, a part at a time.

    Args:
        rows: in order of asset and time.
        offsets: (assets + 1,) rows of each asset.

    Attributes:
        dense: every asset has every bar.
        bars: how many there are.
        ts, sessions: (bars,) their instants and sessions.
    """

    def __init__(self, rows: Rows, offsets: Ints) -> None:
        self._rows, self._offsets = rows, offsets
        self._assets = len(offsets) - 1
        self.height = rows.height
        self.dense = self._is_dense()
        self.ts: Array | Streamed
        self.sessions: Array | Streamed
        if self.dense:
            self.bars = int(offsets[1])
            self.ts = Streamed(np.dtype(np.int64), (self.bars,), self._first_of("ts"))
            self.sessions = Streamed(np.dtype(np.int32), (self.bars,), self._first_of("session"))
            return
        self.ts = self._ts = self._instants()
        self.bars = len(self._ts)
        self.sessions = self._sessions()

    def row_bar(self) -> Iterator[Array]:
        """Bar of each row."""
        for rows in slices(0, self.height, CHUNK):
            if self.dense:
                yield (np.arange(rows.start, rows.stop) % self.bars).astype(np.int32)
            else:
                yield np.searchsorted(self._ts, self._rows.column("ts", rows.start, rows.stop)).astype(np.int32)

    def grid(self, name: str) -> Callable[[], Iterator[Array]]:
        """(bars, assets) ticks, some bars at a time."""

        def pieces() -> Iterator[Array]:
            at = self._offsets[:-1].tolist()
            for bars in slices(0, self.bars, max(CELLS // self._assets, 1)):
                cells = np.zeros((self._assets, bars.stop - bars.start), np.int64)
                for column, row in enumerate(at):
                    stop = min(row + bars.stop - bars.start, int(self._offsets[column + 1]))
                    if self.dense:
                        cells[column] = self._rows.column(f"ticks_{name}", row, stop)
                    elif row < stop:
                        here = np.searchsorted(self._ts[bars], self._rows.column("ts", row, stop))
                        stop = row + int(np.count_nonzero(here < bars.stop - bars.start))
                        cells[column, here[: stop - row]] = self._rows.column(f"ticks_{name}", row, stop)
                    at[column] = stop
                yield np.ascontiguousarray(cells.T)

        return pieces

    def _first_of(self, name: str) -> Callable[[], Iterator[Array]]:
        """A column of the first asset."""
        return lambda: (self._rows.column(name, rows.start, rows.stop) for rows in self._of(0))

    def _of(self, column: int) -> Iterator[slice]:
        return slices(int(self._offsets[column]), int(self._offsets[column + 1]), CHUNK)

    def _is_dense(self) -> bool:
        counts = np.diff(self._offsets)
        if (counts != counts[0]).any():
            return False
        for rows in self._of(0):
            first = self._rows.column("ts", rows.start, rows.stop)
            for begin in self._offsets[1:-1].tolist():
                if not np.array_equal(self._rows.column("ts", begin + rows.start, begin + rows.stop), first):
                    return False
        return True

    def _instants(self) -> Ints:
        """Those of any asset; all in memory, as an index is."""
        found = np.zeros(0, np.int64)
        for rows in slices(0, self.height, CHUNK):
            here = self._rows.column("ts", rows.start, rows.stop)
            if not np.isin(here, found).all():
                found = np.union1d(found, here)
        return found

    def _sessions(self) -> Array:
        found = np.empty(self.bars, np.int32)
        for rows in slices(0, self.height, CHUNK):
            at = np.searchsorted(self._ts, self._rows.column("ts", rows.start, rows.stop))
            found[at] = self._rows.column("session", rows.start, rows.stop)
        return found


def slices(start: int, stop: int, length: int) -> Iterator[slice]:
    """Pieces of a span.

    Example:
        >>> [(one.start, one.stop) for one in slices(0, 5, 2)]
        [(0, 2), (2, 4), (4, 5)]
    """
    for begin in range(start, stop, length):
        yield slice(begin, min(begin + length, stop))
