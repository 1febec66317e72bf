"""Step 5 of a bar: last prices, equity and gross, what time does to positions, and the identity of section 8."""

from __future__ import annotations

from rustybt.model import FillAt

from .arithmetic import fits, value
from .compile import aside, kernel
from .journal import fail
from .levels import level
from .state import (
    BREACH,
    CASH,
    DEPOSITS,
    EQUITY,
    FEES,
    GROSS,
    HAS_GUARDS,
    HAS_LEVELS,
    INCOME,
    OVERFLOW,
    ROW,
    TRADED,
    TRAIL,
    Desk,
)

NEXT_CLOSE = int(FillAt.NEXT_CLOSE)


@kernel
def mark(desk: Desk, t: int, moves: bool) -> None:
    """Take the closes as last prices and value everything. ``moves``: peaks, bars held and cool-downs move too."""
    last, assets = desk.state.last, desk.rules.up.size
    row = (t - desk.pad.cursor[ROW]) * assets
    for asset in range(assets):
        price = desk.bars.close[row + asset]
        if price != 0:
            last[asset] = price
    appraise(desk)
    if moves and desk.rules.flags & HAS_GUARDS != 0:
        age(desk, row)


@kernel
def appraise(desk: Desk) -> None:
    """Equity and gross at the last prices, and the identity."""
    state, rules, money, assets = desk.state, desk.rules, desk.state.money, desk.rules.up.size
    equity, gross = money[CASH], 0
    for base in range(0, state.lots.size, assets):
        for asset in range(assets):
            lots = state.lots[base + asset]
            if lots != 0:
                worth = value(lots, state.last[asset], rules.up[asset], rules.down[asset])
                equity += worth
                gross += abs(worth)
                if not (fits(worth) and fits(equity) and fits(gross)):
                    fail(desk, OVERFLOW, base + asset)
                    return
    money[EQUITY] = equity
    money[GROSS] = gross
    if money[CASH] + money[TRADED] + money[FEES] - money[INCOME] != money[DEPOSITS]:
        fail(desk, BREACH, 0)


@aside
def age(desk: Desk, row: int) -> None:
    """What a bar of an asset does to its slots: the peak follows, bars held grow, the cool-down goes down."""
    state, assets = desk.state, desk.rules.up.size
    for base in range(0, state.lots.size, assets):
        for asset in range(assets):
            if desk.bars.close[row + asset] == 0:
                continue
            slot = base + asset
            if state.lots[slot] != 0:
                if desk.rules.fill_at != NEXT_CLOSE or state.held[slot] != 0:
                    raise_peak(desk, slot, row + asset)
                state.held[slot] += 1
            if state.cool[slot] > 0:
                state.cool[slot] -= 1


@kernel
def raise_peak(desk: Desk, slot: int, place: int) -> None:
    """The best price since the entry now includes this bar; the trailing level goes with it."""
    state, long = desk.state, desk.state.lots[slot] > 0
    best = desk.bars.high[place] if long else desk.bars.low[place]
    if best > state.peak[slot] if long else best < state.peak[slot]:
        state.peak[slot] = best
        distance = desk.rules.slots[TRAIL, slot]
        if desk.rules.flags & HAS_LEVELS != 0 and distance != 0:
            state.trail[slot] = level(best, distance, not long)
