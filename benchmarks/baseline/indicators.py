"""Windows over a list of closes in whole cents; None until a window is full."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from math import fsum, sqrt

type Column = list[float | None]


def mean(cents: Sequence[int], window: int) -> Column:
    """The mean of the last closes, in currency."""
    total = 0
    found: Column = []
    for t, value in enumerate(cents):
        total += value - (cents[t - window] if t >= window else 0)
        found.append(total / (100 * window) if t >= window - 1 else None)
    return found


def highest(cents: Sequence[int], window: int) -> Column:
    """The highest of the last closes, in currency."""
    held = deque[int]()
    found: Column = []
    for t, value in enumerate(cents):
        while held and cents[held[-1]] <= value:
            held.pop()
        held.append(t)
        if held[0] <= t - window:
            held.popleft()
        found.append(cents[held[0]] / 100 if t >= window - 1 else None)
    return found


def deviation(cents: Sequence[int], window: int) -> Column:
    """The sample deviation of the last closes, in currency."""
    found: Column = []
    for t in range(len(cents)):
        part = cents[max(0, t - window + 1) : t + 1]
        if len(part) < window:
            found.append(None)
            continue
        centre = sum(part) / window
        found.append(sqrt(fsum((value - centre) ** 2 for value in part) / (window - 1)) / 100)
    return found


def smoothed(cents: Sequence[int], span: int) -> Column:
    """The exponential mean that begins with the first close."""
    weight, last = 2 / (span + 1), cents[0] / 100
    found: Column = []
    for value in cents:
        last = weight * value / 100 + (1 - weight) * last
        found.append(last)
    return found
