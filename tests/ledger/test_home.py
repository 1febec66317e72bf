"""Lots, trades and currencies in the money of the account: worked by hand, and added up on random sessions."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl
import pytest

from rustybt.errors import LedgerError
from rustybt.ledger import currencies_frame, lots_of, trades_frame
from rustybt.ledger.books import cash_of, half_even, worth_by_currency
from rustybt.ledger.currencies import HOME, PARTS
from rustybt.ledger.frames import Books
from rustybt.ledger.home import Pool
from rustybt.ledger.tranches import METHODS
from rustybt.model import SLOT_FIELDS, CurrencyTable, Reason
from tests.ledger.conftest import fill, random_books

D = Decimal


def abroad(books: Books, rates: list[str], *, convert: bool = False) -> Books:
    """The same books with the second asset in euros, at a rate for each bar; equity told at the last one."""
    found = [Fraction(rate) for rate in rates]
    num = np.array([[1, rate.numerator] for rate in found], dtype=np.int64)
    den = np.array([[1, rate.denominator] for rate in found], dtype=np.int64)
    table = CurrencyTable(("USD", "EUR"), np.array([0, 1]), num, den, convert)
    moved = replace(books, tables=replace(books.tables, currencies=table))
    home, euros = worth_by_currency(moved)
    equity = books.outcome.equity.copy()
    equity[-1] = home + half_even(euros * num[-1, 1], den[-1, 1])
    return replace(moved, outcome=replace(books.outcome, equity=equity, cash=np.full(len(rates), cash_of(moved, 0))))


# Bought 100 at 10 EUR at 1.10, sold 60 at 12 EUR at 1.20; 40 left, last price 1 EUR at 1.25.
TWO = [fill(0, 1, 1, 100, 100_000), fill(2, 1, 2, -60, 120_000)]
RATES = ["1.10", "1.15", "1.20", "1.20", "1.20", "1.25"]


def test_a_closed_lot_splits_into_price_and_rate(make_books: Any) -> None:
    closed = lots_of(abroad(make_books(TWO), RATES)).closed
    assert closed.select("currency", "cost", "proceeds", "realised").row(0) == ("EUR", D(600), D(720), D(120))
    # Cost 600 x 1.10, proceeds 720 x 1.20; of the gain 120 x 1.20 is price and 600 x 0.10 the rate.
    home = closed.select("cost_home", "proceeds_home", "realised_home", "price_home", "fx_home").row(0)
    assert home == (D(660), D(864), D(204), D(144), D(60))


def test_an_open_lot_is_worth_its_value_at_the_last_rate(make_books: Any) -> None:
    found = lots_of(abroad(make_books(TWO), RATES))
    home = found.open.select("cost_home", "value_home", "unrealised_home", "price_home", "fx_home").row(0)
    assert home == (D(440), D(50), D(-390), D(-450), D(60))
    # Cash: 1000 EUR owed at 1.10; 720 paid back at 1.20: a loss of 72; 280 still owed, at 1.25: a loss of 42.
    assert (found.realised, found.unrealised, found.income, found.fx) == (D(204), D(-390), D(0), D(-114))


def test_a_trade_has_its_profit_in_both_currencies(make_books: Any) -> None:
    trade = trades_frame(abroad(make_books(TWO), RATES)).row(0, named=True)
    assert (trade["currency"], trade["pnl"], trade["pnl_home"], trade["fx_home"]) == ("EUR", D(120), D(204), D(60))
    assert trade["return_home"] == pytest.approx(204 / 660)


def test_the_currencies_of_a_run_worked_by_hand(make_books: Any) -> None:
    frame = currencies_frame(abroad(make_books(TWO), RATES))
    euros = frame.filter(currency="EUR").row(0, named=True)
    assert (euros["rate"], euros["cash"], euros["value"], euros["realised"], euros["unrealised"]) == (
        "5/4",
        D(-280),
        D(40),
        D(120),
        D(-360),
    )
    assert (euros["cash_home"], euros["value_home"], euros["realised_home"], euros["unrealised_home"]) == (D(-350), D(50), D(144), D(-450))
    assert (euros["fx_realised"], euros["fx_unrealised"], euros["pnl_home"]) == (D(60 - 72), D(60 - 42), D(-300))
    assert frame["pnl_home"].to_list() == [D(0), D(-300), D(-300)]
    assert frame.row(-1, named=True)["cash"] is None


def test_contracts_that_settle_are_exposed_with_their_gain_only(make_books: Any) -> None:
    rows = [fill(0, 1, 1, 100, 100_000), fill(2, 1, 2, -100, 120_000)]
    books = make_books(rows)
    slots = books.tables.slots.copy()
    slots[SLOT_FIELDS.index("settles")] = 1
    trade = trades_frame(abroad(replace(books, tables=replace(books.tables, slots=slots)), RATES)).row(0, named=True)
    assert (trade["pnl"], trade["pnl_home"], trade["fx_home"]) == (D(200), D(240), D(0))


def test_one_currency_has_the_same_numbers_twice(make_books: Any) -> None:
    frame = currencies_frame(make_books(TWO), "CHF")
    assert frame["currency"].to_list() == ["CHF", "total"]
    row = frame.row(0, named=True)
    assert (row["cash_home"], row["pnl"], row["fx_realised"]) == (row["cash"], row["pnl_home"], D(0))
    assert "pnl_home" not in trades_frame(make_books(TWO)).columns
    assert "cost_home" not in lots_of(make_books(TWO)).closed.columns


@pytest.mark.parametrize(("moves", "left"), [
    ([(100, 110), (-50, -60)], Pool(50, 55, 5)),
    ([(-100, -110), (50, 60)], Pool(-50, -55, -5)),
    ([(100, 110), (-150, -180)], Pool(-50, -60, 10)),
    ([(3, 10), (-1, -3), (-1, -3), (-1, -4)], Pool(0, 0, 0)),
])  # fmt: skip
def test_a_pool_gains_by_what_leaves_it(moves: list[tuple[int, int]], left: Pool) -> None:
    pool = Pool()
    for amount, worth in moves:
        pool.move(amount, worth)
    assert pool == left
    assert pool.basis == sum(worth for _, worth in moves) + pool.gained


@pytest.mark.parametrize("start", range(0, 300, 100))
def test_random_runs_add_up_in_every_currency(start: int) -> None:
    found = 0
    for seed in range(start, start + 100):
        books = random_books(seed, currencies=True)
        if books is None or books.tables.currencies is None:
            continue
        frame = currencies_or_none(books)
        if frame is None:
            continue
        adds_up(books, frame, seed)
        for method in METHODS:
            of_lots(books, method, frame, seed)
        found += 1
    assert found > 10


def currencies_or_none(books: Books) -> pl.DataFrame | None:
    """None where an amount does not fit in the account's currency."""
    try:
        return currencies_frame(books)
    except LedgerError as error:
        if "does not fit below 2^61" in str(error):
            return None
        raise


