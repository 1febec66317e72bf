"""What stops a run, in words: an amount that does not fit names its asset and bar; books that do not balance are found at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rustybt.errors import DataError, LedgerError
from rustybt.kernel import Book, Market, simulate
from rustybt.kernel.example import offered, one_asset, table
from rustybt.model import Asset, FillAt, Sizing, TargetKind

NONE = np.zeros((0, 5), dtype=np.int64)
A, B = (Asset.of(name, tick_size="0.01") for name in "AB")
HUGE = 2**40
"""A price at which 2^21 lots are worth 2^61 money units."""


def failure(call: Callable[[], Any]) -> LedgerError:
    with pytest.raises(LedgerError) as error:
        call()
    return error.value


def two_assets(prices: list[list[int]], offers: Any, **settings: Any) -> LedgerError:
    """The error of a run of A and B."""
    grid = np.array(prices, dtype=np.int64)
    arguments = table(assets=(A, B), **settings), Market(grid, grid, grid, grid), offered(len(prices), offers), NONE
    return failure(lambda: simulate(*arguments))


def test_an_overflow_names_the_asset_the_bar_and_a_remedy() -> None:
    error = two_assets([[100, HUGE]] * 4, {0: {0: 5}, 1: {0: 6, 1: 2**21}})
    assert (error.facts["asset"], error.facts["bar"]) == ("B", 2)
    assert str(error).splitlines() == [
        "an amount of asset 'B' does not fit below 2^61 units",
        "  where: asset 'B', bar 2",
        "  do:    use a smaller money_scale (now 2), or a coarser tick_size or lot_size for 'B'",
    ]


def test_an_overflow_in_a_second_sleeve_names_the_asset_all_the_same() -> None:
    error = two_assets([[100, HUGE]] * 4, {0: {3: 2**21}}, sleeves=2)
    assert error.facts["asset"] == "B"


LARGE: dict[str, dict[str, Any]] = {
    "a fill": {"rows": [HUGE] * 3, "offers": {0: 2**21}},
    "a short": {"rows": [HUGE] * 3, "offers": {0: -(2**21)}},
    "a mark": {"rows": [100, 100, 2**60], "offers": {0: 9}},
    "a mark in a quiet span": {"rows": [100, 100, 100, 100, 2**60, 2**60], "offers": {0: 9}},
    "a mark in a long quiet span": {"rows": [100] * 700 + [2**60] * 3, "offers": {0: 9}},
    "a mark with exits": {"rows": [100, 100, 100, (100, 100, 100, 2**60)], "offers": {0: 9}, "max_bars": 50},
    "a fee": {"rows": [100] * 3, "offers": {0: 10}, "fee_flat": 2**60, "fee_lot_num": 2**60},
    "a fee by lot": {"rows": [1] * 3, "offers": {0: 2**40}, "fee_lot_num": 2**40},
    "a fee by rate": {"rows": [2**20] * 3, "offers": {0: 2**39}, "fee_rate": 10**10, "fee_flat": 1},
    "the cap of a fee": {"rows": [2**20] * 3, "offers": {0: 2**39}, "fee_cap": 10**10, "fee_flat": 1},
    "a plain fee by rate": {"rows": [2**20] * 3, "offers": {0: 2**39}, "fee_rate": 10**10},
    "a gross limit": {"rows": [100] * 3, "offers": {0: 10}, "gross": 2**60, "cash": 2**59},
    "a fee under a gross limit": {"rows": [2**20] * 3, "offers": {0: 2**20}, "fee_rate": 10**8, "gross": 10**8 * 2**22},
    "what is held when funds are asked for": {"rows": [100, 100, 2**60], "offers": {0: 9, 1: 10}},
    "what is held when an order is sized": {
        "rows": [100, 100, 2**60],
        "offers": {0: 900, 1: 1_000},
        "kind": TargetKind.NOTIONAL,
        "sizing": Sizing.AT_FILL,
    },
    "a weight": {"rows": [100] * 3, "offers": {0: 2**60}, "kind": TargetKind.WEIGHT, "cash": 2**60},
    "a weight at the fill": {"rows": [100] * 3, "offers": {0: 2**60}, "kind": TargetKind.WEIGHT, "cash": 2**60, "sizing": Sizing.AT_FILL},
    "the lots of a split": {"rows": [1] * 3, "offers": {0: 2**33}, "cash": 2**40, "events": [(2, 0, 0, 2**30, 1)]},
    "an order in a split": {"rows": [1, 0, 0, 1], "offers": {0: 2**35}, "events": [(3, 0, 0, 2**30, 1)]},
    "a dividend": {"rows": [1] * 3, "offers": {0: 2**33}, "cash": 2**40, "events": [(2, 0, 1, 2**33, 1)]},
}


@pytest.mark.parametrize("name", LARGE)
@pytest.mark.parametrize("fill_at", [FillAt.NEXT_OPEN, FillAt.NEXT_CLOSE], ids=["open", "close"])
def test_no_amount_wraps_wherever_it_arises(name: str, fill_at: FillAt) -> None:
    case = dict(LARGE[name])
    arguments = one_asset(case.pop("rows"), case.pop("offers"), fill_at=fill_at, **case)
    bulk = failure(lambda: simulate(*arguments))
    assert bulk.facts["asset"] == "A"
    assert str(failure(lambda: step_through(*arguments))) == str(bulk)


@pytest.mark.parametrize("lots", [1, 9, 2**15, -1, -9, -(2**15)])
@pytest.mark.parametrize("bits", [43, 46, 52, 58, 59, 60])
def test_what_is_held_in_a_quiet_span_is_checked_whatever_it_is_worth(lots: int, bits: int) -> None:
    """From just inside the limit to products that need a second word, with another asset held beside it."""
    price = 2**bits - 1
    grid = np.array([[100, 1]] * 5 + [[100, price]] * 2, dtype=np.int64)
    arguments = table(assets=(A, B), gross=100 * 10**8), Market(grid, grid, grid, grid), offered(len(grid), {0: {0: 5, 1: lots}}), NONE
    equity, gross = 1_000_000 + lots * (price - 1), 500 + abs(lots) * price
    if abs(equity) < 2**61 and gross < 2**61:
        outcome = simulate(*arguments)
        assert (outcome.equity[-1], outcome.gross[-1]) == (equity, gross)
    else:
        error = failure(lambda: simulate(*arguments))
        assert (error.facts["asset"], error.facts["bar"]) == ("B", 5)
        assert str(failure(lambda: step_through(*arguments))) == str(error)


def step_through(tables: Any, market: Any, plan: Any, events: Any) -> None:
    book: Any = Book(tables)
    for bar in range(len(market.close)):
        offers = slice(int(plan.start[bar]), int(plan.start[bar + 1]))
        prices = [getattr(market, name)[bar] for name in ("open", "high", "low", "close")]
        book.step(bar, *prices, events[events[:, 0] == bar], plan.slot[offers], plan.value[offers])


def test_a_restated_price_that_does_not_fit_stops_the_run() -> None:
    error = failure(lambda: simulate(*one_asset([2**40, 2**40, 2**40], {}, events=[(1, 0, 0, 1, 2**30)])))
    assert (error.facts["asset"], error.facts["bar"]) == ("A", 1)


def test_a_negative_commission_is_refused_at_the_door() -> None:
    with pytest.raises(DataError, match="a rate of commission is negative"):
        simulate(*one_asset([100] * 3, {0: 10}, fee_rate=-1))
    with pytest.raises(DataError, match="a rate of commission is negative"):
        Book(table(fee_rate=-1))


def test_a_target_that_does_not_fit_is_refused_at_the_door() -> None:
    error = failure(lambda: simulate(*one_asset([100] * 3, {0: 2**61})))
    assert "a target is 2^61 units or more" in str(error)


def test_reported_fills_are_held_to_the_same_limit() -> None:
    book = Book(table(assets=(A, B)))
    error = failure(lambda: book.book(1, 2**30, 2**40, 0, bar=4))
    assert (error.facts["asset"], error.facts["bar"]) == ("B", 4)


def test_positions_are_held_to_the_same_limit() -> None:
    """Ten lots at one tick are worth one money unit: the lots are too many before the money is."""
    book = Book(table(assets=(Asset.of("A", tick_size="0.001"),)))
    book.book(0, 2**60, 1, 0)
    assert failure(lambda: book.book(0, 2**60, 1, 0)).facts["asset"] == "A"


def test_the_largest_amounts_that_fit_are_exact() -> None:
    cash = 2**61 - 1
    outcome = simulate(*one_asset([2**40] * 3, {0: 2**20 - 1}, cash=cash))
    assert outcome.cash.tolist() == [cash, cash - (2**20 - 1) * 2**40, cash - (2**20 - 1) * 2**40]
    assert outcome.equity.tolist() == [cash] * 3


@pytest.mark.parametrize("array", [np.zeros(1), np.zeros((2, 2), dtype=object)[:, 0]], ids=["another type", "not in one piece"])
def test_an_array_that_machine_code_would_misread_never_becomes_a_pointer(array: Any) -> None:
    from rustybt.kernel.state import Desk

    with pytest.raises(TypeError, match="lots"):
        Desk(lots=array)


@pytest.mark.parametrize("place", range(5))
def test_books_that_do_not_balance_are_found_at_the_next_mark(place: int) -> None:
    """Cash, traded, fees, income, deposits: one unit lost from any of them."""
    book = Book(table(stop=10**7))
    book.book(0, 10, 100, 3)
    kept = book.save()
    kept["money"][place] -= 1
    wounded = Book.load(book.tables, kept)
    error = failure(lambda: wounded.mark(6, [100], [100], [100], [100]))
    assert str(error).splitlines()[:2] == ["the books do not balance", "  where: bar 6"]
    assert error.facts == {"bar": 6}
    book.mark(6, [100], [100], [100], [100])
    assert book.equity == 1_000_000 - 3
