"""Rings: what a window remembers of one value per asset and bar.

In: one bar's values, nulls kept apart. Out: the value some bars ago, or the last n values, per asset. `Ring` keeps a fixed number of bars,
`History` all of them. Both are written to frames and read back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Ints = npt.NDArray[np.int64]


class Ring:
    """The last ``width`` values of each asset.

    Every asset has its own place, so assets may miss bars. Values lie side by side: the buffer is twice as wide as what is kept, and an
    asset's values move to its start when the end is reached.

    Args:
        width: bars kept per asset.

    Example:
        >>> ring = Ring(2)
        >>> for value in (1.0, 2.0, 3.0):
        ...     ring.push(np.array([0]), pl.Series([value]))
        >>> ring.last(np.array([0]), 2)[0].tolist(), ring.lag(np.array([0]), 1).to_list()
        ([[2.0, 3.0]], [2.0])
    """

    def __init__(self, width: int) -> None:
        self.width = max(width, 1)
        self.dtype: pl.DataType = pl.Null()
        self._values: npt.NDArray[Any] = np.zeros((0, 2 * self.width))
        self._known: npt.NDArray[np.bool_] = np.zeros((0, 2 * self.width), np.bool_)
        self._next: Ints = np.zeros(0, np.int64)
        self.count: Ints = np.zeros(0, np.int64)
        self._level = True
        self._complete = True

    def push(self, slots: Ints, values: pl.Series) -> None:
        """Add the values of one bar.

        Args:
            slots: number of each asset, none twice.
            values: one per slot; always of the same dtype.
        """
        if not len(slots):
            return
        if self.dtype == pl.Null and values.dtype != pl.Null:
            self._adopt(values.dtype)
        if int(slots.max()) >= len(self._next):
            self._grow(int(slots.max()) + 1)
        full = self._next[slots] == 2 * self.width
        if full.any():
            self._rewind(slots[full])
        at = self._next[slots]
        known = values.null_count() == 0
        self._complete &= known
        self._values[slots, at] = encode(values)
        self._known[slots, at] = True if known else values.is_not_null().to_numpy()
        self._next[slots] = at + 1
        self.count[slots] += 1
        everyone = len(slots) == len(self._next) and bool((slots == np.arange(len(slots))).all())
        self._level = everyone and (self._level or bool((self._next == self._next[0]).all()))

    def lag(self, slots: Ints, back: int) -> pl.Series:
        """The value ``back`` bars ago, null where an asset has fewer."""
        at = self._next[slots] - 1 - back
        there = self.count[slots] > back
        at = np.maximum(at, 0)
        return self.decode(self._values[slots, at], there & self._known[slots, at])

    def last(self, slots: Ints, size: int) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_] | None]:
        """The last values, (slots, size), oldest first, and which are known (None = all); anything where an asset has fewer."""
        if self._level:
            stop = int(self._next[0])
            start = max(stop - size, 0)
            part = slice(start, stop)
            values, known = self._values[:, part], self._known[:, part]
            if stop < size:
                values = np.pad(values, ((0, 0), (size - stop, 0)))
                known = np.pad(known, ((0, 0), (size - stop, 0)))
        else:
            at = np.maximum((self._next[slots] - size)[:, None] + np.arange(size), 0)
            values, known = self._values[slots[:, None], at], self._known[slots[:, None], at]
        return values, None if self._complete else known

    def decode(self, values: npt.NDArray[Any], known: npt.NDArray[np.bool_] | None) -> pl.Series:
        """Values of this ring's dtype as a column."""
        return decode(values, known, self.dtype)

    def _adopt(self, dtype: pl.DataType) -> None:
        self.dtype = dtype
        self._values = np.zeros(self._values.shape, storage(dtype))

    def _grow(self, slots: int) -> None:
        more = max(slots, 2 * len(self._next) if len(self._next) else slots) - len(self._next)
        more = slots - len(self._next) if len(self._next) < 64 else more
        self._values = np.concatenate([self._values, np.zeros((more, 2 * self.width), self._values.dtype)])
        self._known = np.concatenate([self._known, np.zeros((more, 2 * self.width), np.bool_)])
        self._next = np.concatenate([self._next, np.zeros(more, np.int64)])
        self.count = np.concatenate([self.count, np.zeros(more, np.int64)])
        self._level = False

    def _rewind(self, slots: Ints) -> None:
        keep = self.width - 1
        self._values[slots, :keep] = self._values[slots, 2 * self.width - keep :]
        self._known[slots, :keep] = self._known[slots, 2 * self.width - keep :]
        self._next[slots] = keep

    def frame(self, names: Sequence[str]) -> pl.DataFrame:
        """What is kept, oldest first: ``asset``, ``value``."""
        parts = []
        for slot, name in enumerate(names[: len(self._next)]):
            size = int(min(self.count[slot], self.width, self._next[slot]))
            part = slice(int(self._next[slot]) - size, int(self._next[slot]))
            values = self.decode(self._values[slot, part], self._known[slot, part])
            parts.append(pl.DataFrame({"asset": pl.Series([name] * size, dtype=pl.String), "value": values}))
        empty = pl.DataFrame(schema={"asset": pl.String, "value": self.dtype})
        return pl.concat([empty, *parts])


