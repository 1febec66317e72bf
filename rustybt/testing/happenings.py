"""Random corporate actions for a session: every kind, on assets that have bars, often where something is at work."""

from __future__ import annotations

import numpy as np

from rustybt.model import EVENT_FIELDS, EventKind
from rustybt.model.events import PLAIN
from rustybt.model.panel import Ints
from rustybt.testing.rules import Chance

SPLITS = ((2, 1), (1, 2), (3, 2), (1, 10), (7, 3), (20, 1), (1, 1000), (1000, 1), (5, 4), (1, 1))
RATIOS = ((1, 1), (1, 2), (3, 2), (1, 4), (2, 1), (7, 3), (1, 10), (123, 1000))
LINKED = (EventKind.MERGER, EventKind.SPINOFF, EventKind.ROLL)
ENDINGS = (EventKind.DELISTING, EventKind.EXPIRY)


def draw_events(dice: Chance, opens: Ints) -> Ints:
    """Events at bars that exist; ``opens`` are (bars, assets) ticks, 0 = no bar."""
    rows: list[list[int]] = []
    for _ in range(dice.pick((0, 0, 1, 3, 6))):
        column = dice.integer(0, opens.shape[1] - 1)
        bars = np.flatnonzero(opens[:, column]).tolist()
        if not bars:
            continue
        bar, kind = (
            dice.pick(bars),
            dice.pick((EventKind.DIVIDEND, EventKind.SPLIT, *LINKED, *ENDINGS, EventKind.DIVIDEND, EventKind.SPLIT)),
        )
        if kind in LINKED and opens.shape[1] == 1:
            kind = EventKind.SPLIT
        row = list(PLAIN)
        row[:3] = bar, column, int(kind)
        if kind is EventKind.SPLIT:
            row[3:5] = dice.pick(SPLITS)
        elif kind is EventKind.DIVIDEND:
            row[3:5] = dice.integer(0, 500), dice.pick((100, 1000, 3, 7))
            if dice.chance(50):
                row[10] = len(rows) + 1
                rows.append(payment_of(row, dice.integer(bar, len(opens) - 1)))
        elif kind in LINKED:
            link(dice, row, opens)
        else:
            row[6:8] = draw_cash(dice) if dice.chance(50) else (0, 0)
        rows.append(row)
    rows.sort(key=lambda row: row[:3])
    return np.array(rows, dtype=np.int64).reshape(-1, len(EVENT_FIELDS))


def payment_of(dividend: list[int], bar: int) -> list[int]:
    """The payment of a dividend at a bar."""
    row = list(PLAIN)
    row[:3] = bar, dividend[1], int(EventKind.PAYMENT)
    row[10] = dividend[10]
    return row


def link(dice: Chance, row: list[int], opens: Ints) -> None:
    """Fill in the asset received, the ratio, the price and the cash."""
    bar, column, kind = row[:3]
    other = dice.integer(0, opens.shape[1] - 2)
    row[5] = other + (other >= column)
    row[3:5] = dice.pick(RATIOS)
    if kind != EventKind.ROLL:
        near = int(opens[bar, row[5]])
        row[8] = near if near and dice.chance(80) else dice.integer(1, 20_000)
    if kind == EventKind.SPINOFF:
        row[9] = dice.pick((10**7, 25 * 10**6, 0, 10**8, 33_333_333))
    if kind == EventKind.MERGER and dice.chance(50):
        row[6:8] = draw_cash(dice)
        if dice.chance(30):
            row[3] = 0


def draw_cash(dice: Chance) -> tuple[int, int]:
    """Cash per unit of quantity."""
    return dice.integer(0, 5000), dice.pick((100, 1, 3))
