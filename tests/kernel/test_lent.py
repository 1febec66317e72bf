"""Memory of logs and curves goes round, and never under two arrays at once."""

from __future__ import annotations

import gc
import pickle
import threading

import numpy as np

from rustybt.kernel import simulate
from rustybt.kernel.example import one_asset
from rustybt.model.lent import LEAST, Kept, Loan, room_for, rounded

SIZE = 2 * LEAST


def test_memory_goes_back_with_the_last_array_and_serves_the_next() -> None:
    kept = Kept()
    one = np.frombuffer(Loan(SIZE, kept), np.int64)
    place, view = one.__array_interface__["data"][0], one[5:9]
    del one
    assert not kept.free  # a view holds it
    other = np.frombuffer(Loan(SIZE, kept), np.int64)
    assert other.__array_interface__["data"][0] != place
    del view
    assert [len(memory) for memory in kept.free] == [SIZE]
    again = np.frombuffer(Loan(SIZE, kept), np.int64)
    assert again.__array_interface__["data"][0] == place
    assert not kept.free


def test_no_more_is_kept_than_is_allowed_and_the_oldest_goes_first() -> None:
    kept = Kept(most=3 * SIZE)
    loans = [Loan(SIZE, kept) for _ in range(4)] + [Loan(4 * SIZE, kept)]
    places = [loan.memory.__array_interface__["data"][0] for loan in loans]
    while loans:
        loans.pop(0)
    assert [memory.__array_interface__["data"][0] for memory in kept.free] == places[1:4]
    assert kept.held == 3 * SIZE


def test_arrays_are_writeable_whole_and_can_be_sent_elsewhere() -> None:
    for length, kind in ((LEAST, np.int8), (LEAST, np.int64), (1000, np.int64), (0, np.int64)):
        made = room_for(length, kind)
        made[...] = 7
        assert made.flags.c_contiguous
        assert made.dtype == kind
        assert np.array_equal(pickle.loads(pickle.dumps(made)), np.full(length, 7, kind))
    assert all(size <= rounded(size) <= size + size // 7 for size in range(LEAST, 20 * LEAST, 99_991))


def test_threads_and_the_collector_share_no_memory() -> None:
    kept, wrong = Kept(), []

    def work(number: int) -> None:
        for turn in range(60):
            mine = np.frombuffer(Loan(SIZE, kept), np.int64)
            mine[...] = number
            ring: list[object] = [mine]
            ring.append(ring)  # only the collector frees it
            del ring
            if turn % 20 == number:
                gc.collect()
            if not (mine == number).all():
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_result_that_is_held_keeps_its_log_and_curves_from_the_next_run() -> None:
    bars = LEAST // 8 + 1
    held = simulate(*one_asset([100] * bars, {0: 5, bars // 2: 2}))
    before = held.equity.copy(), held.log.filled.copy()
    other = simulate(*one_asset([100] * bars, {0: 5}, fee_rate=10**6))
    assert not np.shares_memory(held.equity, other.equity)
    assert np.array_equal(held.equity, before[0])
    assert np.array_equal(held.log.filled, before[1])
    assert other.equity[-1] < held.equity[-1]
