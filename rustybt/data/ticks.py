"""Turn the numbers of a source into whole ticks, exactly, and back into the nearest doubles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import gcd

import numpy as np
import polars as pl

from rustybt.data.exact import CHUNK, TRUSTED, Floats, mul_div, nearest_doubles
from rustybt.errors import DataError
from rustybt.model.decimals import LIMIT
from rustybt.model.panel import Ints

SAFE = 2.0**50
"""Below this many ticks the error of one multiplication and one division of doubles stays under a quarter of a tick; beyond it, and near a
tie, the printed digits decide."""
NOISE = 1e-6
"""A value nearer than this to a tick is on the tick: the rest is the noise of a double."""
ALIKE = 1e-15
"""Relative distance of two doubles that is a few units in their last place."""


@dataclass(frozen=True)
class Run:
    """Rows ``start:stop`` that are counted in the same step."""

    start: int
    stop: int
    step: Decimal


@dataclass(frozen=True)
class Scaled:
    """A column as whole steps.

    Attributes:
        ticks: (rows,) Int64; 0 where the value is not finite.
        floats: (rows,) Float64: the doubles nearest to the ticks; NaN where the value is not finite.
        moved: rows that were not on a step.
        residual: largest distance moved, in the column's own unit.
    """

    ticks: Ints
    floats: Floats
    moved: int
    residual: float


def scale_column(column: pl.Series, runs: Sequence[Run], setting: str, owner: Callable[[int], str]) -> Scaled:
    """Whole steps of every value, rounded half-even.

    A double counts as the shortest decimal that prints as it, so 0.1 is one tenth. Decimal and integer columns are exact.

    Args:
        column: numbers; nulls allowed.
        runs: consecutive pieces of rows with their step; they cover the column.
        setting: the option to name when a value does not fit: ``tick_size`` or ``volume_step``.
        owner: the asset of a row, to name in an error.

    Raises:
        DataError: the column does not hold numbers, or a value is 2^61 steps or more: ``value`` of its facts are column, value and asset.
    """
    dtype = column.dtype
    if not dtype.is_numeric():
        raise DataError(
            f"column {column.name!r} holds {dtype}, not numbers", where=f"column {column.name!r}", do="convert it before loading"
        )
    if dtype == pl.Float32:
        column = column.cast(pl.String).cast(pl.Float64)
    values: Floats = column.cast(pl.Float64).to_numpy()
    ticks = np.empty(len(values), dtype=np.int64)
    floats = values  # the source's own doubles serve until one of them is not the nearest to its ticks
    moved, residual = 0, 0.0
    for run in _pieces(runs):
        rows = slice(run.start, run.stop)
        beyond = _beyond(values[rows], run.step)
        if len(beyond):
            row = run.start + int(beyond[0])
            raise DataError(
                f"{column.name} {values[row]:g} is beyond the scale: a {setting} of {run.step} reaches to {float(LIMIT * run.step):.4g}",
                where=f"asset {owner(row)!r}, column {column.name!r}",
                do=f'give a coarser {setting}, for example {setting}="{run.step * 10000:f}", or repair the rows',
                value=(column.name, float(values[row]), owner(row)),
            )
        if dtype.is_float():
            part = _from_doubles(values[rows], run.step)
        else:
            part = _from_exact(column[run.start : run.stop], values[rows], run.step)
        ticks[rows] = part.ticks
        if floats is values and not np.array_equal(part.floats, values[rows]):
            floats = values.copy()
        if floats is not values:
            floats[rows] = part.floats
        moved, residual = moved + part.moved, max(residual, part.residual)
    return Scaled(ticks, floats, moved, residual)


def _pieces(runs: Sequence[Run]) -> Iterator[Run]:
    """Runs cut so that the work on one stays in the processor's cache."""
    for run in runs:
        for start in range(run.start, run.stop, CHUNK):
            yield Run(start, min(start + CHUNK, run.stop), run.step)


def _beyond(values: Floats, step: Decimal) -> Ints:
    """Rows whose number of steps is 2^61 or more."""
    with np.errstate(invalid="ignore"):
        return np.flatnonzero((np.abs(values) >= float(LIMIT * Fraction(step))) & np.isfinite(values))


def _from_doubles(values: Floats, step: Decimal) -> Scaled:
    worth = Fraction(step)
    steps = values * worth.denominator
    if worth.numerator != 1:
        steps /= worth.numerator
    usable = np.isfinite(steps)
    whole = np.rint(steps)
    off = np.abs(steps - whole) if usable.all() else np.abs(np.where(usable, steps - np.where(usable, whole, 0), 0.0))
    ticks = whole.astype(np.int64) if usable.all() else np.where(usable, whole, 0.0).astype(np.int64)
    size = np.abs(steps)
    unsure = np.flatnonzero(((size >= SAFE) | (np.abs(off - 0.5) <= size * TRUSTED)) & usable)
    if len(unsure):
        printed = pl.Series(values[unsure]).cast(pl.String).cast(pl.Decimal(38, 18 if step <= 1 else 6))
        ticks[unsure] = _whole(printed, step).to_numpy()
        off[size >= SAFE] = 0.0
    floats = nearest_doubles(ticks, step)
    if not usable.all():
        floats[~usable] = np.nan
    return Scaled(ticks, floats, *_moved(values, floats, off))


def _from_exact(column: pl.Series, values: Floats, step: Decimal) -> Scaled:
    ticks: Ints = _whole(column, step).fill_null(0).to_numpy().astype(np.int64, copy=True)
    floats = nearest_doubles(ticks, step)
    floats[np.isnan(values)] = np.nan
    worth = Fraction(step)
    off = np.abs(values * worth.denominator / worth.numerator - ticks)
    off[np.isnan(off) | (np.abs(ticks) >= SAFE)] = 0.0
    return Scaled(ticks, floats, *_moved(values, floats, off))


def _moved(values: Floats, floats: Floats, off: Floats) -> tuple[int, float]:
    """How many values were not on a step, and the largest distance: more than a few units in the last place of a double."""
    rows = np.flatnonzero(off > NOISE)
    distance = np.abs(values[rows] - floats[rows])
    distance = distance[distance > ALIKE * np.abs(values[rows])]
    return len(distance), float(distance.max()) if len(distance) else 0.0


def _whole(column: pl.Series, step: Decimal) -> pl.Series:
    """Steps of a decimal or integer column: the division is exact, rounded half-even once."""
    scale = column.dtype.scale if isinstance(column.dtype, pl.Decimal) else 0
    units = column.to_physical() if isinstance(column.dtype, pl.Decimal) else column
    worth = Fraction(step) * 10 ** (scale or 0)
    shared = gcd(worth.numerator, worth.denominator)
    up, down = worth.denominator // shared, worth.numerator // shared
    if up == down == 1:
        return units.cast(pl.Int64)
    return mul_div(units, up, down).cast(pl.Int64)
