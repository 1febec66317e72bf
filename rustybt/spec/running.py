"""Running: windows of whole ticks from running totals, or from sums.

In: ``ticks_<column>`` and a window of `rustybt.spec.exact`. Out: its values. Totals are Int64 and may wrap: a difference of two is exact
as long as the window's own sum fits. So a value depends on the bars in its window alone, never on where the frame starts, and equal sums
give equal means. The one division is numpy's, or has its bits: Polars divides a column by a constant through its reciprocal, which rounds
twice.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.spec.exact import Facts, Rolling, Step

BLOCK = 32_768
"""Rows per pass: the arrays of a pass stay in the processor's cache."""

type Rolled = Callable[[int, int, int, int, float], None]
"""Rolls sums: the number where the first window begins, the place of its sum, how many windows, their size, what sums are divided by."""
type Roll = Callable[[npt.NDArray[np.int64], npt.NDArray[np.float64]], Rolled]
"""Gives that for numbers and for where sums go. The same bits as `Running` gives."""


class Running:
    """Running totals of one column of ticks; ``[i]`` is the total of the rows before row i.

    Args:
        ticks: Int64, rows of each asset together.
        roll: something faster for sums and means; None = NumPy.

    Example:
        >>> totals = Running(pl.Series([3, 4, 8]))
        >>> totals.whole(Rolling("close", "Mean", 2, 2), Step(1, 10), False).tolist()[:2]
        [0.35, 0.6]
    """

    def __init__(self, ticks: pl.Series, roll: Roll | None = None) -> None:
        self._ticks, self._roll = ticks, roll

    @cached_property
    def _values(self) -> npt.NDArray[np.int64]:
        return (self._ticks.fill_null(0) if self._ticks.null_count() else self._ticks).to_numpy()

    @cached_property
    def total(self) -> npt.NDArray[np.int64]:
        """Of the ticks; a null counts as nothing."""
        return _prefix(self._values)

    @cached_property
    def squares(self) -> npt.NDArray[np.int64]:
        """Of their squares, wrapping."""
        return _prefix(self._values * self._values)

    @cached_property
    def wide(self) -> pl.Series:
        """Of their squares in 128 bits."""
        wide = pl.Series(self._values).cast(pl.Int128)
        return pl.concat([pl.Series([0], dtype=pl.Int128), (wide * wide).cum_sum()], rechunk=True)

    @cached_property
    def count(self) -> npt.NDArray[np.int64]:
        """Of the rows that are not null."""
        return _prefix(self._ticks.is_not_null().to_numpy().astype(np.int64))

    def whole(self, window: Rolling, step: Step, wide: bool, out: npt.NDArray[np.float64] | None = None) -> npt.NDArray[np.float64]:
        """Values of windows without nulls, at the row where each window starts; 0 for those that would end behind the last row.

        Args:
            window: the window.
            step: of the rows.
            wide: whether squares need 128 bits.
            out: where to write them, for as many of the first rows as it has; None = all, in an array of their own.
        """
        size = window.size
        out = np.empty(len(self._values)) if out is None else out
        last = min(max(len(self._values) - size + 1, 0), len(out))
        out[last:] = 0.0
        plain = window.rolls(step)
        below = np.float64(step.den * (size if window.function == "Mean" else 1)) if plain else np.float64(1)
        if plain and self._roll is not None:
            self._roll(self._values, out)(0, 0, last, size, float(below))
            return out
        sums = np.empty(min(BLOCK, len(out)), np.int64)
        for start in range(0, last, BLOCK):
            stop = min(start + BLOCK, last)
            after, before = slice(start + size, stop + size), slice(start, stop)
            if plain:  # the division of `_scaled`, without arrays in between
                np.divide(np.subtract(self.total[after], self.total[before], out=sums[: stop - start]), below, out=out[before])
            else:
                out[before] = self._value(window, size, (before, after), step.at(before), wide)
        return out

    def ending(self, window: Rolling, rows: Any, first: Any, step: Step, facts: Facts) -> tuple[Any, Any]:
        """Values of the windows that end at given rows, and which of them have enough bars.

        Args:
            window: the window.
            rows: rows at which windows end.
            first: first row of the asset of each.
            step: of those rows.
            facts: about the ticks.
        """
        after, before = rows + 1, np.maximum(rows + 1 - window.size, first)
        count = self.count[after] - self.count[before] if facts.nulls else after - before
        least = max(window.least, 1, window.ddof + 1 if window.squares else 1)
        enough = count >= (0 if window.function == "Sum" and window.least == 0 else least)
        return self._value(window, np.maximum(count, least), (before, after), step, facts.wide), enough

    def _value(self, window: Rolling, count: Any, between: tuple[Any, Any], step: Step, wide: bool) -> npt.NDArray[np.float64]:
        before, after = between
        one = self.total[after] - self.total[before]
        if not window.squares:
            return _scaled(window, one, count, step)
        return _deviation(window, self._spread(one, count, after, before, wide), count, step)

    def _spread(self, one: Any, count: Any, after: Any, before: Any, wide: bool) -> Any:
        if not wide:
            spread = (self.squares[after] - self.squares[before]) * count - one * one
            return spread.view(np.uint64).astype(np.float64)
        total, squares = pl.Series(one).cast(pl.Int128), self.wide
        pick = (lambda at: squares.slice(at.start, at.stop - at.start)) if isinstance(after, slice) else squares.gather
        counts = pl.Series(np.broadcast_to(count, one.shape).astype(np.int64)).cast(pl.Int128)
        return ((pick(after) - pick(before)) * counts - total * total).cast(pl.Float64).to_numpy()


