"""Metrics of many equity curves, bit for bit those of `rustybt.analysis.metrics`: the same operations in the same order.

Sums are added as NumPy adds them (pairwise, in blocks of 128 with eight lanes), so that a number does not depend on which of the two
computed it. Powers and logarithms, which every C library rounds in its own way, are left to Python.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rustybt.analysis.metrics import performance as perf
from rustybt.kernel.compile import MODE, kernel
from rustybt.kernel.quotient import divided

if MODE == "compiled":
    from rustybt.kernel.intrinsics import add_lanes, add_powers
else:
    add_lanes = add_powers = None

LANES, SIXTEEN, WHOLE = 8, 16, 128
ABOVE = 2.0**-50
"""A part of a product that is more than rounding may have taken from it."""
GROWTH, DEVIATION, MEAN, SECOND, THIRD, FOURTH, DEEPEST, USABLE = range(8)
"""What `reduce_one` finds: last over first less one, deviation, mean, central moments, deepest fall, whether returns are finite."""
EPSILON = float(np.finfo(np.float64).eps)


@kernel
def joined(lanes: Any, at: int) -> Any:
    """The sum of eight lanes."""
    low = (lanes[at] + lanes[at + 1]) + (lanes[at + 2] + lanes[at + 3])
    return low + ((lanes[at + 4] + lanes[at + 5]) + (lanes[at + 6] + lanes[at + 7]))


@kernel
def block_sum(a: Any, first: int, n: int, lanes: Any) -> Any:
    """The sum of up to 128 numbers."""
    if n < LANES:
        total = -0.0
        for i in range(n):
            total += a[first + i]
        return total
    whole = n - n % LANES
    add_lanes(a, first, whole, lanes)
    total = joined(lanes, 0)
    for i in range(whole, n):
        total += a[first + i]
    return total


@kernel
def moments(a: Any, n: int, mean: Any, stack: Any, lanes: Any) -> Any:
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
        second, third, fourth = powers_of(a, first, size, mean, lanes)
        while held > 0 and stack[held - 1, 6] == level:  # the left of this pair is done
            held -= 1
            second, third, fourth = stack[held, 3] + second, stack[held, 4] + third, stack[held, 5] + fourth
            level -= 1.0
        stack[held, 3], stack[held, 4], stack[held, 5], stack[held, 6] = second, third, fourth, level
        held += 1
    return stack[0, 3], stack[0, 4], stack[0, 5]


@kernel
def pairwise(a: Any, n: int, stack: Any, lanes: Any) -> Any:
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
        total = block_sum(a, first, size, lanes)
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
    """The lowest value over the highest before it, less one; NaN where the first is not positive.

    Values are passed over sixteen at a time where none of them can be lower than what was found: a quotient is rounded, which keeps the
    order of numbers, so that one that is larger by more than rounding need not be divided.
    """
    peak, worst = values[0], 1.0
    if not peak > 0.0:
        return np.nan
    whole = n - n % SIXTEEN
    for first in range(0, whole, SIXTEEN):
        l0, l1, l2, l3 = values[first], values[first + 1], values[first + 2], values[first + 3]
        h0, h1, h2, h3 = l0, l1, l2, l3
        for i in range(first + 4, first + SIXTEEN, 4):
            l0, h0 = min(l0, values[i]), max(h0, values[i])
            l1, h1 = min(l1, values[i + 1]), max(h1, values[i + 1])
            l2, h2 = min(l2, values[i + 2]), max(h2, values[i + 2])
            l3, h3 = min(l3, values[i + 3]), max(h3, values[i + 3])
        top = max(peak, h0, h1, h2, h3)
        bound = worst * top
        if not min(l0, l1, l2, l3) >= bound + abs(bound) * ABOVE:
            for i in range(first, first + SIXTEEN):
                peak = max(peak, values[i])
                worst = min(worst, values[i] / peak)
        peak = top
    for i in range(whole, n):
        peak = max(peak, values[i])
        worst = min(worst, values[i] / peak)
    return worst - 1.0


@kernel
def powers_of(a: Any, first: int, n: int, mean: Any, lanes: Any) -> Any:
    """The sums of the second, third and fourth powers of up to 128 numbers less their mean."""
    second = third = fourth = -0.0
    whole = n - n % LANES
    if whole > 0:
        add_powers(a, first, whole, mean, lanes)
        second, third, fourth = joined(lanes, 0), joined(lanes, LANES), joined(lanes, 2 * LANES)
    for i in range(whole, n):
        off = a[first + i] - mean
        square = off * off
        second, third, fourth = second + square, third + square * off, fourth + square * square
    return second, third, fourth


@kernel
def reduce_one(equity: Any, last: Any, scales: Any, found: Any, scratch: Any) -> None:
    """Numbers of a curve.

    Args:
        equity: (bars,) Int64 money units.
        last: (sessions,) Int64 last bar of each session.
        scales: money units of one, one over it, and cash before the first bar in money units.
        found: (8,) Float64, filled here.
        scratch: (points,) (points,) (24,) (64, 7) Float64.
    """
    values, returns, lanes, stack = scratch
    scale, inverse, opening = scales[0], scales[1], scales[2]
    n = last.size
    values[0] = opening / scale
    if equity.size == n:
        for i in range(n):
            values[i + 1] = divided(float(equity[i]), scale, inverse)
    else:
        for i in range(n):
            values[i + 1] = divided(float(equity[last[i]]), scale, inverse)
    for i in range(n):
        ratio = values[i + 1] / values[i]
        returns[i] = ratio - 1.0 if values[i] > 0.0 else np.nan
    mean = pairwise(returns, n, stack, lanes) / n
    usable = 1.0 if abs(mean) < np.inf or finite(returns, n) else 0.0
    found[GROWTH] = values[n] / values[0] - 1.0 if values[0] > 0.0 else np.nan
    found[DEEPEST] = deepest(values, n + 1)
    found[USABLE] = usable
    if usable == 0.0 or n < 2:
        found[DEVIATION] = found[MEAN] = found[SECOND] = found[THIRD] = found[FOURTH] = np.nan
        return
    second, third, fourth = moments(returns, n, mean, stack, lanes)
    spread = np.sqrt(second / (n - 1))
    found[MEAN], found[SECOND], found[THIRD], found[FOURTH] = mean, second / n, third / n, fourth / n
    bound = 1.0 + 1.001 * (abs(mean) + np.sqrt(second))  # above 1 + the largest return, which takes a pass to find
    moving = spread > 4.0 * EPSILON * bound or spread > 4.0 * EPSILON * (1.0 + largest(returns, n))
    found[DEVIATION] = spread if moving else 0.0


def metrics_of(reduced: Any, points: int, periods: float) -> dict[str, Any]:
    """The metrics of rows from what `reduce_one` found: (rows,) Float64 by name, NaN or infinite where there is none.

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
    found = {"total_return": growth, "cagr": perf.compound_each(1.0 + growth, exponent)}
    found |= {"volatility": spread * year, "sharpe": sharpe, "max_drawdown": below, "skew": skew, "kurtosis": kurtosis}
    return found | {"periods_per_year": np.full(len(growth), periods)}


def scratch_of(sessions: int) -> tuple[Any, ...]:
    """What `reduce_one` works in."""
    return np.empty(sessions + 1), np.empty(sessions + 1), np.empty(3 * LANES), np.empty((64, 7))
