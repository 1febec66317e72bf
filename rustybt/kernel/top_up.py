"""Section 10 of the rule book, isolated margin: money of the account that is set aside for a position before it is liquidated."""

from __future__ import annotations

from rustybt.model import Detail, Reason

from .arithmetic import fits, ratio
from .compile import apart, aside
from .currencies import AT_OPEN
from .flows import room_now
from .isolated import entered, initial, set_apart
from .journal import NONE, event, fail
from .levels import arm, level_of
from .limits import BAD, CEIL, DOWN, FLOOR, ONE, RATE, ZERO, whole
from .rates import local
from .state import OVERFLOW, Desk

TOP_UP, SHORT_OF = whole(Reason.TOP_UP), whole(Detail.UNAFFORDABLE)


@aside
def top_up(desk: Desk, t: int, slot: int, place: int) -> bool:
    """Add to the margin of a position that the bar at a place would liquidate, as far as free money goes; False where nothing is added."""
    apart()
    if desk.top_up[slot] == 0:
        return False
    price = worst(desk, slot, place)
    missing, step, worth, aside_ = lack(desk, slot, price), initial(desk, slot), abs(entered(desk, slot)), set_apart(desk, slot)
    if not fits(missing) or missing <= 0 or step <= 0:
        return False
    wanted = min(ratio(missing, ONE, step, CEIL) * step, worth - aside_)
    if wanted <= 0:
        return False
    free = room_now(desk, place - slot % desk.assets, AT_OPEN, ZERO)
    if not fits(free):
        fail(desk, OVERFLOW, slot)
    added = min(wanted, local(desk, slot, max(ZERO, free)))
    if added <= 0:
        return False
    event(desk, t, slot, TOP_UP, NONE if added == wanted else SHORT_OF, added, price, ZERO)
    desk.added[slot] += added
    arm(desk, slot)
    return True


@aside
def worst(desk: Desk, slot: int, place: int) -> int:
    """The worst price that a position sees of a bar: that of the bar, or its stop where that comes first."""
    apart()
    long, distance, trail = desk.lots[slot] > 0, desk.stop[slot], desk.trail_at[slot]
    found = desk.low[place] if long else desk.high[place]
    if distance != 0:
        stop = level_of(desk, slot, desk.entry[slot], distance, not long)
        found = max(found, stop) if long else min(found, stop)
    return max(found, trail) if long else min(found, trail)


@aside
def lack(desk: Desk, slot: int, price: int) -> int:
    """The least money that moves the price that ends a position beyond another one; BAD where it does not fit."""
    apart()
    asset, lots, rate = slot % desk.assets, desk.lots[slot], desk.margin_maintenance[slot]
    long, size = lots > 0, abs(lots)
    worth, aside_ = entered(desk, slot), set_apart(desk, slot)
    each, by_lot = ratio(size, desk.margin_lot_maintenance[slot], ONE, DOWN), ratio(price, desk.up[asset], ONE, DOWN)
    if not (fits(worth) and fits(aside_) and fits(each) and fits(by_lot)):
        return BAD
    at_price = ratio(size, by_lot, desk.down[asset], FLOOR if long else CEIL)
    if not fits(at_price):
        return BAD
    if long:
        return worth + each - aside_ - ratio(at_price, max(ZERO, RATE - rate), RATE, FLOOR)
    asked = ratio(at_price, RATE + rate, RATE, CEIL)
    return asked + each - aside_ + worth if fits(asked) else BAD
