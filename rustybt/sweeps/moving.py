"""Moving values along the bars of each asset, in the order of operations of Polars, so that their bits are its bits."""

from __future__ import annotations

from typing import Any

from rustybt.kernel.compile import entry


@entry
def average(a: Any, rows: Any, how: Any, out: Any) -> None:
    """Exponential means along each asset, from the first known value on, in the order of additions of Polars.

    Args:
        a: (rows,) Float64.
        rows: (assets,) Int64 first row of each asset, (assets,) Int64 rows of each, bars without a value.
        how: weight of a new value, and whether weights add up from the first value on.
        out: (rows,) Float64, filled here.
    """
    (starts, lengths, lead), (alpha, adjust) = rows, how
    new = 1.0 if adjust else alpha
    for k in range(starts.size):
        first, stop = starts[k] + lead, starts[k] + lengths[k]
        if first >= stop:
            continue
        mean, weight = a[first], 1.0
        out[first] = mean
        for i in range(first + 1, stop):
            weight *= 1.0 - alpha
            mean = mean + (a[i] - mean) * (new / (weight + new))
            weight = weight + 1.0 if adjust else 1.0
            out[i] = mean


@entry
def total(a: Any, rows: Any, how: Any, out: Any) -> None:
    """Moving sums or means along each asset as Polars adds them: what leaves and what comes with an error of its own each (Kahan).

    Args:
        a: (rows,) Float64.
        rows: (assets,) Int64 first row of each asset, (assets,) Int64 rows of each, bars without a value.
        how: values of a window, at most, and whether their sum is divided by their number.
        out: (rows,) Float64, filled here.
    """
    (starts, lengths, lead), (size, mean) = rows, how
    for k in range(starts.size):
        first, stop = starts[k] + lead, starts[k] + lengths[k]
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


@entry
def highest(a: Any, rows: Any, how: Any, out: Any, room: Any) -> None:
    """Moving maxima along each asset: of the end of one block of a window's size and the beginning of the next.

    Args:
        a: (rows,) Float64.
        rows: (assets,) Int64 first row of each asset, (assets,) Int64 rows of each, bars without a value.
        how: values of a window, at most, and what maxima are multiplied with: -1 gives minima of what was multiplied with it before.
        out: (rows,) Float64, filled here.
        room: (size,) Float64 to work in: maxima from a place of the block before to its end.
    """
    (starts, lengths, lead), (size, sign) = rows, how
    for k in range(starts.size):
        stop = starts[k] + lengths[k]
        for block in range(starts[k] + lead, stop, size):
            end = min(block + size, stop)
            best = a[block]
            for i in range(block, end):
                best = max(best, a[i])
                back = i - block + 1
                out[i] = sign * (max(best, room[back]) if block > starts[k] + lead and back < size else best)
            if end - block == size:
                best = a[end - 1]
                for i in range(size - 1, -1, -1):
                    best = max(best, a[block + i])
                    room[i] = best
