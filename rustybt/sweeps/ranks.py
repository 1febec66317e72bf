"""Ranks among the assets of a bar as Polars gives them: equal values by the rule of each method, or in the order of their rows."""

from __future__ import annotations

from typing import Any

from rustybt.kernel.compile import aside

METHODS = {name: number for number, name in enumerate(("Ordinal", "Min", "Max", "Average", "Dense"))}
ORDINAL, LEAST, MOST, MIDDLE, DENSE = range(5)
FEW = 96
"""Values up to which counting, several at a time, beats sorting."""


@aside
def counted(x: Any, n: int, found: Any) -> bool:
    """Ranks by counting what is lower, where no two values are equal: all methods agree then.

    Args:
        x: (values,) Float64, of which the first n count.
        n: how many.
        found: (values,) Int64: twice the rank, filled here.

    Returns:
        Whether no two values are equal: each rank was given once.
    """
    given = 0
    for i in range(n):
        mine, below = x[i], 0
        for j in range(n):
            below += 1 if x[j] < mine else 0
        found[i] = 2 * (below + 1)
        given += below
    return 2 * given == n * (n - 1)


@aside
def sorted_places(x: Any, n: int, a: Any, b: Any) -> bool:
    """Places of the first n values in order, equal ones as they stand, by merging: in ``b`` where it is true, else in ``a``."""
    for i in range(n):
        a[i] = i
    width, swapped = 1, False
    while width < n:
        source, target = (b, a) if swapped else (a, b)
        for low in range(0, n, 2 * width):
            middle, stop = min(low + width, n), min(low + 2 * width, n)
            left, right = low, middle
            for k in range(low, stop):
                if left < middle and (right >= stop or x[source[left]] <= x[source[right]]):
                    target[k] = source[left]
                    left += 1
                else:
                    target[k] = source[right]
                    right += 1
        width *= 2
        swapped = not swapped
    return swapped


@aside
def ranked(x: Any, n: int, method: int, room: Any) -> int:
    """Ranks by sorting: twice the rank of each value, in the row of ``room`` whose number is given back."""
    swapped = sorted_places(x, n, room[0], room[1])
    places, found = (room[1], room[0]) if swapped else (room[0], room[1])
    at, group = 0, 0
    while at < n:
        stop = at + 1
        while stop < n and x[places[stop]] == x[places[at]]:
            stop += 1
        group += 1
        for k in range(at, stop):
            rank = 2 * (k + 1)
            if method == LEAST:
                rank = 2 * (at + 1)
            elif method == MOST:
                rank = 2 * stop
            elif method == MIDDLE:
                rank = at + 1 + stop
            elif method == DENSE:
                rank = 2 * group
            found[places[k]] = rank
        at = stop
    return 0 if swapped else 1


@aside
def rank_bars(a: Any, rows: Any, how: Any, out: Any, room: Any) -> None:
    """The rank of each known value among those of its bar.

    Args:
        a: (rows,) Float64, finite where it is known, no zero with a sign.
        rows: (rows,) rows by bar, (rows,) place of each among those of its asset, (bars + 1,) where those of each bar begin, and bars of
            each asset without a value.
        how: number of the method, and what values are multiplied with: -1 where the highest is the first.
        out: (rows,) Float64, filled here.
        room: Float64 and two of Int64 to work in, each with a place more than there are rows.
    """
    (order, position, edges, lead), (method, sign), (values, whole) = rows, how, room
    for bar in range(edges.size - 1):
        n = 0
        for k in range(edges[bar], edges[bar + 1]):
            if position[k] >= lead:
                values[n] = a[order[k]] * sign
                n += 1
        found = 0
        if n > FEW or not counted(values, n, whole[0]):
            found = ranked(values, n, method, whole)
        n = 0
        for k in range(edges[bar], edges[bar + 1]):
            if position[k] >= lead:
                out[order[k]] = whole[found, n] / 2.0
                n += 1
