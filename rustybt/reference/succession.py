"""Section 3: spin-offs, mergers, delistings, expiries and rolls."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from rustybt.model.codes import Detail, EventKind, Reason, Status
from rustybt.reference.account import Account, Order, Position, Row, Terms
from rustybt.reference.fills import release, value
from rustybt.reference.rounding import ONE, ZERO, amount, nearest, toward_zero


@dataclass(frozen=True)
class Action:
    """A corporate action that is effective now.

    Attributes:
        column, kind: of which asset, and what it does.
        numerator, denominator: new quantity per old, or the cash of a dividend per unit. other: column of the asset received, -1 = none.
        cash_numerator, cash_denominator: cash per unit, a denominator of 0 = the last price. price: of the asset received, in its ticks.
        part: of the cost that goes with a spin-off. claim: number of a dividend that is paid later.
    """

    column: int
    kind: EventKind
    numerator: Decimal
    denominator: Decimal
    other: int = -1
    cash_numerator: Decimal = ZERO
    cash_denominator: Decimal = ONE
    price: Decimal = ZERO
    part: Decimal = ZERO
    claim: int = 0


@dataclass(frozen=True)
class Receipt:
    """What a position gives: quantity of another asset, its value, and the cash for what is less than a lot of it."""

    heir: Terms
    quantity: Decimal
    price: Decimal
    worth: Decimal
    in_lieu: Decimal


def heir_of(account: Account, action: Action, terms: Terms) -> Terms:
    """The slot of the asset received, in the same sleeve."""
    return account.rules.terms[terms.number - terms.column + action.other]


def introduce(account: Account, action: Action) -> Decimal:
    """The price of the asset received; it becomes its last price if it has none yet."""
    price = action.price * account.rules.terms[action.other].asset.tick_size
    if account.last[action.other] is None:
        account.last[action.other] = price
    return price


def receipt(account: Account, action: Action, terms: Terms, price: Decimal) -> Receipt:
    """Whole lots toward zero; the rest is paid in cash at the same price."""
    heir, unit = heir_of(account, action, terms), account.rules.unit
    asset, due = heir.asset, account.positions[terms.number].quantity * action.numerator
    quantity = toward_zero(due, asset.lot_size, over=action.denominator)
    amount(quantity, asset.lot_size, "quantity received", asset.symbol)
    worth = value(quantity, price, heir, unit)
    rest = due - quantity * action.denominator
    in_lieu = nearest(rest * price * asset.multiplier, unit, over=action.denominator)
    amount(in_lieu, unit, "cash in lieu", asset.symbol)
    return Receipt(heir, quantity, price, worth, in_lieu)


def exchange(account: Account, money: Decimal, terms: Terms) -> None:
    """Value that leaves cash for a position, or comes back from one."""
    unit, purse, symbol = account.rules.unit, account.purse(terms), terms.asset.symbol
    amount(money, unit, "value", symbol)
    purse.cash = amount(purse.cash - money, unit, "cash", symbol)
    purse.traded = amount(purse.traded + money, unit, "traded value", symbol)


@dataclass(frozen=True)
class Change:
    """What an event does to a position: quantity, price, and the value that leaves cash for it."""

    quantity: Decimal
    price: Decimal
    notional: Decimal


def write(account: Account, bar: int, terms: Terms, reason: Reason, change: Change) -> None:
    """The log row of an event that changed a position."""
    head = (bar, bar, terms.number, 0, reason, Status.APPLIED, Detail.NONE)
    account.log.append(Row(*head, change.quantity, change.quantity, change.price, change.notional))


def scaled(price: Decimal, part: Decimal, whole: Decimal, terms: Terms) -> Decimal:
    """``price x |part / whole|``, at least one tick."""
    tick = terms.asset.tick_size
    return price if whole == 0 else max(tick, nearest(price * abs(part), tick, over=abs(whole)))


def inherit(origin: Position, heir: Position, given: Receipt, entry: Decimal, peak: Decimal) -> None:
    """Put what is received into its slot. A position that this opens keeps the peak and the bars held of where it comes from."""
    asset = given.heir.asset
    for price in (entry, peak):
        amount(price, asset.tick_size, "price of a position received", asset.symbol)
    before, quantity = heir.quantity, given.quantity
    after = amount(before + quantity, asset.lot_size, "position", asset.symbol)
    if after == 0:
        heir.quantity = after
        heir.close()
        return
    if before == 0 or (before > 0) != (after > 0):
        heir.entry, heir.held, heir.opened_late, heir.added = entry, origin.held, None, ZERO
        heir.peak = max(entry, peak) if after > 0 else min(entry, peak)
    elif (quantity > 0) == (before > 0):
        heir.entry += nearest((entry - heir.entry) * abs(quantity), asset.tick_size, over=abs(before) + abs(quantity))
        heir.peak = max(heir.peak, heir.entry) if before > 0 else min(heir.peak, heir.entry)
    else:
        release(heir, after, given.heir)
    heir.quantity = after


def spin_off(account: Account, bar: int, action: Action, holders: list[Terms]) -> None:
    """Every holder receives another asset, which takes over a part of the cost."""
    price = introduce(account, action)
    for terms in holders:
        if account.positions[terms.number].quantity != 0:
            detach(account, bar, action, terms, price)


def detach(account: Account, bar: int, action: Action, terms: Terms, price: Decimal) -> None:
    """The spin-off of one slot."""
    unit, position = account.rules.unit, account.positions[terms.number]
    given = receipt(account, action, terms, price)
    total = amount(given.worth + given.in_lieu, unit, "value received", terms.asset.symbol)
    cost = value(position.quantity, position.entry, terms, unit)
    best = nearest(value(position.quantity, position.peak, terms, unit) * action.part, unit)
    moved = nearest(cost * action.part, unit) if given.quantity != 0 else given.in_lieu
    amount(moved - given.in_lieu, unit, "cost moved", terms.asset.symbol)
    exchange(account, -moved, terms)
    tick = terms.asset.tick_size
    position.entry = max(tick, nearest(position.entry * (ONE - action.part), tick))
    position.peak = max(tick, nearest(position.peak * (ONE - action.part), tick))
    write(account, bar, terms, Reason.SPINOFF, Change(ZERO, position.entry, -moved))
    if given.quantity != 0:
        cost = moved - given.in_lieu
        exchange(account, cost, given.heir)
        entry, peak = scaled(price, moved, total, given.heir), scaled(price, best, total, given.heir)
        inherit(position, account.positions[given.heir.number], given, entry, peak)
        write(account, bar, given.heir, Reason.SPINOFF, Change(given.quantity, price, cost))


ENDS = {
    EventKind.MERGER: (Reason.MERGER, Detail.MERGED),
    EventKind.DELISTING: (Reason.DELISTING, Detail.DELISTED),
    EventKind.EXPIRY: (Reason.EXPIRY, Detail.SETTLED),
}


def close_out(account: Account, bar: int, action: Action, holders: list[Terms]) -> None:
    """End every position of an asset, then its working orders and its price."""
    reason, detail = ENDS[action.kind]
    shares = action.kind is EventKind.MERGER and action.numerator != 0
    price = introduce(account, action) if shares else ZERO
    for terms in holders:
        if account.positions[terms.number].quantity != 0:
            if action.kind is EventKind.MERGER:
                merge(account, bar, action, terms, price)
            else:
                pay_off(account, bar, action, terms, reason)
        account.cancel(terms.number, bar, detail)
    account.last[action.column] = None


def pay_off(account: Account, bar: int, action: Action, terms: Terms, reason: Reason) -> None:
    """A position becomes cash: so much per unit, or its value at the last price."""
    unit, asset, position = account.rules.unit, terms.asset, account.positions[terms.number]
    price, quantity = account.last[terms.column] or ZERO, position.quantity
    if action.cash_denominator == 0:
        cash = value(quantity, price, terms, unit)
    else:
        cash = nearest(quantity * action.cash_numerator, unit, over=action.cash_denominator)
        price = nearest(action.cash_numerator, asset.tick_size, over=action.cash_denominator * asset.multiplier)
    exchange(account, -cash, terms)
    position.quantity = ZERO
    position.close()
    write(account, bar, terms, reason, Change(-quantity, price, -cash))


def merge(account: Account, bar: int, action: Action, terms: Terms, price: Decimal) -> None:
    """A position becomes cash, and a quantity of the asset that takes it over."""
    unit, symbol, position = account.rules.unit, terms.asset.symbol, account.positions[terms.number]
    last, quantity = account.last[terms.column] or ZERO, position.quantity
    cash = amount(nearest(quantity * action.cash_numerator, unit, over=action.cash_denominator), unit, "cash of a merger", symbol)
    given = receipt(account, action, terms, price) if action.numerator != 0 else None
    proceeds = amount(cash + (given.worth + given.in_lieu if given else ZERO), unit, "proceeds", symbol)
    cost, best = value(quantity, position.entry, terms, unit), value(quantity, position.peak, terms, unit)
    if given is not None and given.quantity != 0:
        exchange(account, given.worth, given.heir)
        entry, peak = scaled(price, cost, proceeds, given.heir), scaled(price, best, proceeds, given.heir)
        inherit(position, account.positions[given.heir.number], given, entry, peak)
    exchange(account, -proceeds, terms)
    position.quantity = ZERO
    position.close()
    write(account, bar, terms, Reason.MERGER, Change(-quantity, last, -proceeds))
    if given is not None and given.quantity != 0:
        write(account, bar, given.heir, Reason.MERGER, Change(given.quantity, price, given.worth))


def roll(account: Account, bar: int, action: Action, holders: list[Terms]) -> None:
    """Order every position closed and as much of the next contract opened."""
    for terms in holders:
        quantity = account.positions[terms.number].quantity
        account.cancel(terms.number, bar, Detail.ROLLED)
        if quantity == 0:
            continue
        heir = heir_of(account, action, terms)
        size, symbol = heir.asset.lot_size, heir.asset.symbol
        wanted = amount(toward_zero(quantity * action.numerator, size, over=action.denominator), size, "order", symbol)
        account.working.append(Order(next(account.numbers), terms.number, bar, Reason.ROLL, -quantity))
        if wanted != 0:
            account.cancel(heir.number, bar, Detail.REPLACED)
            account.working.append(Order(next(account.numbers), heir.number, bar, Reason.ROLL, wanted))
