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

from rustybt.spec.column import Arrays, Column, Flags, decode, storage

Ints = npt.NDArray[np.int64]
EVERY = slice(None)


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
        self._known: Flags = np.ones((0, 2 * self.width), np.bool_)
        self._next: Ints = np.zeros(0, np.int64)
        self._count: Ints = np.zeros(0, np.int64)
        self._totals: Totals | None = None
        self._everyone: Ints | None = None  # the slots of the last bar, when they were those of all assets in order
        self._stop, self._bars = 0, 0
        self._counts: tuple[int, Ints] = 0, np.zeros(0, np.int64)
        self.level = False
        self.complete = True

    def sum_up(self, squares: bool) -> None:
        """Keep running totals of whole numbers as well, and of their squares if wanted; called before the first value."""
        self._totals = Totals(self.width, squares)

    @property
    def count(self) -> Ints:
        """Bars of each asset so far."""
        self._settle()
        return self._count

    def push(self, slots: Ints, values: pl.Series) -> None:
        """Add the values of one bar.

        Args:
            slots: number of each asset, none twice.
            values: one per slot; always of the same dtype.
        """
        self.take(slots, Column.of(values))

    def take(self, slots: Ints, column: Column) -> None:
        """The same with the values as a `Column`."""
        if not len(slots):
            return
        if isinstance(self.dtype, pl.Null) and not isinstance(column.dtype, pl.Null):
            self._adopt(column.dtype)
        values, known = column.arrays
        if self.level and (slots is self._everyone or (len(slots) == len(self._next) and _is_whole(slots))):
            self._everyone = slots
            self._take_all(values, known)
            return
        self._settle()
        self.level, self._everyone = False, None
        if int(slots.max()) >= len(self._next):
            self._grow(int(slots.max()) + 1)
        full = self._next[slots] == 2 * self.width
        if full.any():
            self._rewind(slots[full])
        at = self._next[slots]
        if self._totals is not None:
            self._totals.take(slots, at, values)
        self._values[slots, at] = values
        if known is not None or not self.complete:
            self.complete = False
            self._known[slots, at] = True if known is None else known
        self._next[slots] = at + 1
        self._count[slots] += 1
        if len(slots) == len(self._next) and _is_whole(slots):
            self._stop, self._bars = int(self._next[0]), int(self._count[0])
            self.level = bool((self._next == self._stop).all() and (self._count == self._bars).all())

    def _take_all(self, values: npt.NDArray[Any], known: Flags | None) -> None:
        if self._stop == 2 * self.width:
            self._rewind(EVERY)
            self._stop = self.width - 1
        if self._totals is not None:
            self._totals.take_all(self._stop, values)
        self._values[:, self._stop] = values
        if known is not None or not self.complete:
            self.complete = False
            self._known[:, self._stop] = True if known is None else known
        self._stop += 1
        self._bars += 1

    def _settle(self) -> None:
        """Write what all assets share into the numbers of each."""
        if self.level:
            self._next[:], self._count[:] = self._stop, self._bars

    def lag(self, slots: Ints, back: int) -> pl.Series:
        """The value ``back`` bars ago, null where an asset has fewer."""
        return self.decode(*self.before(slots, back))

    def before(self, slots: Ints, back: int) -> Arrays:
        """The same as arrays."""
        if self.level:
            if self._bars <= back:
                return np.zeros(len(slots), self._values.dtype), np.zeros(len(slots), np.bool_)
            at = self._stop - 1 - back
            known = None if self.complete or self._known[:, at].all() else self._known[:, at].copy()
            return self._values[:, at].copy(), known
        place = self._next[slots] - 1 - back
        there = self._count[slots] > back
        place = np.maximum(place, 0)
        if not self.complete:
            there = there & self._known[slots, place]
        return self._values[slots, place], None if there.all() else there

    def last(self, slots: Ints, size: int) -> tuple[npt.NDArray[Any], Flags | None]:
        """The last values, (slots, size), oldest first, and which are known (None = all); anything where an asset has fewer."""
        if self.level:
            stop = self._stop
            part = slice(max(stop - size, 0), stop)
            values, known = self._values[:, part], self._known[:, part]
            if stop < size:
                values = np.pad(values, ((0, 0), (size - stop, 0)))
                known = np.pad(known, ((0, 0), (size - stop, 0)))
        else:
            at = np.maximum((self._next[slots] - size)[:, None] + np.arange(size), 0)
            values, known = self._values[slots[:, None], at], self._known[slots[:, None], at]
        return values, None if self.complete else known

    def enough(self, slots: Ints, size: int) -> Flags | None:
        """Which assets have had so many bars; None = all."""
        if self.level:
            return None if self._bars >= size else np.zeros(len(slots), np.bool_)
        found = self._count[slots] >= size
        return None if found.all() else found

    def totals(self, slots: Ints, size: int) -> tuple[Ints, Ints | None, Ints, bool] | None:
        """Sums over the last values of each asset, from running totals; None when there are none or a value was null.

        Returns:
            The sums, those of squares (wrapping), how many values (at most ``size``), and whether the scaled variance fits 64 bits.
        """
        if self._totals is None or not self.complete or not len(slots):
            return None
        if self.level:
            count = min(self._bars, size)
            last = self._stop - 1
            return (*self._totals.between(EVERY, last - count + 1, last, self._values), self._same(count), self._totals.fits(size))
        counts = np.minimum(self._count[slots], size)
        at = self._next[slots] - 1
        return (*self._totals.between(slots, at - counts + 1, at, self._values), counts, self._totals.fits(size))

    def _same(self, count: int) -> Ints:
        """The same count for every asset; not to be written to."""
        held = self._counts
        if held[0] != count or len(held[1]) != len(self._next):
            held = self._counts = count, np.full(len(self._next), count)
        return held[1]

    def decode(self, values: npt.NDArray[Any], known: Flags | None) -> pl.Series:
        """Values of this ring's dtype as a column."""
        return decode(values, known, self.dtype)

    def _adopt(self, dtype: pl.DataType) -> None:
        self.dtype = dtype
        self._values = np.zeros(self._values.shape, storage(dtype))

    def _grow(self, slots: int) -> None:
        more = max(slots, 2 * len(self._next) if len(self._next) else slots) - len(self._next)
        more = slots - len(self._next) if len(self._next) < 64 else more
        self._values = np.concatenate([self._values, np.zeros((more, 2 * self.width), self._values.dtype)])
        self._known = np.concatenate([self._known, np.ones((more, 2 * self.width), np.bool_)])
        self._next = np.concatenate([self._next, np.zeros(more, np.int64)])
        self._count = np.concatenate([self._count, np.zeros(more, np.int64)])
        if self._totals is not None:
            self._totals.grow(more)

    def _rewind(self, slots: Any) -> None:
        keep = self.width - 1
        held = [self._values, self._known, *(self._totals.held if self._totals is not None else ())]
        for values in held:
            values[slots, :keep] = values[slots, 2 * self.width - keep :]
        self._next[slots] = keep

    def frame(self, names: Sequence[str]) -> pl.DataFrame:
        """What is kept, oldest first: ``asset``, ``value``."""
        parts = []
        counts = self.count
        for slot, name in enumerate(names[: len(self._next)]):
            size = int(min(counts[slot], self.width, self._next[slot]))
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


