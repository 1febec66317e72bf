"""From a target to lots: quantity, notional, weight."""

from __future__ import annotations

from rustybt.model import FillAt, TargetKind

from .arithmetic import fits, ratio, value
from .compile import aside
from .journal import fail
from .limits import BAD, DOWN, WEIGHT
from .state import CASH, DEAD, ERROR, KIND, ORDERS, OVERFLOW, ROW, Desk

NEXT_OPEN = int(FillAt.NEXT_OPEN)
QUANTITY, IN_WEIGHT = int(TargetKind.QUANTITY), int(TargetKind.WEIGHT)


@aside
def wanted(kind: int, target: int, equity: int, unit: int, down: int) -> int:
    """The lots that a target asks for, toward zero; ``unit`` is price x up. BAD where an amount does not fit."""
    if kind == QUANTITY:
        return target
    money = target
    if kind == IN_WEIGHT:
        money = ratio(equity, target, WEIGHT, DOWN)
    if not fits(money) or not fits(unit):
        return BAD
    return ratio(money, down, unit, DOWN)


@aside
def size_all(desk: Desk, t: int, moment: int) -> None:
    """Size the orders that wait for the prices of this phase, all at one equity. One that comes to nothing is over."""
    state, rules, assets = desk.state, desk.rules, desk.rules.up.size
    row = (t - desk.pad.cursor[ROW]) * assets
    prices = desk.bars.open if moment == NEXT_OPEN else desk.bars.close
    equity, known = 0, False
    for k in range(state.count[ORDERS]):
        slot = state.order_slot[k]
        asset = slot % assets
        price = prices[row + asset]
        if price == 0 or state.order_lots[k] != 0 or state.order_value[k] == 0:
            continue
        if not known:
            equity, known = appraise(desk, row, moment), True
        if state.count[ERROR] != 0:
            return
        unit = ratio(price, rules.up[asset], 1, DOWN)
        lots = wanted(rules.slots[KIND, slot], state.order_value[k], equity, unit, rules.down[asset])
        change = lots - state.lots[slot]
        if not (fits(lots) and fits(change)):
            fail(desk, OVERFLOW, slot)
            return
        state.order_lots[k] = change
        if change == 0:
            state.order_number[k] = 0
            state.busy[slot] -= 1
            state.count[DEAD] += 1


@aside
def appraise(desk: Desk, row: int, moment: int) -> int:
    """Equity at the prices of this phase, or the last price of an asset without a bar."""
    state, rules, assets = desk.state, desk.rules, desk.rules.up.size
    prices = desk.bars.open if moment == NEXT_OPEN else desk.bars.close
    equity = state.money[CASH]
    for slot in range(state.lots.size):
        if state.lots[slot] != 0:
            asset = slot % assets
            price = prices[row + asset] if prices[row + asset] != 0 else state.last[asset]
            worth = value(state.lots[slot], price, rules.up[asset], rules.down[asset])
            equity += worth
            if not (fits(worth) and fits(equity)):
                fail(desk, OVERFLOW, slot)
                return 0
    return equity
