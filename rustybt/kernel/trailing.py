"""Section 14 of the rule book, trailing stops: a stop that follows the best price and never goes back."""

from __future__ import annotations

from rustybt.model import OrderKind

from .arithmetic import fits
from .compile import apart, aside, kernel
from .journal import fail
from .levels import level
from .limits import whole
from .state import OVERFLOW, Desk
from .ticks import limit_on_tick, stop_on_tick

STOP, STOP_LIMIT = whole(OrderKind.STOP), whole(OrderKind.STOP_LIMIT)


@kernel
def trails(desk: Desk, k: int) -> bool:
    """Whether the stop of an order follows the price; one that was triggered has none."""
    return (desk.order_trail[k] != 0 or desk.order_rate[k] != 0) and (desk.order_kind[k] == STOP or desk.order_kind[k] == STOP_LIMIT)


@aside
def start(desk: Desk, k: int, price: int) -> None:
    """The first stop of a trailing order."""
    apart()
    desk.order_peak[k] = price
    place(desk, k, distant(desk, k))


@aside
def follow(desk: Desk, k: int, high: int, low: int) -> None:
    """Take a bar into the best price, and move the stop if that brings it closer."""
    apart()
    sell = desk.order_lots[k] < 0
    desk.order_peak[k] = max(desk.order_peak[k], high) if sell else min(desk.order_peak[k], low)
    stop = distant(desk, k)
    if stop > desk.order_stop[k] if sell else stop < desk.order_stop[k]:
        place(desk, k, stop)


@kernel
def distant(desk: Desk, k: int) -> int:
    """The stop at its distance from the best price, on the tick in force: below it for a sell, above it for a buy, at least 1 tick."""
    peak, away, sell = desk.order_peak[k], desk.order_trail[k], desk.order_lots[k] < 0
    if away == 0:
        stop = max(level(peak, desk.order_rate[k], not sell), 1)
    else:
        stop = max(peak - away, 1) if sell else peak + away
    return stop_on_tick(desk, k, stop)


@kernel
def place(desk: Desk, k: int, stop: int) -> None:
    """Put a stop, and the limit of a stop-limit beyond it."""
    desk.order_stop[k] = stop
    if desk.order_kind[k] == STOP_LIMIT:
        away = desk.order_offset[k]
        limit = max(stop - away, 1) if desk.order_lots[k] < 0 else stop + away
        desk.order_limit[k] = limit_on_tick(desk, k, limit)
    if not (fits(stop) and fits(desk.order_limit[k])):
        fail(desk, OVERFLOW, desk.order_slot[k])
