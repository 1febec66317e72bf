"""Section 8: the books balance at every bar, and can be rebuilt from the log alone."""

from __future__ import annotations

from decimal import Decimal

from rustybt.errors import LedgerError
from rustybt.reference.account import Account
from rustybt.reference.rounding import ZERO


def check_identity(account: Account, bar: int) -> None:
    """Cash + traded + fees - income = deposits.

    Raises:
        LedgerError: it is not.
    """
    total = account.cash + account.traded + account.fees - account.income
    if total != account.deposits:
        raise LedgerError(
            f"cash + traded + fees - income is {total}, deposits are {account.deposits}", where=f"bar {bar}", do="report this as a bug"
        )


def check_log(account: Account, opening: Decimal) -> None:
    """Cash and positions rebuilt from the log are those of the account.

    Raises:
        LedgerError: they are not.
    """
    cash, held = opening, [ZERO] * len(account.positions)
    for row in account.log:
        cash -= row.notional + row.fee
        held[row.slot] += row.filled
    if cash != account.cash or held != [position.quantity for position in account.positions]:
        raise LedgerError(f"the log gives cash {cash}, the account holds {account.cash}", where="end of run", do="report this as a bug")
