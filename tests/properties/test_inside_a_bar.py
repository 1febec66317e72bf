"""Policies and finer bars on random single trades: one decision, one exit at most, no costs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rustybt import kernel, reference
from rustybt.kernel.example import one_asset
from rustybt.model import Detail, Finer, Intrabar, Outcome, Reason, Timing
from rustybt.testing.generators import draw_bar, seeded
from rustybt.testing.outcomes import Simulate
from rustybt.testing.timings import draw_path

BOTH = pytest.mark.parametrize("simulate", [pytest.param(kernel.simulate, id="kernel"), pytest.param(reference.simulate, id="reference")])
SEEDS = range(400)


def trade(simulate: Simulate, seed: int, policy: Intrabar, honest: bool = False) -> tuple[Outcome, kernel.TimedMarket]:
    """One position of a seed, under a policy; ``honest``: with finer bars that walk from the open to both extremes and the close."""
    dice = seeded(seed)
    price, bars = 10_000, []
    for _ in range(12):
        bars.append(draw_bar(dice, price, 60))
        price = bars[-1][3]
    lots = 10 if dice.chance(50) else -10
    levels = {name: dice.pick((10**6, 2 * 10**6, 5 * 10**6)) for name in ("stop", "take")}
    tables, market, plan, events = one_asset(bars, {0: lots}, cash=10**9, **levels)
    paths = [draw_path(dice, *bar) for bar in bars]
    rows = np.array([row for path in paths for row in path], dtype=np.int64)
    start = np.concatenate([[0], np.cumsum([len(path) for path in paths])]).astype(np.int64)
    finer = Finer(start, *(np.ascontiguousarray(rows[:, i]) for i in range(3)))
    timed = kernel.TimedMarket(*market, Timing(finer=finer) if honest else None)
    return simulate(replace(tables, intrabar=policy), timed, plan, events, None), timed  # type: ignore[arg-type]


@BOTH
def test_optimistic_ends_no_lower_than_nearest_and_nearest_no_lower_than_pessimistic(simulate: Simulate) -> None:
    apart = 0
    for seed in SEEDS:
        low, middle, high = (int(trade(simulate, seed, policy)[0].equity[-1]) for policy in (Intrabar(0), Intrabar(2), Intrabar(1)))
        assert low <= middle <= high, seed
        apart += low < high
    assert apart > 20


@BOTH
def test_finer_bars_end_between_the_bounds_or_at_a_gap_of_their_own(simulate: Simulate) -> None:
    decided = 0
    for seed in SEEDS:
        low, high = (trade(simulate, seed, policy)[0] for policy in (Intrabar.PESSIMISTIC, Intrabar.OPTIMISTIC))
        found, market = trade(simulate, seed, Intrabar.PESSIMISTIC, honest=True)
        exits = np.flatnonzero((found.log.reason != Reason.TARGET) & (found.log.detail != Detail.UNRESOLVED))
        for row in exits.tolist():
            bar = int(found.log.bar[row])
            assert market.low[bar, 0] <= found.log.price[row] <= market.high[bar, 0], seed
        assert found.log.reason.tolist() in (low.log.reason.tolist(), high.log.reason.tolist()), seed
        decided += low.log.reason.tolist() != high.log.reason.tolist()
    assert decided > 20
