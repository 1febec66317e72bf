"""Rolling sums of whole numbers over a constant, in one pass: what NumPy takes three for, and each from memory (`rustybt.spec.exact`)."""

from __future__ import annotations

from typing import Any

from .compile import called
from .limits import SUMS_AT_ONCE, ZERO


@called
def roll(values: Any, sums: Any, found: Any, rows: int, size: int, below: float) -> int:
    """Sums of ``size`` numbers that follow one another, each divided by ``below``. Sums may wrap.

    Args:
        values: (rows + size - 1,) Int64.
        sums: (SUMS_AT_ONCE,) scratch.
        found: (rows,) Float64, written here: item i is about the numbers from i on.
        rows: how many.
        size: of a window.
        below: what they are divided by.
    """
    total = ZERO
    for i in range(size if rows > 0 else 0):
        total += values[i]
    for first in range(0, rows, SUMS_AT_ONCE):
        behind = min(first + SUMS_AT_ONCE, rows)
        for i in range(first, behind - 1):
            sums[i - first] = total
            total += values[i + size] - values[i]  # each sum waits for one addition
        sums[behind - 1 - first] = total
        if behind < rows:
            total += values[behind - 1 + size] - values[behind - 1]
        for i in range(first, behind):
            found[i] = sums[i - first] / below
    return rows
