"""Section 14 of the rule book: which of two orders of a batch comes first in a bar that reaches both."""

from __future__ import annotations

from rustybt.model import FillAt, OrderFlag, OrderKind, TimeInForce

from .compile import apart, aside, kernel
from .flags import HAS_BARS, HAS_FINER, HAS_LATENCY
from .groups import is_dormant
from .inside import both_inside, finer_exit, target_first
from .limits import whole
from .state import ORDERS, Desk
from .timing import held_up

LIMIT, MARKET_IF_TOUCHED, LIMIT_IF_TOUCHED = (whole(OrderKind[name]) for name in ("LIMIT", "MARKET_IF_TOUCHED", "LIMIT_IF_TOUCHED"))
OCO, IOC = whole(OrderFlag.OCO), whole(TimeInForce.IOC)
ON_THE_PATH = whole(len(FillAt))
"""Any phase on the path: for latency and bars they are one."""


@aside
def gives_way(desk: Desk, t: int, k: int, place: int) -> bool:
    """Whether the policy puts a target before stop k: one of its batch, of its side, that ends it and that this bar reaches too."""
    apart()
    if desk.order_batch[k] == 0 or desk.order_flags[k] & OCO == 0:
        return False
    for j in range(desk.count[ORDERS]):
        if desk.order_number[j] != 0 and desk.order_batch[j] == desk.order_batch[k] and rests(desk, t, j, place):
            if (desk.order_lots[j] > 0) == (desk.order_lots[k] > 0) and comes_first(desk, place, k, target_of(desk, j)):
                return True
    return False


@aside
def rests(desk: Desk, t: int, j: int, place: int) -> bool:
    """Whether an order may be filled as a target on the path of this bar, as far as its price does not say."""
    apart()
    kind = desk.order_kind[j]
    if kind != LIMIT and kind != MARKET_IF_TOUCHED and kind != LIMIT_IF_TOUCHED:
        return False
    if desk.order_flags[j] & OCO == 0 or desk.order_lots[j] == 0 or desk.order_tif[j] >= IOC or is_dormant(desk, j):
        return False
    if desk.order_rest[j] == t + 1:
        return False
    return desk.flags & (HAS_LATENCY | HAS_BARS) == 0 or not held_up(desk, t, j, place, ON_THE_PATH)


@kernel
def target_of(desk: Desk, j: int) -> int:
    """The price that fills a target for certain: its limit, its trigger, of a limit if touched the further one."""
    if desk.order_kind[j] == LIMIT:
        return desk.order_limit[j]
    if desk.order_kind[j] == MARKET_IF_TOUCHED:
        return desk.order_stop[j]
    if desk.order_lots[j] > 0:
        return min(desk.order_stop[j], desk.order_limit[j])
    return max(desk.order_stop[j], desk.order_limit[j])


@aside
def comes_first(desk: Desk, place: int, k: int, take: int) -> bool:
    """Whether a bar that reaches a target and stop k, neither at its open, reaches the target first: by its finer bars, else the policy."""
    apart()
    start, worst, best, stop = desk.open[place], desk.low[place], desk.high[place], desk.order_stop[k]
    sells = desk.order_lots[k] < 0
    if not sells:
        start, worst, best, stop, take = -start, -desk.high[place], -desk.low[place], -stop, -take
    if not both_inside(start, worst, best, stop, take):
        return False
    if desk.flags & HAS_FINER != 0:
        verdict = finer_exit(desk, place, sells, stop, take)[1]
        if verdict != 0:
            return verdict == 2
    return target_first(start, worst, best, desk.intrabar)
