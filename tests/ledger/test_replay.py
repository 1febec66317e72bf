"""The journal alone gives cash at every bar, positions and equity."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from rustybt.errors import LedgerError
from rustybt.ledger import check_journal, equity_frame, journal_frame, positions_frame, replay
from rustybt.ledger.frames import Books
from tests.ledger.conftest import fill, random_books
from tests.ledger.test_lots import split

D = Decimal


def verdict(books: Books) -> str:
    return check_journal(journal_frame(books), equity_frame(books), positions_frame(books))


def test_a_round_trip_and_an_open_position_worked_by_hand(make_books: Any) -> None:
    journal = journal_frame(make_books([fill(1, 0, 1, 100, 100_000, 300), fill(3, 0, 2, -60, 130_000, 500)]))
    found = replay(journal)
    assert found.cash["cash"].to_list() == [D(100_000), D("98999.99999700"), D("99779.99999200")]
    assert found.positions["quantity"].to_list() == [D(100), D(40)]
    assert found.equity == D("99779.99999200") + 40  # marked at 1
    # Trading lost 1000 - 780 - 40 = 180: an expense, so a debit.
    assert dict(found.accounts.iter_rows())["income:trading"] == 180


def test_cash_between_movements_is_the_last_balance(make_books: Any) -> None:
    books = make_books([fill(1, 0, 1, 100, 100_000), fill(3, 0, 2, -60, 130_000)])
    cash = replay(journal_frame(books)).cash_at(equity_frame(books)["ts"])
    assert cash.to_list() == [100_000, 99_000, 99_000, 99_780, 99_780, 99_780]


def test_split_moves_shares_and_no_money(make_books: Any) -> None:
    journal = journal_frame(make_books([fill(0, 0, 1, 100, 100_000), split(2, 100)]))
    row = journal.filter(pl.col("quantity").is_not_null()).row(1, named=True)
    assert (row["account"], row["quantity"], row["amount"]) == ("assets:positions", D(100), D(0))
    assert replay(journal).positions["quantity"].to_list() == [D(100), D(200)]


def test_an_entry_that_does_not_add_up_is_named(make_books: Any) -> None:
    journal = journal_frame(make_books([fill(1, 0, 1, 100, 100_000)]))
    bent = journal.with_columns(
        pl.when(pl.int_range(pl.len()) == 2).then(pl.col("amount") + D("0.00000001")).otherwise("amount").alias("amount")
    )
    with pytest.raises(LedgerError, match=r"entry 1 adds up to 0\.00000001"):
        replay(bent)


@pytest.mark.parametrize(
    ("column", "change", "said"),
    [("cash", 4, "cash of the run"), ("equity", 5, "equity of the run"), ("quantity", 0, "positions of the run")],
)
def test_a_unit_that_differs_is_found(make_books: Any, column: str, change: int, said: str) -> None:
    books = make_books([fill(1, 0, 1, 100, 100_000), fill(3, 0, 2, -60, 130_000)])
    frames = {"equity": equity_frame(books), "positions": positions_frame(books)}
    name = "positions" if column == "quantity" else "equity"
    step = (
        pl.when(pl.int_range(pl.len()) == change)
        .then(pl.col(column) + (D(1) if column == "quantity" else D("0.00000001")))
        .otherwise(column)
    )
    frames[name] = frames[name].with_columns(step.cast(frames[name][column].dtype).alias(column))
    with pytest.raises(LedgerError, match=said):
        check_journal(journal_frame(books), **frames)


def test_a_run_without_trades_is_the_deposit(make_books: Any) -> None:
    assert "1 entries alone rebuild cash at 6 bars, 0 positions and equity 100000" in verdict(make_books([]))


@pytest.mark.parametrize("seed", range(150))
def test_random_sessions_are_rebuilt_to_the_last_unit(seed: int) -> None:
    books = random_books(seed)
    if books is not None:
        assert "alone rebuild cash" in verdict(books)
