"""Section 14, trailing stops: a stop that follows the best price and never goes back."""

from __future__ import annotations

from decimal import Decimal

from rustybt.model.asset import Asset
from rustybt.model.requests import OrderKind
from rustybt.reference.account import Bar, Order
from rustybt.reference.rounding import ONE, amount, downward, upward


def trails(order: Order) -> bool:
    """Whether the stop of an order follows the price; one that was triggered has none."""
    return (order.trail != 0 or order.trail_rate != 0) and order.kind in (OrderKind.STOP, OrderKind.STOP_LIMIT)


def start(order: Order, price: Decimal, asset: Asset) -> None:
    """The first stop of a trailing order."""
    order.best = price
    place(order, distant(order, asset), asset)


def follow(order: Order, bar: Bar, asset: Asset) -> None:
    """Take a bar into the best price, and move the stop if that brings it closer."""
    order.best = min(order.best, bar.low) if order.is_buy else max(order.best, bar.high)
    stop = distant(order, asset)
    if stop < order.stop if order.is_buy else stop > order.stop:
        place(order, stop, asset)


def distant(order: Order, asset: Asset) -> Decimal:
    """The stop at its distance from the best price: below it for a sell, above it for a buy, at least 1 tick."""
    tick = asset.tick_size
    if order.trail:
        return max(order.best + order.trail if order.is_buy else order.best - order.trail, tick)
    if order.is_buy:
        return max(downward(order.best * (ONE + order.trail_rate), tick), tick)
    return max(upward(order.best * (ONE - order.trail_rate), tick), tick)


def place(order: Order, stop: Decimal, asset: Asset) -> None:
    """Put a stop, and the limit of a stop-limit beyond it."""
    order.stop = amount(stop, asset.tick_size, "stop of an order", asset.symbol)
    if order.kind is OrderKind.STOP_LIMIT:
        limit = stop + order.offset if order.is_buy else max(stop - order.offset, asset.tick_size)
        order.limit = amount(limit, asset.tick_size, "limit of an order", asset.symbol)
