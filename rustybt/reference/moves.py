"""Section 12: how prices moved."""

from __future__ import annotations

from decimal import Decimal

from rustybt.reference.account import Account, Bars
from rustybt.reference.controls import Guard
from rustybt.reference.rounding import ZERO, nearest

FINEST = Decimal("1E-8")
"""Moves are whole multiples of it."""
MOST_MOVE = Decimal(1000)
"""Every move beyond it counts as it."""


def note_moves(account: Account, guard: Guard | None, bars: Bars) -> None:
    """Remember how far the bars move each price, before their closes become the last ones. Where there was none before it is no move."""
    if guard is None:
        return
    for column, bar in enumerate(bars):
        if bar is not None:
            before = account.last[column]
            guard.moved[column] = min(MOST_MOVE, nearest(bar.close - before, FINEST, over=before)) if before else ZERO
