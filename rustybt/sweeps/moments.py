"""Metrics of many equity curves, bit for bit those of `rustybt.analysis.metrics`: the same operations in the same order.

Sums are added as NumPy adds them (pairwise, in blocks of 128 with eight lanes), so that a number does not depend on which of the two
computed it. Powers and logarithms, which every C library rounds in its own way, are left to Python.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rustybt.analysis.metrics import performance as perf
from rustybt.kernel.compile import entry, kernel
from rustybt.model.panel import Ints

LANES, WHOLE = 8, 128
GROWTH, DEVIATION, MEAN, SECOND, THIRD, FOURTH, DEEPEST, USABLE = range(8)
"""Columns of `reduce_curves`: last over first less one, deviation, mean, central moments, deepest fall, whether returns are finite."""
EPSILON = float(np.finfo(np.float64).eps)


@kernel
def block_sum(a: Any, first: int, n: int) -> Any:
    """The sum of up to 128 numbers."""
    if n < LANES:
        total = -0.0
        for i in range(n):
            total += a[first + i]
        return total
    r0, r1, r2, r3 = a[first], a[first + 1], a[first + 2], a[first + 3]
    r4, r5, r6, r7 = a[first + 4], a[first + 5], a[first + 6], a[first + 7]
    whole = n - n % LANES
    for i in range(LANES, whole, LANES):
        at = first + i
        r0 += a[at]
        r1 += a[at + 1]
        r2 += a[at + 2]
        r3 += a[at + 3]
        r4 += a[at + 4]
        r5 += a[at + 5]
        r6 += a[at + 6]
        r7 += a[at + 7]
    total = ((r0 + r1) + (r2 + r3)) + ((r4 + r5) + (r6 + r7))
    for i in range(whole, n):
        total += a[first + i]
    return total


@kernel
def pairwise(a: Any, n: int, stack: Any) -> Any:
    """The sum of the first n numbers: halves of halves, down to blocks, without recursion.

    ``stack`` holds what is still to do (first, length, level) in its first columns and the sums of finished halves by level in the last.
    """
    if n <= WHOLE:
        return block_sum(a, 0, n)
    depth, stack[0, 0], stack[0, 1], stack[0, 2] = 1, 0.0, float(n), 0.0
    held = 0
    while depth > 0:
        depth -= 1
        first, size, level = int(stack[depth, 0]), int(stack[depth, 1]), stack[depth, 2]
        while size > WHOLE:  # go down to the left, remember the right
            half = size // 2
            half -= half % LANES
            stack[depth, 0], stack[depth, 1], stack[depth, 2] = float(first + half), float(size - half), level + 1.0
            depth += 1
            size, level = half, level + 1.0
        total = block_sum(a, first, size)
        while held > 0 and stack[held - 1, 4] == level:  # the left of this pair is done
            total = stack[held - 1, 3] + total
            held -= 1
            level -= 1.0
        stack[held, 3], stack[held, 4] = total, level
        held += 1
    return stack[0, 3]


@entry
def reduce_curves(equity: Any, last: Any, scale: float, opening: float, found: Any, scratch: Any) -> int:
    """Numbers of each curve.

    Args:
        equity: (variants, bars) Int64 money units.
        last: (sessions,) Int64 last bar of each session.
        scale: money units of one.
        opening: cash before the first bar, money units.
        found: (variants, 8) Float64, filled here.
        scratch: (points,) (points,) (points,) Float64, and (64, 5).
    """
    values, returns, powers, stack = scratch
    n = last.size
    for v in range(equity.shape[0]):
        values[0] = opening / scale
        for i in range(n):
            values[i + 1] = equity[v, last[i]] / scale
        usable, largest = 1.0, 0.0
        peak, deepest, broken = values[0], 0.0, not values[0] > 0.0
        for i in range(n):
            returns[i] = values[i + 1] / values[i] - 1.0 if values[i] > 0.0 else np.nan
            if not abs(returns[i]) < np.inf:
                usable = 0.0
            largest = max(largest, abs(returns[i]))
            peak = max(peak, values[i + 1])
            below = values[i + 1] / peak - 1.0 if peak > 0.0 else np.nan
            broken = broken or below != below
            deepest = min(deepest, below)
        found[v, GROWTH] = values[n] / values[0] - 1.0 if values[0] > 0.0 else np.nan
        found[v, DEEPEST] = np.nan if broken else deepest
        found[v, USABLE] = usable
        if usable == 0.0 or n < 2:
            found[v, DEVIATION] = found[v, MEAN] = found[v, SECOND] = found[v, THIRD] = found[v, FOURTH] = np.nan
            continue
        mean = pairwise(returns, n, stack) / n
        for i in range(n):
            off = returns[i] - mean
            powers[i] = off * off
        total = pairwise(powers, n, stack)
        spread = np.sqrt(total / (n - 1))
        found[v, MEAN] = mean
        found[v, DEVIATION] = spread if spread > 4.0 * EPSILON * (1.0 + largest) else 0.0
        found[v, SECOND] = total / n
        for i in range(n):
            off = returns[i] - mean
            powers[i] = off * off * off
        found[v, THIRD] = pairwise(powers, n, stack) / n
        for i in range(n):
            off = returns[i] - mean
            powers[i] = (off * off) * (off * off)
        found[v, FOURTH] = pairwise(powers, n, stack) / n
    return 0


def metrics_of(row: Any, points: int, periods: float) -> dict[str, float | None]:
    """The metrics of a sweep's row from what `reduce_curves` found.

    Args:
        row: of its result.
        points: returns of a curve.
        periods: sessions in a year.
    """
    growth, spread, mean, second, third, fourth, deepest = (float(value) for value in row[:7])
    annual = perf.compound(1.0 + growth, periods / points) if points >= 1 else math.nan
    sharpe = skew = kurtosis = math.nan
    if spread > 0:
        sharpe = mean / spread * math.sqrt(periods)
        skew, kurtosis = third / second**1.5, fourth / second**2 - 3.0
    found = {"total_return": growth, "cagr": annual, "volatility": spread * math.sqrt(periods), "sharpe": sharpe, "max_drawdown": deepest}
    found |= {"skew": skew, "kurtosis": kurtosis, "periods_per_year": periods}
    return {name: value if math.isfinite(value) else None for name, value in found.items()}


def scratch_of(sessions: int) -> tuple[Any, ...]:
    """What `reduce_curves` works in."""
    return (*(np.empty(sessions + 1) for _ in range(3)), np.empty((64, 5)))


def session_ends(sessions: Any) -> Ints:
    """The last bar of each session."""
    found: Ints = np.append(np.flatnonzero(sessions[1:] != sessions[:-1]), len(sessions) - 1).astype(np.int64)
    return found
