"""Section 17: money from sales that is not there yet."""

from __future__ import annotations

from decimal import Decimal

from rustybt.reference.account import Account, Terms
from rustybt.reference.rounding import ZERO, amount


def deliver(account: Account) -> None:
    """A session begins: what is due in it is settled."""
    account.session += 1
    account.pending = [(due, money) for due, money in account.pending if due > account.session]


def set_aside(account: Account, terms: Terms, proceeds: Decimal) -> None:
    """Note what a fill brings in; futures bring no money."""
    days = account.rules.pending_days
    if days and proceeds > 0 and not terms.settles:
        account.pending.append((account.session + days, proceeds))
        amount(pending(account), account.rules.unit, "unsettled cash", terms.asset.symbol)


def pending(account: Account) -> Decimal:
    """Cash that is not settled."""
    return sum((money for _, money in account.pending), ZERO)


def free(account: Account) -> Decimal:
    """Cash that can be spent or withdrawn."""
    return account.cash - pending(account)
