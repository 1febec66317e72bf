"""Isolated margin through the public door: the price of a liquidation against one found tick by tick, and what it costs."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

import rustybt as rbt
from rustybt.engine.incremental import walk
from rustybt.errors import ConfigError
from rustybt.execution import Margin
from rustybt.model import Panel

START = date(2024, 1, 2)
OWN = rbt.margin("0.1", "0.05", isolated=True)
HOLD = rbt.Strategy("hold", target=rbt.quantity(10))
SHORT = rbt.Strategy("short", target=rbt.quantity(-10))


def panel(bars: list[tuple[float, float, float, float]], **more: list[tuple[float, float, float, float]]) -> Panel:
    """Daily bars (open, high, low, close) of asset A and others, ticks of 0.01."""
    rows = [
        {"asset": name, "ts": START + timedelta(days=n), "open": o, "high": h, "low": low, "close": c, "volume": 1000}
        for name, series in {"A": bars, **more}.items()
        for n, (o, h, low, c) in enumerate(series)
    ]
    return rbt.load(pl.DataFrame(rows), assets={name: {"tick_size": "0.01"} for name in ("A", *more)})


def flat(*closes: float) -> list[tuple[float, float, float, float]]:
    return [(close, close, close, close) for close in closes]


def ends_at(entry: Decimal, margin: Margin, *, long: bool, lots: int = 10) -> Decimal:
    """The first price, tick by tick away from the entry, at which what is left is below the maintenance: without a formula."""
    tick, price, side = Decimal("0.01"), entry, 1 if long else -1
    aside = lots * entry * margin.initial
    while aside + side * lots * (price - entry) >= lots * price * margin.maintenance:
        price -= side * tick
    return price


@pytest.mark.parametrize("strategy", [HOLD, SHORT])
def test_a_position_ends_at_the_first_price_that_is_too_little(strategy: rbt.Strategy) -> None:
    dice, found = random.Random(7), 0
    for _ in range(40):
        entry = Decimal(dice.randint(500, 60_000)) / 100
        initial = Decimal(dice.randint(2, 50)) / 100
        margin = rbt.margin(initial, initial * dice.randint(1, 9) / 10, isolated=True)
        end = ends_at(entry, margin, long=strategy is HOLD)
        bars = [*flat(float(entry), float(entry)), (float(entry), float(2 * entry), 0.01, float(entry))]
        result = rbt.run(strategy, panel(bars), cash="1000000", margin=margin)
        fill = result.fills.filter(reason="liquidation").row(0, named=True)
        assert fill["price"] == end, (entry, margin)
        assert result.orders.filter(reason="liquidation")["detail"].to_list() == ["none"]
        lost = 1_000_000 - Decimal(result.final_equity)
        assert 0 < lost <= 10 * entry * initial
        found += 1
    assert found == 40


def test_one_tick_before_it_nothing_happens() -> None:
    end = ends_at(Decimal(100), OWN, long=True)
    before = float(end + Decimal("0.01"))
    held = rbt.run(HOLD, panel([*flat(100, 100), (100, 100, before, before)]), margin=OWN)
    gone = rbt.run(HOLD, panel([*flat(100, 100), (100, 100, float(end), before)]), margin=OWN)
    assert not held.fills.filter(reason="liquidation").height
    assert gone.fills.filter(reason="liquidation").height == 1


@pytest.mark.parametrize(("opens", "detail"), [(94.5, "none"), (92.0, "none"), (90.0, "none"), (89.99, "shortfall"), (50.0, "shortfall")])
def test_a_gap_costs_what_it_costs_and_says_so_beyond_what_was_set_aside(opens: float, detail: str) -> None:
    result = rbt.run(HOLD, panel([*flat(100, 100), (opens, opens, min(opens, 90.0), opens)]), margin=OWN)
    assert result.orders.filter(reason="liquidation")["detail"].to_list() == [detail]
    at = min(opens, float(ends_at(Decimal(100), OWN, long=True)))
    assert result.final_equity == f"{100_000 - Decimal(str(100 - at)) * 10:.8f}"
    assert any("1 isolated positions were liquidated" in note for note in result.warnings)
    assert any("shortfall" in note for note in result.warnings) == (detail == "shortfall")


def test_isolated_positions_go_one_by_one_and_the_others_stay() -> None:
    data = panel([*flat(100, 100), (100, 100, 80, 85), (85, 85, 85, 85)], B=[*flat(100, 100, 100), (100, 120, 100, 120)])
    result = rbt.run(HOLD, data, margin=OWN)
    assert result.fills.filter(reason="liquidation")["asset"].to_list() == ["A"]
    assert result.positions.filter(pl.col("ts") == pl.col("ts").max())["quantity"].to_list() == [0]
    assert rbt.run(HOLD, data, cash="1000", margin=rbt.margin("0.1", "0.05")).fills.filter(reason="liquidation").height == 0


def test_bulk_is_bar_by_bar_and_both_are_the_reference() -> None:
    bars = [*flat(100, 100), (99, 101, 97, 98), (98, 99, 93, 94), (94, 96, 90, 95), (95, 120, 95, 118)]
    data = panel(bars, B=[*flat(50, 50), (50, 55, 49, 54), (54, 54, 54, 54), (54, 60, 54, 60), (60, 61, 40, 45)])
    mixed = rbt.margin("0.2", "0.1", by_asset={"A": OWN, "B": rbt.margin(5, 2, per_contract=True, isolated=True)})
    terms = pl.DataFrame({"asset": ["A"], "from_ts": [START + timedelta(days=3)], "margin_initial": ["0.12"]})
    strategy = rbt.Strategy("both", target=rbt.quantity(pl.when(pl.col("asset") == "A").then(10).otherwise(-8)))
    bulk = rbt.run(strategy, data, cash="2000", margin=mixed, dated_terms=terms, costs=rbt.costs(commission=rbt.bps(10)))
    stepped = walk(bulk.sleeves, data, bulk.config)
    assert stepped.equity.equals(bulk.equity)
    assert stepped.orders.equals(bulk.orders)
    assert rbt.verify(strategy, data, cash="2000", margin=mixed, dated_terms=terms, costs=rbt.costs(commission=rbt.bps(10))).ok
    assert bulk.fills.filter(reason="liquidation").height > 0


def test_isolated_is_part_of_the_identity_and_of_plain_values() -> None:
    assert OWN.to_dict() == {"initial": "0.1", "maintenance": "0.05", "per_contract": False, "isolated": True}
    assert Margin.from_dict(OWN.to_dict()) == OWN
    data = panel(flat(100, 100, 100))
    one, other = rbt.run(HOLD, data, margin=OWN), rbt.run(HOLD, data, margin=replace(OWN, isolated=False))
    assert one.identity["run_id"] != other.identity["run_id"]
    wrong: dict[str, Any] = {"initial": "0.1", "maintenance": "0.05", "isolated": "yes"}
    with pytest.raises(ConfigError, match="isolated 'yes' is not true or false"):
        Margin.from_dict(wrong)
