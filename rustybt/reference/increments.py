"""Section 15: ticks, lots and the least notional of an order, as they are in force at each bar."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from rustybt.model.codes import Detail, Reason
from rustybt.model.requests import OrderFlag
from rustybt.model.tables import Tables
from rustybt.reference.account import Account, Order, Terms
from rustybt.reference.fills import value
from rustybt.reference.rounding import ZERO, amount, downward, toward_zero, upward


@dataclass(frozen=True)
class Change:
    """From ``bar`` on the asset of a column trades in this tick and lot, in orders of at least so much money."""

    bar: int
    column: int
    tick: Decimal
    lot: Decimal
    least: Decimal


def read_changes(tables: Tables, unit: Decimal) -> list[Change]:
    """The changes of a run in human units, by bar."""
    changes = []
    for bar, column, tick, lot, least in tables.increments.tolist():
        asset = tables.assets[column]
        changes.append(Change(bar, column, tick * asset.tick_size, lot * asset.lot_size, least * unit))
    return changes


def put_in_force(account: Account, bar: int, changes: list[Change]) -> None:
    """Apply the changes of a bar; the prices of working orders move to the new ticks."""
    due = [change for change in changes if change.bar == bar]
    for change in due:
        account.ticks[change.column] = change.tick
        account.lots[change.column] = change.lot
        account.least[change.column] = change.least
    if due:
        for order in account.working:
            settle_prices(account, order)


def in_force(account: Account, terms: Terms) -> Terms:
    """The terms of a slot with the tick in force."""
    tick = account.ticks[terms.column]
    return terms if tick == terms.asset.tick_size else replace(terms, tick_in_force=tick)


def is_held_to_lots(order: Order) -> bool:
    """All orders that a strategy asks for go by lots and the least notional."""
    return order.reason in (Reason.TARGET, Reason.CALLBACK, Reason.ORDER)


def stop_on_tick(order: Order, price: Decimal, terms: Terms) -> Decimal:
    """A stop goes against its order: that of a buy up, that of a sell down."""
    return on_tick(order, price, terms, upwards=order.is_buy)


def limit_on_tick(order: Order, price: Decimal, terms: Terms) -> Decimal:
    """A limit is never passed: that of a buy goes down, that of a sell up."""
    return on_tick(order, price, terms, upwards=not order.is_buy)


def on_tick(order: Order, price: Decimal, terms: Terms, *, upwards: bool) -> Decimal:
    """A price on the tick in force; as it is where no tick lies below it, or where the side of the order is not known yet."""
    if not order.quantity:
        return price
    return upward(price, terms.tick) if upwards else downward(price, terms.tick) or price


def settle_prices(account: Account, order: Order) -> None:
    """Put the stop and the limit of an order on the tick in force."""
    terms = in_force(account, account.rules.terms[order.slot])
    size, symbol = terms.asset.tick_size, terms.asset.symbol
    order.stop = amount(stop_on_tick(order, order.stop, terms), size, "stop of an order", symbol)
    order.limit = amount(limit_on_tick(order, order.limit, terms), size, "limit of an order", symbol)


def closes(account: Account, order: Order) -> bool:
    """Whether an order takes the position to exactly zero; a reduce-only order never goes beyond."""
    held, quantity = account.positions[order.slot].quantity, order.quantity or ZERO
    reduces = OrderFlag.REDUCE_ONLY in order.flags and held * quantity < 0
    return quantity == -held or (reduces and abs(quantity) > abs(held))


def accepted(account: Account, order: Order, allowed: Decimal, price: Decimal) -> tuple[Decimal, Detail]:
    """The part of an order that the venue takes of what the volume allows, and why it does not take the rest.

    What a fill of its entry adds to an exit in the phase that serves it goes on as what the volume did not allow.
    The least notional is judged at the limit of the order, else its stop, else the price of the phase.
    """
    terms, quantity = account.rules.terms[order.slot], order.quantity or ZERO
    is_capped = allowed != quantity
    if allowed == 0 or not is_held_to_lots(order) or closes(account, order):
        return allowed, Detail.CAPPED
    whole = toward_zero(allowed, account.lots[terms.column])
    least = account.least[terms.column]
    if whole != 0 and least != 0 and abs(value(whole, order.limit or order.stop or price, terms, account.rules.unit)) < least:
        return ZERO, Detail.CAPPED if is_capped else Detail.MIN_NOTIONAL
    return whole, Detail.CAPPED if is_capped or whole == allowed else Detail.LOT_SIZE


def lot_of(account: Account, order: Order, terms: Terms) -> int:
    """How many lots of the asset an order is filled in at a time."""
    return int(account.lots[terms.column] / terms.asset.lot_size) if is_held_to_lots(order) else 1