def adds_up(books: Books, frame: pl.DataFrame, seed: int) -> None:
    """The frame against the curves of the run and the rates, without the ledger."""
    outcome, tables, unit = books.outcome, books.tables, D(1).scaleb(-books.tables.money_scale)
    flows = -int(outcome.log.notional[np.isin(outcome.log.reason, (Reason.DEPOSIT, Reason.WITHDRAWAL))].sum())
    total = frame.row(-1, named=True)
    assert total["pnl_home"] == (int(outcome.equity[-1]) - tables.cash - flows) * unit, seed
    assert total["cash_home"] + total["value_home"] == int(outcome.equity[-1]) * unit, seed
    assert total["converted_home"] == 0, seed
    for row in frame.rows(named=True)[:-1]:
        assert sum(row[name] for name in PARTS) == row["pnl_home"], seed
        paid_in = 0 if row["currency"] != frame["currency"][0] else (tables.cash + flows) * unit
        assert row["cash_home"] + row["value_home"] + row["converted_home"] == row["pnl_home"] + paid_in, seed
        worth = Fraction(row["cash"] + row["value"]) * Fraction(row["rate"] or 0)
        assert abs(Fraction(row["cash_home"] + row["value_home"]) - worth) <= Fraction(unit) / 2, seed
    assert all(total[name] == sum(frame[name].to_list()[:-1]) for name in HOME), seed


def of_lots(books: Books, method: str, frame: pl.DataFrame, seed: int) -> None:
    """Lots in the account's currency by any method: each splits into price and rate, and the sums are those of the run."""
    lots = lots_of(books, method)
    for part, end, gain in ((lots.closed, "proceeds", "realised"), (lots.open, "value", "unrealised")):
        assert (part[f"{end}_home"] - part["cost_home"]).to_list() == part[f"{gain}_home"].to_list(), (seed, method)
        assert (part["price_home"] + part["fx_home"]).to_list() == part[f"{gain}_home"].to_list(), (seed, method)
    assert lots.realised == sum(lots.closed["realised_home"].to_list(), D(0)), (seed, method)
    assert lots.realised + lots.unrealised + lots.income + lots.fx == frame["pnl_home"][-1], (seed, method)
