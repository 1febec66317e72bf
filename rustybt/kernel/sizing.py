"""From a target to lots: quantity, notional, weight."""

from __future__ import annotations

from rustybt.model import FillAt, TargetKind

from .arithmetic import fits, ratio, worth_at
from .compile import apart, aside, kernel
from .currencies import AT_CLOSE, AT_OPEN, equity_at
from .flags import HAS_BARS, HAS_CURRENCIES, HAS_LATENCY
from .journal import fail
from .limits import BAD, DOWN, ONE, WEIGHT, ZERO, whole
from .rates import local
from .state import DEAD, ERROR, ORDERS, OVERFLOW, ROW, Desk
from .timing import held_up
from .valuation import backing

NEXT_OPEN = whole(FillAt.NEXT_OPEN)
QUANTITY, IN_WEIGHT = whole(TargetKind.QUANTITY), whole(TargetKind.WEIGHT)


@aside
def wanted(kind: int, target: int, equity: int, unit: int, down: int) -> int:
    """The lots that a target asks for, toward zero; ``unit`` is price x up. BAD where an amount does not fit."""
    apart()
    if kind == QUANTITY:
        return target
    money = target
    if kind == IN_WEIGHT:
        money = ratio(equity, target, WEIGHT, DOWN)
    if not fits(money) or not fits(unit):
        return BAD
    return ratio(money, down, unit, DOWN)


@kernel
def lots_for(desk: Desk, slot: int, kind: int, target: int, equity: int, unit: int) -> int:
    """The lots that a target of a slot asks for; equity and notionals are first brought into its currency."""
    if desk.flags & HAS_CURRENCIES != 0 and kind != QUANTITY:
        if kind == IN_WEIGHT:
            equity = local(desk, slot, equity)
        else:
            target = local(desk, slot, target)
    return wanted(kind, target, equity, unit, desk.down[slot % desk.assets])


@aside
def size_all(desk: Desk, t: int, moment: int) -> None:
    """Size the orders that wait for the prices of this phase, all at one equity. One that comes to nothing is over."""
    apart()
    assets = desk.assets
    row = (t - desk.cursor[ROW]) * assets
    prices = desk.open if moment == NEXT_OPEN else desk.close
    equity, known = 0, False
    for k in range(desk.count[ORDERS]):
        slot = desk.order_slot[k]
        asset = slot % assets
        price = prices[row + asset]
        if price == 0 or desk.order_lots[k] != 0 or desk.order_value[k] == 0:
            continue
        if desk.flags & (HAS_LATENCY | HAS_BARS) != 0 and held_up(desk, t, k, row + asset, moment):
            continue
        if not known:
            equity, known = appraise(desk, row, moment), True
        if desk.count[ERROR] != 0:
            return
        unit = ratio(price, desk.up[asset], ONE, DOWN)
        lots = lots_for(desk, slot, desk.kind[slot], desk.order_value[k], equity, unit)
        change = lots - desk.lots[slot]
        if not (fits(lots) and fits(change)):
            fail(desk, OVERFLOW, slot)
            return
        desk.order_lots[k] = change
        if change == 0:
            desk.order_number[k] = 0
            desk.busy[slot] -= 1
            desk.count[DEAD] += 1


@aside
def appraise(desk: Desk, row: int, moment: int) -> int:
    """Equity at the prices of this phase, or the last price of an asset without a bar."""
    apart()
    assets = desk.assets
    if desk.flags & HAS_CURRENCIES != 0:
        return equity_at(desk, row, AT_OPEN if moment == NEXT_OPEN else AT_CLOSE)
    prices = desk.open if moment == NEXT_OPEN else desk.close
    equity = backing(desk)
    if not fits(equity):
        fail(desk, OVERFLOW, ZERO)
    for slot in range(desk.slots):
        if desk.lots[slot] != 0:
            asset = slot % assets
            price = prices[row + asset] if prices[row + asset] != 0 else desk.last[asset]
            worth = worth_at(desk, asset, desk.lots[slot], price)
            equity += worth
            if not (fits(worth) and fits(equity)):
                fail(desk, OVERFLOW, slot)
                return 0
    return equity
