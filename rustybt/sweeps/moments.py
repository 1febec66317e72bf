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
def moments(a: Any, n: int, mean: Any, stack: Any, room: Any) -> Any:
    """The sums of three powers of the first n numbers less a mean: halves of halves, down to blocks, without recursion.

    ``stack`` holds what is still to do (first, length, level) in its first columns, then the sums of finished halves and their level.
    """
    depth, held, stack[0, 0], stack[0, 1], stack[0, 2] = 1, 0, 0.0, float(n), 0.0
    while depth > 0:
        depth -= 1
        first, size, level = int(stack[depth, 0]), int(stack[depth, 1]), stack[depth, 2]
        while size > WHOLE:  # go down to the left, remember the right
            half = size // 2
            half -= half % LANES
            stack[depth, 0], stack[depth, 1], stack[depth, 2] = float(first + half), float(size - half), level + 1.0
            depth += 1
            size, level = half, level + 1.0
        second, third, fourth = powers_of(a, first, size, mean, room)
        while held > 0 and stack[held - 1, 6] == level:  # the left of this pair is done
            held -= 1
            second, third, fourth = stack[held, 3] + second, stack[held, 4] + third, stack[held, 5] + fourth
            level -= 1.0
        stack[held, 3], stack[held, 4], stack[held, 5], stack[held, 6] = second, third, fourth, level
        held += 1
    return stack[0, 3], stack[0, 4], stack[0, 5]


@kernel
def pairwise(a: Any, n: int, stack: Any) -> Any:
    """The sum of the first n numbers, as `moments` adds them."""
    depth, held, stack[0, 0], stack[0, 1], stack[0, 2] = 1, 0, 0.0, float(n), 0.0
    while depth > 0:
        depth -= 1
        first, size, level = int(stack[depth, 0]), int(stack[depth, 1]), stack[depth, 2]
        while size > WHOLE:
            half = size // 2
            half -= half % LANES
            stack[depth, 0], stack[depth, 1], stack[depth, 2] = float(first + half), float(size - half), level + 1.0
            depth += 1
            size, level = half, level + 1.0
        total = block_sum(a, first, size)
        while held > 0 and stack[held - 1, 6] == level:
            held -= 1
            total = stack[held, 3] + total
            level -= 1.0
        stack[held, 3], stack[held, 6] = total, level
        held += 1
    return stack[0, 3]


@kernel
def finite(a: Any, n: int) -> Any:
    """Whether the first n numbers are finite."""
    bad = 0
    for i in range(n):
        bad |= 0 if abs(a[i]) < np.inf else 1
    return bad == 0


@kernel
def largest(a: Any, n: int) -> Any:
    """The largest magnitude of the first n numbers, none of which is NaN. Four at a time: each maximum waits for the one before."""
    m0 = m1 = m2 = m3 = 0.0
    whole = n - n % 4
    for i in range(0, whole, 4):
        m0 = max(m0, abs(a[i]))
        m1 = max(m1, abs(a[i + 1]))
        m2 = max(m2, abs(a[i + 2]))
        m3 = max(m3, abs(a[i + 3]))
    for i in range(whole, n):
        m0 = max(m0, abs(a[i]))
    return max(m0, m1, m2, m3)


@kernel
def deepest(values: Any, n: int) -> Any:
    """The lowest value over the highest before it, less one; NaN where that is not positive.

    Division keeps the order of numbers, so of the values below one peak only the lowest is divided.
    """
    peak = values[0]
    if not peak > 0.0:
        return np.nan
    low, worst = peak, 1.0
    for i in range(n):
        if values[i] > peak:
            worst = min(worst, low / peak)
            peak = low = values[i]
        elif values[i] < low:
            low = values[i]
    return min(worst, low / peak) - 1.0


