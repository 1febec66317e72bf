"""What carry may change on any market: money, by its own rows, and shorts that are not there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rustybt import kernel, reference
from rustybt.ledger.carry import KINDS
from rustybt.model import CHARGE_FIELDS, CarryTable, Detail, Plan, Reason, Sizing, Status
from rustybt.testing.currencies import in_one_currency
from rustybt.testing.generators import Session, session
from rustybt.testing.outcomes import Simulate, identity_breaches, run_or_error
from tests.properties.alterations import with_setting, without_margin, without_requests

BOTH = pytest.mark.parametrize("simulate", [pytest.param(kernel.simulate, id="kernel"), pytest.param(reference.simulate, id="reference")])


def carried(seeds: range) -> list[tuple[int, Session]]:
    return [(seed, drawn) for seed in seeds if (drawn := session(seed, bars=25)).tables.carry is not None]


SESSIONS = carried(range(810_000, 810_240))


@BOTH
def test_charges_change_equity_by_their_rows_and_nothing_else(simulate: Simulate) -> None:
    compared = 0
    for seed, drawn in SESSIONS:
        plain = without_requests(with_setting(without_margin(drawn), kind=0))
        whole = Plan(plain.plan.bars, plain.plan.bar, plain.plan.slot, np.sign(plain.plan.value))
        tables = replace(
            in_one_currency(plain.tables), cash=2**50, gross=1000 * 10**8, controls=None, sizing=Sizing.AT_DECISION, pending_days=0
        )
        assert tables.carry is not None
        plain = plain._replace(tables=replace(tables, carry=CarryTable(charges=tables.carry.charges)), plan=whole)
        one = run_or_error(simulate, plain)
        other = run_or_error(simulate, plain._replace(tables=replace(plain.tables, carry=None)))
        if one is None or other is None or (one.log.detail == Detail.UNAFFORDABLE).any() or (other.log.detail == Detail.UNAFFORDABLE).any():
            continue
        rows = np.isin(one.log.reason, KINDS)
        paid = np.zeros(len(one.equity), dtype=np.int64)
        np.add.at(paid, one.log.bar[rows], one.log.notional[rows])
        assert (one.equity + np.cumsum(paid)).tolist() == other.equity.tolist(), seed
        assert (one.cash + np.cumsum(paid)).tolist() == other.cash.tolist(), seed
        assert one.lots.tolist() == other.lots.tolist(), seed
        compared += bool(rows.any())
    assert compared > 20


@BOTH
def test_no_order_opens_or_adds_to_a_short_that_cannot_be_borrowed(simulate: Simulate) -> None:
    refused = 0
    for seed, drawn in SESSIONS:
        outcome = run_or_error(simulate, drawn)
        if outcome is None:
            continue
        assert identity_breaches(drawn, outcome) == [], seed
        assert drawn.tables.carry is not None
        log, held, assets = outcome.log, np.zeros(len(outcome.lots), dtype=np.int64), len(drawn.tables.assets)
        for row in range(log.rows):
            slot, bar, filled = int(log.slot[row]), int(log.bar[row]), int(log.filled[row])
            if log.status[row] == Status.FILLED and filled < 0 and held[slot] + filled < 0 and held[slot] <= 0:
                hard = any(a == slot % assets and first <= bar <= last for a, first, last in drawn.tables.carry.hard.tolist())
                assert not hard, (seed, row)
            refused += int(log.detail[row] == Detail.NO_BORROW)
            if slot >= 0:
                held[slot] += filled
    assert refused > 20


@BOTH
def test_each_kind_is_paid_by_the_side_that_it_is_about(simulate: Simulate) -> None:
    seen = dict.fromkeys(KINDS, 0)
    for seed, drawn in SESSIONS:
        outcome = run_or_error(simulate, drawn)
        if outcome is None or drawn.tables.carry is None:
            continue
        log, held, given = outcome.log, [0] * len(outcome.lots), drawn.tables.currencies
        currency = np.zeros(log.rows, dtype=np.int64) if given is None else given.of_slots(log.slot)
        cash = {0: drawn.tables.cash}
        sides = {(bar, reason): side for bar, reason, _, side, *_ in drawn.tables.carry.charges.tolist()}
        for row in range(log.rows):
            reason, slot = Reason(int(log.reason[row])), int(log.slot[row])
            if reason in KINDS:
                on_cash = reason in (Reason.INTEREST, Reason.CREDIT)
                base = cash.get(int(currency[row]), 0) if on_cash else held[slot]
                assert base != 0, (seed, row)
                assert reason is not Reason.BORROW or base < 0, (seed, row)
                assert reason is not Reason.INTEREST or base < 0, (seed, row)
                assert reason is not Reason.CREDIT or base > 0, (seed, row)
                assert (int(log.bar[row]), int(reason)) in sides, (seed, row)
                seen[reason] += 1
            if log.status[row] != Status.ACCRUED:
                cash[int(currency[row])] = cash.get(int(currency[row]), 0) - int(log.notional[row] + log.fee[row])
            if slot >= 0:
                held[slot] += int(log.filled[row])
    assert all(seen.values()), seen


@pytest.mark.parametrize("column", CHARGE_FIELDS[1:6])
def test_charges_about_nothing_are_refused(column: str) -> None:
    from rustybt.errors import DataError, LedgerError

    _, drawn = next((seed, drawn) for seed, drawn in SESSIONS if drawn.tables.carry is not None and len(drawn.tables.carry.charges))
    assert drawn.tables.carry is not None
    rows = drawn.tables.carry.charges.copy()
    rows[0, CHARGE_FIELDS.index(column)] = {"reason": 0, "asset": 99, "side": 2, "num": 2**61, "den": 0}[column]
    with pytest.raises((DataError, LedgerError), match="charge"):
        kernel.simulate(*drawn._replace(tables=replace(drawn.tables, carry=CarryTable(charges=rows))))
