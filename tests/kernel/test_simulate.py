"""All bars at once, by hand: one asset of cents and whole lots, so that 10 lots at 102 ticks are 1,020 money units."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rustybt import kernel, reference
from rustybt.errors import DataError, LedgerError
from rustybt.kernel.example import bars_of, offered, one_asset, row_of, table
from rustybt.model import Asset, Clock, Detail, FillAt, Log, OrderKind, Outcome, Plan, Reason, Requests, Status
from rustybt.testing.generators import Grid, Session, session
from rustybt.testing.outcomes import differences, run_or_error

BARS = [(100, 106, 99, 101), (102, 108, 98, 104), (103, 107, 97, 105)]
NO_EVENTS = np.zeros((0, 5), dtype=np.int64)


def rows(log: Log) -> list[dict[str, int]]:
    """The log row by row."""
    return [{name: int(getattr(log, name)[row]) for name in Log.__dataclass_fields__} for row in range(log.rows)]


def the_fill(**changed: int) -> dict[str, int]:
    """The row of the first order when nothing is remarkable about it."""
    plain = {"bar": 1, "submitted": 0, "slot": 0, "seq": 1, "reason": Reason.TARGET, "status": Status.FILLED, "detail": Detail.NONE}
    return {**plain, "requested": 10, "filled": 10, "price": 102, "notional": 1020, "fee": 0, **changed}


def test_next_open_fills_at_the_open_of_the_next_bar() -> None:
    outcome = kernel.simulate(*one_asset(BARS, offers={0: 10}))
    assert rows(outcome.log) == [the_fill()]
    assert outcome.cash.tolist() == [1_000_000, 998_980, 998_980]
    assert outcome.equity.tolist() == [1_000_000, 998_980 + 1040, 998_980 + 1050]
    assert outcome.gross.tolist() == [0, 1040, 1050]
    assert (outcome.lots.tolist(), outcome.last.tolist()) == ([10], [105])


def test_next_close_fills_at_the_close_of_the_next_bar() -> None:
    outcome = kernel.simulate(*one_asset(BARS, offers={0: 10}, fill_at=FillAt.NEXT_CLOSE))
    assert rows(outcome.log) == [the_fill(price=104, notional=1040)]
    assert outcome.equity.tolist() == [1_000_000, 1_000_000, 998_960 + 1050]


def test_same_bar_close_fills_at_the_close_of_the_decision_and_marks_again() -> None:
    outcome = kernel.simulate(*one_asset(BARS, offers={0: 10}, fill_at=FillAt.SAME_BAR_CLOSE))
    assert rows(outcome.log) == [the_fill(bar=0, price=101, notional=1010)]
    assert outcome.cash.tolist() == [998_990] * 3
    assert outcome.gross.tolist() == [1010, 1040, 1050]
    assert outcome.equity.tolist() == [1_000_000, 998_990 + 1040, 998_990 + 1050]


def test_a_short_gains_what_the_price_loses() -> None:
    outcome = kernel.simulate(*one_asset([100, 100, 90, 95], offers={0: -10}))
    assert outcome.equity.tolist() == [1_000_000, 1_000_000, 1_000_100, 1_000_050]
    assert outcome.gross.tolist() == [0, 1000, 900, 950]


def test_an_order_waits_for_a_bar_of_its_asset() -> None:
    outcome = kernel.simulate(*one_asset([100, 0, 0, 103], offers={0: 10}))
    assert [(row["bar"], row["submitted"], row["price"]) for row in rows(outcome.log)] == [(3, 0, 103)]
    assert outcome.equity.tolist() == [1_000_000] * 4


def test_costs_of_a_fill_are_flat_plus_lots_plus_rate_then_bounded() -> None:
    # 10 lots at 102 after one tick of slippage at 103: notional 1,030; 7 + round(10 x 1/4) + round(1,030 x 0.01) = 7 + 2 + 10
    outcome = kernel.simulate(*one_asset(BARS, {0: 10}, fee_flat=7, fee_lot_num=1, fee_lot_den=4, fee_rate=10**6, slip_ticks=1))
    assert rows(outcome.log) == [the_fill(price=103, notional=1030, fee=19)]
    least = kernel.simulate(*one_asset(BARS, {0: 10}, fee_flat=7, fee_min=50))
    most = kernel.simulate(*one_asset(BARS, {0: 10}, fee_flat=70, fee_max=60, fee_min=50))
    cap = kernel.simulate(*one_asset(BARS, {0: 10}, fee_flat=70, fee_min=50, fee_cap=2 * 10**6))
    assert [int(outcome.log.fee[0]) for outcome in (least, most, cap)] == [50, 60, 20]


def test_slippage_by_rate_is_rounded_against_the_trader_and_stays_inside_the_bar() -> None:
    one_percent = kernel.simulate(*one_asset(BARS, {0: 10}, slip_rate=10**6))
    absurd = kernel.simulate(*one_asset(BARS, {0: 10, 1: 0}, slip_rate=2 * 10**8))
    assert one_percent.log.price.tolist() == [104]  # 102 + ceil(1.02)
    assert absurd.log.price.tolist() == [108, 97]


def test_what_the_cash_does_not_pay_for_is_cut_and_never_carried() -> None:
    outcome = kernel.simulate(*one_asset([100, 100, 100], offers={0: 15}, cash=1_234))
    assert rows(outcome.log) == [the_fill(requested=15, filled=12, price=100, notional=1200, detail=Detail.UNAFFORDABLE)]
    nothing = kernel.simulate(*one_asset([100, 100, 100], offers={0: 15}, cash=99))
    assert rows(nothing.log) == [the_fill(requested=15, filled=0, price=0, notional=0, status=Status.REJECTED, detail=Detail.UNAFFORDABLE)]


def test_two_assets_share_what_there_is_in_proportion_then_lot_by_lot() -> None:
    # 30 lots of A at 10 and 20 of B at 20 need 700 of 400: shares trunc(30 x 4/7) = 17 and trunc(20 x 4/7) = 11 use 390; A takes one more.
    assets = (Asset.of("A", tick_size="0.01"), Asset.of("B", tick_size="0.01"))
    prices = np.array([[10, 20]] * 2)
    market = kernel.Market(prices, prices, prices, prices)
    outcome = kernel.simulate(table(cash=400, assets=assets), market, offered(2, {0: {0: 30, 1: 20}}), NO_EVENTS)
    assert outcome.lots.tolist() == [18, 11]
    assert outcome.cash.tolist() == [400, 0]


def test_a_stop_loss_a_take_profit_and_a_trailing_stop_fire_on_the_path() -> None:
    ten = 10**7
    stopped = kernel.simulate(*one_asset([100, 100, (99, 99, 85, 95), 95], {0: 10}, stop=ten))
    taken = kernel.simulate(*one_asset([100, 100, (101, 115, 99, 105), 105], {0: 10}, take=ten))
    trailed = kernel.simulate(*one_asset([100, 100, (100, 120, 100, 118), (118, 118, 100, 110)], {0: 10}, trail=ten))
    found = [(int(one.log.bar[1]), int(one.log.reason[1]), int(one.log.price[1])) for one in (stopped, taken, trailed)]
    assert found == [(2, Reason.STOP_LOSS, 90), (2, Reason.TAKE_PROFIT, 110), (3, Reason.TRAILING_STOP, 108)]


def test_a_position_leaves_after_its_longest_time_and_cools_down() -> None:
    outcome = kernel.simulate(*one_asset([100] * 6, {0: 10, 2: 11, 3: 12, 4: 13}, max_bars=2, cool_down=2))
    found = [(row["bar"], row["seq"], Reason(row["reason"]), Detail(row["detail"]), row["filled"]) for row in rows(outcome.log)]
    assert found == [
        (1, 1, Reason.TARGET, Detail.NONE, 10),
        (2, 3, Reason.TARGET, Detail.COOL_DOWN, 0),  # number 2 is the exit of this bar
        (3, 2, Reason.MAX_BARS, Detail.NONE, -10),
        (3, 4, Reason.TARGET, Detail.COOL_DOWN, 0),
        (5, 5, Reason.TARGET, Detail.NONE, 13),
    ]


def test_a_split_pays_the_part_of_a_lot_and_a_dividend_pays_the_holder() -> None:
    split, dividend = (2, 0, 0, 3, 2), (3, 0, 1, 1, 4)
    outcome = kernel.simulate(*one_asset([90, 90, 60, 60], {0: 5}, events=[split, dividend]))
    assert rows(outcome.log)[1:] == [
        the_fill(bar=2, submitted=2, seq=0, reason=Reason.SPLIT, status=Status.APPLIED, requested=2, filled=2, price=60, notional=-30),
        the_fill(bar=3, submitted=3, seq=0, reason=Reason.DIVIDEND, status=Status.APPLIED, requested=0, filled=0, price=0, notional=-175),
    ]
    assert outcome.equity.tolist() == [1_000_000, 1_000_000, 1_000_000, 1_000_175]


def test_a_log_longer_than_foreseen_loses_no_row() -> None:
    """Every bar buys at its open and is stopped out: two rows for each offer."""
    bars = 700
    offers = dict.fromkeys(range(bars), 10)
    outcome = kernel.simulate(*one_asset([(100, 100, 80, 90)] * bars, offers, stop=10**7, scheduled=1, reentry_schedule=1))
    log = outcome.log
    assert log.rows == 2 * (bars - 1) + 1
    assert log.seq[:-1].tolist() == list(range(1, 2 * bars - 1))
    assert log.bar[:-1].tolist() == [bar for bar in range(1, bars) for _ in (0, 1)]
    assert log.filled[:-1].tolist() == [10, -10] * (bars - 1)
    assert outcome.cash.tolist() == [1_000_000 - 100 * bar for bar in range(bars)]
    assert (int(log.status[-1]), int(log.bar[-1])) == (Status.WORKING, bars - 1)


def test_a_log_that_starts_too_short_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = [run_or_error(kernel.simulate, session(seed)) for seed in range(40)]
    monkeypatch.setattr(sys.modules["rustybt.kernel.simulate"], "FIRST_ROWS", 0)
    assert [differences(one, run_or_error(kernel.simulate, session(seed))) for seed, one in enumerate(plain)] == [[]] * 40


def stepped(drawn: Session) -> Outcome:
    """The same bars, every one of them a step."""
    book: Any = kernel.Book(drawn.tables)
    curves = []
    for bar in range(len(drawn.market.close)):
        offers = slice(int(drawn.plan.start[bar]), int(drawn.plan.start[bar + 1]))
        prices = [getattr(drawn.market, name)[bar] for name in ("open", "high", "low", "close")]
        book.tell(drawn.tape_at(bar))
        book.rate(*drawn.rates_at(bar))
        book.timed(drawn.market.timing_at(bar))
        book.step(bar, *prices, drawn.events[drawn.events[:, 0] == bar], drawn.plan.slot[offers], drawn.plan.value[offers])
        curves.append(book.balances)
    outcome: Outcome = book.outcome(curves)
    return outcome


def walk(seed: int, bars: int, assets: int, missing: float) -> kernel.Market:
    """Prices that wander, with bars left out."""
    dice = np.random.default_rng(seed)
    close = np.maximum(50, 1000 + np.cumsum(dice.integers(-9, 10, (bars, assets)), axis=0))
    start = np.maximum(50, close + dice.integers(-3, 4, close.shape))
    high, low = np.maximum(start, close) + dice.integers(0, 6, close.shape), np.minimum(start, close) - dice.integers(0, 6, close.shape)
    gone = dice.random(close.shape) < missing
    return kernel.Market(*(np.where(gone, 0, prices).astype(np.int64) for prices in (start, high, low, close)))


@pytest.mark.parametrize("fill_at", list(FillAt))
@pytest.mark.parametrize("missing", [0.0, 0.05], ids=["dense", "gaps"])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"stop": 3 * 10**6, "take": 6 * 10**6},
        {"trail": 4 * 10**6, "cool_down": 5},
        {"max_bars": 60, "reentry_schedule": 1, "fee_rate": 10**5},
        {"stop": 5 * 10**6, "max_bars": 45, "cool_down": 30, "slip_ticks": 1},
    ],
    ids=["plain", "bracket", "trailing", "time", "all"],
)
def test_quiet_spans_give_what_stepping_every_bar_gives(settings: dict[str, Any], missing: float, fill_at: FillAt) -> None:
    """Offers are rare: most bars are marked in one go."""
    for assets, sleeves, seed in ((1, 1, 1), (2, 2, 2)):
        bars = 700 if assets == 1 else 200
        named = tuple(Asset.of(name, tick_size="0.01") for name in "AB"[:assets])
        rules = table(cash=10**6, assets=named, sleeves=sleeves, fill_at=fill_at, **settings)
        wishes = {bar: {slot: (bar // 40 + slot) % 3 * 40 - 40 for slot in range(assets * sleeves)} for bar in range(3, bars, 40)}
        events = np.array([(90, 0, 0, 2, 1), (130, 0, 1, 1, 4), (150, assets - 1, 0, 1, 3)], dtype=np.int64)
        drawn = Session(rules, Grid(*walk(seed, bars, assets, missing)), offered(bars, wishes), events)
        outcome = kernel.simulate(*drawn)
        assert outcome.log.rows > 8
        assert differences(outcome, stepped(drawn)) == []


@pytest.mark.parametrize("first", [{}, {0: 7}], ids=["nothing held", "held"])
def test_long_quiet_spans_take_gaps_and_odd_increments(first: dict[int, int]) -> None:
    """Longer than the blocks in which plain bars are marked; money units that are no multiple of a tick."""
    for tick, scale in (("0.01", 2), ("0.001", 2), ("0.25", 4)):
        closes = walk(5, 1_400, 1, 0.0).close[:, 0].tolist()
        closes[600] = closes[1_399] = 0
        rules = table(assets=(Asset.of("A", tick_size=tick),), money_scale=scale)
        drawn = Session(rules, Grid(*bars_of(closes)), offered(len(closes), first), NO_EVENTS)
        assert differences(kernel.simulate(*drawn), stepped(drawn)) == []


def test_without_offers_the_curves_stand_still() -> None:
    outcome = kernel.simulate(*one_asset([0, 100, 0, 120], offers={}))
    assert outcome.log.rows == 0
    assert outcome.equity.tolist() == outcome.cash.tolist() == [1_000_000] * 4
    assert (outcome.gross.tolist(), outcome.lots.tolist(), outcome.last.tolist()) == ([0] * 4, [0], [120])


def test_one_bar_leaves_its_order_working() -> None:
    outcome = kernel.simulate(*one_asset([100], offers={0: 10}))
    assert rows(outcome.log) == [the_fill(bar=0, filled=0, price=0, notional=0, status=Status.WORKING)]
    assert outcome.equity.tolist() == [1_000_000]


def test_no_bars_give_empty_curves() -> None:
    empty = np.zeros((0, 1), dtype=np.int64)
    outcome = kernel.simulate(table(), kernel.Market(empty, empty, empty, empty), offered(0, {}), NO_EVENTS)
    assert (outcome.log.rows, outcome.equity.tolist(), outcome.lots.tolist(), outcome.last.tolist()) == (0, [], [0], [0])


def test_orders_that_rest_in_their_hundreds_find_room_in_a_table_that_begins_small() -> None:
    """Buys wait at prices that only the last bar reaches, one bar sends ninety: all are filled there, by the reference too."""
    bars = 120
    asked = np.array([*([2] * 60), 90, *([1] * (bars - 62)), 0])
    prices = bars_of([*[(100, 101, 99, 100)] * (bars - 1), (100, 101, 40, 50)])
    requests = [row_of(reason=Reason.ORDER, kind=OrderKind.LIMIT, size=1, limit=40 + n % 50) for n in range(asked.sum())]
    clock = Clock(np.arange(bars), np.arange(bars) * 86_400_000_000, np.zeros(bars, dtype=np.int64))
    plan = offered(bars, {0: 5})
    given = Requests.of_rows(np.concatenate(([0], np.cumsum(asked))).astype(np.int64), np.array(requests, dtype=np.int64), clock)
    arguments = (table(), prices, replace(plan, requests=given), NO_EVENTS)
    outcome = kernel.simulate(*arguments)
    assert differences(outcome, reference.simulate(*arguments)) == []
    assert outcome.lots.tolist() == [5 + int(asked.sum())]
    assert int(np.count_nonzero(outcome.log.having(Status.FILLED))) == 1 + int(asked.sum())


def test_columns_have_the_types_that_the_log_declares() -> None:
    outcome = kernel.simulate(*one_asset(BARS, offers={0: 10}))
    kinds = {name: getattr(outcome.log, name).dtype.name for name in Log.__dataclass_fields__}
    assert {name for name, kind in kinds.items() if kind == "int32"} == {"bar", "submitted", "slot"}
    assert {name for name, kind in kinds.items() if kind == "int8"} == {"reason", "status", "detail"}
    assert set(kinds.values()) == {"int8", "int32", "int64"}
    assert {getattr(outcome, name).dtype.name for name in ("equity", "cash", "gross", "lots", "last")} == {"int64"}


def plan_arrays(plan: Plan) -> list[Any]:
    requests = (
        ()
        if plan.requests is None
        else (plan.requests.start, plan.requests.told, plan.requests.patterns, *vars(plan.requests.clock).values())
    )
    return [plan.start, plan.slot, plan.value, *requests]


def test_a_run_leaves_what_it_was_given_as_it_was() -> None:
    drawn = session(7)
    prices = [getattr(drawn.market, name) for name in ("open", "high", "low", "close")]
    before = [array.copy() for array in (*prices, *plan_arrays(drawn.plan), drawn.events, drawn.tables.slots)]
    first = run_or_error(kernel.simulate, drawn)
    after = [*prices, *plan_arrays(drawn.plan), drawn.events, drawn.tables.slots]
    assert all(one.tolist() == other.tolist() for one, other in zip(before, after, strict=True))
    assert differences(first, run_or_error(kernel.simulate, drawn)) == []


GOOD = one_asset(BARS, offers={0: 10})
FLOATS: Any = np.ones((3, 1))


@pytest.mark.parametrize(
    ("what", "arguments"),
    [
        ("four arrays of (bars, 1)", (GOOD[0], GOOD[1]._replace(high=np.ones((2, 1), dtype=np.int64)), GOOD[2], NO_EVENTS)),
        ("four arrays of (bars, 1)", (GOOD[0], kernel.Market(*([np.ones((3, 2), dtype=np.int64)] * 4)), GOOD[2], NO_EVENTS)),
        ("float64 is not whole numbers", (GOOD[0], kernel.Market(FLOATS, *GOOD[1][1:]), GOOD[2], NO_EVENTS)),
        ("offers of 3 bars", (GOOD[0], GOOD[1], offered(2, {0: 1}), NO_EVENTS)),
        ("offers of 3 bars", (GOOD[0], GOOD[1], Plan(3, np.array([1, 0]), np.array([0, 0]), np.array([1, 1])), NO_EVENTS)),
        ("offers of 3 bars", (GOOD[0], GOOD[1], Plan(3, np.array([0]), np.array([0]), np.array([], dtype=np.int64)), NO_EVENTS)),
        ("a slot outside 0..0", (GOOD[0], GOOD[1], offered(3, {0: {1: 5}}), NO_EVENTS)),
        ("names no asset", (GOOD[0], GOOD[1], GOOD[2], np.array([[0, 1, 0, 2, 1]]))),
        ("no positive ratio", (GOOD[0], GOOD[1], GOOD[2], np.array([[0, 0, 0, 2, 0]]))),
    ],
)
def test_arrays_that_cannot_be_meant_are_refused_at_the_door(what: str, arguments: Any) -> None:
    with pytest.raises(DataError) as error:
        kernel.simulate(*arguments)
    assert what in str(error.value)


@pytest.mark.parametrize(
    ("event", "word"),
    [((1, 0, 0, 2**31, 1), "split"), ((1, 0, 0, 1, 2**31), "split"), ((1, 0, 0, 0, 3), "split"), ((1, 0, 1, 2**61, 1), "dividend")],
)
def test_an_event_that_does_not_fit_stops_the_run_before_it_starts(event: tuple[int, ...], word: str) -> None:
    with pytest.raises(LedgerError, match=f"a {word} of .* does not fit"):
        kernel.simulate(*one_asset(BARS, {}, events=[event]))


def test_a_ratio_is_reduced_before_it_is_judged() -> None:
    outcome = kernel.simulate(*one_asset([100, 100, 50], {0: 10}, events=[(2, 0, 0, 2**40, 2**39)]))
    assert outcome.lots.tolist() == [20]
