"""Rolling sums of whole numbers over a constant, block by block: what NumPy takes three passes over memory for (`rustybt.spec.running`)."""

from __future__ import annotations

from typing import Any

from .compile import called
from .limits import SUMS_AT_ONCE, ZERO
from .quotient import divided


@called
def roll(values: Any, sums: Any, found: Any, rows: int, size: int, below: float) -> int:
    """Sums of ``size`` numbers that follow one another, each divided by ``below``. Sums may wrap.

    Args:
        values: (rows + size - 1,) Int64.
        sums: (SUMS_AT_ONCE,) scratch.
        found: (rows,) Float64, written here: item i is about the numbers from i on.
        rows: how many.
        size: of a window.
        below: what they are divided by; a whole number below 2^52.
    """
    total, inverse = ZERO, 1.0 / below
    for i in range(size if rows > 0 else 0):
        total += values[i]
    for first in range(0, rows, SUMS_AT_ONCE):
        count = min(SUMS_AT_ONCE, rows - first)
        for i in range(count if first + count < rows else count - 1):
            sums[i] = values[first + i + size] - values[first + i]
        for i in range(count):  # each sum waits for one addition
            step = sums[i]
            sums[i] = total
            total += step
        for i in range(count):
            found[first + i] = divided(float(sums[i]), below, inverse)
    return rows
