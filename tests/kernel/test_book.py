"""One bar at a time and parts of one: saved, loaded, grown, told of orders and fills from outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rustybt.errors import ConfigError, DataError, LedgerError, OrderError
from rustybt.kernel import Book, Market, simulate
from rustybt.kernel.example import offered, table
from rustybt.model import Asset, Control, ControlTable, Detail, FillAt, Log, Outcome, Reason, Response, Status, Tables
from rustybt.testing.generators import Grid, Session, session
from rustybt.testing.outcomes import differences, run_or_error
from rustybt.testing.requests import asked_at

from .test_simulate import rows

NONE = np.zeros((0, 5), dtype=np.int64)
SEEDS = range(920_000, 920_040)
A, B, C = (Asset.of(name, tick_size="0.01") for name in "ABC")
Feed = Callable[[Book, Session, int], Book]


def parts_of(drawn: Session, bar: int) -> tuple[Any, Any, Any, Any]:
    """Prices, events, slots and targets of a bar."""
    prices = [getattr(drawn.market, name)[bar] for name in ("open", "high", "low", "close")]
    offers = slice(int(drawn.plan.start[bar]), int(drawn.plan.start[bar + 1]))
    return prices, drawn.events[drawn.events[:, 0] == bar], drawn.plan.slot[offers], drawn.plan.value[offers]


def ask(book: Any, drawn: Session, bar: int) -> None:
    if drawn.plan.requests is not None:
        book.ask(*asked_at(drawn.plan.requests, bar))


def whole(book: Any, drawn: Session, bar: int) -> Any:
    ask(book, drawn, bar)
    prices, events, slot, value = parts_of(drawn, bar)
    book.tell(drawn.tape_at(bar))
    book.rate(*drawn.rates_at(bar))
    book.day = drawn.day_at(bar)
    book.timed(drawn.market.timing_at(bar))
    book.step(bar, *prices, events, slot, value)
    return book


def in_parts(book: Book, drawn: Session, bar: int) -> Book:
    ask(book, drawn, bar)
    prices, events, slot, value = parts_of(drawn, bar)
    book.tell(drawn.tape_at(bar))
    book.rate(*drawn.rates_at(bar))
    book.day = drawn.day_at(bar)
    book.timed(drawn.market.timing_at(bar))
    book.accrue(bar, events)
    book.meet(bar, *prices)
    book.mark(bar, *prices)
    book.decide(bar, slot, value)
    return book


def fed(drawn: Session, feed: Feed) -> Outcome | None:
    """The outcome of a book over all bars; None where an amount did not fit."""
    try:
        book, curves = Book(drawn.tables, orders=drawn.plan.requests is not None), []
        for bar in range(len(drawn.market.close)):
            book = feed(book, drawn, bar)
            curves.append(book.balances)
    except (LedgerError, ConfigError):
        return None
    return book.outcome(curves)


def at(book: Book, bar: int, price: int | Sequence[int], offers: dict[int, int] | None = None) -> Book:
    """One bar that stands still, one price for all assets or one each."""
    prices = [price] * len(book.tables.assets) if isinstance(price, int) else list(price)
    book.step(bar, prices, prices, prices, prices, NONE, list(offers or {}), list((offers or {}).values()))
    return book


@pytest.mark.parametrize("feed", [whole, in_parts], ids=["step", "parts"])
def test_bars_one_by_one_are_the_bulk_run(feed: Feed) -> None:
    compared = 0
    for seed in SEEDS:
        drawn = session(seed)
        if feed is in_parts and drawn.tables.fill_at is FillAt.SAME_BAR_CLOSE:
            continue
        assert differences(run_or_error(simulate, drawn), fed(drawn, feed)) == [], seed
        compared += 1
    assert compared > 20


def test_with_same_bar_close_the_orders_of_a_part_wait() -> None:
    book = Book(table(fill_at=FillAt.SAME_BAR_CLOSE))
    book.mark(0, [100], [100], [100], [100])
    book.decide(0, [0], [10])
    assert (book.lots.tolist(), book.working.lots.tolist()) == ([0], [10])
    assert at(Book(table(fill_at=FillAt.SAME_BAR_CLOSE)), 0, 100, {0: 10}).lots.tolist() == [10]


def test_a_book_loaded_at_any_bar_goes_on_with_the_same_bytes() -> None:
    for seed in (920_002, 920_005, 920_011):
        drawn = session(seed, bars=16)
        straight = run_or_error(simulate, drawn)
        for stop in range(len(drawn.market.close)):

            def reload(book: Any, drawn: Session, bar: int, stop: int = stop) -> Any:
                if bar == stop:
                    kept = book.save()
                    book = Book.load(drawn.tables, kept)
                    assert {name: array.tobytes() for name, array in book.save().items()} == {
                        name: array.tobytes() for name, array in kept.items()
                    }
                return whole(book, drawn, bar)

            assert differences(straight, fed(drawn, reload)) == [], (seed, stop)


def test_a_state_survives_a_file(tmp_path: Any) -> None:
    book = at(at(Book(table(stop=10**6)), 0, 100, {0: 10}), 1, 102)
    np.savez(tmp_path / "book.npz", allow_pickle=False, **book.save())
    with np.load(tmp_path / "book.npz") as state:
        again = Book.load(book.tables, state)
    assert (again.cash, again.equity, again.gross, again.bar) == (book.cash, book.equity, book.gross, 1)
    assert again.lots.tolist() == [10]
    assert at(again, 2, 90).lots.tolist() == at(book, 2, 90).lots.tolist() == [0]


def test_a_state_is_the_callers_own() -> None:
    book = at(at(Book(table()), 0, 100, {0: 10}), 1, 100)
    kept, log = book.save(), book.log()
    for array in (
        *kept.values(),
        book.lots,
        book.last,
        book.entry,
        *book.working,
        *(getattr(log, name) for name in Log.__dataclass_fields__),
    ):
        array[...] = 77
    assert (book.cash, book.lots.tolist(), book.last.tolist(), book.entry.tolist()) == (999_000, [10], [100], [100])
    assert book.log().filled.tolist() == [10]


def test_a_state_of_other_tables_is_refused() -> None:
    kept = Book(table()).save()
    with pytest.raises(DataError, match=r"version, assets, sleeves \[4, 1, 1\]"):
        Book.load(table(assets=(A, B)), kept)
    with pytest.raises(DataError, match="without lots"):
        Book.load(table(), {name: array for name, array in kept.items() if name != "lots"})
    with pytest.raises(DataError, match=r"version, assets, sleeves \[9, 1, 1\]"):
        Book.load(table(), {**kept, "layout": np.array([9, 1, 1, -1])})


def risk_limits(tables: Tables, bars: int = 3) -> Tables:
    """Controls that look at the moves of the last bars, and bite."""
    actions = np.full(len(Control), -1, dtype=np.int64)
    actions[[Control.VALUE_AT_RISK, Control.CORRELATED_EXPOSURE]] = Response.REDUCE
    actions[Control.PRICE_MOVE] = Response.WARN
    nothing = np.full(len(tables.assets), -1, dtype=np.int64)
    limits: dict[str, Any] = {"value_at_risk": 4_000, "risk_bars": bars}
    limits |= {"correlated_exposure": 150_000, "correlated_bars": 2, "correlated_above": 10**7}
    return replace(tables, controls=ControlTable(actions, nothing, nothing, move=10**6, **limits))


@pytest.mark.parametrize("limited", [False, True], ids=["free", "limited"])
def test_a_book_grown_by_an_asset_and_a_sleeve_trades_as_if_it_had_always_had_them(limited: bool) -> None:
    """Assets A and C with one sleeve; from bar 4 on also B between them and a second sleeve, which then trade."""
    small, large = (table(assets=assets, sleeves=sleeves, **RULES) for assets, sleeves in (((A, C), 1), ((A, B, C), 2)))
    small, large = (risk_limits(one) if limited else one for one in (small, large))
    old_slots = {0: 0, 1: 2}
    dice = np.random.default_rng(3)
    close = 100 + np.cumsum(dice.integers(-4, 5, (12, 3)), axis=0)
    close[:4, 1] = 0
    market = Market(close, np.where(close > 0, close + 2, 0), np.where(close > 0, close - 2, 0), close)
    early = {1: {0: 10, 1: -5}, 3: {0: 12}}
    late = {5: {0: 3, 1: 7, 4: -6}, 7: {2: 9, 3: 2}, 9: {1: 0, 4: 5}}
    translated = {bar: {old_slots[slot]: lots for slot, lots in wish.items()} for bar, wish in early.items()}
    bulk = Session(large, Grid(*market), offered(12, {**translated, **late}), NONE)
    first = Session(small, Grid(*(np.ascontiguousarray(array[:, [0, 2]]) for array in market)), offered(12, early), NONE)
    book, curves = Book(small), []
    for bar in range(12):
        if bar == 4:
            assert len(book.working.slot) > 0
            book.grow(large)
        whole(book, first if bar < 4 else bulk, bar)
        curves.append(book.balances)
    grown = book.outcome(curves)
    assert differences(simulate(*bulk), grown) == []
    assert set(grown.log.slot.tolist()) >= {0, 1, 2, 3, 4}
    noticed = {Detail.PRICE_MOVE, Detail.VALUE_AT_RISK, Detail.CORRELATED_EXPOSURE} if limited else set()
    assert set(grown.log.detail[grown.log.status == Status.VIOLATED].tolist()) == noticed


def test_a_book_that_looks_back_otherwise_is_refused() -> None:
    book = at(Book(risk_limits(table())), 0, 100)
    with pytest.raises(DataError, match="a saved book with 3 moves of prices"):
        Book.load(risk_limits(table(), bars=4), book.save())
    with pytest.raises(DataError, match="a saved book with 6 moves of prices"):
        book.grow(risk_limits(table(assets=(Asset.of("X"), *table().assets)), bars=4))
    assert at(Book.load(risk_limits(table()), book.save()), 1, 110).equity == book.equity


RULES: dict[str, Any] = {"stop": 15 * 10**6, "trail": 18 * 10**6, "max_bars": 4, "cool_down": 1, "fee_rate": 10**5}


def test_growing_takes_up_new_exits_for_old_positions() -> None:
    book = at(at(Book(table()), 0, 100, {0: 10}), 1, 100)
    book.grow(table(stop=10**7))
    assert at(book, 2, 85).lots.tolist() == [0]
    assert Reason(int(book.log().reason[-1])) is Reason.STOP_LOSS


@pytest.mark.parametrize(
    ("tables", "what"),
    [
        (table(assets=(B, C)), "asset is missing"),
        (table(assets=(replace(A, multiplier=A.multiplier * 2), B)), "other increments"),
        (table(assets=(A, B)), "1 sleeves"),
        (table(assets=(A, B), sleeves=2, money_scale=4), "money scale 4"),
    ],
)
def test_a_book_cannot_lose_what_it_has(tables: Tables, what: str) -> None:
    with pytest.raises(ConfigError, match=what):
        Book(table(assets=(A, B), sleeves=2)).grow(tables)


def test_a_reported_fill_moves_cash_position_and_entry_price() -> None:
    book = Book(table())
    book.book(0, 10, 100, 3)
    book.book(0, 10, 103, -1)
    assert (book.cash, book.lots.tolist(), book.entry.tolist()) == (1_000_000 - 1000 - 3 - 1030 + 1, [20], [102])
    book.book(0, -25, 110, 0)
    assert (book.lots.tolist(), book.entry.tolist()) == ([-5], [110])
    assert [(row["seq"], row["reason"], row["status"], row["filled"], row["fee"]) for row in rows(book.log())] == [
        (0, Reason.EXTERNAL, Status.FILLED, 10, 3),
        (0, Reason.EXTERNAL, Status.FILLED, 10, -1),
        (0, Reason.EXTERNAL, Status.FILLED, -25, 0),
    ]
    book.mark(0, [100], [100], [100], [100])
    assert (book.equity, book.gross) == (book.cash - 500, 500)


def test_a_reported_fill_serves_its_working_order_in_pieces() -> None:
    book = at(Book(table()), 0, 100, {0: 10})
    book.book(0, 4, 101, 1, number=1, bar=1)
    assert book.working.lots.tolist() == [6]
    book.book(0, 6, 102, 1, number=1, bar=1)
    assert book.working.number.tolist() == []
    assert [(row["seq"], row["reason"], row["submitted"], row["requested"], row["filled"]) for row in rows(book.log())] == [
        (1, Reason.TARGET, 0, 10, 4),
        (1, Reason.TARGET, 0, 6, 6),
    ]
    assert at(book, 2, 100).rows == 2


def test_a_fill_beyond_its_order_ends_the_order_and_a_strange_number_ends_none() -> None:
    book = at(Book(table()), 0, 100, {0: 10})
    book.book(0, 1, 100, 0, number=99)
    assert book.working.lots.tolist() == [10]
    book.book(0, 12, 100, 0, number=1)
    assert (book.working.number.tolist(), book.lots.tolist()) == ([], [13])


def test_orders_of_a_callback_work_beside_one_another_until_they_are_filled_or_taken_out() -> None:
    book = at(Book(table(assets=(A, B))), 0, 100, {1: 7})
    book.submit(0, 5)
    book.submit(0, -2, reason=Reason.EXTERNAL)
    working = book.working
    assert (working.slot.tolist(), working.lots.tolist(), working.number.tolist()) == ([1, 0, 0], [7, 5, -2], [1, 2, 3])
    assert (working.bar.tolist(), working.value.tolist()) == ([0, 0, 0], [0, 0, 0])
    assert working.reason.tolist() == [Reason.TARGET, Reason.CALLBACK, Reason.EXTERNAL]
    book.cancel(0)
    assert book.working.slot.tolist() == [1]
    assert [(row["seq"], row["status"], row["detail"], row["requested"]) for row in rows(book.log())] == [
        (2, Status.CANCELLED, Detail.REPLACED, 5),
        (3, Status.CANCELLED, Detail.REPLACED, -2),
    ]
    assert at(book, 1, 100).lots.tolist() == [0, 7]


def test_a_new_decision_replaces_every_working_order_of_its_slot() -> None:
    book = at(Book(table()), 0, 100)
    for lots in (5, 6, 7):
        book.submit(0, lots)
    at(book, 1, [0], {0: 4})
    assert book.log().detail.tolist() == [Detail.REPLACED] * 3
    assert book.working.number.tolist() == [4]


def test_there_is_room_for_any_number_of_orders() -> None:
    book = at(Book(table()), 0, 100)
    for _ in range(300):
        book.submit(0, 1)
    assert book.working.number.tolist() == list(range(1, 301))
    again = Book.load(book.tables, book.save())
    assert at(again, 1, 100).lots.tolist() == at(book, 1, 100).lots.tolist() == [300]
    assert book.log().seq.tolist() == list(range(1, 301))


def test_a_bar_makes_room_for_its_own_decisions() -> None:
    book = at(Book(table(assets=(A, B))), 0, 100)
    room = len(book._desk.order_slot)
    for _ in range(room - 2):
        book.submit(0, 1)
    at(book, 1, [0, 0], {0: 3, 1: 4})
    assert book.log().detail.tolist() == [Detail.REPLACED] * (room - 2)
    assert book.working.lots.tolist() == [3, 4]


def test_an_order_without_a_price_or_during_a_cool_down_is_a_row() -> None:
    book = Book(table(stop=10**7, cool_down=3))
    book.submit(0, 5)
    at(book, 0, 100, {0: 10})
    at(book, 1, 100)
    at(book, 2, 80)
    assert book.lots.tolist() == [0]
    book.submit(0, 5)
    assert [(row["status"], row["detail"], row["requested"]) for row in rows(book.log())[-1:]] == [(Status.REJECTED, Detail.COOL_DOWN, 5)]
    assert (int(book.log().detail[0]), int(book.log().requested[0])) == (Detail.NO_PRICE, 0)
    book.book(0, 3, 80, 0)
    book.submit(0, -8)
    assert book.working.lots.tolist() == [-3]  # a cool-down lets nothing through zero
    book.book(0, -3, 80, 0)
    book.book(0, -4, 80, 0)
    book.submit(0, 9)
    assert book.working.lots.tolist() == [-3, 4]


def test_the_log_since_a_row_is_the_rest_of_the_log() -> None:
    book = Book(table())
    for bar in range(100):
        at(book, bar, 100, {0: bar % 3})
    log, count = book.log(), book.rows
    assert count == log.rows > 60
    for since in (0, 1, count - 1, count):
        later = book.log(since)
        assert later.rows == count - since
        assert all(getattr(later, name).tolist() == getattr(log, name)[since:].tolist() for name in Log.__dataclass_fields__)


def test_a_plain_book_knows_its_numbers_before_and_after_a_bar() -> None:
    book = Book(table(cash=5_000))
    assert (book.bar, book.cash, book.equity, book.gross, book.rows, book.last.tolist()) == (-1, 5_000, 5_000, 0, 0, [0])
    at(book, 3, 100, {0: 10})
    at(book, 7, 120)
    assert (book.bar, book.cash, book.equity, book.gross, book.rows) == (7, 3_800, 5_000, 1_200, 1)
    assert (book.entry.tolist(), book.last.tolist(), book.log().bar.tolist()) == ([120], [120], [7])


def test_what_cannot_be_meant_is_refused_and_changes_nothing() -> None:
    book = at(Book(table(assets=(A, B))), 5, 100)
    before = {name: array.tobytes() for name, array in book.save().items()}
    for what, kind, call in (
        ("bar 4 after bar 5", DataError, lambda: at(book, 4, 100)),
        ("1 prices for 2 assets", DataError, lambda: book.meet(6, [1], [1], [1], [1])),
        ("2 slots for 1 targets", DataError, lambda: book.decide(6, [0, 1], [1])),
        ("targets of 2 slots", DataError, lambda: book.decide(6, [2], [1])),
        ("3 slots for 3 targets", DataError, lambda: book.decide(6, [0, 1, 1], [1, 1, 1])),
        ("slot 2 is none of 2", OrderError, lambda: book.submit(2, 1)),
        ("slot -1 is none of 2", OrderError, lambda: book.cancel(-1)),
        ("an order of 0 lots", OrderError, lambda: book.submit(0, 0)),
        ("lots", OrderError, lambda: book.submit(0, 2**61)),
        ("a fill at 0 ticks", OrderError, lambda: book.book(0, 1, 0, 0)),
        (f"a fee of {2**61}", OrderError, lambda: book.book(0, 1, 1, 2**61)),
        ("an order of 0 lots", OrderError, lambda: book.book(0, 0, 1, 0)),
    ):
        with pytest.raises(kind) as error:
            call()
        assert what in str(error.value)
        assert error.value.do
    assert {name: array.tobytes() for name, array in book.save().items()} == before