def of_windows(
    window: Rolling, ticks: npt.NDArray[np.int64], known: npt.NDArray[np.bool_] | None, step: Step
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_] | None]:
    """Values of windows given one per row, and which of them have enough bars (None = all): the same bits as `Running` gives.

    Args:
        window: the window.
        ticks: (windows, size).
        known: which ticks take part; None = all.
        step: of each window.

    Example:
        >>> of_windows(Rolling("close", "Mean", 2, 2), np.array([[3, 4]]), None, Step(1, 10))[0].tolist()
        [0.35]
    """
    flat = np.zeros((len(ticks), window.size), np.int64)
    np.copyto(flat, ticks, where=True if known is None else known)
    count = np.full(len(flat), window.size) if known is None else known.sum(axis=1)
    least = max(window.least, 1, window.ddof + 1 if window.squares else 1)
    needed = 0 if window.function == "Sum" and window.least == 0 else least
    enough = None if known is None and least <= window.size else count >= needed
    counted = np.maximum(count, least)
    one = flat.sum(axis=1)
    if not window.squares:
        return _scaled(window, one, counted, step), enough
    first = flat[:, -1:]
    near = flat - first if known is None else np.where(known, flat - first, 0)
    if int(np.abs(near).max(initial=0)) * window.size * 2 <= 2**32:
        sums = near.sum(axis=1)
        spread = ((near * near).sum(axis=1) * counted - sums * sums).view(np.uint64).astype(np.float64)
    else:
        exact = [
            _spread(row if known is None else row[k], int(n))
            for row, k, n in zip(flat, flat if known is None else known, counted, strict=True)
        ]
        spread = np.array([float(value) for value in exact])
    return _deviation(window, spread, counted, step), enough


def of_totals(
    window: Rolling, totals: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64] | None, npt.NDArray[np.int64], bool], step: Step
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_] | None] | None:
    """The same as `of_windows` from sums; None when the variance does not fit 64 bits.

    Args:
        window: the window.
        totals: sums of the ticks of each window, of their squares (wrapping), how many ticks each has, and whether the variance fits.
        step: of each window.

    Example:
        >>> of_totals(Rolling("close", "Mean", 2, 2), (np.array([7]), None, np.array([2]), True), Step(1, 10))[0].tolist()
        [0.35]
    """
    one, squares, count, fitting = totals
    if window.squares and (squares is None or not fitting):
        return None
    least = max(window.least, 1, window.ddof + 1 if window.squares else 1)
    enough = count >= (0 if window.function == "Sum" and window.least == 0 else least)
    there = None if enough.all() else enough
    counted = np.maximum(count, least)
    if squares is None or not window.squares:
        return _scaled(window, one, counted, step), there
    spread = (squares * counted - one * one).view(np.uint64).astype(np.float64)
    return _deviation(window, spread, counted, step), there


def _scaled(window: Rolling, ticks: npt.NDArray[np.int64], count: Any, step: Step) -> npt.NDArray[np.float64]:
    above = ticks if np.ndim(step.num) == 0 and step.num == 1 else ticks * step.num
    value: npt.NDArray[np.float64] = above / np.float64(step.den * (count if window.function == "Mean" else 1))
    return value


def _deviation(window: Rolling, spread: npt.NDArray[np.float64], count: Any, step: Step) -> npt.NDArray[np.float64]:
    below = np.float64(count) * np.float64(count - window.ddof) * np.float64(step.den) ** 2
    variance = spread * np.float64(step.num) ** 2 / below
    found: npt.NDArray[np.float64] = np.sqrt(variance) if window.function == "Std" else variance
    return found


def _spread(ticks: npt.NDArray[np.int64], count: int) -> int:
    values = [int(tick) for tick in ticks]
    return max(count * sum(v * v for v in values) - sum(values) ** 2, 0)


def _prefix(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    held = np.empty(len(values) + 1, np.int64)
    held[0] = 0
    np.cumsum(values, out=held[1:])
    return held
