"""Spans in which working orders only wait: all of them stand still, and no bar reaches one of their prices."""

from __future__ import annotations

from rustybt.model import OrderFlag, OrderKind, TimeInForce

from .compile import apart, aside, fetch, kernel
from .flags import HAS_BARS, HAS_CONTROLS, HAS_DAY_ENDS, HAS_LATENCY
from .groups import is_dormant
from .limits import FAR, whole
from .state import DUE_HALT, ORDERS, ROW, Desk
from .trailing import trails

LIMIT, STOP = whole(OrderKind.LIMIT), whole(OrderKind.STOP)
GTC = whole(TimeInForce.GTC)
RESTED = whole(OrderFlag.RESTED)
MOST = 16
"""With more orders than this the bars are gone through one by one."""
LINE = 8
"""Numbers in a line of memory."""
REACH = 512
"""Bars that are looked at before what was found is used: what is looked at in vain stays in proportion to what is done."""


@aside
def all_wait(desk: Desk) -> bool:
    """Whether every order is a limit or a stop that has rested, ends with no session and moves with no price; dormant ones wait anyway."""
    apart()
    if desk.flags & (HAS_LATENCY | HAS_BARS | HAS_DAY_ENDS) != 0 or desk.count[ORDERS] > MOST:
        return False
    if desk.flags & HAS_CONTROLS != 0 and desk.guard[DUE_HALT] != 0:
        return False
    for k in range(desk.count[ORDERS]):
        if is_dormant(desk, k):
            if not has_parent(desk, k):
                return False
            continue
        kind = desk.order_kind[k]
        if (kind != LIMIT and kind != STOP) or desk.order_tif[k] != GTC or desk.order_lots[k] == 0:
            return False
        if desk.order_flags[k] & RESTED == 0 or trails(desk, k):
            return False
    return True


@kernel
def has_parent(desk: Desk, k: int) -> bool:
    """Whether the first order of a batch is still there: without it a dormant one is about to be cancelled."""
    for j in range(desk.count[ORDERS]):
        if desk.order_number[j] != 0 and desk.order_number[j] == desk.order_batch[k]:
            return True
    return False


@aside
def untouched(desk: Desk, t: int, stop: int) -> int:
    """The first bar from ``t`` that has none of some asset, or reaches the price of an order; at most ``stop``."""
    apart()
    return between(desk, t, stop) if desk.slots == 1 else beside(desk, t, stop)


@kernel
def falls(desk: Desk, k: int) -> bool:
    """Whether an order waits for the price to fall to it: a limit of a buy, a stop of a sell."""
    return (desk.order_lots[k] > 0) == (desk.order_kind[k] == LIMIT)


@kernel
def awaited(desk: Desk, k: int) -> int:
    """The price that an order waits for."""
    return desk.order_limit[k] if desk.order_kind[k] == LIMIT else desk.order_stop[k]


@kernel
def between(desk: Desk, t: int, stop: int) -> int:
    """One asset: the bars that stay between the highest price from below and the lowest from above."""
    floor, roof, first = -FAR, FAR, desk.cursor[ROW]
    for k in range(desk.count[ORDERS]):
        if not is_dormant(desk, k):
            if falls(desk, k):
                floor = max(floor, awaited(desk, k))
            else:
                roof = min(roof, awaited(desk, k))
    row, last, lows, highs = t - first, stop - first, desk.low, desk.high
    for ahead in range(row, last, LINE):  # where one is touched its open is read next
        fetch(desk.open, ahead)
    while row < last and lows[row] > floor and highs[row] < roof and lows[row] != 0:
        row += 1
    return row + first


@kernel
def beside(desk: Desk, t: int, stop: int) -> int:
    """Several assets: bar by bar, order by order. A missing bar reaches nothing."""
    assets, first = desk.assets, desk.cursor[ROW]
    while t < stop:
        row = (t - first) * assets
        for k in range(desk.count[ORDERS]):
            if not is_dormant(desk, k):
                place = row + desk.order_slot[k] % assets
                if desk.close[place] != 0:
                    reached = desk.low[place] <= awaited(desk, k) if falls(desk, k) else desk.high[place] >= awaited(desk, k)
                    if reached:
                        return t
        t += 1
    return t
