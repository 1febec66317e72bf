"""Section 11: gains and losses of futures are paid in cash at each settlement."""

from __future__ import annotations

from rustybt.model.codes import Reason, Status
from rustybt.reference.account import Account, Row
from rustybt.reference.fills import value
from rustybt.reference.rounding import ZERO, amount


def settle_variation(account: Account, bar: int) -> None:
    """Pay what each position that settles has gained since the last settlement, slots in order."""
    unit = account.rules.unit
    for terms in account.rules.terms:
        position = account.positions[terms.number]
        if not terms.settles or (position.quantity == 0 and position.settled == 0):
            continue
        price, symbol = account.last[terms.column] or ZERO, terms.asset.symbol
        worth = value(position.quantity, price, terms, unit)
        gain = amount(worth - position.settled, unit, "variation margin", symbol)
        if gain != 0:
            purse = account.purse(terms)
            purse.cash = amount(purse.cash + gain, unit, "cash", symbol)
            purse.settled = amount(purse.settled + gain, unit, "settled value", symbol)
            position.settled = worth
            account.log.append(Row(bar, bar, terms.number, 0, Reason.VARIATION, Status.APPLIED, price=price, notional=-gain))
