"""Random carry: charges on positions and cash, and assets that cannot be borrowed."""

from __future__ import annotations

import numpy as np

from rustybt.model import EVERY_ASSET, CarryTable, Reason
from rustybt.testing.rules import LARGE, Chance, World

PARTS = ((5, 36_000), (1, 1), (-3, 1_000), (10**8 + 1, 3 * 10**8), (7, 20), (-1, 2), (1, 10**9), (10**15 + 1, 365 * 10**15))
"""What is paid of a base, as num and den: little, all, something received, ties at the half, sides that need two words."""
SIDES = {
    Reason.BORROW: (-1,),
    Reason.INTEREST: (-1,),
    Reason.CREDIT: (1,),
    Reason.FINANCING: (1, -1),
    Reason.FUNDING: (0,),
    Reason.SWAP: (1, -1),
}
"""The sides of each kind."""


def draw_carry(dice: Chance, world: World, bars: int) -> CarryTable | None:
    """In a third of the sessions charges of all kinds, rarely or often, some after the last bar; some assets hard to borrow."""
    if not dice.chance(33):
        return None
    rows, often, assets = [], dice.pick((10, 50, 0, 90)), len(world.assets)
    for bar in range(bars + 1):
        for _ in range(dice.integer(1, 3) if dice.chance(often) else 0):
            reason = dice.pick(tuple(SIDES))
            on_cash = reason in (Reason.INTEREST, Reason.CREDIT)
            column = EVERY_ASSET if on_cash or dice.chance(30) else dice.integer(0, assets - 1)
            price = (
                min(LARGE, world.prices[column] + dice.integer(0, 2)) if reason is Reason.FUNDING and column >= 0 and dice.chance(40) else 0
            )
            rows.append((bar, int(reason), column, dice.pick(SIDES[reason]), *dice.pick(PARTS), price))
    hard = []
    for _ in range(dice.pick((0, 1, 3))):
        first = dice.integer(0, bars)
        hard.append((dice.integer(0, assets - 1), first, dice.integer(first, bars)))
    return CarryTable(np.array(rows, dtype=np.int64).reshape(-1, 7), np.array(hard, dtype=np.int64).reshape(-1, 3))
