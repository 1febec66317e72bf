"""What quantisation left on the table, against numbers worked by hand."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

import rustybt as rbt
from tests.engine.conftest import bars_of

FLAT = [(30.0, 31.0, 29.0, 30.0)] * 3


def test_a_weight_is_short_of_what_whole_lots_cannot_hold() -> None:
    """95 % of 1000 are 950; 31 at 30 are 930, so 20 are left. One of the 31 is off the lot of 10 in force.

    3 bp of 30 are 0.009, paid as a tick of 0.01: 0.001 too much for each of 30.
    """
    data = rbt.load(bars_of("A", FLAT), tick_size="0.01")
    costs = rbt.costs(slippage=rbt.bps(3))
    result = rbt.run(rbt.Strategy("most", target=rbt.weight(0.95)), data, cash=1000, costs=costs, increments=[{"asset": "A", "lot": 10}])
    row = result.residuals.row(0, named=True)
    assert result.fills["price"].to_list() == [Decimal("30.01")]
    assert (row["targets"], row["unreached"], row["worst"]) == (1, 20, 20)
    assert (row["off_lot"], row["below_minimum"], row["refused"]) == (1, 0, 0)
    assert (row["tick_cost"], row["money_rounding"]) == (Decimal("0.03"), 0)


def test_refused_orders_are_counted() -> None:
    """27 at 30 are 810, below 1000, at each of the two bars that could fill."""
    wanted = rbt.Strategy("wanted", target=rbt.quantity(pl.when(pl.col("close") > 0).then(27)), schedule=rbt.every(1))
    row = rbt.run(wanted, bars_of("A", FLAT), increments=[{"asset": "A", "min_notional": 1000}]).residuals.row(0, named=True)
    assert (row["below_minimum"], row["refused"], row["targets"], row["unreached"]) == (54, 2, 0, 0)


def test_rounding_of_values_to_money_units_is_said() -> None:
    """0.5 at 10.01 are 5.005, booked as 5.00 with cents: 0.005 stayed in cash."""
    data = rbt.load(bars_of("C", [(10.01, 10.01, 10.01, 10.01)] * 3), tick_size="0.01", lot_size="0.001", asset_class="crypto")
    half = rbt.Strategy("half", target=rbt.quantity(0.5))
    assert rbt.run(half, data, money_scale=2).residuals["money_rounding"].to_list() == [Decimal("0.005")]
    assert rbt.run(half, data).residuals["money_rounding"].to_list() == [0]


@pytest.mark.parametrize("settings", [{"sizing": "at_fill"}, {"fill": "same_bar_close"}])
def test_what_is_not_known_is_null(settings: dict[str, str]) -> None:
    data = bars_of("A", FLAT)
    sizing, fill = settings.get("sizing", "at_decision"), settings.get("fill", "next_open")
    row = rbt.run(rbt.Strategy("most", target=rbt.weight(0.95)), data, cash=1000, sizing=sizing, fill=fill).residuals.row(0, named=True)
    assert (row["targets"], row["unreached"], row["worst"]) == (None, None, None)
    assert row["off_lot"] == 0


def test_decisions_that_became_no_order_are_not_counted() -> None:
    """The rate of the euro comes with the second bar: until then there is no price, so nothing is asked for."""
    data = rbt.load(bars_of("A", FLAT), tick_size="0.01", assets={"A": {"currency": "EUR"}})
    late = [{"pair": "EUR/USD", "ts": data.frame["session"][1], "rate": "1"}]
    most = rbt.Strategy("most", target=rbt.weight(0.95), schedule=rbt.every(1))
    result = rbt.run(most, data, cash=1000, rates=late)
    assert result.orders.filter(pl.col("detail") == "no_price").height == 1
    row = result.residuals.row(0, named=True)
    assert (row["targets"], row["worst"]) == (1, 20)


def test_two_sleeves_have_rows_of_their_own() -> None:
    both = {"one": rbt.Strategy("one", target=rbt.weight(0.5)), "two": rbt.Strategy("two", target=rbt.notional(100))}
    found = rbt.run(both, bars_of("A", FLAT), cash=1000).residuals
    assert found["sleeve"].to_list() == ["one", "two"]
    assert found["unreached"].to_list() == [20, 10]


def test_a_run_without_orders_has_no_residuals() -> None:
    idle = rbt.Strategy("idle", target=rbt.weight(0))
    assert rbt.run(idle, bars_of("A", FLAT)).residuals.height == 0