class History:
    """Every row of some columns, in the order in which they came.

    Example:
        >>> history = History()
        >>> history.push(pl.DataFrame({"x": [1]}))
        >>> history.push(pl.DataFrame({"x": [2]}))
        >>> history.rows["x"].to_list()
        [1, 2]
    """

    def __init__(self) -> None:
        self.rows: pl.DataFrame = pl.DataFrame()

    def push(self, rows: pl.DataFrame) -> None:
        """Add the rows of one bar."""
        if self.rows.width == 0:
            self.rows = rows.clone()
        elif self.rows.schema == rows.schema:
            self.rows.extend(rows)
        else:  # a column of nulls alone has found its type
            self.rows = pl.concat([self.rows, rows], how="vertical_relaxed")


def storage(dtype: pl.DataType) -> Any:
    """The numpy dtype that holds the physical values of a column."""
    if dtype.is_numeric() and not dtype.is_decimal() and dtype not in (pl.Int128, pl.UInt128):
        return pl.Series([0], dtype=dtype).to_numpy().dtype
    if dtype == pl.Boolean:
        return np.bool_
    return np.int64 if dtype.is_temporal() else object


def encode(values: pl.Series) -> npt.NDArray[Any]:
    """Physical values of a column; anything where it is null."""
    dtype = values.dtype
    held = storage(dtype)
    if held is object:
        return np.array([*values.to_list(), None], dtype=object)[:-1]
    plain = values.to_physical() if dtype.is_temporal() else values
    if plain.null_count():
        plain = plain.fill_null(False) if dtype == pl.Boolean else plain.cast(plain.dtype).fill_null(0) if dtype != pl.Null else values
    found: npt.NDArray[Any] = plain.to_numpy() if dtype != pl.Null else np.zeros(len(values))
    return found


def decode(values: npt.NDArray[Any], known: npt.NDArray[np.bool_] | None, dtype: pl.DataType) -> pl.Series:
    """The column of physical values and the mask of known ones."""
    if dtype == pl.Null:
        return pl.Series([None] * len(values), dtype=pl.Null)
    if values.dtype == object:
        wanted = np.ones(len(values), np.bool_) if known is None else known
        return pl.Series([v if k else None for v, k in zip(values, wanted, strict=True)], dtype=dtype)
    series = pl.Series(np.ascontiguousarray(values))
    if dtype.is_temporal():
        series = series.cast(pl.Int32 if dtype == pl.Date else pl.Int64).cast(dtype)
    if known is None or known.all():
        return series
    return pl.DataFrame([series.alias("x"), pl.Series("k", known)]).select(pl.when("k").then("x")).to_series()
