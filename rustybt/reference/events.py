"""Section 3: corporate actions, before anything else happens at a bar; here splits and cash dividends."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from rustybt.model.codes import Detail, EventKind, Reason, Status
from rustybt.reference.account import Account, Claim, Row, Terms
from rustybt.reference.fills import check_price
from rustybt.reference.income import receive
from rustybt.reference.increments import settle_prices
from rustybt.reference.rounding import ZERO, amount, nearest, toward_zero
from rustybt.reference.succession import Action, close_out, roll, spin_off
from rustybt.reference.trailing import trails


def apply_events(account: Account, bar: int, actions: Iterable[Action]) -> None:
    """Apply the actions of this bar, in their order. An asset without a last price holds nothing and does not change."""
    for action in actions:
        if action.kind is EventKind.PAYMENT:
            pay_claims(account, bar, action.claim)
        elif account.last[action.column] is not None:
            apply_one(account, bar, action, [terms for terms in account.rules.terms if terms.column == action.column])


def apply_one(account: Account, bar: int, action: Action, holders: list[Terms]) -> None:
    """One action, on every slot of its asset."""
    if action.kind is EventKind.SPLIT:
        account.last[action.column] = split_price(account.last[action.column] or ZERO, action, holders[0])
        for terms in holders:
            split_position(account, bar, action, terms)
            split_orders(account, bar, action, terms)
    elif action.kind is EventKind.DIVIDEND:
        for terms in holders:
            pay_dividend(account, bar, action, terms)
    elif action.kind is EventKind.SPINOFF:
        spin_off(account, bar, action, holders)
    elif action.kind is EventKind.ROLL:
        roll(account, bar, action, holders)
    else:
        close_out(account, bar, action, holders)


def split_price(price: Decimal, action: Action, terms: Terms) -> Decimal:
    """A price after a split: rounded half-even, at least one tick."""
    tick = terms.asset.tick_size
    after = nearest(price * action.denominator, tick, over=action.numerator)
    return amount(max(after, tick), tick, "price after a split", terms.asset.symbol)


def split_position(account: Account, bar: int, action: Action, terms: Terms) -> None:
    """New lots for old; the part that is not a whole lot is paid in cash at the new last price."""
    position, unit, asset = (account.positions[terms.number], account.rules.unit, terms.asset)
    if position.quantity == 0:
        return
    before = position.quantity
    after = toward_zero(before * action.numerator, asset.lot_size, over=action.denominator)
    amount(after, asset.lot_size, "position after a split", asset.symbol)
    remainder = before * action.numerator - after * action.denominator
    price = account.last[terms.column] or ZERO
    check_price(price, terms, unit)
    in_lieu = nearest(remainder * price * asset.multiplier, unit, over=action.denominator)
    receive(account, in_lieu, terms)
    position.quantity = after
    position.entry = split_price(position.entry, action, terms)
    position.peak = split_price(position.peak, action, terms)
    if after == 0:
        position.close()
    head = (bar, bar, terms.number, 0, Reason.SPLIT, Status.APPLIED, Detail.NONE)
    account.log.append(Row(*head, after - before, after - before, price, -in_lieu))


def split_orders(account: Account, bar: int, action: Action, terms: Terms) -> None:
    """Working orders in lots are split like a position, their prices like other prices; one that becomes 0 lots is cancelled."""
    for order in account.of(terms.number):
        if order.quantity is None:
            continue
        after = toward_zero(order.quantity * action.numerator, terms.asset.lot_size, over=action.denominator)
        if after == 0 and order.quantity != 0:
            account.end(order, bar, Status.CANCELLED, Detail.SPLIT)
            continue
        order.quantity = amount(after, terms.asset.lot_size, "order after a split", terms.asset.symbol)
        for name in ("limit", "stop", *(("best", "trail", "offset") if trails(order) else ())):
            price = getattr(order, name)
            setattr(order, name, split_price(price, action, terms) if price else ZERO)
        if order.display:
            shown = toward_zero(order.display * action.numerator, terms.asset.lot_size, over=action.denominator)
            order.display = amount(max(shown, terms.asset.lot_size), terms.asset.lot_size, "order after a split", terms.asset.symbol)
        settle_prices(account, order)


def pay_dividend(account: Account, bar: int, action: Action, terms: Terms) -> None:
    """Cash for a long position, from a short one: now, or owed until it is paid."""
    quantity = account.positions[terms.number].quantity
    if quantity == 0:
        return
    received = nearest(quantity * action.numerator, account.rules.unit, over=action.denominator)
    if action.claim:
        owe(account, received, terms)
        account.claims.append(Claim(action.claim, terms.number, received))
        account.log.append(Row(bar, bar, terms.number, 0, Reason.DIVIDEND, Status.ACCRUED, notional=-received))
        return
    receive(account, received, terms)
    account.log.append(Row(bar, bar, terms.number, 0, Reason.DIVIDEND, Status.APPLIED, notional=-received))


def owe(account: Account, money: Decimal, terms: Terms) -> None:
    """Income that is owed: it counts in equity and is not yet cash."""
    unit, purse, symbol = account.rules.unit, account.purse(terms), terms.asset.symbol
    amount(money, unit, "income", symbol)
    purse.receivable = amount(purse.receivable + money, unit, "receivable", symbol)
    purse.income = amount(purse.income + money, unit, "income", symbol)


def pay_claims(account: Account, bar: int, number: int) -> None:
    """What is owed under a number becomes cash."""
    unit = account.rules.unit
    for claim in [claim for claim in account.claims if claim.number == number]:
        terms = account.rules.terms[claim.slot]
        purse, symbol = account.purse(terms), terms.asset.symbol
        purse.cash = amount(purse.cash + claim.money, unit, "cash", symbol)
        purse.receivable = amount(purse.receivable - claim.money, unit, "receivable", symbol)
        account.log.append(Row(bar, bar, claim.slot, 0, Reason.PAYMENT, Status.APPLIED, notional=-claim.money))
    account.claims = [claim for claim in account.claims if claim.number != number]
