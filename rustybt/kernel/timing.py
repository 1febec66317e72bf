"""Section 13 of the rule book: orders that are still under way, and assets that are barred at a bar."""

from __future__ import annotations

from rustybt.model import Barred, Detail, FillAt, OrderFlag, OrderKind, TimeInForce

from .compile import apart, aside
from .flags import HAS_BARS, HAS_LATENCY, HAS_ORDERS
from .journal import asset_of, drop, slot_of
from .limits import whole
from .state import ORDERS, ROW, Desk

ALL, BUYING, SELLING, CANCELS = (whole(bit) for bit in (Barred.ALL, Barred.BUYING, Barred.SELLING, Barred.CANCELS))
NEXT_OPEN, NEXT_CLOSE, SAME_BAR_CLOSE = whole(FillAt.NEXT_OPEN), whole(FillAt.NEXT_CLOSE), whole(FillAt.SAME_BAR_CLOSE)
MARKET, DORMANT = whole(OrderKind.MARKET), whole(OrderFlag.DORMANT)
AT_OPEN, AT_CLOSE = whole(TimeInForce.AT_OPEN), whole(TimeInForce.AT_CLOSE)
BY_BAR = whole(Detail.BARRED)


@aside
def is_barred(desk: Desk, place: int, lots: int) -> bool:
    """Whether lots cannot be traded at a bar; lots of 0 are an order that is not yet sized."""
    apart()
    bits = desk.barred[place]
    if bits & ALL != 0:
        return True
    if lots > 0:
        return bits & BUYING != 0
    return lots < 0 and bits & SELLING != 0


@aside
def under_way(desk: Desk, t: int, k: int, moment: int) -> bool:
    """Whether order k reaches the market after this phase."""
    apart()
    row = t - desk.cursor[ROW]
    now = desk.clock_close[row] if moment == NEXT_CLOSE or moment == SAME_BAR_CLOSE else desk.clock_open[row]
    return desk.order_arrives[k] > now


@aside
def held_up(desk: Desk, t: int, k: int, place: int, moment: int) -> bool:
    """Whether order k cannot be served in this phase. A dead one cannot either."""
    apart()
    if desk.order_number[k] == 0:
        return True
    if desk.flags & HAS_LATENCY != 0 and under_way(desk, t, k, moment):
        return True
    return desk.flags & HAS_BARS != 0 and is_barred(desk, place, desk.order_lots[k])


@aside
def meets(desk: Desk, k: int, moment: int) -> bool:
    """Whether a phase is the one that turns order k away: that of the run for market orders, the open for all others."""
    apart()
    if desk.flags & HAS_ORDERS == 0:
        return True
    if desk.order_flags[k] & DORMANT != 0:
        return False
    tif = desk.order_tif[k]
    if desk.order_kind[k] == MARKET and tif != AT_OPEN and tif != AT_CLOSE:
        return moment == desk.fill_at
    return moment == NEXT_OPEN


@aside
def turn_away(desk: Desk, t: int, row: int, moment: int) -> None:
    """Cancel the orders that meet a bar which cancels what it bars, whether it has prices or not."""
    apart()
    for k in range(desk.count[ORDERS]):
        place = row + asset_of(slot_of(desk, k), desk.assets)
        if desk.barred[place] & CANCELS == 0 or desk.order_number[k] == 0 or not meets(desk, k, moment):
            continue
        if desk.flags & HAS_LATENCY != 0 and under_way(desk, t, k, moment):
            continue
        if is_barred(desk, place, desk.order_lots[k]):
            drop(desk, t, k, BY_BAR, desk.order_lots[k])
