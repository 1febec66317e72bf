"""Section 19: a book for each currency, rates, and what all of them are worth to the account."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from rustybt.errors import LedgerError
from rustybt.model.codes import NOWHERE, Reason, Status
from rustybt.model.currencies import CurrencyTable
from rustybt.reference.account import Account, Purse, Row, Terms
from rustybt.reference.fills import value
from rustybt.reference.rounding import ZERO, amount, nearest, toward_zero, upward


@dataclass(frozen=True)
class Holding:
    """A position at a price: its slot, its value in its own currency."""

    terms: Terms
    worth: Decimal


def take_rates(account: Account, bar: int, table: CurrencyTable | None) -> None:
    """The rates of a bar hold from its close on; where it has none, the last one does."""
    for currency in range(1, len(table.names) if table is not None else 0):
        assert table is not None
        if table.num[bar, currency]:
            account.rates[currency] = (Decimal(int(table.num[bar, currency])), Decimal(int(table.den[bar, currency])))


def has_no_price(account: Account, terms: Terms) -> bool:
    """Whether an asset has no last price, or its currency no rate."""
    return account.last[terms.column] is None or (terms.currency != 0 and terms.currency not in account.rates)


def at_home(account: Account, currency: int, money: Decimal) -> Decimal:
    """Money of a currency in the account's, half-even; nothing where no rate is known."""
    return turned(account, currency, money, up=False)


def use_at_home(account: Account, terms: Terms, money: Decimal) -> Decimal:
    """What a position or an order takes, in the account's currency, rounded up."""
    return turned(account, terms.currency, money, up=True)


def turned(account: Account, currency: int, money: Decimal, *, up: bool) -> Decimal:
    """One conversion into the account's currency, rounded once."""
    unit, symbol = account.rules.unit, account.rules.terms[0].asset.symbol
    if currency == 0 or money == 0:
        return money
    if currency not in account.rates:
        return ZERO
    num, den = account.rates[currency]
    found = upward(money * num, unit, over=den) if up else nearest(money * num, unit, over=den)
    return amount(found, unit, "amount in the account's currency", symbol)


def abroad(account: Account, terms: Terms, money: Decimal) -> Decimal:
    """Money of the account in an asset's currency, toward zero."""
    if terms.currency == 0:
        return money
    if terms.currency not in account.rates:
        return ZERO
    num, den = account.rates[terms.currency]
    unit = account.rules.unit
    return amount(toward_zero(money * den, unit, over=num), unit, "amount in the asset's currency", terms.asset.symbol)


def at_last(account: Account) -> list[Holding]:
    """Every position at its last price, in slot order."""
    held = ((terms, account.positions[terms.number].quantity) for terms in account.rules.terms)
    return [Holding(terms, value(lots, account.last[terms.column] or ZERO, terms, account.rules.unit)) for terms, lots in held if lots != 0]


def equity_of(account: Account, holdings: Iterable[Holding], *, spendable: bool = False) -> Decimal:
    """The worth of each currency, converted once each and added up.

    With ``spendable`` dividends that are still to come do not count; those that are still to be paid do.
    """
    unit, symbol = account.rules.unit, account.rules.terms[0].asset.symbol
    worth = {}
    for currency, purse in account.all_purses():
        owed = min(ZERO, purse.receivable) if spendable else purse.receivable
        worth[currency] = amount(purse.unsettled + owed, unit, "equity", symbol)
    for held in holdings:
        total = worth[held.terms.currency] + held.worth
        worth[held.terms.currency] = amount(total, unit, "equity", held.terms.asset.symbol)
    equity = ZERO
    for currency, money in worth.items():
        equity = amount(equity + at_home(account, currency, money), unit, "equity", symbol)
    return equity


def gross_of(account: Account, holdings: Iterable[Holding]) -> Decimal:
    """The absolute values of each currency, converted once each and added up."""
    unit = account.rules.unit
    total = dict.fromkeys((currency for currency, _ in account.all_purses()), ZERO)
    for held in holdings:
        sum_ = total[held.terms.currency] + abs(held.worth)
        total[held.terms.currency] = amount(sum_, unit, "gross exposure", held.terms.asset.symbol)
    gross = ZERO
    for currency, money in total.items():
        gross = amount(gross + at_home(account, currency, money), unit, "gross exposure", account.rules.terms[0].asset.symbol)
    return gross


def convert_all(account: Account, bar: int) -> None:
    """Foreign cash becomes cash of the account, currencies in order; where no rate is known it stays."""
    if not account.rules.converts:
        return
    for currency, purse in account.all_purses():
        if currency in account.rates:
            convert(account, bar, currency, purse)


def convert(account: Account, bar: int, currency: int, purse: Purse) -> None:
    """One book: its cash as it would be if all that settles were settled now."""
    unit = account.rules.unit
    own = [terms for terms in account.rules.terms if terms.currency == currency]
    if not own:
        return
    money, symbol = purse.cash, own[0].asset.symbol
    for terms in own:
        position = account.positions[terms.number]
        if terms.settles and (position.quantity != 0 or position.settled != 0):
            worth = value(position.quantity, account.last[terms.column] or ZERO, terms, unit)
            amount(money + worth, unit, "cash", symbol)
            money = amount(money + worth - position.settled, unit, "cash", symbol)
    if money == 0:
        return
    received = at_home(account, currency, money)
    if abs(received) < account.rules.toll.least:
        return
    cost = toll(account, received, symbol)
    purse.cash = amount(purse.cash - money, unit, "cash", symbol)
    purse.converted = amount(purse.converted - money, unit, "converted cash", symbol)
    account.cash = amount(account.cash + received - cost, unit, "cash", symbol)
    account.fees = amount(account.fees + cost, unit, "fees", symbol)
    account.converted = amount(account.converted + received, unit, "converted cash", symbol)
    account.log.append(Row(bar, bar, own[0].number, 0, Reason.CONVERSION, Status.APPLIED, notional=money))
    account.log.append(Row(bar, bar, NOWHERE, 0, Reason.CONVERSION, Status.APPLIED, notional=-received, fee=cost))


def toll(account: Account, received: Decimal, symbol: str) -> Decimal:
    """What a conversion costs that brings or takes so much of the account's money."""
    if received == 0:
        return ZERO
    terms, unit = account.rules.toll, account.rules.unit
    return max(terms.minimum, amount(nearest(abs(received) * terms.rate, unit), unit, "cost of a conversion", symbol))


def check_purses(account: Account, bar: int) -> None:
    """The identity holds in every currency by itself.

    Raises:
        LedgerError: it does not.
    """
    for currency, purse in account.all_purses():
        total = purse.unsettled + purse.receivable + purse.traded + purse.fees - purse.income - purse.converted
        if total != purse.deposits:
            raise LedgerError(
                f"the book of currency {currency} comes to {total}, its deposits are {purse.deposits}",
                where=f"bar {bar}",
                do="report this as a bug",
            )
