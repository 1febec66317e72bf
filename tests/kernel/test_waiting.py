"""Bars that a compiled run passes over because orders only wait are the same bars as those gone through one by one."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

import rustybt as rbt
from rustybt.engine.bulk import run_configured
from rustybt.engine.compare import outcome_difference
from rustybt.engine.config import configure
from rustybt.engine.incremental import walk
from rustybt.spec import Order
from rustybt.testing import markets

CLOSE = pl.col("close")
place = pl.int_range(pl.len()).over("asset")


def deal(stop: float, target: float, **entry: Any) -> Order:
    return rbt.bracket(
        rbt.order(**entry),
        stop=rbt.order("stop", "filled", stop=CLOSE * stop, tif="gtc"),
        target=rbt.order("limit", "filled", limit=CLOSE * target, tif="gtc"),
    )


STRATEGIES = {
    "brackets": rbt.Strategy("s", orders=[deal(0.97, 1.05, kind="market", quantity=10, when=place % 40 == 3, tif="gtc")]),
    "shorts": rbt.Strategy("s", orders=[deal(1.04, 0.96, kind="limit", quantity=-10, limit=CLOSE * 1.01, when=place % 70 == 3, tif="gtc")]),
    "far away": rbt.Strategy("s", orders=[rbt.order("limit", 5, limit=CLOSE * 0.8, when=place == 2, tif="gtc")]),
    "both sides": rbt.Strategy(
        "s",
        orders=[
            rbt.order("stop", 5, stop=CLOSE * 1.1, when=place == 4, tif="gtc", oco=[rbt.order("stop", -5, stop=CLOSE * 0.9, tif="gtc")])
        ],
    ),
    "many": rbt.Strategy(
        "s",
        orders=[rbt.order("limit", 1, limit=CLOSE * (0.99 - n / 100), when=place == 5 + n, tif="gtc", replace=False) for n in range(20)],
    ),
    "beside a target": rbt.Strategy(
        "s",
        target=rbt.quantity(pl.when(place % 100 < 50).then(3).otherwise(0)),
        exits=rbt.exits(stop_loss="0.1", take_profit="0.2"),
        orders=[rbt.order("limit", 2, limit=CLOSE * 0.97, when=place % 100 == 20, tif="gtc", replace=False)],
    ),
}


SETTINGS: tuple[dict[str, Any], ...] = ({}, {"controls": rbt.controls(position=10)})


@pytest.mark.parametrize("assets", [1, 3])
@pytest.mark.parametrize("name", STRATEGIES)
def test_what_waits_is_filled_at_the_same_bars_as_bar_by_bar(name: str, assets: int) -> None:
    filled = 0
    for seed, settings in enumerate(SETTINGS):
        panel = markets.panel(assets=assets, bars=500, seed=seed, gaps=0.05 * (seed % 2))
        config = configure(cash=10_000, costs=rbt.costs(commission=rbt.bps(10)), **settings)
        sleeves = {"s": STRATEGIES[name]}
        fast, slow = run_configured(sleeves, panel, config), walk(sleeves, panel, config)
        assert outcome_difference(fast.outcome, slow.outcome) == ""
        filled += fast.fills.height
    assert filled > 0


def test_a_bracket_that_waits_agrees_with_the_reference() -> None:
    panel = markets.panel(assets=2, bars=400, seed=9, gaps=0.02)
    assert rbt.verify(STRATEGIES["brackets"], panel).ok
