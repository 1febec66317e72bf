"""Doubles of a part as ticks, each row judged, in one compiled pass: what `scale_column` and `find_dirty` find, where doubles decide it.

What they cannot decide here (a value near a tie or too large to tell, one that is missing) ends the pass, and those functions do the work.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rustybt.data.exact import HALF, TRUSTED
from rustybt.data.rows import REASONS
from rustybt.data.text.native import native
from rustybt.data.ticks import ALIKE, NOISE, SAFE

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
VOLUME = 4
"""Its place, behind those of the prices."""


class Judged(NamedTuple):
    """What is found.

    Args:
        ticks: (5, rows) Int64 whole steps.
        found: (rows,) Int8 number of the reason, -1 for none.
        moved: (5,) Int64: values that were not on a step are added.
        residual: (5,) Float64: the largest distance.
    """

    ticks: Any
    found: Any
    moved: Any
    residual: Any


@native
def scan(values: Any, edges: Any, steps: Any, into: Any) -> int:
    """Ticks and reasons of rows.

    Args:
        values: five (rows,) Float64 without nulls: open, high, low, close, volume.
        edges: (assets + 1,) Int64 rows of each asset.
        steps: (assets, 2, 2) Float64: numerator and denominator of the step of prices, and of that of volumes.
        into: `Judged`.

    Returns:
        -1, or the row at which the pass ended.
    """
    ticks, found, moved, residual = into
    found[:] = USABLE
    for asset in range(len(edges) - 1):
        for column in range(len(values)):
            price = column < VOLUME
            up, down = steps[asset, 0 if price else 1]
            for row in range(edges[asset], edges[asset + 1]):
                value = values[column][row]
                count = value * down
                if up != 1.0:
                    count /= up
                if not np.isfinite(count):
                    if np.isfinite(value):
                        return row
                    ticks[column, row] = 0
                    if price:
                        found[row] = NOT_FINITE
                    elif found[row] == USABLE:
                        found[row] = NO_VOLUME
                    continue
                whole = np.rint(count)
                off, size = abs(count - whole), abs(count)
                if size >= SAFE or abs(off - HALF) <= size * TRUSTED or abs(whole) * up > EXACT or (value == 0.0 and np.signbit(value)):
                    return row
                ticks[column, row] = np.int64(whole)
                if off > NOISE:
                    nearest = whole * up if up != 1.0 else whole
                    distance = abs(value - (nearest / down if down != 1.0 else nearest))
                    if distance > ALIKE * abs(value):
                        moved[column] += 1
                        residual[column] = max(residual[column], distance)
                if whole <= 0.0 and price and found[row] == USABLE:
                    found[row] = NOT_POSITIVE if value <= 0.0 else HALF_A_TICK
    for row in range(edges[0], edges[-1]):
        if found[row] == USABLE or found[row] == NO_VOLUME:
            first, high, low, last = ticks[0, row], ticks[1, row], ticks[2, row], ticks[3, row]
            if high < low:
                found[row] = HIGH_BELOW_LOW
            elif min(first, last) < low or max(first, last) > high:
                found[row] = OUTSIDE
            elif ticks[VOLUME, row] < 0:
                found[row] = NO_VOLUME
    return -1
