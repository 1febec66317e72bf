"""Section 15 of the rule book: ticks, lots and the least notional of an order, as they are in force at each bar."""

from __future__ import annotations

from rustybt.model import Detail, OrderFlag, Reason

from .arithmetic import fits, worth_at
from .compile import apart, aside, kernel
from .flags import HAS_INCREMENTS, HAS_LEVELS, HAS_ORDERS
from .journal import fail
from .levels import arm
from .limits import ONE, ZERO, whole
from .state import INCREMENT, OVERFLOW, Desk
from .ticks import settle_all

LOT_SIZE, MIN_NOTIONAL = whole(Detail.LOT_SIZE), whole(Detail.MIN_NOTIONAL)
TARGET, CALLBACK, ORDER = whole(Reason.TARGET), whole(Reason.CALLBACK), whole(Reason.ORDER)
ONLY_REDUCE = whole(OrderFlag.REDUCE_ONLY)


@aside
def change(desk: Desk, t: int) -> None:
    """Put the changes up to a bar in force. The exits of positions and the prices of orders move to the new ticks."""
    apart()
    cursor = desk.cursor
    i = cursor[INCREMENT]
    changes = i < desk.increments and desk.increment_bar[i] <= t
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
    if changes and desk.flags & HAS_ORDERS != 0 and desk.increment_bar[i - 1] == t:
        settle_all(desk)


@kernel
def held_to_lots(desk: Desk, k: int) -> bool:
    """Whether order k of the table goes by lots and the least notional: all that a strategy asks for."""
    reason = desk.order_reason[k]
    return reason == TARGET or reason == CALLBACK or reason == ORDER


@kernel
def closes(desk: Desk, k: int, lots: int) -> bool:
    """Whether order k takes the position to exactly zero; a reduce-only order never goes beyond."""
    held = desk.lots[desk.order_slot[k]]
    if lots == -held:
        return True
    if desk.flags & HAS_ORDERS == 0 or desk.order_flags[k] & ONLY_REDUCE == 0 or held == 0:
        return False
    return lots < -held if held > 0 else lots > -held


@kernel
def judged(desk: Desk, k: int, price: int) -> int:
    """The price at which the least notional judges an order: its limit, else its stop, else that of the phase."""
    if desk.flags & HAS_ORDERS == 0:
        return price
    if desk.order_limit[k] != 0:
        return desk.order_limit[k]
    return desk.order_stop[k] if desk.order_stop[k] != 0 else price


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
    if allowed == 0 or not held_to_lots(desk, k) or closes(desk, k, lots):
        return allowed
    step, least, why = step_of(desk, k), desk.least_now[asset], LOT_SIZE
    kept = abs(allowed) // step * step
    if kept != 0 and least != 0:
        worth = worth_at(desk, asset, kept, judged(desk, k, price))
        if not fits(worth):
            fail(desk, OVERFLOW, slot)
        if worth < least:
            kept, why = ZERO, MIN_NOTIONAL
    if allowed == lots and kept != abs(allowed):
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
