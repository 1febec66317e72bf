from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rustybt import kernel
from rustybt.errors import DataError
from rustybt.kernel import Book
from rustybt.kernel.example import one_asset, table
from rustybt.model import Finer, Timing, bars_clock

NONE = np.zeros((0, 5), dtype=np.int64)
INTS = np.zeros(0, dtype=np.int64)
FLOATS: Any = np.zeros((3, 1))


def simulate(timing: Timing | None, delays: tuple[int, ...] = ()) -> Any:
    tables, market, plan, events = one_asset([100, 101, 102], {0: 5})
    return kernel.simulate(replace(tables, delays=delays), kernel.TimedMarket(*market, timing), plan, events)


BAD = [
    (None, (2,), "no clock of 3 bars"),
    (Timing(clock=np.zeros((3, 2), dtype=np.int64)), (2,), "no clock of 3 bars"),
    (Timing(barred=np.zeros((2, 1), dtype=np.int64)), (), r"barred is not an array of \(3, 1\)"),
    (Timing(finer=Finer(np.array([0, 0, 0]), INTS, INTS, INTS)), (), "finer bars are not those of 3 bars"),
    (Timing(finer=Finer(np.array([0, 0, 0, 1]), INTS, INTS, INTS)), (), "finer bars are not those of 3 bars"),
    (Timing(finer=Finer(np.array([0, 1, 0, 0]), INTS, INTS, INTS)), (), "finer bars are not those of 3 bars"),
    (Timing(finer=Finer(np.array([0, 0, 0, 1]), np.array([1]), np.array([1]), INTS)), (), "finer bars are not those of 3 bars"),
    (Timing(barred=FLOATS), (), "float64 is not whole numbers"),
]


@pytest.mark.parametrize(("timing", "delays", "words"), BAD)
def test_timing_of_another_market_is_refused(timing: Timing | None, delays: tuple[int, ...], words: str) -> None:
    with pytest.raises(DataError, match=words):
        simulate(timing, delays)


def test_delays_of_zero_need_no_clock_and_change_nothing() -> None:
    assert simulate(None, (0, 0)).log.bar.tolist() == simulate(None).log.bar.tolist() == [1]
    assert simulate(Timing(clock=bars_clock(3, closing=False)), (2,)).log.bar.tolist() == [2]


def test_a_book_whose_orders_need_time_wants_to_know_it() -> None:
    book = Book(replace(table(), delays=(2,)))
    with pytest.raises(DataError, match="call timed before each bar"):
        book.step(0, [100], [100], [100], [100], NONE, [0], [5])
    with pytest.raises(DataError, match="call timed before each bar"):
        book.submit(0, 5)
    with pytest.raises(DataError, match="no clock of 1 bars"):
        book.timed(None)


def test_an_order_under_way_survives_saving_and_arrives() -> None:
    tables, clock = replace(table(), delays=(2,)), Timing(clock=bars_clock(4, closing=False))
    book = Book(tables)
    for bar in range(4):
        if bar == 1:
            book = Book.load(tables, {name: array.copy() for name, array in book.save().items()})
        book.timed(clock.at(bar, 1))
        book.step(bar, [100], [100], [100], [100], NONE, [0], [5])
    assert book.log().bar.tolist() == [2]


def test_what_is_known_about_a_bar_holds_for_that_bar_only() -> None:
    book = Book(table())
    barred = Timing(barred=np.array([[1]], dtype=np.int64))
    for bar, timing in enumerate((None, barred, None)):
        book.timed(timing)
        book.step(bar, [100], [100], [100], [100], NONE, [0], [5])
    assert book.log().bar.tolist() == [2]


def test_an_order_of_a_callback_has_latency_too() -> None:
    book, clock = Book(replace(table(), delays=(2,))), Timing(clock=bars_clock(4, closing=False))
    for bar in range(4):
        book.timed(clock.at(bar, 1))
        book.step(bar, [100], [100], [100], [100], NONE, [], [])
        if bar == 0:
            book.submit(0, 5)
    assert (book.log().submitted.tolist(), book.log().bar.tolist()) == ([0], [2])
