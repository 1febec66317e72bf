"""Section 15 of the rule book: ticks, lots and the least notional of an order, as they are in force at each bar."""

from __future__ import annotations

from rustybt.model import Detail, Reason

from .arithmetic import fits, value
from .compile import apart, aside, kernel
from .journal import fail
from .levels import arm
from .limits import ONE, ZERO, whole
from .state import HAS_INCREMENTS, HAS_LEVELS, INCREMENT, OVERFLOW, Desk

LOT_SIZE, MIN_NOTIONAL = whole(Detail.LOT_SIZE), whole(Detail.MIN_NOTIONAL)
TARGET, CALLBACK = whole(Reason.TARGET), whole(Reason.CALLBACK)


@aside
def change(desk: Desk, t: int) -> None:
    """Put the changes up to a bar in force. The exits of positions move to the new ticks."""
    apart()
    cursor = desk.cursor
    i = cursor[INCREMENT]
    while i < desk.increments and desk.increment_bar[i] <= t:
        asset = desk.increment_asset[i]
        desk.tick_now[asset] = desk.increment_tick[i]
        desk.lot_now[asset] = desk.increment_lot[i]
        desk.least_now[asset] = desk.increment_least[i]
        if desk.flags & HAS_LEVELS != 0:
            for slot in range(asset, desk.slots, desk.assets):
                if desk.lots[slot] != 0:
                    arm(desk, slot)
        i += 1
    cursor[INCREMENT] = i


@kernel
def held_to_lots(desk: Desk, k: int) -> bool:
    """Whether order k of the table goes by lots and the least notional: those of decisions and callbacks do."""
    return desk.order_reason[k] == TARGET or desk.order_reason[k] == CALLBACK


@aside
def step_of(desk: Desk, k: int) -> int:
    """The lots in which order k of the table is filled."""
    apart()
    if desk.flags & HAS_INCREMENTS == 0 or not held_to_lots(desk, k):
        return ONE
    return max(ONE, desk.lot_now[desk.order_slot[k] % desk.assets])


@aside
def accepted(desk: Desk, k: int, lots: int, allowed: int, price: int) -> int:
    """What the increments leave of the part of order k that its volume allows. Where that is the whole order, notes why there is a rest."""
    apart()
    slot = desk.order_slot[k]
    asset = slot % desk.assets
    if price == 0 or allowed == 0 or not held_to_lots(desk, k) or lots == -desk.lots[slot]:
        return allowed
    step, least, why = step_of(desk, k), desk.least_now[asset], LOT_SIZE
    kept = abs(allowed) // step * step
    if kept != 0 and least != 0:
        worth = value(kept, price, desk.up[asset], desk.down[asset])
        if not fits(worth):
            fail(desk, OVERFLOW, slot)
        if worth < least:
            kept, why = ZERO, MIN_NOTIONAL
    if allowed == lots:
        desk.due_why[k] = why
    return kept if allowed > 0 else -kept


@kernel
def rung(quantity: int, step: int, number: int) -> int:
    """The lots that a cut may leave of a quantity: all of it, or so many steps less; number 0 is nothing."""
    if number <= 0:
        return ZERO
    return quantity - (-(-quantity // step) - number) * step


@kernel
def rung_below(quantity: int, step: int, most: int) -> int:
    """The number of the largest of them that is at most ``most``."""
    return max(ZERO, -(-quantity // step) + (most - quantity) // step)
