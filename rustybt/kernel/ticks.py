"""Section 15 of the rule book: the prices of working orders on the tick in force."""

from __future__ import annotations

from .arithmetic import fits
from .compile import apart, aside, kernel
from .flags import HAS_INCREMENTS
from .journal import fail
from .state import ORDERS, OVERFLOW, Desk


@kernel
def on_tick(desk: Desk, k: int, price: int, up: bool) -> int:
    """A price of order k on the tick in force; as it is where no tick lies below it."""
    tick = max(1, desk.tick_now[desk.order_slot[k] % desk.assets])
    moved = -(-price // tick) * tick if up else price // tick * tick
    return moved if moved > 0 else price


@kernel
def stop_on_tick(desk: Desk, k: int, price: int) -> int:
    """A stop goes against its order: that of a buy up, that of a sell down."""
    if desk.flags & HAS_INCREMENTS == 0 or desk.order_lots[k] == 0:
        return price
    return on_tick(desk, k, price, desk.order_lots[k] > 0)


@kernel
def limit_on_tick(desk: Desk, k: int, price: int) -> int:
    """A limit is never passed: that of a buy goes down, that of a sell up."""
    if desk.flags & HAS_INCREMENTS == 0 or desk.order_lots[k] == 0:
        return price
    return on_tick(desk, k, price, desk.order_lots[k] < 0)


@aside
def settle_prices(desk: Desk, k: int) -> None:
    """Put the stop and the limit of order k on the tick in force; one whose side is not known yet waits for it."""
    apart()
    if desk.order_stop[k] != 0:
        desk.order_stop[k] = stop_on_tick(desk, k, desk.order_stop[k])
    if desk.order_limit[k] != 0:
        desk.order_limit[k] = limit_on_tick(desk, k, desk.order_limit[k])
    if not (fits(desk.order_stop[k]) and fits(desk.order_limit[k])):
        fail(desk, OVERFLOW, desk.order_slot[k])


@aside
def settle_all(desk: Desk) -> None:
    """The same for all orders at work: a tick has changed."""
    apart()
    for k in range(desk.count[ORDERS]):
        if desk.order_number[k] != 0:
            settle_prices(desk, k)
