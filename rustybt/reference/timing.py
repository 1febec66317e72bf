"""Section 13: orders that are still under way, assets that are barred at a bar, and what the finer bars of a bar say."""

from __future__ import annotations

from decimal import Decimal

from rustybt.errors import DataError
from rustybt.model.asset import Asset
from rustybt.model.codes import Barred, Detail, Status
from rustybt.model.requests import OrderKind, TimeInForce
from rustybt.model.timing import Timing
from rustybt.reference.account import Account, Bar, Order

DECIDED, OPEN, CLOSE = range(3)
"""Rows of the clock."""


def arrival(account: Account, bar: int, number: int) -> int:
    """When an order that is sent at the end of a bar reaches the market; 0 when orders take no time."""
    delays, clock = account.rules.delays, account.timing.clock
    if not any(delays):
        return 0
    if clock is None:
        raise DataError("no clock", where="reference, timing", do="give orders with latency a market with a clock")
    return int(clock[DECIDED, bar]) + delays[number % len(delays)]


def has_arrived(account: Account, order: Order, bar: int, at_close: bool) -> bool:
    """Whether an order reaches the market in time for a phase of a bar."""
    clock = account.timing.clock
    return clock is None or not any(account.rules.delays) or order.arrives <= int(clock[CLOSE if at_close else OPEN, bar])


def barred_at(timing: Timing, bar: int, column: int) -> Barred:
    """What cannot be done with an asset at a bar."""
    return Barred(0 if timing.barred is None else int(timing.barred[bar, column]))


def cannot_trade(barred: Barred, quantity: Decimal | None) -> bool:
    """Whether a bar bars an order of a quantity; None is an order that is not yet sized."""
    if Barred.ALL in barred:
        return True
    buys, sells = quantity is not None and quantity > 0, quantity is not None and quantity < 0
    return (buys and Barred.BUYING in barred) or (sells and Barred.SELLING in barred)


def turn_away(account: Account, bar: int, phase: tuple[bool, bool, bool]) -> None:
    """Cancel the orders that meet a bar which cancels what it bars.

    The phase: whether it is at the close, serves market orders, is the open, where all other orders are turned away.
    """
    at_close, at_market, at_open = phase
    for order in list(account.working):
        barred = barred_at(account.timing, bar, account.rules.terms[order.slot].column)
        at_policy = order.kind is OrderKind.MARKET and order.time_in_force not in (TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE)
        meets = (at_market if at_policy else at_open) and not order.is_dormant
        if meets and Barred.CANCELS in barred and has_arrived(account, order, bar, at_close) and cannot_trade(barred, order.quantity):
            account.end(order, bar, Status.CANCELLED, Detail.BARRED)


def finer_bars(timing: Timing, bar: int, column: int, asset: Asset, assets: int) -> list[Bar]:
    """The finer bars inside a bar, in order of time. Their closes do not matter: each stands for its open."""
    finer = timing.finer
    if finer is None:
        return []
    place = bar * assets + column
    rows = range(int(finer.start[place]), int(finer.start[place + 1]))
    prices = ((finer.open[row], finer.high[row], finer.low[row]) for row in rows)
    return [Bar(*(int(price) * asset.tick_size for price in (first, high, low, first))) for first, high, low in prices]
