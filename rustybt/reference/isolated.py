"""Section 10, isolated margin: what is set aside for a position, what it has by itself, and the price that ends it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from rustybt.model.decimals import LIMIT
from rustybt.reference.account import Account, Position, Terms
from rustybt.reference.currencies import at_home
from rustybt.reference.fills import value
from rustybt.reference.rounding import ONE, ZERO, amount, downward, nearest, upward


def asked(quantity: Decimal, worth: Decimal, terms: Terms, margin: tuple[Decimal, Decimal], unit: Decimal) -> Decimal:
    """A fraction of the value, rounded up, and money for each lot."""
    symbol = terms.asset.symbol
    part = amount(upward(abs(worth) * margin[0], unit), unit, "margin", symbol)
    more = amount(abs(quantity) / terms.asset.lot_size * margin[1], unit, "margin", symbol)
    return amount(part + more, unit, "margin", symbol)


def set_apart(position: Position, entered: Decimal, terms: Terms) -> Decimal:
    """The initial margin of a position at its entry price, and what was added to it."""
    first = asked(position.quantity, entered, terms, (terms.margin_initial, terms.margin_lot_initial), terms.unit)
    return amount(first + position.added, terms.unit, "margin", terms.asset.symbol)


def all_set_apart(account: Account) -> Decimal:
    """What is set aside for all isolated positions, each converted half-even."""
    total, unit = ZERO, account.rules.unit
    for terms in account.rules.terms:
        position = account.positions[terms.number]
        if terms.isolated and position.quantity != 0:
            apart = set_apart(position, value(position.quantity, position.entry, terms, unit), terms)
            total = amount(total + at_home(account, terms.currency, apart), unit, "margin", terms.asset.symbol)
    return total


def own(account: Account, terms: Terms, worth: Decimal) -> Decimal:
    """What an isolated position worth so much has by itself: what is set aside, and what it has gained since its entry."""
    position, unit, symbol = account.positions[terms.number], account.rules.unit, terms.asset.symbol
    entered = value(position.quantity, position.entry, terms, unit)
    return amount(set_apart(position, entered, terms) + worth - entered, unit, "margin", symbol)


def shared(account: Account, terms: Terms, worth: Decimal) -> Decimal:
    """The part of the worth of a position that the rest of the account has: all of it, or of an isolated one what is not its own."""
    if not terms.isolated:
        return worth
    return worth - max(ZERO, own(account, terms, worth))


def common(account: Account, equity: Decimal) -> Decimal:
    """Equity less what isolated positions have by themselves, each converted half-even."""
    unit = account.rules.unit
    for terms in account.rules.terms:
        quantity = account.positions[terms.number].quantity
        if terms.isolated and quantity != 0:
            worth = value(quantity, account.last[terms.column] or ZERO, terms, unit)
            apart = at_home(account, terms.currency, max(ZERO, own(account, terms, worth)))
            equity = amount(equity - apart, unit, "margin", terms.asset.symbol)
    return equity


@dataclass(frozen=True)
class Stake:
    """What the price that ends an isolated position follows from, in money without sign.

    Attributes:
        entered: value at the entry price. first: initial margin of that. added: to it. each: maintenance per lot.
    """

    entered: Decimal
    first: Decimal
    added: Decimal
    each: Decimal

    @property
    def apart(self) -> Decimal:
        """What is set aside."""
        return self.first + self.added


def stake_of(position: Position, terms: Terms) -> Stake | None:
    """The stake of a position; None where an amount does not fit."""
    asset, unit, most = terms.asset, terms.unit, LIMIT * terms.unit
    lots = abs(position.quantity) / asset.lot_size
    entered = nearest(abs(position.quantity) * position.entry * asset.multiplier, unit)
    part, by_lot = upward(entered * terms.margin_initial, unit), lots * terms.margin_lot_initial
    stake = Stake(entered, part + by_lot, position.added, lots * terms.margin_lot_maintenance)
    return None if max(entered, part, by_lot, stake.apart, stake.each) >= most else stake


def last_stand(position: Position, terms: Terms) -> Decimal | None:
    """The first price at which what an isolated position has by itself is less than its maintenance; None where there is none."""
    asset, unit, most, stake = terms.asset, terms.unit, LIMIT * terms.unit, stake_of(position, terms)
    size, tick, rate = abs(position.quantity), asset.tick_size, terms.margin_maintenance
    if stake is None:
        return None
    if position.quantity > 0:
        short_of = stake.entered + stake.each - stake.apart
        if not ZERO < short_of < most:
            return None
        if rate >= ONE:
            return LIMIT * tick
        return upward(upward(short_of, unit, over=ONE - rate), tick, over=size * asset.multiplier) - tick
    covered = stake.apart + stake.entered - stake.each
    if abs(covered) >= most:
        return None
    if covered < 0:
        return tick
    return downward(downward(covered, unit, over=ONE + rate), tick, over=size * asset.multiplier) + tick
