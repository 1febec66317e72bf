"""Random time and access for a session: latency, barred bars, finer bars, the order of things inside a bar."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from rustybt.model import FillAt, Finer, Intrabar, Timing, bars_clock
from rustybt.model.panel import Ints
from rustybt.testing.rules import Chance

BITS = (1, 1, 2, 4, 6, 9, 10, 12, 8, 7)
HOUR, DAY = 10, 100
"""Lengths on the clock of a drawn session."""


def draw_intrabar(dice: Chance) -> Intrabar:
    """A policy."""
    return Intrabar(dice.pick((0, 1, 2)))


def draw_delays(dice: Chance, fill_at: FillAt, bars: int) -> tuple[tuple[int, ...], Ints]:
    """How long orders take, and the clock by which they do: whole bars, or hours in days of unequal length."""
    if dice.chance(40):
        return (2 * dice.integer(1, 3),), bars_clock(bars, closing=fill_at is FillAt.SAME_BAR_CLOSE)
    close, rows = 0, []
    for _ in range(bars):
        start = close + dice.pick((HOUR, 1, 0, DAY))
        close = start + dice.integer(1, DAY)
        rows.append((close, start, close))
    clock = np.array(rows, dtype=np.int64).T
    return tuple(dice.pick((0, 1, HOUR, 30, DAY, 4 * DAY)) for _ in range(dice.integer(1, 7))), np.ascontiguousarray(clock)


def draw_barred(dice: Chance, bars: int, assets: int) -> Ints:
    """Halts of some bars and single locked bars."""
    barred = np.zeros((bars, assets), dtype=np.int64)
    often = dice.pick((10, 30, 3))
    for column in range(assets):
        for bar in range(bars):
            if dice.chance(often):
                barred[bar : bar + dice.pick((1, 1, 3)), column] = dice.pick(BITS)
    return barred


def draw_finer(dice: Chance, prices: tuple[Ints, Ints, Ints, Ints]) -> Finer:
    """A few finer bars inside most bars; now and then they are missing, reach too little or too far."""
    start, rows, missing = [0], [], dice.pick((20, 50, 90))
    bars = np.stack(prices, axis=-1).reshape(-1, 4)
    for first, high, low, last in bars.tolist():
        if high and not dice.chance(missing):
            rows += draw_path(dice, first, high, low, last)
        start.append(len(rows))
    columns = np.array(rows, dtype=np.int64).reshape(-1, 3)
    return Finer(np.array(start, dtype=np.int64), *(np.ascontiguousarray(columns[:, i]) for i in range(3)))


def draw_path(dice: Chance, first: int, high: int, low: int, last: int) -> list[tuple[int, int, int]]:
    """Finer bars of (open, high, low) on the way from the open by the two extremes to the close."""
    way = dice.pick(((first, low, high, last), (first, high, low, last), (first, last), (first, high + 1, max(1, low - 1), last)))
    found = []
    for start, end in pairwise(way):
        middle = (start + end) // 2
        found += [(start, max(start, middle), min(start, middle)), (middle, max(middle, end), min(middle, end))]
    if dice.chance(25):
        found = [(first, high, low), *found]
    return found


def draw_timing(dice: Chance, fill_at: FillAt, prices: tuple[Ints, Ints, Ints, Ints]) -> tuple[tuple[int, ...], Timing | None]:
    """Delays and timing of a session; half of all sessions have neither."""
    bars, assets = prices[3].shape
    delays, clock = draw_delays(dice, fill_at, bars) if dice.chance(25) else ((), None)
    barred = draw_barred(dice, bars, assets) if dice.chance(25) else None
    finer = draw_finer(dice, prices) if dice.chance(35) else None
    known = clock is not None or barred is not None or finer is not None
    return delays, Timing(clock, barred, finer) if known else None
