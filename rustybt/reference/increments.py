"""Section 15: ticks, lots and the least notional of an order, as they are in force at each bar."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from rustybt.model.codes import Detail, Reason
from rustybt.model.tables import Tables
from rustybt.reference.account import Account, Order, Terms
from rustybt.reference.fills import value
from rustybt.reference.rounding import ZERO, toward_zero


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
    """Apply the changes of a bar."""
    for change in changes:
        if change.bar == bar:
            account.ticks[change.column] = change.tick
            account.lots[change.column] = change.lot
            account.least[change.column] = change.least


def in_force(account: Account, terms: Terms) -> Terms:
    """The terms of a slot with the tick in force."""
    tick = account.ticks[terms.column]
    return terms if tick == terms.asset.tick_size else replace(terms, tick_in_force=tick)


def is_held_to_lots(order: Order) -> bool:
    """Orders of decisions and callbacks go by lots and the least notional."""
    return order.reason in (Reason.TARGET, Reason.CALLBACK)


def accepted(account: Account, order: Order, allowed: Decimal, price: Decimal | None) -> tuple[Decimal, Detail]:
    """The part of an order that the venue takes at a price of what the volume allows, and why it does not take the rest."""
    terms, quantity = account.rules.terms[order.slot], order.quantity or ZERO
    closes = quantity == -account.positions[order.slot].quantity
    capped = Detail.CAPPED if allowed != quantity else Detail.NONE
    if price is None or allowed == 0 or closes or not is_held_to_lots(order):
        return allowed, capped
    whole = toward_zero(allowed, account.lots[terms.column])
    least = account.least[terms.column]
    if whole != 0 and least != 0 and abs(value(whole, price, terms, account.rules.unit)) < least:
        return ZERO, capped or Detail.MIN_NOTIONAL
    return whole, capped or Detail.LOT_SIZE


def lot_of(account: Account, order: Order, terms: Terms) -> int:
    """How many lots of the asset an order is filled in at a time."""
    return int(account.lots[terms.column] / terms.asset.lot_size) if is_held_to_lots(order) else 1
