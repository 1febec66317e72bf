"""Random settings of the account: money in and out."""

from __future__ import annotations

import numpy as np

from rustybt.model.panel import Ints
from rustybt.testing.rules import LARGE, Chance, World


def draw_flows(dice: Chance, world: World, bars: int) -> Ints:
    """Deposits and withdrawals, some of nothing, some of more than there is, some after the last bar; in half of the sessions none."""
    rows: list[tuple[int, int]] = []
    for _ in range(dice.pick((0, 0, 0, 1, 3, 8))):
        most = min(LARGE, max(10, dice.pick((world.cash, world.cash // 10, world.lot_worth[0], 2 * world.cash))))
        rows.append((dice.integer(0, bars + 1), 0 if dice.chance(10) else dice.integer(-most, most)))
    return np.array(sorted(rows, key=lambda row: row[0]), dtype=np.int64).reshape(-1, 2)