class Totals:
    """Running totals of whole numbers beside the values of a `Ring`, in the same places. They may wrap: a difference of two does not.

    Args:
        width: of the ring.
        squares: also of their squares.
    """

    def __init__(self, width: int, squares: bool) -> None:
        self.sums: Ints = np.zeros((0, 2 * width), np.int64)
        self.squares: Ints | None = np.zeros((0, 2 * width), np.int64) if squares else None
        self._low: Ints = np.zeros(0, np.int64)
        self._high: Ints = np.zeros(0, np.int64)
        self._range = 0.0

    @property
    def held(self) -> list[Ints]:
        """The arrays that move with the ring's values."""
        return [self.sums] if self.squares is None else [self.sums, self.squares]

    def grow(self, more: int) -> None:
        """Make room for more assets."""
        self.sums = np.concatenate([self.sums, np.zeros((more, self.sums.shape[1]), np.int64)])
        if self.squares is not None:
            self.squares = np.concatenate([self.squares, np.zeros((more, self.squares.shape[1]), np.int64)])
        self._low = np.concatenate([self._low, np.full(more, np.iinfo(np.int64).max)])
        self._high = np.concatenate([self._high, np.full(more, np.iinfo(np.int64).min)])

    def take(self, slots: Any, at: Any, values: npt.NDArray[Any]) -> None:
        """Add one bar's values; a place's total is that of the place before and its own value."""
        values = values.astype(np.int64, copy=False)
        before = np.maximum(at - 1, 0)
        self.sums[slots, at] = np.where(np.asarray(at) > 0, self.sums[slots, before], 0) + values
        if self.squares is not None:
            self.squares[slots, at] = np.where(np.asarray(at) > 0, self.squares[slots, before], 0) + values * values
            self._low[slots] = np.minimum(self._low[slots], values)
            self._high[slots] = np.maximum(self._high[slots], values)
            self._range = max(self._range, float((self._high[slots].astype(np.float64) - self._low[slots]).max()))

    def take_all(self, at: int, values: npt.NDArray[Any]) -> None:
        """The same for the next value of every asset."""
        values = values if values.dtype == np.int64 else values.astype(np.int64)
        sums, squares = self.sums, self.squares
        sums[:, at] = sums[:, at - 1] + values if at else values
        if squares is None:
            return
        more = values * values
        squares[:, at] = squares[:, at - 1] + more if at else more
        below, above = values < self._low, values > self._high
        if below.any() or above.any():
            np.minimum(self._low, values, out=self._low)
            np.maximum(self._high, values, out=self._high)
            self._range = max(self._range, float((self._high.astype(np.float64) - self._low).max()))

    def between(self, slots: Any, first: Any, last: Any, values: npt.NDArray[Any]) -> tuple[Ints, Ints | None]:
        """Sums of the values from one place to another, both included, and of their squares."""
        start = values[slots, first]
        one = self.sums[slots, last] - self.sums[slots, first] + start
        if self.squares is None:
            return one, None
        return one, self.squares[slots, last] - self.squares[slots, first] + start * start

    def fits(self, size: int) -> bool:
        """Whether the scaled variance of any window so far fits 64 bits; see `rustybt.spec.exact.fits`."""
        return self._range * size <= 2**32


def _is_whole(slots: Ints) -> bool:
    """Whether slots are 0, 1, 2, ... in order."""
    return bool(slots[0] == 0 and slots[-1] == len(slots) - 1 and (slots[1:] > slots[:-1]).all())
