"""Section 14, time in force: which orders have come to the end of their time, and which bars are auctions."""

from __future__ import annotations

from rustybt.model.codes import Detail, Status
from rustybt.model.requests import OrderFlag, OrderKind, TimeInForce
from rustybt.reference.account import Account, Bars, Now, Order
from rustybt.reference.groups import end_orphans
from rustybt.reference.increments import in_force
from rustybt.reference.priced import is_opening
from rustybt.reference.timing import has_arrived
from rustybt.reference.trailing import follow, trails

BY_SESSION = (TimeInForce.DAY, TimeInForce.UNTIL_SESSION)
DATED = (*BY_SESSION, TimeInForce.UNTIL_BAR, TimeInForce.UNTIL_TS)


def reading(now: Now, time_in_force: TimeInForce) -> int:
    """What the clock says in the measure of a time in force."""
    return {TimeInForce.UNTIL_BAR: now.bar, TimeInForce.UNTIL_TS: now.ts}.get(time_in_force, now.session)


def end_overdue(account: Account, now: Now) -> None:
    """Before anything is served: end the orders whose last moment has passed."""
    for order in list(account.working):
        if order.is_dormant:
            continue
        if order.time_in_force in DATED:
            if order.until is None:
                order.until = now.session
            if reading(now, order.time_in_force) > order.until:
                account.end(order, now.bar, Status.EXPIRED, Detail.TIME)
                continue
        if order.session is None:
            order.session = now.session
        if ends_with_day(account, order) and now.session > order.session:
            account.end(order, now.bar, Status.CANCELLED, Detail.END_OF_DAY)


def ends_with_day(account: Account, order: Order) -> bool:
    """Whether the end of a session cancels an order: a requested one, where its slot says so."""
    return account.rules.terms[order.slot].day_ends and order.batch != 0


def end_lapsed(account: Account, now: Now, bars: Bars) -> None:
    """After everything is served: end the orders whose last moment this bar was, or whose one attempt it was."""
    for order in list(account.working):
        terms = account.rules.terms[order.slot]
        bar = bars[terms.column]
        if order.is_dormant:
            continue
        met = bar is not None and has_arrived(account, order, now.bar, order.time_in_force is TimeInForce.AT_CLOSE)
        if order.time_in_force in DATED:
            over = reading(now, order.time_in_force) == order.until
            if over and (now.ends or order.time_in_force not in BY_SESSION):
                account.end(order, now.bar, Status.EXPIRED, Detail.TIME)
                continue
        elif met and order.kind is OrderKind.LIMIT and had_its_attempt(account, now, order):
            account.end(order, now.bar, Status.EXPIRED, Detail.UNMET)
            continue
        if ends_with_day(account, order) and now.ends and order.session == now.session:
            account.end(order, now.bar, Status.CANCELLED, Detail.END_OF_DAY)
            continue
        if bar is not None and met:
            sent_late = order.sent == (now.bar, False)
            order.flags |= OrderFlag(0) if sent_late else OrderFlag.RESTED
            if trails(order) and not sent_late:
                follow(order, bar, in_force(account, terms))
    end_orphans(account, now.bar)
    for column, present in enumerate(bars):
        if present is not None:
            account.sessions[column] = now.session


def had_its_attempt(account: Account, now: Now, order: Order) -> bool:
    """Whether this bar of its asset was the one at which a limit order could be filled."""
    match order.time_in_force:
        case TimeInForce.AT_OPEN:
            return is_opening(account, now, account.rules.terms[order.slot].column)
        case TimeInForce.AT_CLOSE:
            return now.ends
    return order.time_in_force in (TimeInForce.IOC, TimeInForce.FOK)
