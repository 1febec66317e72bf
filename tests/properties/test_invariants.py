"""What must hold on any market, checked on random ones in both programs."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from rustybt import kernel, reference
from rustybt.model import NO_BARS, NO_FLOWS, SLOT_FIELDS, Detail, Log, Outcome, Plan, Reason, Status
from rustybt.testing.generators import Session
from rustybt.testing.outcomes import Simulate, differences, identity_breaches, run_or_error
from tests.properties.alterations import (
    equity_from_the_log,
    fills,
    first_bars,
    maintenance_of,
    ordinary,
    tells_numbers,
    with_assets_in_order,
    with_idle_sleeve,
    with_one_delay,
    with_setting,
    without_costs,
    without_margin,
    without_repeats,
    without_requests,
)

BOTH = pytest.mark.parametrize("simulate", [pytest.param(kernel.simulate, id="kernel"), pytest.param(reference.simulate, id="reference")])
SHORT_OF_FUNDS = (Detail.UNAFFORDABLE, Detail.UNSETTLED)
SESSIONS = ordinary(range(500_000, 500_150))


def outcomes(simulate: Simulate) -> list[tuple[int, Session, Outcome]]:
    ran = ((seed, drawn, run_or_error(simulate, drawn)) for seed, drawn in SESSIONS)
    return [(seed, drawn, outcome) for seed, drawn, outcome in ran if outcome is not None]


@BOTH
def test_cash_and_quantities_are_conserved(simulate: Simulate) -> None:
    for seed, drawn, outcome in outcomes(simulate):
        assert identity_breaches(drawn, outcome) == [], seed


@BOTH
def test_equity_is_cash_plus_positions_at_every_bar(simulate: Simulate) -> None:
    for seed, drawn, outcome in outcomes(simulate):
        assert outcome.equity.tolist() == equity_from_the_log(drawn, outcome), seed


@BOTH
def test_no_fill_lies_outside_its_bar_or_on_a_missing_one(simulate: Simulate) -> None:
    seen = 0
    for seed, drawn, outcome in outcomes(simulate):
        log, filled = outcome.log, fills(outcome)
        bars, columns, prices = log.bar[filled], log.slot[filled] % len(drawn.tables.assets), log.price[filled]
        assert (drawn.market.low[bars, columns] <= prices).all(), seed
        assert (prices <= drawn.market.high[bars, columns]).all(), seed
        assert (drawn.market.close[bars, columns] > 0).all(), seed
        seen += len(prices)
    assert seen > 1000


@BOTH
def test_the_future_changes_nothing_before_it(simulate: Simulate) -> None:
    for seed, drawn, outcome in outcomes(simulate):
        bars = len(drawn.market.close) // 2
        half = run_or_error(simulate, first_bars(drawn, bars))
        assert half is not None, seed
        assert outcome.equity[:bars].tolist() == half.equity.tolist(), seed
        settled = half.log.status != Status.WORKING
        for field in fields(Log):
            now, then = getattr(half.log, field.name)[settled], getattr(outcome.log, field.name)[outcome.log.bar < bars]
            assert then[: len(now)].tolist() == now.tolist(), (seed, field.name)
            assert bars == len(drawn.market.close) or len(then) == len(now), (seed, field.name)


@BOTH
def test_an_idle_sleeve_changes_nothing(simulate: Simulate) -> None:
    for seed, drawn, outcome in outcomes(simulate):
        wider = run_or_error(simulate, with_idle_sleeve(drawn))
        assert wider is not None, seed
        assert not wider.lots[len(outcome.lots) :].any(), seed
        assert differences(outcome, replace(wider, lots=wider.lots[: len(outcome.lots)])) == [], seed


@BOTH
def test_a_repeated_target_can_be_left_out(simulate: Simulate) -> None:
    dropped = 0
    for seed, drawn, outcome in outcomes(simulate):
        leaner = without_repeats(drawn)
        dropped += len(drawn.plan.slot) - len(leaner.plan.slot)
        assert differences(outcome, run_or_error(simulate, leaner)) == [], seed
    assert dropped > 100


def carries(drawn: Session) -> bool:
    """Whether an order that found too little volume goes on at later bars."""
    return bool(drawn.tables.slots[SLOT_FIELDS.index("cap_carry")].any())


@BOTH
def test_every_order_number_has_one_fate(simulate: Simulate) -> None:
    """Numbers count up without gaps, and an order ends in one row, in two of one bar through zero, or fills in parts."""
    for seed, drawn, outcome in outcomes(simulate):
        log = outcome.log
        numbers = log.seq[log.seq > 0]
        sized_later = bool(drawn.tables.sizing)
        if not sized_later and len(numbers):
            assert sorted(set(numbers.tolist())) == list(range(1, int(numbers.max()) + 1)), seed
        for number in set(numbers.tolist()):
            rows = np.flatnonzero(log.seq == number)
            rows = rows[~np.isin(log.detail[rows], (Detail.AMENDED, Detail.ACTIVATED, Detail.DISPLAYED))]
            stages = np.isin(log.status[rows], (Status.ACCEPTED, Status.TRIGGERED))
            assert log.status[rows[stages]].tolist() in ([], [Status.ACCEPTED], [Status.ACCEPTED, Status.TRIGGERED]), seed
            rows = rows[int(stages.sum()) :]
            assert not np.isin(log.status[rows], (Status.ACCEPTED, Status.TRIGGERED)).any(), seed
            beyond = np.isin(log.detail[rows], (Detail.CAPPED, Detail.LOT_SIZE))
            rows = rows[~beyond] if not beyond.all() else rows
            if not carries(drawn):
                assert len(rows) == 1 or (
                    len(rows) == 2 and len(set(log.bar[rows].tolist())) == 1 and log.detail[rows[0]] == Detail.NONE
                ), seed
            earlier = rows[log.bar[rows] < log.bar[rows].max()]
            assert ((log.status[earlier] == Status.FILLED) | np.isin(log.detail[earlier], SHORT_OF_FUNDS)).all(), seed
            assert (log.submitted[rows] <= log.bar[rows]).all(), seed


@BOTH
def test_assets_in_another_order_give_the_same_run_when_nothing_is_cut(simulate: Simulate) -> None:
    compared = 0
    for seed, drawn, outcome in outcomes(simulate):
        if (
            np.isin(outcome.log.detail, SHORT_OF_FUNDS).any()
            or len(drawn.tables.assets) < 2
            or drawn.tables.controls is not None
            or tells_numbers(drawn)
        ):
            continue
        if len(drawn.tables.delays) > 1:  # which delay an order takes goes by its number
            continue
        order = list(range(len(drawn.tables.assets)))[::-1]
        turned = run_or_error(simulate, with_assets_in_order(drawn, order))
        assert turned is not None, seed
        for curve in ("equity", "cash", "gross"):
            assert getattr(turned, curve).tolist() == getattr(outcome, curve).tolist(), (seed, curve)
        assert turned.last[::-1].tolist() == outcome.last.tolist(), seed
        assert turned.lots.reshape(-1, len(order))[:, ::-1].tolist() == outcome.lots.reshape(-1, len(order)).tolist(), seed
        compared += outcome.log.rows > 0
    assert compared > 5


def test_assets_in_another_order_change_a_cut_by_one_residual_lot_at_most() -> None:
    compared = 0
    for seed, drawn in ordinary(range(600_000, 600_400)):
        plain = with_setting(without_costs(with_one_delay(without_requests(drawn))), stop=0, take=0, trail=0, max_bars=0, cool_down=0)
        assets = len(plain.tables.assets)
        outcome = run_or_error(kernel.simulate, plain)
        if outcome is None or assets < 2 or plain.tables.sleeves > 1 or plain.tables.controls is not None:
            continue
        cut = outcome.log.bar[np.isin(outcome.log.detail, SHORT_OF_FUNDS)]
        if not len(cut):
            continue
        bars = int(cut[0]) + 1
        turned = run_or_error(kernel.simulate, first_bars(with_assets_in_order(plain, range(assets)[::-1]), bars))
        before = run_or_error(kernel.simulate, first_bars(plain, bars))
        assert before is not None, seed
        assert turned is not None, seed
        assert np.abs(turned.lots[::-1] - before.lots).max() <= 1, seed
        compared += 1
    assert compared > 50


def test_higher_commission_never_gives_more_cash_for_the_same_fills() -> None:
    compared = 0
    for seed, drawn, cheap in outcomes(kernel.simulate):
        rates = drawn.tables.row("fee_rate")
        dear = run_or_error(kernel.simulate, with_setting(drawn, fee_rate=int(rates.max()) + 10**5))
        same = dear is not None and all(
            np.array_equal(getattr(cheap.log, name), getattr(dear.log, name)) for name in ("bar", "slot", "filled", "price")
        )
        if dear is None or not same or not fills(cheap).any():
            continue
        assert int(dear.cash[-1]) <= int(cheap.cash[-1]), seed
        assert (dear.log.fee >= cheap.log.fee).all(), seed
        compared += 1
    assert compared > 10


@BOTH
def test_buying_and_selling_back_at_one_price_without_costs_is_free(simulate: Simulate) -> None:
    compared = 0
    for seed, drawn in SESSIONS:
        bars = len(drawn.market.close)
        if bars < 4:
            continue
        flat = without_costs(with_setting(without_margin(drawn), stop=0, take=0, trail=0, max_bars=0, scheduled=0))
        prices = np.broadcast_to(np.maximum(drawn.market.close.max(axis=0), 1), drawn.market.close.shape).copy()
        market = replace(drawn.market, open=prices, high=prices, low=prices, close=prices, timing=None)
        slots = flat.tables.slots.shape[1]
        offers = [int(v) for v in flat.plan.value[:slots]] + [1] * (slots - len(flat.plan.value[:slots]))
        start = np.array([0, slots, slots, *[2 * slots] * (bars - 2)], dtype=np.int64)
        value = np.array([*offers, *[0] * slots], dtype=np.int64)
        plan = Plan.from_starts(start, np.array(list(range(slots)) * 2, dtype=np.int64), value)
        tables = replace(flat.tables, flows=NO_FLOWS, settlements=NO_BARS, delays=())
        outcome = run_or_error(simulate, Session(tables, market, plan, np.zeros((0, 5), dtype=np.int64)))
        if outcome is None:
            continue
        assert not outcome.lots.any(), seed
        assert int(outcome.cash[-1]) == drawn.tables.cash, seed
        compared += bool(fills(outcome).any())
    assert compared > 20


@BOTH
def test_increases_respect_the_gross_limit(simulate: Simulate) -> None:
    """Filled and valued at one close without costs: exposure is within the limit, up to the rounding of each position and fill."""
    compared = 0
    for seed, drawn in SESSIONS:
        closing = without_costs(without_margin(drawn))
        closing = closing._replace(tables=replace(closing.tables, fill_at=type(closing.tables.fill_at).SAME_BAR_CLOSE))
        outcome = run_or_error(simulate, closing)
        if outcome is None:
            continue
        log, before = outcome.log, np.zeros(len(outcome.lots), dtype=object)
        for row in range(log.rows):
            slot, moved = int(log.slot[row]), int(log.filled[row])
            grows = moved and abs(before[slot] + moved) > abs(before[slot]) and log.reason[row] == Reason.TARGET
            before[slot] += moved
            if grows:
                bar = int(log.bar[row])
                limit = int(outcome.equity[bar]) * drawn.tables.gross // 10**8
                assert int(outcome.gross[bar]) <= limit + 4 * len(before) + drawn.tables.gross // 10**7, (seed, bar)
                compared += 1
    assert compared > 50


@BOTH
def test_a_flow_of_nothing_changes_nothing(simulate: Simulate) -> None:
    for seed, drawn, outcome in outcomes(simulate):
        bars = np.arange(len(drawn.market.close) + 2, dtype=np.int64)
        rows = np.concatenate([drawn.tables.flows, np.stack([bars, bars * 0], axis=1)])
        more = replace(drawn.tables, flows=rows[np.argsort(rows[:, 0], kind="stable")])
        assert differences(outcome, run_or_error(simulate, drawn._replace(tables=more))) == [], seed


@BOTH
def test_cash_less_all_flows_is_what_trading_left(simulate: Simulate) -> None:
    """What went in and out is in the log once, and a refused withdrawal not at all."""
    compared = 0
    for seed, drawn, outcome in outcomes(simulate):
        log, asked = outcome.log, drawn.tables.flows
        asked = asked[(asked[:, 1] != 0) & (asked[:, 0] < len(outcome.cash))]
        rows = np.flatnonzero(np.isin(log.reason, (Reason.DEPOSIT, Reason.WITHDRAWAL)))
        applied = log.status[rows] == Status.APPLIED
        assert log.bar[rows].tolist() == asked[:, 0].tolist(), seed
        assert (-log.notional[rows]).tolist() == np.where(applied, asked[:, 1], 0).tolist(), seed
        assert applied[asked[:, 1] > 0].all(), seed
        paid = np.where(log.status == Status.ACCRUED, 0, log.notional + log.fee)
        others = np.delete(paid, rows)
        moved = sum(asked[applied, 1].tolist()) - sum(others.tolist())
        assert int(outcome.cash[-1]) == drawn.tables.cash + moved, seed
        compared += len(rows)
    assert compared > 100


@BOTH
def test_a_withdrawal_never_leaves_cash_below_zero(simulate: Simulate) -> None:
    """Checked where it is the only thing of its bar: cash after it, and the positions it leaves within the gross limit."""
    compared = 0
    for seed, drawn, outcome in outcomes(simulate):
        log = outcome.log
        for row in np.flatnonzero((log.reason == Reason.WITHDRAWAL) & (log.status == Status.APPLIED)).tolist():
            paid = np.where(log.status == Status.ACCRUED, 0, log.notional) + log.fee
            before = drawn.tables.cash - sum(paid[: row + 1].tolist())
            assert before >= 0, seed
            compared += 1
    assert compared > 20


def test_margin_beyond_every_need_is_a_run_without_calls() -> None:
    """Initial margin of the whole value and none to maintain is the gross rule."""
    compared = 0
    for seed, drawn in SESSIONS:
        plain = without_margin(drawn)
        full = with_setting(plain, margin_initial=10**8)
        one, other = run_or_error(kernel.simulate, plain), run_or_error(kernel.simulate, full)
        if other is not None and (other.log.reason == Reason.MARGIN_CALL).any():
            continue  # equity fell below zero: there is no gross rule for that
        assert differences(one, other) == [], seed
        compared += 1
    assert compared > 100


@BOTH
def test_after_a_call_the_orders_sent_are_enough_at_the_prices_of_the_call(simulate: Simulate) -> None:
    """From the log and the closes: what is left after the liquidation orders asks for no more than the equity, or nothing is left."""
    seen = 0
    for seed, session in SESSIONS:
        drawn = with_setting(without_margin(session), margin_initial=2 * 10**7, margin_maintenance=19 * 10**6, stop=0, take=0, trail=0)
        drawn = drawn._replace(tables=replace(drawn.tables, gross=10**8, fill_at=type(drawn.tables.fill_at).NEXT_OPEN))
        outcome = run_or_error(simulate, drawn)
        if outcome is None:
            continue
        log = outcome.log
        for row in np.flatnonzero(log.reason == Reason.MARGIN_CALL).tolist():
            bar = int(log.bar[row])
            lots = [0] * len(outcome.lots)
            for before in range(row):
                lots[int(log.slot[before])] += int(log.filled[before])
            held = list(lots)
            sent = np.flatnonzero((log.reason == Reason.LIQUIDATION) & (log.submitted == bar) & (log.filled != 0))
            waits = np.flatnonzero((log.reason == Reason.LIQUIDATION) & (log.submitted == bar) & (log.filled == 0))
            if len(waits) or (drawn.events[:, 0] == bar + 1).any():
                continue
            for one in sent.tolist():
                lots[int(log.slot[one])] += int(log.filled[one])
            owed = maintenance_of(drawn, lots, bar)
            equity = int(outcome.equity[bar])
            assert maintenance_of(drawn, held, bar) > equity, (seed, bar)
            assert owed <= equity or not any(lots), (seed, bar)
            seen += 1
    assert seen > 20


@BOTH
def test_settlement_changes_cash_and_nothing_else(simulate: Simulate) -> None:
    compared = 0
    for seed, drawn in SESSIONS:
        plain = with_setting(
            drawn._replace(events=drawn.events[:0], tables=replace(drawn.tables, flows=NO_FLOWS, carry=None, pending_days=0)), settles=0
        )
        every = np.arange(len(drawn.market.close), dtype=np.int64)
        paid = with_setting(plain._replace(tables=replace(plain.tables, settlements=every)), settles=1)
        one, other = run_or_error(simulate, plain), run_or_error(simulate, paid)
        if one is None or other is None:
            continue
        for name in ("equity", "gross", "lots", "last"):
            assert getattr(one, name).tolist() == getattr(other, name).tolist(), (seed, name)
        assert other.cash.tolist() == other.equity.tolist(), seed
        kept = other.log.reason != Reason.VARIATION
        for field in fields(Log):
            assert getattr(other.log, field.name)[kept].tolist() == getattr(one.log, field.name).tolist(), (seed, field.name)
        compared += int((~kept).any())
    assert compared > 50
