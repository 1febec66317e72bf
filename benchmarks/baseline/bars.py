"""Coarser bars from finer ones, row by row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass
class Bar:
    """One bar: UTC microseconds at which it is complete, prices, volume."""

    ts: int
    open: float
    high: float
    low: float
    close: float
    volume: float


def coarser(rows: Iterable[tuple[int, float, float, float, float, float]], length: int) -> list[Bar]:
    """Bars of ``length`` microseconds; the last one only if it is complete.

    Args:
        rows: ts (when the row is complete), open, high, low, close, volume, in order of time.
        length: microseconds.
    """
    found: list[Bar] = []
    last = 0
    for ts, opened, high, low, close, volume in rows:
        ends = -(-ts // length) * length
        if not found or found[-1].ts != ends:
            found.append(Bar(ends, opened, high, low, close, volume))
        else:
            bar = found[-1]
            bar.high, bar.low, bar.close, bar.volume = max(bar.high, high), min(bar.low, low), close, bar.volume + volume
        last = ts
    return found[:-1] if found and found[-1].ts > last else found