@kernel
def powers_of(a: Any, first: int, n: int, mean: Any, room: Any) -> Any:
    """The sums of the second, third and fourth powers of up to 128 numbers less their mean."""
    for i in range(n):
        off = a[first + i] - mean
        square = off * off
        room[0, i], room[1, i], room[2, i] = square, square * off, square * square
    return block_sum(room[0], 0, n), block_sum(room[1], 0, n), block_sum(room[2], 0, n)


@entry
def reduce_curves(equity: Any, last: Any, scale: float, opening: float, found: Any, scratch: Any) -> int:
    """Numbers of each curve.

    Args:
        equity: (variants, bars) Int64 money units.
        last: (sessions,) Int64 last bar of each session.
        scale: money units of one.
        opening: cash before the first bar, money units.
        found: (variants, 8) Float64, filled here.
        scratch: (points,) (points,) (3, 128) (64, 7) Float64.
    """
    values, returns, room, stack = scratch
    n = last.size
    daily = equity.shape[1] == n
    for v in range(equity.shape[0]):
        values[0] = opening / scale
        if daily:
            for i in range(n):
                values[i + 1] = equity[v, i] / scale
        else:
            for i in range(n):
                values[i + 1] = equity[v, last[i]] / scale
        for i in range(n):
            ratio = values[i + 1] / values[i]
            returns[i] = ratio - 1.0 if values[i] > 0.0 else np.nan
        mean = pairwise(returns, n, stack) / n
        usable = 1.0 if abs(mean) < np.inf or finite(returns, n) else 0.0
        found[v, GROWTH] = values[n] / values[0] - 1.0 if values[0] > 0.0 else np.nan
        found[v, DEEPEST] = deepest(values, n + 1)
        found[v, USABLE] = usable
        if usable == 0.0 or n < 2:
            found[v, DEVIATION] = found[v, MEAN] = found[v, SECOND] = found[v, THIRD] = found[v, FOURTH] = np.nan
            continue
        second, third, fourth = moments(returns, n, mean, stack, room)
        spread = np.sqrt(second / (n - 1))
        found[v, MEAN], found[v, SECOND], found[v, THIRD], found[v, FOURTH] = mean, second / n, third / n, fourth / n
        bound = 1.0 + 1.001 * (abs(mean) + np.sqrt(second))  # above 1 + the largest return, which takes a pass to find
        moving = spread > 4.0 * EPSILON * bound or spread > 4.0 * EPSILON * (1.0 + largest(returns, n))
        found[v, DEVIATION] = spread if moving else 0.0
    return 0


def metrics_of(reduced: Any, points: int, periods: float) -> dict[str, Any]:
    """The metrics of rows from what `reduce_curves` found: (rows,) Float64 by name, NaN or infinite where there is none.

    Args:
        reduced: (rows, 8), its result.
        points: returns of a curve.
        periods: sessions in a year.
    """
    growth, spread, mean, second, third, fourth, below = reduced[:, :7].T
    year, exponent = math.sqrt(periods), periods / points if points else math.nan
    moving = spread > 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        sharpe = np.where(moving, mean / spread * year, np.nan)
        cubes = np.array([value**1.5 for value in second.tolist()])
        squares = np.array([value**2 for value in second.tolist()])
        skew, kurtosis = np.where(moving, third / cubes, np.nan), np.where(moving, fourth / squares - 3.0, np.nan)
    found = {"total_return": growth, "cagr": np.array([perf.compound(1.0 + one, exponent) for one in growth.tolist()])}
    found |= {"volatility": spread * year, "sharpe": sharpe, "max_drawdown": below, "skew": skew, "kurtosis": kurtosis}
    return found | {"periods_per_year": np.full(len(growth), periods)}


def scratch_of(sessions: int) -> tuple[Any, ...]:
    """What `reduce_curves` works in."""
    return np.empty(sessions + 1), np.empty(sessions + 1), np.empty((3, WHOLE)), np.empty((64, 7))


def session_ends(sessions: Any) -> Ints:
    """The last bar of each session."""
    found: Ints = np.append(np.flatnonzero(sessions[1:] != sessions[:-1]), len(sessions) - 1).astype(np.int64)
    return found
