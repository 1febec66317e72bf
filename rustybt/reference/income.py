"""Cash that is not from trading: what is received, and what a venue takes for a liquidation (section 10)."""

from __future__ import annotations

from decimal import Decimal

from rustybt.model.codes import Reason, Status
from rustybt.reference.account import Account, Row, Terms
from rustybt.reference.rounding import amount, nearest


def receive(account: Account, money: Decimal, terms: Terms | None) -> None:
    """Income: cash that is not from trading, of a slot or of the account."""
    unit, symbol = account.rules.unit, (terms or account.rules.terms[0]).asset.symbol
    purse = account if terms is None else account.purse(terms)
    amount(money, unit, "income", symbol)
    purse.cash = amount(purse.cash + money, unit, "cash", symbol)
    purse.income = amount(purse.income + money, unit, "income", symbol)


def levy_of(notional: Decimal, terms: Terms) -> Decimal:
    """What the venue takes of a liquidation worth so much."""
    return amount(nearest(abs(notional) * terms.fee_liquidation, terms.unit), terms.unit, "liquidation fee", terms.asset.symbol)


def levy(account: Account, bar: int, terms: Terms, price: Decimal, notional: Decimal) -> None:
    """Pay it, with a row where it is something."""
    owed = levy_of(notional, terms)
    if owed != 0:
        receive(account, -owed, terms)
        account.log.append(Row(bar, bar, terms.number, 0, Reason.LIQUIDATION_FEE, Status.APPLIED, price=price, notional=owed))
