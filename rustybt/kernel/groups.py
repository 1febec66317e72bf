"""Section 14 of the rule book, batches: orders that a fill sends, and orders that a fill cancels."""

from __future__ import annotations

from rustybt.model import Detail, FillAt, OrderFlag, TimeInForce

from .arithmetic import fits
from .compile import apart, aside, kernel
from .flags import HAS_INCREMENTS
from .journal import announce, drop, fail
from .limits import FAR, whole
from .state import ORDERS, OVERFLOW, PHASE, ROW, SENT, Desk
from .ticks import settle_prices
from .trailing import start, trails

NEXT_OPEN, NEXT_CLOSE = whole(FillAt.NEXT_OPEN), whole(FillAt.NEXT_CLOSE)
DAY = whole(TimeInForce.DAY)
DORMANT, OCO, BY_FILL = whole(OrderFlag.DORMANT), whole(OrderFlag.OCO), whole(OrderFlag.BY_FILL)
ACTIVATED, BY_OCO, PARENT = whole(Detail.ACTIVATED), whole(Detail.OCO), whole(Detail.PARENT)


@aside
def consequences(desk: Desk, t: int, k: int, number: int, lots: int, price: int) -> None:
    """What a fill of order k, of this number, does to the other orders of its batch."""
    apart()
    batch = desk.order_batch[k]
    if batch == 0:
        return
    first, cancels = number == batch, desk.order_flags[k] & OCO != 0
    for j in range(desk.count[ORDERS]):
        if j == k or desk.order_number[j] == 0 or desk.order_batch[j] != batch:
            continue
        if first and desk.order_flags[j] & (DORMANT | BY_FILL) != 0:
            activate(desk, t, j, lots, price)
        elif desk.order_number[j] == batch and desk.order_flags[k] & BY_FILL != 0:
            drop(desk, t, j, BY_OCO, desk.order_lots[j])
        elif cancels and desk.order_flags[j] & OCO != 0:
            drop(desk, t, j, BY_OCO, desk.order_lots[j])


@aside
def activate(desk: Desk, t: int, j: int, lots: int, price: int) -> None:
    """Order j works from here on, if it does not yet; one that is sized by the fills takes this one in."""
    apart()
    phase, slot = desk.cursor[PHASE], desk.order_slot[j]
    if desk.order_flags[j] & BY_FILL != 0:
        desk.order_lots[j] -= lots
        desk.due_left[j] -= lots
        if not fits(desk.order_lots[j]):
            fail(desk, OVERFLOW, slot)
            return
    if desk.flags & HAS_INCREMENTS != 0:
        settle_prices(desk, j)
    if is_dormant(desk, j):
        desk.order_flags[j] &= ~DORMANT
        desk.cursor[SENT] = t + 1
        desk.order_arrives[j] = -FAR
        desk.order_rest[j] = -(t + 1) if phase == NEXT_OPEN else t + 1
        if phase != NEXT_CLOSE:
            desk.order_session[j] = desk.clock_session[t - desk.cursor[ROW]]
            if desk.order_tif[j] == DAY:
                desk.order_until[j] = desk.order_session[j]
        desk.order_peak[j] = price
        if trails(desk, j):
            start(desk, j, price)
    announce(desk, t, j, ACTIVATED)


@kernel
def is_dormant(desk: Desk, k: int) -> bool:
    """Whether an order waits for the first one of its batch."""
    return desk.order_flags[k] & DORMANT != 0


@aside
def orphans(desk: Desk, t: int) -> None:
    """Cancel the dormant orders whose first order is gone without a fill."""
    apart()
    for j in range(desk.count[ORDERS]):
        if desk.order_number[j] != 0 and is_dormant(desk, j):
            alive = False
            for k in range(desk.count[ORDERS]):
                alive = alive or (desk.order_number[k] != 0 and desk.order_number[k] == desk.order_batch[j])
            if not alive:
                drop(desk, t, j, PARENT, desk.order_lots[j])
