"""What must hold where sales settle later, on any market."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rustybt import kernel, reference
from rustybt.ledger.frames import Books, unsettled_per_bar
from rustybt.model import NO_DATED, NO_FLOWS, Detail, Status
from rustybt.testing.currencies import in_one_currency
from rustybt.testing.generators import Session, session
from rustybt.testing.outcomes import Simulate, identity_breaches, run_or_error
from tests.properties.alterations import with_setting, without_carry, without_margin, without_requests

BOTH = pytest.mark.parametrize("simulate", [pytest.param(kernel.simulate, id="kernel"), pytest.param(reference.simulate, id="reference")])
DRAWN = [(seed, drawn) for seed in range(820_000, 820_200) if (drawn := session(seed, bars=25)).tables.pending_days]
SESSIONS = [(seed, drawn._replace(tables=replace(in_one_currency(drawn.tables), dated=NO_DATED))) for seed, drawn in DRAWN]


def books_of(drawn: Session, outcome: object) -> Books:
    bars = np.arange(len(drawn.market.close), dtype=np.int64)
    return Books(drawn.tables, outcome, bars, bars.astype(np.int32), ("s",) * drawn.tables.sleeves)  # type: ignore[arg-type]


@BOTH
def test_books_balance_and_orders_are_cut_for_it(simulate: Simulate) -> None:
    cut = 0
    for seed, drawn in SESSIONS:
        outcome = run_or_error(simulate, drawn)
        if outcome is None:
            continue
        assert identity_breaches(drawn, outcome) == [], seed
        pending = unsettled_per_bar(books_of(drawn, outcome))
        assert pending is not None
        assert (pending >= 0).all(), seed
        cut += int((outcome.log.detail == Detail.UNSETTLED).sum())
    assert cut > 30


@BOTH
def test_a_purchase_that_opens_or_adds_is_paid_from_settled_cash(simulate: Simulate) -> None:
    """From the log alone, fill after fill: reductions may overdraw, what opens or adds may not."""
    seen = 0
    for seed, other in SESSIONS:
        drawn = with_setting(without_requests(without_carry(without_margin(other))), settles=0)
        tables = replace(drawn.tables, gross=10**8, flows=NO_FLOWS)
        drawn = drawn._replace(tables=tables, events=drawn.events[:0])
        outcome = run_or_error(simulate, drawn)
        if outcome is None:
            continue
        log, cash, held, waiting = outcome.log, tables.cash, [0] * len(outcome.lots), list[tuple[int, int]]()
        for row in np.flatnonzero(log.status == Status.FILLED).tolist():
            bar, slot, filled, paid = (int(n) for n in (log.bar[row], log.slot[row], log.filled[row], log.notional[row] + log.fee[row]))
            session_now = int((tables.turns <= bar).sum())
            waiting = [(due, money) for due, money in waiting if due > session_now]
            if filled > 0 and held[slot] >= 0 and paid > 0:
                assert paid <= cash - sum(money for _, money in waiting), (seed, row)
                seen += 1
            if paid < 0:
                waiting.append((session_now + tables.pending_days, -paid))
            cash -= paid
            held[slot] += filled
    assert seen > 20
