"""Section 14, kinds of orders: at which price an order meets a phase of the bar, if it does."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING

from rustybt.model.codes import Detail, FillAt, Status
from rustybt.model.requests import OrderFlag, OrderKind, TimeInForce
from rustybt.reference.account import Account, Bar, Now, Order, Row, Terms
from rustybt.reference.fills import slipped
from rustybt.reference.precedence import gives_way
from rustybt.reference.rounding import ZERO

if TYPE_CHECKING:
    from rustybt.reference.orders import Phase

STOPS = (OrderKind.STOP, OrderKind.STOP_LIMIT)
AUCTIONS = (TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE)


class Moment(Enum):
    """The phases of a bar in which orders are filled, in order."""

    OPEN = 0
    REOPEN = 1
    STOPS = 2
    LIMITS = 3
    LATE = 4
    CLOSE = 5
    SAME_BAR = 6


CLOSES = (Moment.CLOSE, Moment.SAME_BAR)
"""Those at the close."""
MARKET_MOMENT = {FillAt.NEXT_OPEN: Moment.OPEN, FillAt.NEXT_CLOSE: Moment.CLOSE, FillAt.SAME_BAR_CLOSE: Moment.SAME_BAR}
"""When market orders are filled by the policy of the run."""


def is_opening(account: Account, now: Now, column: int) -> bool:
    """Whether a bar of an asset is its first in a session."""
    return account.sessions.get(column) != now.session


def fill_price(account: Account, phase: Phase, order: Order, at: tuple[Terms, Bar], served: Decimal) -> Decimal | None:
    """The price at which a phase fills so much of an order, after slippage; None where it does not."""
    bar, order.is_maker, order.served = at[1], False, served
    if order.is_dormant:
        return None
    if phase.moment in (Moment.REOPEN, Moment.LATE):
        return after_parent(account, phase, order, at)
    if order.sent == (phase.bar, phase.moment is Moment.OPEN) or (order.rests_after == phase.bar and phase.moment is not Moment.OPEN):
        return None
    if order.time_in_force in AUCTIONS:
        return in_auction(account, phase, order, at)
    if order.kind is OrderKind.MARKET:
        due = phase.moment is MARKET_MOMENT[account.rules.fill_at]
        return slip(order, phase.price(bar), at) if due else None
    if phase.moment is Moment.OPEN:
        return at_open(account, phase, order, at)
    if phase.moment is Moment.STOPS and order.kind in STOPS:
        return None if gives_way(account, phase, order, at) else on_stop(account, phase, order, at)
    if phase.moment is Moment.LIMITS and order.kind not in STOPS:
        return on_limit(account, phase, order, at)
    return None


def in_auction(account: Account, phase: Phase, order: Order, at: tuple[Terms, Bar]) -> Decimal | None:
    """The opening auction is the first bar of the asset in a session, the closing auction the close of a bar that ends one."""
    terms, bar = at
    if order.time_in_force is TimeInForce.AT_OPEN:
        due = phase.moment is Moment.OPEN and is_opening(account, phase.now, terms.column)
    else:
        due = phase.moment is Moment.CLOSE and phase.now.ends
    price = phase.price(bar)
    if not due:
        return None
    if order.kind is OrderKind.MARKET:
        return slip(order, price, at)
    return price if order.allows(price) else None


def slip(order: Order, price: Decimal, at: tuple[Terms, Bar]) -> Decimal:
    """The price after slippage, and not beyond the limit of the order, if it has one."""
    if not order.served:
        return price
    price = slipped(price, order.served, *at)
    if order.limit == 0:
        return price
    return min(price, order.limit) if order.is_buy else max(price, order.limit)


def rested(order: Order, price: Decimal) -> Decimal | None:
    """The limit of an order that waits for a price to come to it, if it does: it is the one that rested."""
    order.is_maker = order.allows(price)
    return order.limit if order.is_maker else None


def is_triggered(order: Order, low: Decimal, high: Decimal) -> bool:
    """Whether prices from low to high reach the stop. A stop to buy waits for a rise, an if-touched to buy for a fall; sells mirror it."""
    waits_for_rise = order.is_buy == (order.kind in STOPS)
    return high >= order.stop if waits_for_rise else low <= order.stop


def trigger(account: Account, bar: int, order: Order) -> None:
    """From here on it is a limit order."""
    head = (bar, order.submitted, order.slot, order.number, order.reason)
    account.log.append(Row(*head, Status.TRIGGERED, Detail.NONE, order.quantity or ZERO, price=order.limit))
    order.kind, order.stop = OrderKind.LIMIT, ZERO


def after_parent(account: Account, phase: Phase, order: Order, at: tuple[Terms, Bar]) -> Decimal | None:
    """Orders that a fill has sent in this bar: sent at the open, they meet the open; sent on the path, only their stops meet the rest."""
    bar = at[1]
    if phase.moment is Moment.REOPEN:
        meets = order.sent == (phase.bar, True) and order.kind is not OrderKind.MARKET
        return at_open(account, phase, order, at) if meets else None
    if order.sent != (phase.bar, False) or order.kind not in STOPS or not is_triggered(order, bar.low, bar.high):
        return None
    stop = max(order.stop, order.since) if order.is_buy else min(order.stop, order.since)
    if order.kind is OrderKind.STOP:
        return slip(order, stop, at)
    trigger(account, phase.bar, order)
    order.rests_after = phase.bar
    return slip(order, stop, at) if order.allows(stop) else rested(order, bar.close)


def at_open(account: Account, phase: Phase, order: Order, at: tuple[Terms, Bar]) -> Decimal | None:
    """What the open reaches is filled at the open."""
    price = at[1].open
    if order.kind is OrderKind.LIMIT:
        if not order.allows(price):
            return None
        if OrderFlag.POST_ONLY in order.flags and OrderFlag.RESTED not in order.flags:
            account.end(order, phase.bar, Status.REJECTED, Detail.POST_ONLY)
            return None
        order.is_maker = OrderFlag.RESTED in order.flags
        return price
    if not is_triggered(order, price, price):
        return None
    if order.limit == 0:
        return slip(order, price, at)
    trigger(account, phase.bar, order)
    return slip(order, price, at) if order.allows(price) else None


def on_stop(account: Account, phase: Phase, order: Order, at: tuple[Terms, Bar]) -> Decimal | None:
    """A stop on the path. After the trigger of a stop-limit, only the close is certain to follow."""
    bar, stop = at[1], order.stop
    if not is_triggered(order, bar.low, bar.high):
        return None
    if order.kind is OrderKind.STOP:
        return slip(order, stop, at)
    trigger(account, phase.bar, order)
    order.rests_after = phase.bar
    if order.allows(stop):
        return slip(order, stop, at)
    return rested(order, bar.close)


def on_limit(account: Account, phase: Phase, order: Order, at: tuple[Terms, Bar]) -> Decimal | None:
    """A limit or a touch on the path."""
    bar, stop = at[1], order.stop
    best = bar.low if order.is_buy else bar.high
    if order.kind is OrderKind.LIMIT:
        at_once = order.time_in_force in (TimeInForce.IOC, TimeInForce.FOK)
        return rested(order, best) if not at_once else None
    if not is_triggered(order, bar.low, bar.high):
        return None
    if order.kind is OrderKind.MARKET_IF_TOUCHED:
        return slip(order, stop, at)
    trigger(account, phase.bar, order)
    order.rests_after = phase.bar
    if order.allows(stop):
        return slip(order, stop, at)
    return rested(order, best)
