"""Section 14, batches: orders that a fill sends, and orders that a fill cancels."""

from __future__ import annotations

from decimal import Decimal

from rustybt.model.codes import Detail, Status
from rustybt.model.requests import OrderFlag, TimeInForce
from rustybt.reference.account import AT_ONCE, Account, Now, Order, Row
from rustybt.reference.increments import in_force, settle_prices
from rustybt.reference.priced import Moment
from rustybt.reference.rounding import ZERO, amount
from rustybt.reference.trailing import start, trails


def announce(account: Account, bar: int, order: Order, detail: Detail) -> None:
    """The row of an order that now works as it is."""
    head = (bar, order.submitted, order.slot, order.number, order.reason)
    account.log.append(Row(*head, Status.ACCEPTED, detail, order.quantity or ZERO, price=order.stop or order.limit))


def show(account: Account, bar: int, order: Order, asked: Decimal) -> None:
    """Note how much of an order is shown, with a row: all of it where that is less."""
    order.display = min(asked, abs(order.quantity)) if order.quantity else asked
    head = (bar, order.submitted, order.slot, order.number, order.reason)
    shown = order.display if order.is_buy or not order.quantity else -order.display
    account.log.append(Row(*head, Status.ACCEPTED, Detail.DISPLAYED, shown))


def consequences(account: Account, at: tuple[Now, Moment], order: Order, quantity: Decimal, price: Decimal) -> None:
    """What a fill of an order does to the others of its batch."""
    if order.batch == 0:
        return
    for other in list(account.working):
        if other is order or other.batch != order.batch:
            continue
        if order.number == order.batch and other.flags & (OrderFlag.DORMANT | OrderFlag.BY_FILL):
            activate(account, at, other, quantity, price)
        elif ends_with(other, order):
            account.end(other, at[0].bar, Status.CANCELLED, Detail.OCO)


def ends_with(other: Order, order: Order) -> bool:
    """Whether a fill of an order ends another of its batch: of an exit the entry that is still filling, of one of several the others."""
    if other.number == order.batch and OrderFlag.BY_FILL in order.flags:
        return True
    return OrderFlag.OCO in order.flags and OrderFlag.OCO in other.flags


def activate(account: Account, at: tuple[Now, Moment], order: Order, quantity: Decimal, price: Decimal) -> None:
    """An order works from here on, if it does not yet; one that is sized by the fills takes this one in."""
    now, moment = at
    terms = in_force(account, account.rules.terms[order.slot])
    asset = terms.asset
    if OrderFlag.BY_FILL in order.flags:
        order.quantity = amount((order.quantity or ZERO) - quantity, asset.lot_size, "order", asset.symbol)
    settle_prices(account, order)
    if order.is_dormant:
        order.flags &= ~OrderFlag.DORMANT
        order.sent, order.since, order.arrives = (now.bar, moment is Moment.OPEN), price, AT_ONCE
        if moment is not Moment.CLOSE:
            order.session = now.session
            order.until = now.session if order.time_in_force is TimeInForce.DAY else order.until
        if trails(order):
            start(order, price, terms)
    announce(account, now.bar, order, Detail.ACTIVATED)


def end_orphans(account: Account, bar: int) -> None:
    """Cancel the dormant orders whose first order is gone without a fill."""
    for order in list(account.working):
        if order.is_dormant and not any(other.number == order.batch for other in account.working):
            account.end(order, bar, Status.CANCELLED, Detail.PARENT)
