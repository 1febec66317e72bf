"""Section 4: the price of a fill, its commission, and what it does to cash and position."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from rustybt.model.codes import Detail, Status
from rustybt.reference.account import Account, Bar, Order, Position, Row, Terms
from rustybt.reference.impact import moved_by
from rustybt.reference.pending import set_aside
from rustybt.reference.rounding import ZERO, amount, downward, nearest, toward_zero, upward
from rustybt.reference.tariff import Rates, note_traded, rates_of


def value(quantity: Decimal, price: Decimal, terms: Terms, unit: Decimal) -> Decimal:
    """What a quantity is worth at a price, rounded half-even to the money unit."""
    check_price(price, terms, unit)
    return amount(nearest(quantity * price * terms.asset.multiplier, unit), unit, "value", terms.asset.symbol)


def check_price(price: Decimal, terms: Terms, unit: Decimal) -> None:
    """The limit on what ``down`` lots are worth: a whole number of money units at any price."""
    amount(price * terms.asset.lot_size * terms.asset.multiplier * terms.down, unit, "price of a lot", terms.asset.symbol)


def slipped(price: Decimal, quantity: Decimal, terms: Terms, bar: Bar) -> Decimal:
    """The price after slippage, on the tick in force: a buy pays more, a sell gets less, both inside the bar and at least one tick."""
    tick = terms.asset.tick_size
    impact = terms.slip_buy if quantity > 0 else terms.slip_sell
    if impact is None:
        slip = upward(price * terms.slip_rate, tick) + terms.slip
    else:
        slip = moved_by(impact, price, quantity, bar, tick)
    moved = price + slip if quantity > 0 else price - slip
    if slip != 0:
        moved = upward(moved, terms.tick) if quantity > 0 else downward(moved, terms.tick)
    return max(tick, min(max(moved, bar.low), bar.high))


def commission(quantity: Decimal, price: Decimal, terms: Terms, unit: Decimal, rates: Rates | None = None) -> Decimal:
    """The fee of a fill: flat, per lot and by rate, then the minimum, then the caps. A cap wins over the minimum.

    The rates are those of the terms unless others are in force.
    """
    if quantity == 0:
        return ZERO
    rates = rates or terms.rates
    symbol = terms.asset.symbol
    lots = abs(quantity) / terms.asset.lot_size
    notional = abs(value(quantity, price, terms, unit))
    per_lot = amount(nearest(lots * rates.per_lot, unit, over=rates.lots), unit, "commission", symbol)
    by_rate = amount(nearest(notional * rates.rate, unit), unit, "commission", symbol)
    fee = amount(terms.fee_flat + per_lot, unit, "commission", symbol)
    fee = amount(fee + by_rate, unit, "commission", symbol)
    fee = max(fee, terms.fee_minimum)
    if terms.fee_maximum is not None:
        fee = min(fee, terms.fee_maximum)
    if terms.fee_cap is not None:
        fee = min(fee, amount(nearest(notional * terms.fee_cap, unit), unit, "commission cap", symbol))
    return fee


@dataclass(frozen=True)
class Execution:
    """A fill about to be booked.

    Attributes:
        bar, order: when, and for which order. requested, quantity, price: how much was asked for, and is filled at which price.
        late: after the open. short: why less is filled than was asked for. detail: what there is to say where all is.
        rates: what it is charged by; None: those in force for an order that takes the price.
    """

    bar: int
    order: Order
    requested: Decimal
    quantity: Decimal
    price: Decimal
    late: bool = False
    short: Detail = Detail.UNAFFORDABLE
    rates: Rates | None = None
    detail: Detail = Detail.NONE


def fill(account: Account, execution: Execution) -> None:
    """Book a fill: cash, position and log row."""
    order, quantity, price = execution.order, execution.quantity, execution.price
    terms, unit = account.rules.terms[order.slot], account.rules.unit
    symbol = terms.asset.symbol
    notional = value(quantity, price, terms, unit)
    fee = commission(quantity, price, terms, unit, execution.rates or rates_of(account, terms))
    note_traded(account, terms, quantity, notional)
    purse = account.purse(terms)
    purse.cash = amount(purse.cash - (notional + fee), unit, "cash", symbol)
    purse.traded = amount(purse.traded + notional, unit, "traded value", symbol)
    purse.fees = amount(purse.fees + fee, unit, "fees", symbol)
    move(account.positions[order.slot], execution, terms)
    set_aside(account, terms, -(notional + fee))
    detail = execution.detail if quantity == execution.requested else execution.short
    head = (execution.bar, order.submitted, order.slot, order.number, order.reason)
    account.log.append(Row(*head, Status.FILLED, detail, execution.requested, quantity, price, notional, fee))


def release(position: Position, after: Decimal, terms: Terms) -> None:
    """What a position that is reduced to a quantity gives back of what was added to its margin."""
    if position.added != 0:
        position.added = toward_zero(position.added * abs(after), terms.unit, over=abs(position.quantity))


def move(position: Position, execution: Execution, terms: Terms) -> None:
    """Change a position by a fill: open it, add to it at the average price, reduce it, or turn it round."""
    before, quantity, price, asset = position.quantity, execution.quantity, execution.price, terms.asset
    after = amount(before + quantity, asset.lot_size, "position", asset.symbol)
    if before == 0 or (after != 0 and (before > 0) != (after > 0)):
        position.entry = position.peak = price
        position.held, position.added = 0, ZERO
        position.opened_late = execution.bar if execution.late else None
    elif (quantity > 0) == (before > 0):
        step = nearest((price - position.entry) * abs(quantity), asset.tick_size, over=abs(before) + abs(quantity))
        position.entry = position.entry + step
        position.peak = max(position.peak, position.entry) if before > 0 else min(position.peak, position.entry)
    else:
        release(position, after, terms)
    position.quantity = after
    if after == 0:
        position.close()
