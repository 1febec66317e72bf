"""Section 16: what holding costs or earns over time, and what cannot be borrowed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from rustybt.model.carry import EVERY_ASSET
from rustybt.model.codes import NOWHERE, Reason, Status
from rustybt.model.tables import Tables
from rustybt.reference.account import Account, Row, Terms
from rustybt.reference.fills import value
from rustybt.reference.income import receive
from rustybt.reference.rounding import ZERO, amount, nearest

ON_CASH = (Reason.INTEREST, Reason.CREDIT)


@dataclass(frozen=True)
class Charge:
    """What is paid of a base.

    Attributes:
        reason: of its rows. column: of the asset it is about, -1 = all. side: 1 = longs or positive cash, -1 = shorts or negative cash,
            0 = both, with their sign. num, den: the part. price: in ticks, 0 = the last one.
    """

    reason: Reason
    column: int
    side: int
    num: Decimal
    den: Decimal
    price: int


def read_charges(tables: Tables) -> dict[int, list[Charge]]:
    """Charges by bar."""
    found: dict[int, list[Charge]] = {}
    for bar, reason, column, side, num, den, price in [] if tables.carry is None else tables.carry.charges.tolist():
        found.setdefault(bar, []).append(Charge(Reason(reason), column, side, Decimal(num), Decimal(den), price))
    return found


def apply_charges(account: Account, bar: int, charges: Iterable[Charge]) -> None:
    """Book the charges of a bar in their order, slots in order."""
    for charge in charges:
        if charge.reason in ON_CASH:
            on_cash(account, bar, charge, EVERY_ASSET - charge.column)
            continue
        for terms in account.rules.terms:
            if charge.column in (EVERY_ASSET, terms.column) and account.positions[terms.number].quantity != 0:
                on_position(account, bar, charge, terms)


def on_cash(account: Account, bar: int, charge: Charge, currency: int) -> None:
    """One charge on the cash of a currency; of a foreign one at the first slot that is quoted in it."""
    if currency == 0:
        pay(account, bar, charge, (account.cash, ZERO), None)
        return
    own = [terms for terms in account.rules.terms if terms.currency == currency]
    if own:
        pay(account, bar, charge, (account.purses[currency].cash, ZERO), own[0])


def on_position(account: Account, bar: int, charge: Charge, terms: Terms) -> None:
    """One charge on one position: a part of its value, or money per lot."""
    quantity, unit = account.positions[terms.number].quantity, account.rules.unit
    price = charge.price * terms.asset.tick_size if charge.price else account.last[terms.column] or ZERO
    if charge.reason is Reason.SWAP:
        base = quantity / terms.asset.lot_size * unit
    else:
        base = value(quantity, price, terms, unit)
    pay(account, bar, charge, (base, price), terms)


def pay(account: Account, bar: int, charge: Charge, at: tuple[Decimal, Decimal], terms: Terms | None) -> None:
    """Pay a charge on a base, at a price, or receive it, if the base is on the side that the charge is about."""
    (base, price), unit, symbol = at, account.rules.unit, (terms or account.rules.terms[0]).asset.symbol
    if charge.side != 0:
        base = base * charge.side
        if base <= 0:
            return
    owed = amount(nearest(base * charge.num, unit, over=charge.den), unit, "carry", symbol)
    if owed != 0:
        receive(account, -owed, terms)
        slot = NOWHERE if terms is None else terms.number
        account.log.append(Row(bar, bar, slot, 0, charge.reason, Status.APPLIED, price=price, notional=owed))


def can_borrow(account: Account, bar: int, column: int) -> bool:
    """Whether an asset can be borrowed at a bar."""
    return not any(asset == column and first <= bar <= last for asset, first, last in account.rules.hard)
