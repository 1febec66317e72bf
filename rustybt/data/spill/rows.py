"""Rows that passed every check, on the disk as they came, and in order of asset and time when they are asked for."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from rustybt.data.columns import FIELDS
from rustybt.model.panel import Ints

WIDE: np.dtype[Any] = np.dtype(np.int64)
COLUMNS: dict[str, np.dtype[Any]] = {"ts": WIDE, "session": np.dtype(np.int32)} | {f"ticks_{name}": WIDE for name in FIELDS}
PLACES = dict(zip(COLUMNS, np.cumsum([0, *(dtype.itemsize for dtype in COLUMNS.values())]).tolist(), strict=False))
"""Bytes of a row that lie in the columns before."""
WIDTH = sum(dtype.itemsize for dtype in COLUMNS.values())


@dataclass(frozen=True)
class Kept:
    """Where the rows of a part are: column after column, each sorted by asset and time.

    Attributes:
        place: first byte.
        height: rows.
    """

    place: int
    height: int


class Spill:
    """A file without a name, so that it goes with the process, however that ends.

    Args:
        folder: on the disk that is to hold it.
    """

    def __init__(self, folder: Path) -> None:
        self._file, self._end, self._lock = tempfile.TemporaryFile(dir=folder, buffering=0), 0, Lock()  # noqa: SIM115 - lives as long as this

    def keep(self, columns: Sequence[np.ndarray[Any, Any]]) -> Kept:
        """Write the rows of a part; several threads may.

        Args:
            columns: as in `COLUMNS`.

        Raises:
            OSError: the disk is full.
        """
        with self._lock:
            place, self._end = self._end, self._end + len(columns[0]) * WIDTH
        at = place
        for column in columns:
            left = memoryview(column).cast("B")
            while len(left):
                count = os.pwrite(self._file.fileno(), left, at)
                left, at = left[count:], at + count
        return Kept(place, len(columns[0]))

    def read(self, into: np.ndarray[Any, Any], place: int) -> None:
        """Fill an array with the bytes that begin at a place."""
        left = memoryview(into).cast("B")
        while len(left):
            count = os.preadv(self._file.fileno(), [left], place)
            if not count:
                raise OSError(errno.EIO, "rows that were kept are gone")
            left, place = left[count:], place + count

    def close(self) -> None:
        """Let it go."""
        self._file.close()


class Rows:
    """The rows of all parts in order of asset and time.

    Args:
        spill: where they are.
        kept: the parts.
        runs: (runs, 3) Int64, in order: part, first row in it, rows.
    """

    def __init__(self, spill: Spill, kept: Sequence[Kept], runs: Ints) -> None:
        self._spill = spill
        part, first, count = runs.T
        self._base = np.array([one.place for one in kept], dtype=np.int64)[part].tolist()
        self._part = np.array([one.height for one in kept], dtype=np.int64)[part].tolist()
        self._first = first.tolist()
        self._edges = np.concatenate([[0], np.cumsum(count)])
        self.height = int(self._edges[-1])

    def column(self, name: str, start: int, stop: int) -> np.ndarray[Any, Any]:
        """Some rows of a column."""
        dtype, before = COLUMNS[name], PLACES[name]
        out: np.ndarray[Any, Any] = np.empty(stop - start, dtype)
        run = int(np.searchsorted(self._edges, start, side="right")) - 1
        row = start
        while row < stop:
            begin, end = int(self._edges[run]), min(int(self._edges[run + 1]), stop)
            place = self._base[run] + self._part[run] * before + (self._first[run] + row - begin) * dtype.itemsize
            self._spill.read(out[row - start : end - start], place)
            row, run = end, run + 1
        return out
