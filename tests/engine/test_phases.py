"""What slippage cost, by how orders are asked for: 1 % of a market that stands at 100 is 1 for each of ten shares."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl
import pytest

import rustybt as rbt
from rustybt.spec import Context, OnBar
from tests.engine.conftest import START, bars_of

FLAT = [(100.0, 110.0, 90.0, 100.0)] * 5
SETTINGS: dict[str, Any] = {"costs": rbt.costs(slippage=rbt.bps(100)), "cash": 10_000}


def called(kind: str = "market", **settings: Any) -> rbt.Strategy:
    def once(context: Context) -> None:
        if not context.positions and not context.working:
            context.order("A", 10, kind, **settings)

    return rbt.Strategy("called", on_bar=OnBar(once))


def asked(kind: str = "market", **settings: Any) -> rbt.Strategy:
    return rbt.Strategy("asked", orders=[rbt.order(kind, 10, when=pl.col("ts") == START, **settings)])


@pytest.mark.parametrize(
    "strategy",
    [called(), asked(), asked(tif="ioc"), asked(tif="at_open"), rbt.Strategy("held", target=rbt.quantity(10))],
    ids=["callback", "order", "ioc", "at the open", "target"],
)
@pytest.mark.parametrize("fill", ["next_open", "next_close"])
def test_slippage_of_market_orders_is_a_cost(strategy: rbt.Strategy, fill: str) -> None:
    result = rbt.run(strategy, bars_of("A", FLAT), fill=fill, **SETTINGS)
    assert result.fills["price"].to_list() == [101]
    other_end = fill == "next_close" and any(order.tif == "at_open" for order in strategy.orders)
    assert result.metrics.get("cost_slippage", 0.0) == (0.0 if other_end else 10.0)  # the log does not say at which end it was filled
    assert result.residuals["tick_cost"].to_list() == [0]


@pytest.mark.parametrize("strategy", [called("limit", limit=95, tif="gtc"), asked("limit", limit=95), asked("stop", stop=105)])
def test_what_waits_for_a_price_of_its_own_is_none(strategy: rbt.Strategy) -> None:
    result = rbt.run(strategy, bars_of("A", FLAT), **SETTINGS)
    assert result.fills["price"].to_list()[0] in (95, Decimal("106.05"))
    assert "cost_slippage" not in result.metrics
    assert result.residuals["tick_cost"].to_list() == [0]


def test_what_a_halt_closes_pays_slippage_too() -> None:
    falls = [(100.0, 100.0, 100.0, 100.0), (100.0, 100.0, 50.0, 50.0), (50.0, 50.0, 40.0, 50.0)]
    limits = rbt.controls(drawdown="0.02", flatten=True)
    result = rbt.run(rbt.Strategy("held", target=rbt.quantity(10)), bars_of("A", falls), controls=limits, **SETTINGS)
    assert result.fills["price"].to_list() == [100, Decimal("49.5")]  # the bar of the purchase has no higher price
    assert result.metrics["cost_slippage"] == 5.0
