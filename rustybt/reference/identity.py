"""Section 8: the books balance at every bar, and can be rebuilt from the log alone."""

from __future__ import annotations

from decimal import Decimal

from rustybt.errors import LedgerError
from rustybt.model.codes import Reason, Status
from rustybt.reference.account import Account
from rustybt.reference.rounding import ZERO


def check_identity(account: Account, bar: int) -> None:
    """Cash - settled + receivable + traded + fees - income = deposits.

    Raises:
        LedgerError: it is not.
    """
    total = account.unsettled + account.receivable + account.traded + account.fees - account.income
    if total != account.deposits:
        raise LedgerError(
            f"cash - settled + receivable + traded + fees - income is {total}, deposits are {account.deposits}",
            where=f"bar {bar}",
            do="report this as a bug",
        )


def check_log(account: Account, opening: Decimal) -> None:
    """Cash and positions rebuilt from the log are those of the account.

    Raises:
        LedgerError: they are not.
    """
    cash, held, owed = opening, [ZERO] * len(account.positions), ZERO
    for row in account.log:
        if row.status is Status.ACCRUED:
            owed -= row.notional
            continue
        cash -= row.notional + row.fee
        owed += row.notional if row.reason is Reason.PAYMENT else ZERO
        held[row.slot] += row.filled
    same = cash == account.cash and owed == account.receivable
    if not same or held != [position.quantity for position in account.positions]:
        raise LedgerError(f"the log gives cash {cash}, the account holds {account.cash}", where="end of run", do="report this as a bug")
