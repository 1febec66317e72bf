"""The last rows of every asset, kept so that one more bar costs the same however many there are.

Rows lie in a frame in the order in which they came, and a ring of row numbers per asset says which count. Nothing is sorted, and a frame
for reading is gathered only when it is asked for.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

Ints = npt.NDArray[np.int64]
SPARE = 1024
"""Rows that may lie about unused before they are thrown away, beside as many as are in use."""


class Recent:
    """The last rows of every asset, sorted by asset column, then in the order in which they came.

    Args:
        assets: number of asset columns.
        lookback: rows per asset.

    Example:
        >>> recent = Recent(assets=2, lookback=2)
        >>> for day in (1, 2, 3):
        ...     recent.push(pl.DataFrame({"asset": ["A", "B"], "day": [day, day]}), np.array([0, 1]))
        >>> recent.frame.rows()
        [('A', 2), ('A', 3), ('B', 2), ('B', 3)]
    """

    def __init__(self, assets: int, lookback: int) -> None:
        self.lookback = lookback
        self._rows = pl.DataFrame()
        self._place: Ints = np.zeros((assets, min(lookback, SPARE)), np.int64)
        self._count: Ints = np.zeros(assets, np.int64)
        self._used = 0
        self._frame: pl.DataFrame | None = None

    def push(self, rows: pl.DataFrame, columns: npt.NDArray[np.int32]) -> None:
        """Add the rows of one bar.

        Args:
            rows: in any order, no asset twice.
            columns: asset column of each.
        """
        if not rows.height:
            return
        self._frame = None  # a slice that is still held would make `extend` copy everything
        width, counts = self._place.shape[1], self._count[columns]
        if width < self.lookback and int(counts.max()) >= width:
            self._widen()
            width = self._place.shape[1]
        self._place[columns, counts % width] = self._rows.height + np.arange(rows.height)
        self._used += int((counts < self.lookback).sum())
        self._count[columns] = counts + 1
        if self._rows.width:
            self._rows.extend(rows)
        else:
            self._rows = rows.clone()
        if self._rows.height > 2 * self._used + SPARE:
            self._tidy()

    @property
    def frame(self) -> pl.DataFrame:
        """The rows; made when it is first asked for after a bar."""
        if self._frame is None:
            found = self._order()
            first = int(found[0]) if len(found) else 0
            whole = len(found) == 0 or (int(found[-1]) - first == len(found) - 1 and len(self._count) == 1)
            self._frame = self._rows.slice(first, len(found)) if whole else self._rows[found]
        return self._frame

    def _order(self) -> Ints:
        """Row numbers by asset, oldest first."""
        places, there = self._window()
        return places[there]

    def _window(self) -> tuple[Ints, npt.NDArray[np.bool_]]:
        """(assets, lookback) row numbers, newest last, and which there are."""
        width = self._place.shape[1]
        back = np.arange(width) - width
        at = (self._count[:, None] + back) % width
        return np.take_along_axis(self._place, at, axis=1), back >= -np.minimum(self._count, self.lookback)[:, None]

    def _widen(self) -> None:
        """Make the rings longer, up to the look-back. They have not gone round yet."""
        assets, width = self._place.shape
        more = min(self.lookback, 2 * width) - width
        self._place = np.concatenate([self._place, np.zeros((assets, more), np.int64)], axis=1)

    def _tidy(self) -> None:
        """Throw away the rows that no ring names."""
        places, there = self._window()
        self._rows = self._rows[places[there]]
        places[there] = np.arange(int(there.sum()))
        width = places.shape[1]
        np.put_along_axis(self._place, (self._count[:, None] + np.arange(width) - width) % width, places, axis=1)
