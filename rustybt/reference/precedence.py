"""Section 14: which of two orders of a batch comes first in a bar that reaches both."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from rustybt.model.codes import Intrabar
from rustybt.model.requests import OrderFlag, OrderKind, TimeInForce
from rustybt.reference.account import Account, Bar, Order, Terms
from rustybt.reference.timing import barred_at, cannot_trade, finer_bars, has_arrived

if TYPE_CHECKING:
    from rustybt.reference.orders import Phase

TARGETS = (OrderKind.LIMIT, OrderKind.MARKET_IF_TOUCHED, OrderKind.LIMIT_IF_TOUCHED)
ONCE = (TimeInForce.IOC, TimeInForce.FOK, TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE)


def gives_way(account: Account, phase: Phase, stop: Order, at: tuple[Terms, Bar]) -> bool:
    """Whether a stop that the path reaches comes after a target of its batch, of its side, that ends it and that this bar reaches too."""
    if stop.batch == 0 or OrderFlag.OCO not in stop.flags:
        return False
    rivals = [other for other in account.working if other.batch == stop.batch and is_target(account, phase, other)]
    return any(other.is_buy == stop.is_buy and comes_first(account, phase.bar, (stop, other), at) for other in rivals)


def is_target(account: Account, phase: Phase, order: Order) -> bool:
    """Whether an order may be filled as a target on the path of this bar, as far as its price does not say."""
    if order.kind not in TARGETS or OrderFlag.OCO not in order.flags or not order.quantity:
        return False
    if order.time_in_force in ONCE or order.is_dormant or order.sent == (phase.bar, False) or order.rests_after == phase.bar:
        return False
    barred = barred_at(account.timing, phase.bar, account.rules.terms[order.slot].column)
    return has_arrived(account, order, phase.bar, at_close=False) and not cannot_trade(barred, order.quantity)


def target_of(order: Order) -> Decimal:
    """The price that fills a target for certain: its limit, its trigger, of a limit if touched the further one."""
    prices = [price for price in (order.limit, order.stop) if price != 0]
    return min(prices) if order.is_buy else max(prices)


def comes_first(account: Account, number: int, pair: tuple[Order, Order], at: tuple[Terms, Bar]) -> bool:
    """Whether a bar that reaches stop and target, neither at its open, reaches the target first: by its finer bars, else the policy."""
    terms, bar = at
    stop, take = pair[0].stop, target_of(pair[1])
    if not (reaches(bar, stop, pair[0].is_buy) and reaches(bar, take, not pair[0].is_buy)):
        return False
    low, high = min(stop, take), max(stop, take)
    if not low < bar.open < high:
        return False
    for finer in finer_bars(account.timing, number, terms.column, terms.asset, len(account.last)):
        stopped, taken = reaches(finer, stop, pair[0].is_buy), reaches(finer, take, not pair[0].is_buy)
        if stopped or taken:
            return taken and (not stopped or is_first(account, finer, (stop, take)))
    return is_first(account, bar, (stop, take))


def reaches(bar: Bar, price: Decimal, rising: bool) -> bool:
    """Whether a bar comes as far as a price that is waited for from below, or from above."""
    return bar.high >= price if rising else bar.low <= price


def is_first(account: Account, bar: Bar, levels: tuple[Decimal, Decimal]) -> bool:
    """Whether a bar that reaches a stop and a target reaches the target first: an open beyond one of them says so, else the policy."""
    stop, take = levels
    above = take > stop
    if bar.open <= stop if above else bar.open >= stop:
        return False
    if bar.open >= take if above else bar.open <= take:
        return True
    gain, loss = (bar.high - bar.open, bar.open - bar.low) if above else (bar.open - bar.low, bar.high - bar.open)
    policy = account.rules.intrabar
    return policy is Intrabar.OPTIMISTIC or (policy is Intrabar.NEAREST and gain < loss)
