"""Random controls for a session."""

from __future__ import annotations

import numpy as np

from rustybt.model import Control, ControlTable, Response
from rustybt.testing.rules import Chance, World

PER_ORDER = (Response.REJECT, Response.REDUCE, Response.HALT, Response.ALLOW, Response.WARN)
PER_ACCOUNT = (Response.HALT, Response.WARN, Response.ALLOW)
RARE = (Control.PRICE_COLLAR, Control.DUPLICATE, Control.VALUE_AT_RISK, Control.MAX_LEVERAGE, Control.MAX_VALUE_AT_RISK)
"""What few orders or accounts ever come to, and is watched more often for it."""


def draw_controls(dice: Chance, world: World, bars: int) -> ControlTable | None:
    """Some limits that bite and some that do not; None in most sessions."""
    if dice.chance(70):
        return None
    often = dice.pick((20, 50, 10))
    actions = [-1] * len(Control)
    actions[Control.HALTED] = int(Response.REJECT)
    for control in list(Control)[1:]:
        if dice.chance(often + (20 if control in RARE else 0)):
            actions[control] = int(dice.pick(PER_ACCOUNT if control.watches_account else PER_ORDER))
    worth = max(world.lot_worth)
    bans = []
    for _ in range(dice.pick((1, 0, 2))):
        first = dice.integer(0, bars)
        bans.append((dice.integer(0, len(world.assets) - 1), first, first + dice.integer(0, bars)))
    length = dice.pick((1, 3, 5, 1000))
    dates = [(column, first, first + dice.integer(0, bars)) for column in range(len(world.assets)) for first in (dice.integer(0, bars),)]
    return ControlTable(
        np.array(actions, dtype=np.int64),
        np.array([draw_lots(dice, lots) for lots in world.lots], dtype=np.int64),
        np.array([draw_lots(dice, lots) for lots in world.lots], dtype=np.int64),
        notional=min(2**60, dice.pick((3, 1, 20)) * worth),
        concentration=dice.pick((3 * 10**7, 10**8, 10**6, 33_333_333)),
        orders=dice.pick((1, 2, 0, 5)),
        drawdown=dice.pick((10**7, 10**6, 5 * 10**7, 1)),
        daily_loss=dice.pick((2 * 10**6, 10**5, 2 * 10**7, 1)),
        flatten=dice.chance(50),
        dates=np.array(dates[: dice.integer(0, len(dates))], dtype=np.int64).reshape(-1, 3),
        collar=dice.pick((10**6, 10**7, 0, 10**8)),
        duplicate=dice.pick((0, 1, 3, 50)),
        gross_exposure=dice.pick((10**8, 5 * 10**7, 2 * 10**8, 33_333_333)),
        net_exposure=dice.pick((10**8, 5 * 10**7, 0, 33_333_333)),
        max_leverage=dice.pick((10**8, 5 * 10**7, 10**6)),
        min_leverage=dice.pick((10**7, 10**8, 1)),
        deadline=dice.pick((0, 1, 5)),
        move=dice.pick((10**6, 10**5, 10**7, 0, 10**9)),
        value_at_risk=dice.pick((10**5, 10**4, 10**6, 1, 10**7)),
        max_value_at_risk=dice.pick((10**4, 10**5, 10**6, 1)),
        risk_bars=dice.pick((2, 1, 3, 6)),
        risk_tail=dice.pick((0, 0, 1, 2)),
        correlated_exposure=dice.pick((10**8, 33_333_333, 5 * 10**7, 10**6)),
        correlated_above=dice.pick((5 * 10**7, 0, 9 * 10**7, 99_999_999, 10**8)),
        correlated_bars=dice.pick((2, 3, 5, 8)),
        restricted=np.array(bans, dtype=np.int64).reshape(-1, 3),
        days=np.arange(bars, dtype=np.int64) // length if dice.chance(70) else np.zeros(0, dtype=np.int64),
    )


def draw_lots(dice: Chance, most: int) -> int:
    """A number of lots that may bite, -1 = no limit."""
    return dice.pick((max(1, most // 3), 1, most, -1, 0))
