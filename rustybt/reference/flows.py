"""Section 3: deposits and withdrawals, after the corporate actions of a bar and before its open."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from rustybt.model.codes import NOWHERE, Detail, Reason, Status
from rustybt.reference.account import Account, Row
from rustybt.reference.currencies import Holding, at_last, equity_of, use_at_home
from rustybt.reference.isolated import shared
from rustybt.reference.margin import use
from rustybt.reference.pending import free
from rustybt.reference.rounding import ZERO, amount, toward_zero


def apply_flows(account: Account, bar: int, flows: Iterable[Decimal]) -> None:
    """Book the flows of this bar in their order: a deposit always, a withdrawal if the account can spare it."""
    unit, symbol = account.rules.unit, account.rules.terms[0].asset.symbol
    for money in flows:
        reason = Reason.DEPOSIT if money > 0 else Reason.WITHDRAWAL
        waits = money < 0 and account.rules.pending_days > 0 and free(account) < -money <= account.cash
        if money > 0 or (not waits and can_spare(account, -money)):
            account.cash = amount(account.cash + money, unit, "cash", symbol)
            account.deposits = amount(account.deposits + money, unit, "deposits", symbol)
            account.log.append(Row(bar, bar, NOWHERE, 0, reason, Status.APPLIED, notional=-money))
        else:
            account.log.append(Row(bar, bar, NOWHERE, 0, reason, Status.REJECTED, Detail.UNSETTLED if waits else Detail.UNAFFORDABLE))


def can_spare(account: Account, money: Decimal) -> bool:
    """Whether the money is there in cash, and what stays carries the positions at last prices."""
    if money > account.cash:
        return False
    rules = account.rules
    holdings, gross = at_last(account), ZERO
    left = [Holding(held.terms, shared(account, held.terms, held.worth)) for held in holdings]
    equity = equity_of(account, left, spendable=True)
    for held in (held for held in holdings if not held.terms.isolated):
        taken = use_at_home(account, held.terms, use(account.positions[held.terms.number].quantity, held.worth, held.terms, rules))
        gross = amount(gross + taken, rules.unit, "gross exposure", held.terms.asset.symbol)
    spare = toward_zero((equity - money) * rules.gross, rules.unit)
    return amount(spare, rules.unit, "gross limit", rules.terms[0].asset.symbol) >= gross
