"""What the kernel adds up while it runs is what the metrics would have added, to the last bit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rustybt.analysis.metrics import Curve
from rustybt.analysis.metrics.activity import exposure
from rustybt.analysis.metrics.drawdown import deepest_of_bars
from rustybt.kernel import simulate
from rustybt.kernel.example import one_asset
from rustybt.model import Outcome
from rustybt.model.usage import BLOCK


def outcome_of(bars: int, targets: Any, **rules: int) -> Outcome:
    """A run over prices that wander."""
    rng = np.random.default_rng(bars)
    prices = np.abs(10_000 + rng.integers(-30, 31, bars).cumsum()) + 1
    places = np.sort(rng.choice(bars, bars // 7, replace=False))
    offers = dict(zip(places.tolist(), rng.choice(targets, len(places)).tolist(), strict=True))
    return simulate(*one_asset(prices.tolist(), offers, **rules))


def curve_of(outcome: Outcome) -> Curve:
    """Its balances, with what was added up."""
    bars = np.arange(len(outcome.equity))
    return Curve(bars, (bars // 100).astype(np.int32), outcome.equity, outcome.cash, outcome.gross, 2, use=outcome.use)


@pytest.mark.parametrize("bars", [BLOCK, BLOCK + 1, 3 * BLOCK - 1, 4 * BLOCK + 77])
@pytest.mark.parametrize("targets", [(0, 3, 7), (-5, 0, 4), (-2, -1)], ids=["long", "both", "short"])
def test_the_shares_are_those_that_numpy_adds(bars: int, targets: tuple[int, ...]) -> None:
    curve = curve_of(outcome_of(bars, targets, fee_rate=10**5))
    assert curve.use is not None
    assert curve.use.bars == bars // BLOCK * BLOCK
    alone = exposure(replace(curve, use=None))
    assert exposure(curve) == alone
    assert 0 < alone["average_exposure"] < alone["max_exposure"]


@pytest.mark.parametrize("bars", [BLOCK, BLOCK + 1, 3 * BLOCK + 1025])
@pytest.mark.parametrize("targets", [(0, 3, 7), (-5, 0, 4)], ids=["long", "both"])
def test_the_deepest_fall_is_that_of_all_bars(bars: int, targets: tuple[int, ...]) -> None:
    curve = curve_of(outcome_of(bars, targets, fee_rate=10**5))
    for opening in (None, 1, 2 * int(curve.equity.max())):
        opened = replace(curve, opening=opening)
        assert deepest_of_bars(opened) == deepest_of_bars(replace(opened, use=None)) < 0


def test_equity_that_is_not_positive_has_no_shares() -> None:
    curve = curve_of(outcome_of(2 * BLOCK, (5,)))
    assert curve.use is not None
    low = replace(curve.use, least=np.array([curve.use.least[0], 0]))
    found = exposure(replace(curve, use=low))
    assert np.isnan(found["average_exposure"])
    assert found["time_in_market"] == exposure(curve)["time_in_market"] > 0


def test_a_run_of_less_than_a_block_adds_nothing_up() -> None:
    assert outcome_of(BLOCK - 1, (0, 3)).use is None
