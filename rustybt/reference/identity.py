"""Section 8: the books balance at every bar, and can be rebuilt from the log alone."""

from __future__ import annotations

from decimal import Decimal

from rustybt.errors import LedgerError
from rustybt.model.codes import NOWHERE, Reason, Status
from rustybt.reference.account import Account
from rustybt.reference.currencies import check_purses
from rustybt.reference.rounding import ZERO


def check_identity(account: Account, bar: int) -> None:
    """Cash - settled + receivable + traded + fees - income - converted = deposits, in every currency.

    Raises:
        LedgerError: it is not.
    """
    check_purses(account, bar)
    total = account.unsettled + account.receivable + account.traded + account.fees - account.income - account.converted
    if total != account.deposits:
        raise LedgerError(
            f"cash - settled + receivable + traded + fees - income - converted is {total}, deposits are {account.deposits}",
            where=f"bar {bar}",
            do="report this as a bug",
        )


def check_log(account: Account, opening: Decimal) -> None:
    """Cash and positions rebuilt from the log are those of the account.

    Raises:
        LedgerError: they are not.
    """
    purses = account.all_purses()
    cash, owed = {currency: ZERO for currency, _ in purses}, {currency: ZERO for currency, _ in purses}
    cash[0], held = opening, [ZERO] * len(account.positions)
    for row in account.log:
        currency = 0 if row.slot == NOWHERE else account.rules.terms[row.slot].currency
        if row.status is Status.ACCRUED:
            owed[currency] -= row.notional
            continue
        cash[currency] -= row.notional + row.fee
        owed[currency] += row.notional if row.reason is Reason.PAYMENT else ZERO
        held[row.slot] += row.filled
    same = all(cash[currency] == purse.cash and owed[currency] == purse.receivable for currency, purse in purses)
    if not same or held != [position.quantity for position in account.positions]:
        raise LedgerError(f"the log gives cash {cash}, the account holds {account.cash}", where="end of run", do="report this as a bug")
