"""The plain-text ledger: Beancount, another program, loads it and comes to the same balances."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from beancount import loader
from beancount.core import data as nouns
from beancount.core import realization

import rustybt as rbt
from expressions.strategies.pairs_zscore import pairs_zscore
from expressions.strategies.sma_cross import sma_cross
from rustybt.errors import ConfigError
from rustybt.ledger import beancount_text, journal_frame, lots_of
from rustybt.ledger.frames import Books
from rustybt.model import Reason
from tests.ledger.conftest import fill, random_books
from tests.ledger.test_lots import split

D = Decimal
UNIT_OF_MONEY = D("1E-8")


def load(text: str) -> list[Any]:
    """Entries of a ledger, without errors."""
    entries, errors, _ = loader.load_string(text)
    assert not errors, errors[:3]
    return list(entries)


def balances(text: str) -> dict[str, Decimal]:
    """Balance of every account, positions at cost, as Beancount has it."""
    root = realization.realize(load(text))
    found = {}
    for real in realization.iter_children(root):
        total = D(0)
        for position in real.balance:
            total += position.units.number * (position.cost.number if position.cost else 1)
        found[real.account] = total
    return found


def of(found: dict[str, Decimal], *prefixes: str) -> Decimal:
    return sum((amount for name, amount in found.items() if name.startswith(prefixes)), D(0))


def agrees(books: Books, method: str) -> None:
    """Beancount's balances are ours to the last unit of money."""
    found = balances(beancount_text(books, method=method))
    frame = journal_frame(books)
    ours = dict(frame.group_by("account").agg(pl.col("amount").sum()).iter_rows())
    assert found["Assets:Cash"] == ours["assets:cash"]
    assert found["Equity:Opening"] == ours["equity:opening"]
    assert of(found, "Expenses:Commission") == ours.get("expenses:commission", 0)
    assert of(found, "Income:Dividends") == ours.get("income:dividends", 0)
    assert of(found, "Income:Cash-In-Lieu") == ours.get("income:cash_in_lieu", 0)


def test_a_round_trip_worked_by_hand(make_books: Any) -> None:
    books = make_books([fill(0, 0, 1, 100, 100_000, 300), fill(1, 0, 2, 50, 120_000), fill(2, 0, 3, -120, 130_000, 500)])
    found = balances(beancount_text(books))
    assert found["Assets:Cash"] == 100_000 - 1000 - 600 + 1560 - D("0.00000800")
    assert found["Income:Gains"] == -(100 * 3 + 20 * 1)  # income is a credit
    assert found["Expenses:Commission"] == D("0.00000800")
    assert found["Assets:Positions:A0"] == 30 * 12


def test_method_decides_the_gain(make_books: Any) -> None:
    books = make_books([fill(0, 0, 1, 10, 100_000), fill(1, 0, 2, 10, 120_000), fill(2, 0, 3, -10, 130_000)])
    assert [balances(beancount_text(books, method=m))["Income:Gains"] for m in ("fifo", "lifo", "hifo")] == [-30, -10, -10]


def test_cost_that_a_split_leaves_without_a_decimal_comes_back_when_the_lot_is_closed(make_books: Any) -> None:
    rows = [fill(0, 0, 1, 100, 100_000), split(1, 200), fill(2, 0, 2, -299, 50_000)]
    found = balances(beancount_text(make_books(rows)))
    assert found["Assets:Positions:A0"] == D("3.333333333333")  # 1000 / 300 to 12 digits
    assert 0 < abs(found["Equity:Rounding"]) < UNIT_OF_MONEY
    assert found["Assets:Positions:A0"] + found["Equity:Rounding"] == D("3.33333334")  # 1000 less the cost of 299 of 300, rounded down
    assert found["Income:Gains"] == -(299 * 5 - D("996.66666666"))
    flat = balances(beancount_text(make_books([*rows, fill(3, 0, 3, -1, 50_000)])))
    assert flat["Equity:Rounding"] == 0
    assert flat["Income:Gains"] == -(1500 - 1000)


def test_short_is_a_negative_lot(make_books: Any) -> None:
    entries = load(beancount_text(make_books([fill(0, 0, 1, -10, 130_000), fill(1, 0, 2, 4, 100_000)])))
    sold = next(e for e in entries if isinstance(e, nouns.Transaction) and "sell" in e.narration)
    lot = next(p for p in sold.postings if p.account == "Assets:Positions:A0")
    assert (lot.units.number, lot.cost.number) == (-10, 13)
    assert sold.meta["order"] == 1


def test_average_cost_is_refused_with_the_methods_that_are_not(make_books: Any) -> None:
    with pytest.raises(ConfigError, match=r"'average'[\s\S]*use one of fifo, lifo, hifo"):
        beancount_text(make_books([]), method="average")


def test_a_run_that_traded_nothing_is_a_ledger(make_books: Any) -> None:
    assert balances(beancount_text(make_books([])))["Assets:Cash"] == 100_000


@pytest.mark.parametrize("seed", range(60))
def test_random_sessions_balance_to_the_last_unit(seed: int) -> None:
    books = random_books(seed)
    if books is None:
        return
    for method in ("fifo", "lifo", "hifo"):
        agrees(books, method)


@pytest.mark.parametrize("method", ["fifo", "lifo", "hifo"])
def test_demo_with_splits_and_dividends_equals_our_books(method: str) -> None:
    result = rbt.run(sma_cross(), "demo", costs=rbt.costs(commission=rbt.bps(10)))
    assert (result.outcome.log.reason == Reason.SPLIT).any()
    found = balances(beancount_text(result.books, method=method))
    agrees(result.books, method)
    lots = lots_of(result.books, method)
    cost = sum(lots.open["cost"].to_list(), D(0))
    fees = of(found, "Expenses:Commission")
    # Positions at cost, plus rounding, less gains is what was spent on and received for shares; so is our cash, from the other side.
    assert of(found, "Assets:Positions", "Equity:Rounding", "Income") + fees + found["Assets:Cash"] == 100_000
    assert -found["Income:Gains"] - fees == lots.realised - (cost - of(found, "Assets:Positions", "Equity:Rounding"))
    assert -found["Income:Dividends"] - found["Income:Cash-In-Lieu"] == lots.income


def test_demo_with_shorts_and_two_strategies_loads(tmp_path: Any) -> None:
    result = rbt.run({"pairs": pairs_zscore(), "cross": sma_cross()}, "demo", cash=200_000)
    assert (result.positions["quantity"] < 0).any()
    path = result.to_beancount(tmp_path / "books.beancount")
    opened = {e.account.rpartition(":")[0] for e in load(path.read_text()) if isinstance(e, nouns.Open)}
    assert opened >= {"Assets:Positions:Pairs", "Assets:Positions:Cross"}
    agrees(result.books, "fifo")


def test_a_folder_is_not_a_ledger(tmp_path: Any) -> None:
    result = rbt.run(rbt.Strategy("hold", target=rbt.weight(0.1)), "demo")
    with pytest.raises(ConfigError, match="cannot write the ledger"):
        result.to_beancount(tmp_path)
