"""Section 5 of the rule book: how much of a bar's volume an order may take, and what becomes of what is not served."""

from __future__ import annotations

from rustybt.model import Detail, OrderFlag, OrderKind, TimeInForce

from .arithmetic import ratio
from .compile import apart, aside, kernel
from .flags import HAS_INCREMENTS, HAS_ORDERS
from .increments import accepted
from .journal import drop
from .limits import DOWN, RATE, whole
from .state import Desk

CAPPED, RESTED = whole(Detail.CAPPED), whole(OrderFlag.RESTED)
MARKET, STOP, MARKET_IF_TOUCHED = whole(OrderKind.MARKET), whole(OrderKind.STOP), whole(OrderKind.MARKET_IF_TOUCHED)
IOC, FOK, AT_OPEN, AT_CLOSE = (whole(TimeInForce[name]) for name in ("IOC", "FOK", "AT_OPEN", "AT_CLOSE"))


@aside
def capped(desk: Desk, k: int, slot: int, lots: int, place: int, price: int) -> int:
    """The part of an order that the volume of a bar and the increments allow at a price; the rest is noted."""
    apart()
    share = desk.cap_share[slot]
    allowed, desk.due_why[k] = lots, CAPPED
    if share != 0:
        most = ratio(desk.volume[place], share, RATE, DOWN)
        allowed = min(lots, most) if lots > 0 else max(lots, -most)
    if desk.flags & HAS_INCREMENTS != 0:
        allowed = accepted(desk, k, lots, allowed, price)
    desk.due_left[k] = lots - allowed
    return allowed


@kernel
def has_one_attempt(desk: Desk, k: int) -> bool:
    """Whether an order ends with the phase that serves it."""
    tif = desk.order_tif[k]
    return tif == IOC or tif == FOK or tif == AT_OPEN or tif == AT_CLOSE


@aside
def rest_of(desk: Desk, t: int, k: int, slot: int) -> bool:
    """Carry on, from the next bar, what the volume did not allow, or cancel it; cancel what the increments did not; whether there was any.

    A stop that was reached goes on as a market order.
    """
    apart()
    left = desk.due_left[k]
    if left == 0:
        return False
    if desk.due_why[k] == CAPPED and desk.cap_carry[slot] != 0 and not (desk.flags & HAS_ORDERS != 0 and has_one_attempt(desk, k)):
        desk.order_lots[k] = left
        if desk.flags & HAS_ORDERS != 0 and desk.order_rest[k] != t + 1:
            desk.order_rest[k] = t + 1
            desk.order_flags[k] |= RESTED
        if desk.flags & HAS_ORDERS != 0 and (desk.order_kind[k] == STOP or desk.order_kind[k] == MARKET_IF_TOUCHED):
            desk.order_kind[k] = MARKET
            desk.order_stop[k] = 0
    else:
        drop(desk, t, k, desk.due_why[k], left)
    return True
