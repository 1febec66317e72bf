"""Section 14, trailing stops: a stop that follows the best price and never goes back."""

from __future__ import annotations

from decimal import Decimal

from rustybt.model.requests import OrderKind
from rustybt.reference.account import Bar, Order, Terms
from rustybt.reference.increments import limit_on_tick, stop_on_tick
from rustybt.reference.rounding import ONE, amount, downward, upward


def trails(order: Order) -> bool:
    """Whether the stop of an order follows the price; one that was triggered has none."""
    return (order.trail != 0 or order.trail_rate != 0) and order.kind in (OrderKind.STOP, OrderKind.STOP_LIMIT)


def start(order: Order, price: Decimal, terms: Terms) -> None:
    """The first stop of a trailing order."""
    order.best = price
    place(order, stop_on_tick(order, distant(order, terms), terms), terms)


def follow(order: Order, bar: Bar, terms: Terms) -> None:
    """Take a bar into the best price, and move the stop if that brings it closer."""
    order.best = min(order.best, bar.low) if order.is_buy else max(order.best, bar.high)
    stop = stop_on_tick(order, distant(order, terms), terms)
    if stop < order.stop if order.is_buy else stop > order.stop:
        place(order, stop, terms)


def distant(order: Order, terms: Terms) -> Decimal:
    """The stop at its distance from the best price: below it for a sell, above it for a buy, at least 1 tick."""
    tick = terms.asset.tick_size
    if order.trail:
        return max(order.best + order.trail if order.is_buy else order.best - order.trail, tick)
    if order.is_buy:
        return max(downward(order.best * (ONE + order.trail_rate), tick), tick)
    return max(upward(order.best * (ONE - order.trail_rate), tick), tick)


def place(order: Order, stop: Decimal, terms: Terms) -> None:
    """Put a stop, and the limit of a stop-limit beyond it."""
    asset = terms.asset
    order.stop = amount(stop, asset.tick_size, "stop of an order", asset.symbol)
    if order.kind is OrderKind.STOP_LIMIT:
        limit = stop + order.offset if order.is_buy else max(stop - order.offset, asset.tick_size)
        order.limit = amount(limit_on_tick(order, limit, terms), asset.tick_size, "limit of an order", asset.symbol)
