"""Section 12: how prices moved."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal

from rustybt.reference.account import Account, Bars
from rustybt.reference.rounding import ZERO, nearest

FINEST = Decimal("1E-8")
"""Moves are whole multiples of it."""
MOST_MOVE = Decimal(1000)
"""Every move beyond it counts as it."""


@dataclass
class Moves:
    """By how much of the price before it bars moved each price.

    Attributes:
        last: that of the last bar that an asset had, by column. seen: bars noted.
        rows: of the last bars, newest first, by column; as many as the controls look back at.
    """

    rows: deque[list[Decimal]]
    last: dict[int, Decimal] = field(default_factory=dict)
    seen: int = 0

    def of(self, bars: int) -> list[list[Decimal]] | None:
        """Those of so many bars, newest first; None before there were as many."""
        return None if self.seen < bars else [self.rows[back] for back in range(bars)]

    def note(self, account: Account, bars: Bars) -> None:
        """Remember the moves of a bar, before its closes become the last prices. Where there was none before it is no move."""
        row = [ZERO] * len(bars)
        for column, bar in enumerate(bars):
            if bar is None:
                continue
            before = account.last[column]
            if before:
                row[column] = min(MOST_MOVE, nearest(bar.close - before, FINEST, over=before))
            self.last[column] = row[column]
        self.rows.appendleft(row)
        self.seen += 1
