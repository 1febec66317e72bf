"""Doubles as ticks, each row judged, in one compiled pass: what `scale_column` and `find_dirty` find, where doubles decide it.

What they cannot decide here (a value near a tie or too large to tell, one that is missing) ends the pass, and those functions do the work.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.data.columns import FIELDS
from rustybt.data.exact import HALF, TRUSTED, Floats
from rustybt.data.metadata import Listed
from rustybt.data.rows import REASONS, Reasons
from rustybt.data.text.native import inlined, native
from rustybt.data.ticks import ALIKE, NOISE, SAFE
from rustybt.data.timing import Timed
from rustybt.model.panel import Ints

EXACT = 2.0**53
"""Whole numbers that a double holds."""
USABLE = -1
NOT_FINITE, NOT_POSITIVE, HALF_A_TICK, HIGH_BELOW_LOW, OUTSIDE, NO_VOLUME = (
    REASONS.index(reason)
    for reason in (
        "NaN or infinite price",
        "zero or negative price",
        "price below half a tick",
        "high below low",
        "open or close outside low..high",
        "NaN, infinite or negative volume",
    )
)
NEAREST = 1.5 * 2.0**52
"""Added to a double below 2^51 and taken away again, it leaves the nearest whole number, of two the even one."""
BITS = np.float64(NEAREST).view(np.int64)
"""The same as a word: the difference of words is the difference of whole numbers."""
BLOCK = 2**8
"""Rows that are looked at together; most blocks of clean bars need no second look."""
WORTH = 2**18
"""Rows that are worth a second thread."""
VOLUME = 4
"""Its place, behind those of the prices."""


class Into(NamedTuple):
    """Where what is found goes.

    Args:
        ticks: (5, rows) Int64 whole steps.
        found: (rows,) Int8 number of the reason, -1 for none.
        moved: (5,) Int64: values that were not on a step are added.
        residual: (5,) Float64: the largest distance.
        other: (5,) Int64: values that are not the double nearest to their ticks are added.
    """

    ticks: Any
    found: Any
    moved: Any
    residual: Any
    other: Any


@native
def scan(values: Any, edges: Any, steps: Any, into: Any) -> int:
    """Ticks and reasons of rows.

    Args:
        values: five (rows,) Float64 without nulls: open, high, low, close, volume.
        edges: (assets + 1,) Int64 rows of each asset.
        steps: (assets, 2, 2) Float64: numerator and denominator of the step of prices, and of that of volumes.
        into: `Into`.

    Returns:
        -1, or a row of the block in which the pass ended.
    """
    for asset in range(len(edges) - 1):
        for start in range(edges[asset], edges[asset + 1], BLOCK):
            rows = (start, min(start + BLOCK, edges[asset + 1]))
            into.found[rows[0] : rows[1]] = USABLE
            for column in range(len(values)):
                step = steps[asset, 0 if column < VOLUME else 1]
                if not plain(values[column], rows, step, column, into.ticks) and not careful(values[column], rows, step, column, into):
                    return start
            if not related(rows, into.ticks):
                relate(rows, into.ticks, into.found)
    return -1


@inlined
def plain(values: Any, rows: tuple[int, int], step: Any, column: int, ticks: Any) -> bool:
    """Ticks of values that leave nothing to say: each the double nearest to ticks that may be. Without a branch, so many at a time."""
    up, down = step
    least, odd = (1.0 if column < VOLUME else 0.0), np.int64(0)
    if up == 1.0:
        for row in range(rows[0], rows[1]):
            value = values[row]
            lifted = value * down + NEAREST
            ticks[column, row] = np.float64(lifted).view(np.int64) - BITS
            whole = lifted - NEAREST
            odd += doubtful(value, value * down, whole, whole / down, least)
        return bool(odd == 0)
    for row in range(rows[0], rows[1]):
        value = values[row]
        lifted = value * down / up + NEAREST
        ticks[column, row] = np.float64(lifted).view(np.int64) - BITS
        whole = lifted - NEAREST
        odd += doubtful(value, value * down / up, whole, whole * up / down, least) + np.int64(abs(whole) * up > EXACT)
    return bool(odd == 0)


@inlined
def doubtful(value: Any, count: Any, whole: Any, nearest: Any, least: Any) -> Any:
    """1 where something is to be said of a value."""
    unsure = (abs(count) >= SAFE) | (abs(abs(count - whole) - HALF) <= abs(count) * TRUSTED)
    return np.int64(unsure | (nearest != value) | (whole < least) | (math.copysign(1.0, value) < 0.0))


@native
def careful(values: Any, rows: tuple[int, int], step: Any, column: int, into: Any) -> bool:
    """Ticks of any values, with what is to be said of each; False where doubles cannot tell."""
    ticks, found, moved, residual, other = into
    price = column < VOLUME
    up, down = step
    for row in range(rows[0], rows[1]):
        value = values[row]
        count = value * down
        if up != 1.0:
            count /= up
        if not np.isfinite(count):
            if np.isfinite(value):
                return False
            ticks[column, row] = 0
            other[column] += not np.isnan(value)
            if price:
                found[row] = NOT_FINITE
            elif found[row] == USABLE:
                found[row] = NO_VOLUME
            continue
        whole = np.rint(count)
        off, size = abs(count - whole), abs(count)
        if size >= SAFE or abs(off - HALF) <= size * TRUSTED or abs(whole) * up > EXACT or (value == 0.0 and np.signbit(value)):
            return False
        ticks[column, row] = np.int64(whole)
        nearest = (whole * up if up != 1.0 else whole) / down
        if nearest != value:
            other[column] += 1
            distance = abs(value - nearest)
            if off > NOISE and distance > ALIKE * abs(value):
                moved[column] += 1
                residual[column] = max(residual[column], distance)
        if whole <= 0.0 and price and found[row] == USABLE:
            found[row] = NOT_POSITIVE if value <= 0.0 else HALF_A_TICK
    return True


@inlined
def related(rows: tuple[int, int], ticks: Any) -> bool:
    """Whether all prices lie between low and high, and no volume is below zero."""
    odd = np.int64(0)
    for row in range(rows[0], rows[1]):
        first, high, low, last = ticks[0, row], ticks[1, row], ticks[2, row], ticks[3, row]
        odd += np.int64((min(first, last, high) < low) | (max(first, last) > high) | (ticks[VOLUME, row] < 0))
    return bool(odd == 0)


@native
def relate(rows: tuple[int, int], ticks: Any, found: Any) -> None:
    """Why rows cannot be used whose prices and volume can be each by itself."""
    for row in range(rows[0], rows[1]):
        if found[row] == USABLE or found[row] == NO_VOLUME:
            first, high, low, last = ticks[0, row], ticks[1, row], ticks[2, row], ticks[3, row]
            if high < low:
                found[row] = HIGH_BELOW_LOW
            elif min(first, last) < low or max(first, last) > high:
                found[row] = OUTSIDE
            elif ticks[VOLUME, row] < 0:
                found[row] = NO_VOLUME


@dataclass(frozen=True)
class Scan:
    """What one pass found.

    Attributes:
        values: open, high, low, close, volume as they came.
        ticks: (5, rows) Int64 whole steps.
        found: (rows,) Int8 number of the reason of each row, -1 for none.
        moved: by column, values that were not on a step, and the largest distance.
        nearest: whether every value is the double nearest to its ticks.
    """

    values: Sequence[Floats]
    ticks: npt.NDArray[np.int64]
    found: Reasons
    moved: dict[str, tuple[int, float]]
    nearest: bool


def scan_rows(timed: Timed, listed: Sequence[Listed]) -> Scan | None:
    """Scan rows; None where they are not of doubles alone, an asset has a first or last day, or doubles cannot tell.

    Args:
        timed: the rows.
        listed: their assets.
    """
    columns = [timed.keyed.frame[name] for name in FIELDS]
    steps = [[Fraction(one.asset.tick_size), Fraction(one.asset.volume_step)] for one in listed]
    if (
        any(column.dtype != pl.Float64 or column.null_count() for column in columns)
        or any(one.first is not None or one.last is not None for one in listed)
        or any(max(step.numerator, step.denominator) > EXACT for pair in steps for step in pair)
    ):
        return None
    sizes = np.array([[[step.numerator, step.denominator] for step in pair] for pair in steps], dtype=np.float64)
    values, height = [column.to_numpy() for column in columns], len(columns[0])
    views = tuple(_readonly(column) for column in values)
    ticks, found = np.empty((len(FIELDS), height), np.int64), np.empty(height, np.int8)

    def some(assets: slice) -> Into | None:
        into = Into(ticks, found, np.zeros(len(FIELDS), np.int64), np.zeros(len(FIELDS)), np.zeros(len(FIELDS), np.int64))
        return into if scan(views, timed.offsets[assets.start : assets.stop + 1], sizes[assets], into) < 0 else None

    shares = _shares(timed.offsets)
    if len(shares) == 1:
        done = [some(shares[0])]
    else:
        with ThreadPoolExecutor(len(shares)) as pool:
            done = list(pool.map(some, shares))
    whole = [into for into in done if into is not None]
    if len(whole) < len(done):
        return None
    moved = np.sum([into.moved for into in whole], axis=0).tolist()
    residual = np.max([into.residual for into in whole], axis=0).tolist()
    nearest = not np.any([into.other for into in whole])
    return Scan(values, ticks, found, dict(zip(FIELDS, zip(moved, residual, strict=True), strict=True)), nearest)


def _shares(offsets: Ints) -> list[slice]:
    """Assets for two threads, with about as many rows each; for one where there are few."""
    assets, rows = len(offsets) - 1, int(offsets[-1])
    half = int(np.searchsorted(offsets, rows // 2))
    return [slice(0, half), slice(half, assets)] if rows > WORTH and 0 < half < assets else [slice(0, assets)]


def _readonly(values: Floats) -> Floats:
    """The values in place, always of one type to the compiler."""
    view = values.view()
    view.flags.writeable = False
    return view
