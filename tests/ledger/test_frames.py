from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest

from rustybt.errors import LedgerError
from rustybt.ledger import (
    check_books,
    decimal_column,
    equity_frame,
    fills_frame,
    journal_frame,
    orders_frame,
    positions_frame,
    trades_frame,
)
from rustybt.ledger.money import steps_column
from tests.ledger.conftest import fill

D = Decimal
ROUND_TRIP = [fill(1, 0, 1, 100, 10_000, 500), fill(2, 1, 2, 50, 20_000, 0), fill(3, 0, 3, -100, 11_000, 700)]


def test_books_rebuilt_from_the_log_balance(make_books: Any) -> None:
    verdict = check_books(make_books(ROUND_TRIP))
    assert verdict.rows == 3
    assert Decimal(verdict.cash) == Decimal(100000) - 100 - 100 + 110 - Decimal(1200) / 10**8


@pytest.mark.parametrize(("what", "name"), [("cash", "cash"), ("equity", "equity"), ("lots", "position of 'A1'")])
def test_a_changed_digit_is_found(make_books: Any, what: str, name: str) -> None:
    books = make_books(ROUND_TRIP)
    getattr(books.outcome, what)[-1] += 1
    with pytest.raises(LedgerError, match=name):
        check_books(books)


def test_money_columns_are_decimal_everywhere(make_books: Any) -> None:
    books = make_books(ROUND_TRIP)
    money = {
        "notional",
        "fee",
        "cash",
        "price",
        "quantity",
        "requested",
        "filled",
        "equity",
        "gross",
        "amount",
        "pnl",
        "fees",
        "entry_price",
    }
    for build in (fills_frame, orders_frame, equity_frame, positions_frame, trades_frame, journal_frame):
        frame = build(books)
        assert all(frame[name].dtype.is_decimal() for name in frame.columns if name in money)


def test_fills_show_unsigned_quantities_and_the_change_of_cash(make_books: Any) -> None:
    frame = fills_frame(make_books(ROUND_TRIP))
    assert frame["side"].to_list() == ["buy", "buy", "sell"]
    assert frame["quantity"].to_list() == [Decimal(100), Decimal(50), Decimal(100)]
    assert frame["cash"].to_list() == [Decimal("-100.00000500"), Decimal("-100.00000000"), Decimal("109.99999300")]


def test_every_journal_entry_adds_up_to_zero(make_books: Any) -> None:
    dividend, in_lieu = (4, 4, 1, 0, 8, 4, 0, 0, 0, 0, -777, 0), (5, 5, 1, 0, 7, 4, 0, -1, -1, 4_000, -33, 0)
    frame = journal_frame(make_books([*ROUND_TRIP, dividend, in_lieu]))
    sums = frame.group_by("entry").agg(pl.col("amount").sum())
    assert set(sums["amount"].to_list()) == {Decimal(0)}
    assert frame.filter(pl.col("account") == "income:dividends")["amount"].to_list() == [Decimal("-0.00000777")]
    assert frame.filter(pl.col("account") == "income:cash_in_lieu")["amount"].to_list() == [Decimal("-0.00000033")]


def test_journal_cash_is_the_final_cash(make_books: Any) -> None:
    books = make_books(ROUND_TRIP)
    cash = journal_frame(books).filter(pl.col("account") == "assets:cash")["amount"].sum()
    assert cash == decimal_column("c", books.outcome.cash[-1:], 8)[0]


def test_trades_give_the_profit_after_fees(make_books: Any) -> None:
    frame = trades_frame(make_books(ROUND_TRIP))
    closed = frame.filter(pl.col("exit_ts").is_not_null())
    assert closed["pnl"].to_list() == [Decimal(10) - Decimal(1200) / 10**8]
    assert closed["bars_held"].to_list() == [2]
    assert frame.filter(pl.col("exit_ts").is_null())["asset"].to_list() == ["A1"]


def test_a_position_of_which_a_split_leaves_nothing_is_a_trade_that_lost_its_cost(make_books: Any) -> None:
    frame = trades_frame(make_books([fill(1, 0, 1, 3, 50_000), (3, 3, 0, 0, 7, 4, 0, -3, -3, 500_000, -1_500_000_000, 0)]))
    assert frame.select("quantity", "pnl", "bars_held", "exit_reason").row(0) == (D(3), D(-15), 2, "split")


def test_positions_list_each_change_once_per_bar(make_books: Any) -> None:
    rows = [fill(1, 0, 1, 100, 10_000), fill(1, 0, 2, -30, 10_000), fill(2, 0, 3, -70, 10_000)]
    assert positions_frame(make_books(rows))["quantity"].to_list() == [Decimal(70), Decimal(0)]


def test_sleeves_are_named(make_books: Any) -> None:
    books = make_books([fill(1, 0, 1, 5, 100), fill(1, 3, 2, 5, 100)], sleeves=("slow", "fast"))
    assert fills_frame(books).select("sleeve", "asset").rows() == [("slow", "A0"), ("fast", "A1")]
    check_books(books)


def test_mixed_steps_show_one_scale_that_holds_all() -> None:
    shown = steps_column("q", np.array([3, 7]), (Decimal("0.01"), Decimal("2.5")), np.array([0, 1]))
    assert shown.to_list() == [Decimal("0.03"), Decimal("17.50")]


def test_an_empty_log_gives_empty_frames(make_books: Any) -> None:
    books = make_books([])
    assert fills_frame(books).height == orders_frame(books).height == trades_frame(books).height == positions_frame(books).height == 0
    assert journal_frame(books).height == 2
