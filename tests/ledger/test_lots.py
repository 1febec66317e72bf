"""Tax lots: worked by hand, then conserved on random fills and on random sessions."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustybt.errors import ConfigError, LedgerError
from rustybt.ledger import lots_of
from rustybt.ledger.match import match_fifo
from rustybt.ledger.tranches import METHODS, match_lots
from rustybt.model import Reason
from tests.ledger.conftest import fill, make_log, random_books

D = Decimal
SEEDS = range(150)
moves = st.lists(st.tuples(st.integers(0, 2), st.integers(-9, 9).filter(bool), st.integers(1, 50), st.integers(0, 20)), max_size=25)
THREE = [fill(0, 0, 1, 100, 100_000), fill(1, 0, 2, 100, 120_000), fill(2, 0, 3, 100, 110_000), fill(3, 0, 4, -150, 130_000)]


def split(bar: int, change: int, cash: int = 0) -> tuple[int, ...]:
    return (bar, bar, 0, 0, int(Reason.SPLIT), 4, 0, change, change, 1, -cash, 0)


# Bought 100 at 10, 100 at 12, 100 at 11, then 150 sold at 13: proceeds 1950 in every method.
# fifo: 1000 + 50 x 12 = 1600. lifo: 1100 + 50 x 12 = 1700. hifo: 1200 + 50 x 11 = 1750. average: 3300 / 2 = 1650.
@pytest.mark.parametrize(("method", "cost"), [("fifo", 1600), ("lifo", 1700), ("hifo", 1750), ("average", 1650)])
def test_gain_of_each_method_worked_by_hand(make_books: Any, method: str, cost: int) -> None:
    lots = lots_of(make_books(THREE), method)
    assert lots.realised == 1950 - cost
    assert lots.closed["cost"].sum() == cost
    assert lots.open["quantity"].sum() == 150
    assert lots.open["cost"].sum() == 3300 - cost
    assert lots.unrealised == 150 - (3300 - cost)  # marked at 1


def test_lifo_takes_from_the_newest_and_leaves_the_oldest(make_books: Any) -> None:
    lots = lots_of(make_books(THREE), "lifo")
    assert lots.closed.select("quantity", "open_order", "days").rows() == [(D(50), 2, 2), (D(100), 3, 1)]
    assert lots.open.select("quantity", "order", "days").rows() == [(D(100), 1, 5), (D(50), 2, 4)]


def test_average_cost_is_shared_and_dates_go_oldest_first(make_books: Any) -> None:
    lots = lots_of(make_books(THREE), "average")
    assert lots.closed.select("quantity", "open_order", "cost").rows() == [(D(100), 1, D(1100)), (D(50), 2, D(550))]


def test_commission_is_part_of_cost_and_proceeds(make_books: Any) -> None:
    lots = lots_of(make_books([fill(0, 0, 1, 2, 100_000, 3), fill(1, 0, 2, -1, 100_000, 5)]))
    assert lots.closed.select("cost", "proceeds", "realised").row(0) == (D("10.00000001"), D("9.99999995"), D("-0.00000006"))
    assert lots.open["cost"].to_list() == [D("10.00000002")]  # of 3 units of fee 1 went with the first lot


def test_short_receives_first_and_pays_later(make_books: Any) -> None:
    lots = lots_of(make_books([fill(0, 0, 1, -10, 130_000), fill(1, 0, 2, 4, 100_000)]))
    assert lots.closed.select("side", "cost", "proceeds", "realised").row(0) == ("short", D(-52), D(-40), D(12))
    assert lots.open.select("quantity", "cost", "value", "unrealised").row(0) == (D(6), D(-78), D(-6), D(72))


def test_hifo_of_shorts_closes_the_lowest_sale_first(make_books: Any) -> None:
    rows = [fill(0, 0, 1, -1, 130_000), fill(1, 0, 2, -1, 110_000), fill(2, 0, 3, -1, 120_000), fill(3, 0, 4, 2, 100_000)]
    assert lots_of(make_books(rows), "hifo").closed["open_order"].to_list() == [2, 3]


def test_split_restates_quantity_and_keeps_cost_and_date(make_books: Any) -> None:
    rows = [fill(0, 0, 1, 100, 500_000), fill(1, 0, 2, 50, 600_000), split(2, 150), fill(5, 0, 3, -200, 300_000)]
    for method, order, cost in (("fifo", [1], 5000), ("lifo", [1, 2], 3000 + 2500), ("average", [1], D(16000) / 3)):
        lots = lots_of(make_books(rows), method)
        assert lots.closed["open_order"].to_list() == order
        assert abs(sum(lots.closed["cost"].to_list()) - cost) < D("0.00000001")
        assert lots.open["quantity"].sum() == 100


def test_split_that_leaves_no_whole_lot_realises_the_cost(make_books: Any) -> None:
    for method in METHODS:
        lots = lots_of(make_books([fill(0, 0, 1, 3, 50_000), split(1, -3, cash=1_499_999_999)]), method)
        assert lots.closed.select("quantity", "cost", "proceeds", "reason").rows() == [(D(3), D(15), D(0), "split")]
        assert (lots.realised, lots.income, lots.open.height) == (D(-15), D("14.99999999"), 0)


def test_unknown_method_is_named(make_books: Any) -> None:
    with pytest.raises(ConfigError, match=r"'hilo'.*[\s\S]*fifo, lifo, hifo, average"):
        lots_of(make_books(THREE), "hilo")


def test_a_digit_too_many_is_found(make_books: Any) -> None:
    books = make_books(THREE)
    books.outcome.equity[-1] += 1
    with pytest.raises(LedgerError, match="lots do not add up"):
        lots_of(books)


@given(moves)
def test_quantity_and_cost_are_conserved_by_every_method(given_moves: Sequence[tuple[int, int, int, int]]) -> None:
    log = make_log([fill(k, slot, k + 1, lots, price, fee) for k, (slot, lots, price, fee) in enumerate(given_moves)])
    for method in METHODS:
        found = match_lots(log, method)
        for slot in np.unique(log.slot):
            left = int(found.lots[(found.slot == slot) & (found.closed < 0)].sum())
            assert left == abs(int(log.filled[log.slot == slot].sum()))
        assert int(found.spent.sum() + found.received.sum()) == int(log.notional.sum())
        assert int(found.fee_in.sum() + found.fee_out.sum()) == int(log.fee.sum())
        for row in range(log.rows):
            assert int(found.lots[found.opened == row].sum() + found.lots[found.closed == row].sum()) == abs(int(log.filled[row]))


@given(moves)
def test_all_methods_agree_once_flat(given_moves: Sequence[tuple[int, int, int, int]]) -> None:
    rows = [fill(k, slot, k + 1, lots, price, fee) for k, (slot, lots, price, fee) in enumerate(given_moves)]
    for slot in range(3):
        held = sum(lots for where, lots, _, _ in given_moves if where == slot)
        if held:
            rows.append(fill(len(rows), slot, len(rows) + 1, -held, 17))
    log = make_log(rows)
    gains = {}
    for method in METHODS:
        found = match_lots(log, method)
        assert (found.closed >= 0).all()
        gains[method] = int(-(found.spent + found.received + found.fee_in + found.fee_out).sum())
    assert set(gains.values()) == {-int((log.notional + log.fee).sum())}


@given(moves)
def test_hifo_realises_no_more_than_fifo_on_one_sale(given_moves: Sequence[tuple[int, int, int, int]]) -> None:
    bought = [fill(k, 0, k + 1, abs(lots), price, fee) for k, (_, lots, price, fee) in enumerate(given_moves)]
    held = sum(row[8] for row in bought)
    log = make_log([*bought, fill(len(bought), 0, 99, -(held // 2), 25)] if held > 1 else bought)
    cost = {m: int((f.spent + f.fee_in)[f.closed >= 0].sum()) for m in METHODS for f in [match_lots(log, m)]}
    assert cost["hifo"] >= cost["fifo"] - len(bought)  # a unit of rounding a part
    assert cost["hifo"] >= cost["lifo"] - len(bought)


@pytest.mark.parametrize("seed", SEEDS)
def test_lots_of_random_sessions_add_up_to_the_profit(seed: int) -> None:
    books = random_books(seed)
    if books is None:
        return
    for method in METHODS:
        lots = lots_of(books, method)  # raises where they do not
        assert lots.closed["realised"].sum() == lots.realised
        assert (lots.open["unrealised"].sum() or 0) == lots.unrealised


def test_random_sessions_cover_splits_and_shorts() -> None:
    logs = [books.outcome.log for seed in SEEDS if (books := random_books(seed)) is not None]
    assert sum(bool((log.reason == Reason.SPLIT).any()) for log in logs) >= 5
    assert sum(bool((match_fifo(log).lots > 0).any() and (log.filled < 0).any()) for log in logs) >= 15
