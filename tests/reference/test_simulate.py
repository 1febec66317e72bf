from __future__ import annotations

import numpy as np

from rustybt.model import Asset, FillAt, Plan, Sizing, Tables
from rustybt.model.tables import SLOT_FIELDS, Log
from rustybt.reference import simulate
from rustybt.testing.generators import Grid, session


def test_an_empty_market_leaves_the_opening_cash_and_an_empty_log() -> None:
    slots = np.zeros((len(SLOT_FIELDS), 1), dtype=np.int64)
    tables = Tables((Asset("A"),), 1, 5, 2, 10**8, FillAt.NEXT_OPEN, Sizing.AT_DECISION, slots)
    none = np.zeros((0, 1), dtype=np.int64)
    plan = Plan.from_starts(np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    outcome = simulate(tables, Grid(none, none, none, none), plan, np.zeros((0, 5), dtype=np.int64))
    assert outcome.log.rows == 0
    assert outcome.equity.shape == (0,)
    assert outcome.lots.tolist() == [0]


def test_the_log_has_the_declared_types() -> None:
    log = simulate(*session(3)).log
    assert log.rows > 0
    assert {name: getattr(log, name).dtype.name for name in ("bar", "submitted", "slot")} == dict.fromkeys(
        ("bar", "submitted", "slot"), "int32"
    )
    assert {getattr(log, name).dtype.name for name in ("reason", "status", "detail")} == {"int8"}
    assert {getattr(log, name).dtype.name for name in ("seq", "requested", "filled", "price", "notional", "fee")} == {"int64"}
    assert len(Log.__dataclass_fields__) == 12


def test_inputs_are_left_alone() -> None:
    tables, market, plan, events, tape = session(11)
    before = [tables.slots.copy(), market.close.copy(), plan.value.copy(), events.copy()]
    simulate(tables, market, plan, events, tape)
    for now, then in zip((tables.slots, market.close, plan.value, events), before, strict=True):
        assert np.array_equal(now, then)
