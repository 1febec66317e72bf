from __future__ import annotations

from collections import deque
from dataclasses import fields

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rustybt.ledger.match import match_fifo
from rustybt.ledger.tranches import walk
from rustybt.model import Log
from tests.ledger.conftest import UNIT, fill, make_log

fills = st.lists(st.tuples(st.integers(0, 2), st.integers(-9, 9).filter(bool), st.integers(1, 50), st.integers(0, 20)), max_size=30)


def log_of(moves: list[tuple[int, int, int, int]]) -> Log:
    return make_log([fill(bar + 1, slot, bar + 1, lots, price, fee) for bar, (slot, lots, price, fee) in enumerate(moves)])


def plain_fifo(moves: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
    """(slot, lots, opening row, closing row) one unit at a time."""
    open_: dict[int, deque[tuple[int, int]]] = {}
    units: dict[tuple[int, int, int], int] = {}
    for row, (slot, lots, _, _) in enumerate(moves):
        queue = open_.setdefault(slot, deque())
        sign = 1 if lots > 0 else -1
        for _ in range(abs(lots)):
            if queue and queue[0][1] != sign:
                opened, _ = queue.popleft()
                units[slot, opened, row] = units.get((slot, opened, row), 0) + 1
            else:
                queue.append((row, sign))
    for slot, queue in open_.items():
        for opened, _ in queue:
            units[slot, opened, -1] = units.get((slot, opened, -1), 0) + 1
    return sorted((slot, n, opened, closed) for (slot, opened, closed), n in units.items())


@given(fills)
def test_matching_equals_unit_by_unit_fifo(moves: list[tuple[int, int, int, int]]) -> None:
    found = match_fifo(log_of(moves))
    rows = zip(found.slot.tolist(), found.lots.tolist(), found.opened.tolist(), found.closed.tolist(), strict=True)
    assert sorted(rows) == plain_fifo(moves)


@given(fills)
def test_shares_of_every_fill_add_up_to_it(moves: list[tuple[int, int, int, int]]) -> None:
    log = log_of(moves)
    found = match_fifo(log)
    assert int(found.spent.sum() + found.received.sum()) == int(log.notional.sum())
    assert int(found.fee_in.sum() + found.fee_out.sum()) == int(log.fee.sum())


@given(fills)
def test_walking_tranche_by_tranche_gives_the_same_pairs_and_money(moves: list[tuple[int, int, int, int]]) -> None:
    log = log_of(moves)
    found = match_fifo(log)
    for slot in np.unique(log.slot):
        walked = walk(log, np.flatnonzero(log.slot == slot))
        mine = found.slot == slot
        columns = [f.name for f in fields(found)]
        rows = sorted(zip(*(getattr(found, name)[mine].tolist() for name in columns), strict=True))
        assert rows == sorted(zip(*(getattr(walked, name).tolist() for name in columns), strict=True))


def test_fifo_closes_oldest_lot_first() -> None:
    found = match_fifo(log_of([(0, 10, 5, 0), (0, 10, 6, 0), (0, -15, 7, 0)]))
    assert list(zip(found.lots.tolist(), found.opened.tolist(), found.closed.tolist(), strict=True)) == [(10, 0, 2), (5, 1, 2), (5, 1, -1)]


def test_fill_through_zero_closes_then_opens_the_other_side() -> None:
    found = match_fifo(log_of([(0, 10, 5, 0), (0, -25, 7, 0)]))
    assert list(zip(found.lots.tolist(), found.opened.tolist(), found.closed.tolist(), strict=True)) == [(10, 0, 1), (15, 1, -1)]
    assert found.received.tolist() == [-10 * 7 * UNIT, 0]


def test_split_restates_open_lots_before_they_are_closed() -> None:
    bought, split = fill(1, 0, 1, 100, 50), (2, 2, 0, 0, 7, 4, 0, 100, 100, 25, 0, 0)
    found = match_fifo(make_log([bought, split, fill(3, 0, 2, -200, 30)]))
    assert found.lots.tolist() == [200]
    assert int(-(found.spent + found.received).sum()) == (200 * 30 - 100 * 50) * UNIT


def test_split_that_leaves_a_fraction_keeps_the_position() -> None:
    rows = [fill(1, 0, 1, 3, 50), fill(2, 0, 2, 4, 60), (3, 3, 0, 0, 7, 4, 0, -4, -4, 120, -60, 0), fill(4, 0, 3, -3, 130)]
    found = match_fifo(make_log(rows))
    assert int(found.lots.sum()) == 3
    assert int(found.spent.sum()) == (3 * 50 + 4 * 60) * UNIT


def test_nothing_traded_gives_no_trades() -> None:
    assert len(match_fifo(make_log([])).lots) == 0


def test_what_is_still_open_asks_nothing_of_the_last_row() -> None:
    found = match_fifo(make_log([fill(1, 0, 1, 4 * 10**9, 1), fill(2, 1, 2, 1, 10**10)]))
    assert (found.closed.tolist(), found.received.tolist()) == ([-1, -1], [0, 0])
