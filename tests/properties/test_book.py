"""A book fed bar by bar, in parts, saved, resumed, grown, or filled from outside is the bulk run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from rustybt import kernel
from rustybt.errors import LedgerError
from rustybt.kernel import Book
from rustybt.model import NO_BARS, NO_FLOWS, Asset, FillAt, Outcome, Reason, Status, Tables
from rustybt.model.panel import Ints
from rustybt.testing.generators import Session, seeded
from rustybt.testing.outcomes import differences, run_or_error
from rustybt.testing.requests import asked_at
from tests.properties.alterations import carry_of, ordinary, requests_at, with_columns, with_columns_of_increments, with_one_more_asset

SESSIONS = ordinary(range(700_000, 700_120))
Feed = Callable[[Book, Session, int], Book]


def one_bar(book: Book, drawn: Session, bar: int) -> Book:
    """Feed one bar whole."""
    book.day = drawn.day_at(bar)
    ask(book, drawn, bar)
    offers = slice(int(drawn.plan.start[bar]), int(drawn.plan.start[bar + 1]))
    book.tell(drawn.tape_at(bar))
    book.rate(*drawn.rates_at(bar))
    book.timed(drawn.market.timing_at(bar))
    book.step(bar, *prices(drawn, bar), events_at(drawn, bar), drawn.plan.slot[offers], drawn.plan.value[offers])
    return book


def ask(book: Book, drawn: Session, bar: int) -> None:
    """Hand over the orders of a bar, if the session has any at all."""
    if drawn.plan.requests is not None:
        book.ask(*asked_at(drawn.plan.requests, bar))


def in_parts(book: Book, drawn: Session, bar: int) -> Book:
    """Feed one bar part by part."""
    book.day = drawn.day_at(bar)
    ask(book, drawn, bar)
    offers = slice(int(drawn.plan.start[bar]), int(drawn.plan.start[bar + 1]))
    book.tell(drawn.tape_at(bar))
    book.rate(*drawn.rates_at(bar))
    book.timed(drawn.market.timing_at(bar))
    book.accrue(bar, events_at(drawn, bar))
    book.meet(bar, *prices(drawn, bar))
    book.mark(bar, *prices(drawn, bar))
    book.decide(bar, drawn.plan.slot[offers], drawn.plan.value[offers])
    return book


def resumed_at(stop: int) -> Feed:
    """Feed bars whole, and at one bar go on with a book loaded from what the old one saved."""

    def feed(book: Book, drawn: Session, bar: int) -> Book:
        if bar == stop:
            state = {name: array.copy() for name, array in book.save().items()}
            book = Book.load(drawn.tables, state)
            again = book.save()
            assert {name: array.tobytes() for name, array in again.items()} == {name: array.tobytes() for name, array in state.items()}
        return one_bar(book, drawn, bar)

    return feed


def prices(drawn: Session, bar: int) -> tuple[Ints, Ints, Ints, Ints]:
    market = drawn.market
    return market.open[bar], market.high[bar], market.low[bar], market.close[bar]


def events_at(drawn: Session, bar: int) -> Ints:
    return np.asarray(drawn.events[drawn.events[:, 0] == bar])


def run(drawn: Session, feed: Feed) -> tuple[Outcome | None, Book]:
    """The outcome of a book over all bars, None if an amount did not fit."""
    book, curves = Book(drawn.tables, orders=drawn.plan.requests is not None), []
    try:
        for bar in range(len(drawn.market.close)):
            book = feed(book, drawn, bar)
            curves.append(book.balances)
    except LedgerError:
        return None, book
    return book.outcome(curves), book


def test_one_bar_at_a_time_is_the_bulk_run() -> None:
    for seed, drawn in SESSIONS:
        assert differences(run_or_error(kernel.simulate, drawn), run(drawn, one_bar)[0]) == [], seed


def test_the_parts_of_a_bar_are_the_bar() -> None:
    compared = 0
    for seed, drawn in SESSIONS:
        if drawn.tables.fill_at is not FillAt.SAME_BAR_CLOSE:
            assert differences(run_or_error(kernel.simulate, drawn), run(drawn, in_parts)[0]) == [], seed
            compared += 1
    assert compared > 50


def test_a_book_saved_and_resumed_at_any_bar_ends_in_the_same_bytes() -> None:
    for seed, drawn in SESSIONS:
        stop = seeded(seed).integer(0, len(drawn.market.close) - 1)
        straight, whole = run(drawn, one_bar)
        resumed, again = run(drawn, resumed_at(stop))
        assert differences(straight, resumed) == [], (seed, stop)
        if straight is not None:
            one, other = whole.save(), again.save()
            assert {name: array.tobytes() for name, array in one.items()} == {name: array.tobytes() for name, array in other.items()}, seed


@pytest.mark.parametrize("symbol", ["A", "Z"], ids=["before the others", "after the others"])
def test_a_book_that_grows_by_an_idle_asset_trades_as_before(symbol: str) -> None:
    for seed, drawn in SESSIONS:
        bars, assets = drawn.market.close.shape
        stop = seeded(seed).integer(0, bars - 1)
        wide = with_idle_asset(drawn, symbol)
        place = [asset.symbol for asset in wide.tables.assets].index(symbol)

        def feed(book: Book, _: Session, bar: int, stop: int = stop, drawn: Session = drawn, wide: Session = wide) -> Book:
            if bar == stop:
                book.grow(wide.tables)
            return one_bar(book, wide if bar >= stop else drawn, bar)

        grown = run(drawn, feed)[0]
        assert differences(run_or_error(kernel.simulate, wide), grown) == [], (seed, stop)
        if grown is not None:
            kept = np.delete(np.arange(len(grown.lots)), np.arange(place, len(grown.lots), assets + 1))
            bulk = kernel.simulate(*drawn)
            assert bulk.lots.tolist() == grown.lots[kept].tolist(), seed
            assert bulk.equity.tolist() == grown.equity.tolist(), seed


def with_idle_asset(drawn: Session, symbol: str) -> Session:
    """One more asset in every sleeve that never has a bar and never a target."""
    tables, count = drawn.tables, len(drawn.tables.assets)
    assets = tuple(sorted((*tables.assets, Asset(symbol)), key=lambda asset: asset.symbol))
    place = [asset.symbol for asset in assets].index(symbol)
    columns = [*range(place), 0, *range(place, count)]
    old = np.array([sleeve * count + column for sleeve in range(tables.sleeves) for column in columns])
    moved = {
        sleeve * count + column: sleeve * (count + 1) + column + (column >= place)
        for sleeve in range(tables.sleeves)
        for column in range(count)
    }
    slots = np.ascontiguousarray(tables.slots[:, old])
    none = np.zeros((len(drawn.market.close), 1), dtype=np.int64)
    fields = ("open", "high", "low", "close")
    grid = {name: np.ascontiguousarray(np.insert(getattr(drawn.market, name), [place], none, axis=1)) for name in fields}
    timing = with_columns(drawn.market.timing, [*range(place), None, *range(place, count)])
    events = drawn.events.copy()
    events[:, 1] += events[:, 1] >= place
    events[:, 5] += events[:, 5] >= place
    requests = drawn.plan.requests
    plan = replace(
        drawn.plan,
        slot=np.array([moved[slot] for slot in drawn.plan.slot.tolist()], dtype=np.int64),
        requests=None if requests is None else requests_at(requests, moved),
    )
    tape = None if drawn.tape is None else drawn.tape.ordered(columns)
    controls = with_one_more_asset(tables.controls, place)
    there = {column: column + (column >= place) for column in range(count)}
    increments, carry = with_columns_of_increments(tables.increments, there), carry_of(tables.carry, there)
    grown = replace(tables, assets=assets, slots=slots, controls=controls, increments=increments, carry=carry)
    return Session(grown, replace(drawn.market, **grid, timing=timing), plan, events, tape)


def test_fills_reported_from_outside_give_the_same_cash_and_positions() -> None:
    booked = 0
    for seed, session in SESSIONS:
        tables = replace(session.tables, flows=NO_FLOWS, settlements=NO_BARS, carry=None, slots=session.tables.slots.copy())
        tables.row("fee_liquidation")[:] = 0  # what a venue takes is a row of its own, not part of a fill
        drawn = session._replace(tables=tables)
        outcome = run_or_error(kernel.simulate, drawn)
        if outcome is None or len(drawn.events):
            continue
        book, log = Book(drawn.tables), outcome.log
        for row in np.flatnonzero(log.status == Status.FILLED).tolist():
            book.book(int(log.slot[row]), int(log.filled[row]), int(log.price[row]), int(log.fee[row]), bar=int(log.bar[row]))
            booked += 1
        assert book.cash == int(outcome.cash[-1]), seed
        assert book.lots.tolist() == outcome.lots.tolist(), seed
        assert (book.log().reason == Reason.EXTERNAL).all(), seed
    assert booked > 300


def test_a_reported_fill_in_pieces_is_the_fill_up_to_the_rounding_of_each_piece() -> None:
    tables = single(Asset("A"))
    for pieces in ((6,), (1, 5), (2, 2, 2), (1, 1, 1, 1, 1, 1)):
        book = Book(tables)
        for lots in pieces:
            book.book(0, lots, 1_000_000, 0)
        assert book.cash == tables.cash - 6 * 100 * 10**8
        assert (book.lots.tolist(), book.entry.tolist()) == ([6], [1_000_000])


def single(asset: Asset) -> Tables:
    """The rules of the first seeded session with one asset, in money of eight decimals."""
    drawn = next(drawn for _, drawn in SESSIONS if len(drawn.tables.assets) == 1 and drawn.tables.sleeves == 1)
    return replace(drawn.tables, assets=(asset,), cash=10**13, money_scale=8)


def test_saved_states_differ_as_soon_as_something_happens() -> None:
    seed, drawn = next(
        (seed, drawn) for seed, drawn in SESSIONS if (outcome := run_or_error(kernel.simulate, drawn)) and outcome.log.rows > 5
    )
    states = []

    def keep(book: Book, session: Session, bar: int) -> Book:
        one_bar(book, session, bar)
        states.append(b"".join(array.tobytes() for array in book.save().values()))
        return book

    run(drawn, keep)
    assert all(one != other for one, other in pairwise(states)), seed
