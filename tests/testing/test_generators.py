from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given

from rustybt.model import REQUEST_FIELDS, SLOT_FIELDS, EventKind, FillAt, Reason, Sizing
from rustybt.model.panel import Ints
from rustybt.testing.generators import Session, session, sessions


def digest(drawn: Session) -> str:
    tables = drawn.tables
    rules = repr((drawn.market.timing, tables.intrabar, tables.delays)).encode()
    columns = (
        *(getattr(drawn.market, name) for name in ("open", "high", "low", "close")),
        *vars(drawn.tape).values(),
        drawn.plan.start,
        drawn.plan.slot,
        drawn.plan.value,
        drawn.events,
        tables.slots,
        tables.tiers,
        tables.impacts,
    )
    arrays = [column for column in columns if column is not None]
    return hashlib.sha256(rules + b"".join(array.tobytes() for array in arrays)).hexdigest()


def well_formed(drawn: Session) -> None:
    market, plan, tables = drawn.market, drawn.plan, drawn.tables
    bars, assets = market.close.shape
    there = market.close > 0
    for field in (market.open, market.high, market.low):
        assert ((field > 0) == there).all()
    assert (market.low <= np.minimum(market.open, market.close)).all()
    assert (market.high >= np.maximum(market.open, market.close)).all()
    assert tables.slots.shape == (len(SLOT_FIELDS), tables.sleeves * assets)
    assert len(plan.start) == bars + 1
    assert plan.start[-1] == len(plan.slot) == len(plan.value)
    for bar in range(bars):
        assert (np.diff(plan.slot[plan.start[bar] : plan.start[bar + 1]]) > 0).all()
    assert all(there[bar, column] for bar, column, kind, *_ in drawn.events.tolist() if kind != EventKind.PAYMENT)
    claims = drawn.events[drawn.events[:, 10] > 0]
    assert sorted(claims[claims[:, 2] == EventKind.DIVIDEND, 10]) == sorted(claims[claims[:, 2] == EventKind.PAYMENT, 10])
    assert drawn.events[:, :3].tolist() == sorted(drawn.events[:, :3].tolist())


def asked(drawn: Session) -> Ints:
    requests = drawn.plan.requests
    return np.zeros((0, len(REQUEST_FIELDS)), dtype=np.int64) if requests is None else requests.rows


def test_a_seed_always_gives_the_same_session() -> None:
    assert digest(session(7)) == digest(session(7))
    assert len({digest(session(seed)) for seed in range(50)}) == 50


def test_seeded_sessions_are_well_formed() -> None:
    for seed in range(300):
        well_formed(session(seed))


@given(sessions())
def test_hypothesis_sessions_are_well_formed(drawn: Session) -> None:
    well_formed(drawn)
    assert len(drawn.market.close) <= 10
    assert len(drawn.tables.assets) <= 3


@pytest.mark.parametrize(
    "name",
    [
        "missing bars",
        "pennies",
        "one-tick bars",
        "near the limit",
        "no cash",
        "splits",
        "dividends",
        "three sleeves",
        "tiers",
        "makers",
        "impacts",
        "orders of callbacks",
        "orders kept once",
    ],
)
def test_the_corners_are_drawn(name: str) -> None:
    corners: dict[str, Callable[[Session], bool]] = {
        "missing bars": lambda s: bool((s.market.close == 0).any()),
        "pennies": lambda s: bool((s.market.close == 1).any()),
        "one-tick bars": lambda s: bool(((s.market.high == s.market.low) & (s.market.close > 0)).any()),
        "near the limit": lambda s: s.tables.cash >= 2**59,
        "no cash": lambda s: s.tables.cash <= 1,
        "splits": lambda s: bool((s.events[:, 2] == 0).any()),
        "dividends": lambda s: bool((s.events[:, 2] == 1).any()),
        "three sleeves": lambda s: s.tables.sleeves == 3,
        "tiers": lambda s: s.tables.tiers.shape[1] > 3,
        "impacts": lambda s: s.tables.impacts.shape[1] > 1,
        "orders of callbacks": lambda s: bool((asked(s)[:, REQUEST_FIELDS.index("reason")] == Reason.CALLBACK).any()),
        "orders kept once": lambda s: s.plan.requests is not None and len(s.plan.requests.patterns) < len(s.plan.requests.told),
        "makers": lambda s: bool((s.tables.row("fee_maker") > 0).any()),
    }
    assert sum(corners[name](session(seed)) for seed in range(300)) >= 3


def test_every_policy_is_drawn() -> None:
    seen = {(s.tables.fill_at, s.tables.sizing) for s in map(session, range(200))}
    assert seen == {(fill_at, sizing) for fill_at in FillAt for sizing in Sizing}


def test_the_most_bars_is_kept() -> None:
    assert all(len(session(seed, bars=3).market.close) <= 3 for seed in range(50))
