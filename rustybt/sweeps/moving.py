"""Moving values along the bars of one asset, in the order of operations of Polars, so that their bits are its bits.

Exact windows are those of `rustybt.spec.exact`: sums of whole ticks, which no order of additions changes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rustybt.kernel.compile import aside

BETWEEN = {name: number for number, name in enumerate(("Linear", "Midpoint", "Nearest", "Lower", "Higher"))}
LINEAR, MIDPOINT, NEAREST, LOWER, HIGHER = range(5)
"""What a quantile is that lies between two values."""
TIES = {name: number for number, name in enumerate(("Min", "Max", "Average"))}
LEAST, MOST, MIDDLE = range(3)
"""Ranks of equal values."""
FEW, ONE = np.uint64(32), np.uint64(1)


@aside
def average(a: Any, span: Any, how: Any, out: Any) -> None:
    """Exponential means from the first value on, in the order of additions of Polars.

    Args:
        a: (rows,) Float64.
        span: first row with a value, and the row behind the last.
        how: weight of a new value, and whether weights add up from the first value on.
        out: (rows,) Float64, filled here.
    """
    (first, stop), (alpha, adjust) = span, how
    mean = a[first]
    out[first] = mean
    if not adjust:  # the weight before is always one
        share = alpha / ((1.0 - alpha) + alpha)
        for i in range(first + 1, stop):
            mean = mean + (a[i] - mean) * share
            out[i] = mean
        return
    weight = 1.0
    for i in range(first + 1, stop):
        weight *= 1.0 - alpha
        mean = mean + (a[i] - mean) * (1.0 / (weight + 1.0))
        weight = weight + 1.0
        out[i] = mean


@aside
def averages(a: Any, begins: Any, stop: int, how: Any, out: Any) -> None:
    """`average` four times side by side: each value waits for the one before it, and the processor has time for other three.

    Args:
        a: four of (rows,) Float64.
        begins: of each the first row with a value.
        stop: the row behind the last.
        how: weights of a new value, four, and whether weights add up from the first value on.
        out: four of (rows,) Float64, filled here.
    """
    (x, y, z, w), (to_x, to_y, to_z, to_w), (alphas, adjust) = a, out, how
    joint = max(begins[0], begins[1], begins[2], begins[3])
    average(x, (begins[0], joint + 1), (alphas[0], adjust), to_x)
    average(y, (begins[1], joint + 1), (alphas[1], adjust), to_y)
    average(z, (begins[2], joint + 1), (alphas[2], adjust), to_z)
    average(w, (begins[3], joint + 1), (alphas[3], adjust), to_w)
    mean_x, mean_y, mean_z, mean_w = to_x[joint], to_y[joint], to_z[joint], to_w[joint]
    left_x, left_y, left_z, left_w = 1.0 - alphas[0], 1.0 - alphas[1], 1.0 - alphas[2], 1.0 - alphas[3]
    if not adjust:
        share_x, share_y = alphas[0] / (left_x + alphas[0]), alphas[1] / (left_y + alphas[1])
        share_z, share_w = alphas[2] / (left_z + alphas[2]), alphas[3] / (left_w + alphas[3])
        for i in range(joint + 1, stop):
            mean_x = mean_x + (x[i] - mean_x) * share_x
            mean_y = mean_y + (y[i] - mean_y) * share_y
            mean_z = mean_z + (z[i] - mean_z) * share_z
            mean_w = mean_w + (w[i] - mean_w) * share_w
            to_x[i], to_y[i], to_z[i], to_w[i] = mean_x, mean_y, mean_z, mean_w
        return
    sum_x, sum_y = weights(left_x, joint - begins[0]), weights(left_y, joint - begins[1])
    sum_z, sum_w = weights(left_z, joint - begins[2]), weights(left_w, joint - begins[3])
    for i in range(joint + 1, stop):
        sum_x, sum_y, sum_z, sum_w = sum_x * left_x + 1.0, sum_y * left_y + 1.0, sum_z * left_z + 1.0, sum_w * left_w + 1.0
        mean_x = mean_x + (x[i] - mean_x) * (1.0 / sum_x)
        mean_y = mean_y + (y[i] - mean_y) * (1.0 / sum_y)
        mean_z = mean_z + (z[i] - mean_z) * (1.0 / sum_z)
        mean_w = mean_w + (w[i] - mean_w) * (1.0 / sum_w)
        to_x[i], to_y[i], to_z[i], to_w[i] = mean_x, mean_y, mean_z, mean_w


@aside
def weights(left: float, bars: int) -> float:
    """The sum of weights so many bars after the first value, added as `average` adds them."""
    weight = 1.0
    for _ in range(bars):
        weight = weight * left + 1.0
    return weight


@aside
def total(a: Any, span: Any, how: Any, out: Any) -> None:
    """Moving sums or means as Polars adds them: what leaves and what comes with an error of its own each (Kahan).

    Args:
        a: (rows,) Float64.
        span: first row with a value, and the row behind the last.
        how: values of a window, at most, and whether their sum is divided by their number.
        out: (rows,) Float64, filled here.
    """
    (first, stop), (size, mean) = span, how
    held = added = taken = 0.0
    for i in range(first, stop):
        if size == 1:
            held = added = taken = 0.0
        elif i - first >= size:
            change = (0.0 - a[i - size]) - taken
            after = held + change
            taken, held = (after - held) - change, after
        change = a[i] - added
        after = held + change
        added, held = (after - held) - change, after
        out[i] = held / min(size, i - first + 1) if mean else held


@aside
def highest(a: Any, span: Any, how: Any, out: Any, room: Any) -> None:
    """Moving maxima: of the end of one block of a window's size and the beginning of the next.

    Args:
        a: (rows,) Float64.
        span: first row with a value, and the row behind the last.
        how: values of a window, at most, and what maxima are multiplied with, before and after: -1 gives minima.
        out: (rows,) Float64, filled here.
        room: (rows,) Float64 to work in: maxima from a place of the block before to its end.
    """
    (first, stop), (size, sign) = span, how
    for block in range(first, stop, size):
        end = min(block + size, stop)
        best = sign * a[block]
        for i in range(block, end):
            best = max(best, sign * a[i])
            back = i - block + 1
            out[i] = sign * (max(best, room[back]) if block > first and back < size else best)
        if end - block == size:
            best = sign * a[end - 1]
            for i in range(size - 1, -1, -1):
                best = max(best, sign * a[block + i])
                room[i] = best


@aside
def spreads(a: Any, span: Any, how: Any, out: Any, room: Any) -> None:
    """Moving variances or deviations: of the beginning of one block of a window's size and the end of the block before.

    Polars keeps a window as two stacks: what came since it was turned over last, added value by value (Welford), and of what lies before
    the moments from each value to the last, added backwards. It turns them over whenever the older one is empty: after each window's size.

    Args:
        a: (rows,) Float64.
        span: first row with a value, first row that counts, and the row behind the last.
        how: values of a window, at most, degrees of freedom that are lost, and whether roots are taken.
        out: (rows,) Float64, filled here from the row on that counts.
        room: (2 * rows + 2,) Float64 to work in: means and squares from a place of the block before to its end.
    """
    (begin, first, stop), (size, lost, root) = span, how
    centres, squares = room[: room.size // 2], room[room.size // 2 :]
    for block in range(begin, stop, size):
        end = min(block + size, stop)
        count = mean = square = 0.0
        for i in range(block, end):
            count += 1.0
            off = a[i] - mean
            mean += off / count
            square += (a[i] - mean) * off
            back, all_of, both = i - block + 1, count, square
            if block > begin and back < size:
                older = float(size - back)
                all_of = count + older
                off = centres[back] - mean
                middle = mean + off * (older / all_of)
                both = square + (squares[back] + older * (centres[back] - middle) * off)
            if i >= first:
                variance = both / (all_of - lost)
                out[i] = np.sqrt(variance) if root else variance
        if end - block == size:
            count = mean = square = 0.0
            for back in range(size - 1, -1, -1):
                count += 1.0
                off = a[block + back] - mean
                mean += off / count
                square += (a[block + back] - mean) * off
                centres[back], squares[back] = mean, square


@aside
def places(a: Any, span: Any, how: Any, out: Any) -> None:
    """The rank of each value in the window that ends with it.

    Args:
        a: (rows,) Float64, finite.
        span: first row with a value, first row that counts, and the row behind the last.
        how: values of a window, at most, and which rank equal values have: the least, the most or the middle of theirs; see `TIES`.
        out: (rows,) Float64, filled here from the row on that counts.
    """
    (begin, first, stop), (size, ties) = span, how
    for i in range(first, stop):
        value, less, same = a[i], 0, 0
        for j in range(max(begin, i + 1 - size), i + 1):
            less += 1 if a[j] < value else 0
            same += 1 if a[j] == value else 0
        out[i] = less + ((same + 1) / 2.0 if ties == MIDDLE else float(same) if ties == MOST else 1.0)


@aside
def place_of(room: Any, n: int, value: float) -> Any:
    """How many of n sorted values are less than another: halves first, then all of few at once, without a branch that may be guessed wrong.

    Places have no sign here, so that LLVM need not ask of each whether it counts from the end, and moves several values at a time.
    """
    low, left = np.uint64(0), np.uint64(n)
    while left > FEW:
        half = left // np.uint64(2)
        low += half if room[low + half - ONE] < value else np.uint64(0)
        left -= half
    less = 0
    for j in range(low, low + left):
        less += 1 if room[j] < value else 0
    return low + np.uint64(less)


@aside
def quantiles(a: Any, span: Any, how: Any, out: Any, room: Any) -> None:
    """Moving quantiles: the values of a window are kept in order.

    Args:
        a: (rows,) Float64, finite, no zero with a sign.
        span: first row with a value, first row that counts, and the row behind the last.
        how: values of a window, at most, the share that is below, and what is done where it lies between two values; see `BETWEEN`.
        out: (rows,) Float64, filled here from the row on that counts.
        room: (rows,) Float64 to work in: the values of a window in order.
    """
    (begin, first, stop), (size, share, between) = span, how
    for i in range(begin, stop):
        n = min(i - begin, size)
        at, to = np.uint64(n), place_of(room, n, a[i])
        if n == size:
            at, n = place_of(room, n, a[i - size]), n - 1
        if to > at:
            to -= ONE
            for j in range(at, to):
                room[j] = room[j + ONE]
        else:
            for j in range(np.uint64(0), at - to):
                room[at - j] = room[at - j - ONE]
        room[to] = a[i]
        if i >= first:
            place = n * share
            low, high = int(np.floor(place)), int(np.ceil(place))
            one, other = room[low], room[high]
            if low == high or between == LOWER:
                out[i] = one
            elif between == LINEAR:
                out[i] = (place - low) * (other - one) + one
            elif between == MIDPOINT:
                out[i] = (one + other) / 2.0
            else:
                out[i] = one if between == NEAREST and place - low < 0.5 else other


@aside
def means(totals: Any, span: Any, how: Any, out: Any) -> None:
    """Exact sums or means of windows; `rustybt.spec.running.Running`, in one pass.

    Args:
        totals: (rows + 1,) Int64 running totals of the ticks.
        span: first row of the asset, first row that counts, row behind the last, bars of a window.
        how: price of a tick as a fraction, and whether sums are divided by their number.
        out: (rows,) Float64, filled here.
    """
    (start, first, stop, size), (num, den, mean) = span, how
    full = min(max(first, start + size - 1), stop)
    for i in range(first, full):  # windows that begin before the first bar of the asset
        out[i] = float((totals[i + 1] - totals[start]) * num) / float(den * (i + 1 - start) if mean else den)
    below = float(den * size if mean else den)
    for i in range(full, stop):
        out[i] = float((totals[i + 1] - totals[i + 1 - size]) * num) / below


@aside
def deviations(totals: Any, span: Any, how: Any, out: Any) -> None:
    """Exact variances or deviations of windows; `rustybt.spec.running.Running`, in one pass.

    Args:
        totals: (rows + 1,) Int64 running totals of the ticks, and of their squares.
        span: first row of the asset, first row that counts, row behind the last, bars of a window.
        how: degrees of freedom that are lost, both parts of the price of a tick squared, and whether roots are taken.
        out: (rows,) Float64, filled here.
    """
    (sums, squares), (start, first, stop, size), (lost, num, den, root) = totals, span, how
    for i in range(first, stop):
        low = max(i + 1 - size, start)
        count = i + 1 - low
        one = sums[i + 1] - sums[low]
        spread = float(np.uint64((squares[i + 1] - squares[low]) * count - one * one))
        variance = spread * num / (float(count) * float(count - lost) * den)
        out[i] = np.sqrt(variance) if root else variance
