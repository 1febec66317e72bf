from __future__ import annotations

from decimal import Decimal

import pytest

from rustybt.errors import LedgerError
from rustybt.model import Reason, Status
from rustybt.reference.account import Row
from rustybt.reference.identity import check_identity, check_log
from tests.reference.accounts import account, terms


def test_money_from_nowhere_is_a_breach() -> None:
    books = account(terms())
    check_identity(books, 0)
    books.cash += Decimal("0.01")
    with pytest.raises(LedgerError, match="bar 3"):
        check_identity(books, 3)


def test_income_and_fees_belong_to_the_identity() -> None:
    books = account(terms())
    books.cash, books.income, books.fees, books.traded = Decimal(880), Decimal(30), Decimal(50), Decimal(100)
    check_identity(books, 0)


@pytest.mark.parametrize("change", ["cash", "position", "row"])
def test_books_that_the_log_does_not_give_are_a_breach(change: str) -> None:
    books = account(terms())
    books.log.append(Row(0, 0, 0, 1, Reason.TARGET, Status.FILLED, filled=Decimal(2), notional=Decimal(200), fee=Decimal(1)))
    books.cash, books.positions[0].quantity = Decimal(799), Decimal(2)
    check_log(books, Decimal(1000))
    if change == "cash":
        books.cash += 1
    elif change == "position":
        books.positions[0].quantity += 1
    else:
        books.log.clear()
    with pytest.raises(LedgerError):
        check_log(books, Decimal(1000))
