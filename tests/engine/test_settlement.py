"""Sales that settle later, through the public door."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

import rustybt as rbt
from rustybt.engine.incremental import walk

START = datetime(2024, 1, 2, 15, tzinfo=UTC)
TIMES = [START + timedelta(days=day, hours=hour) for day in range(3) for hour in (0, 1)]
WANTED = {"A": [8, 0, 0, 0, 0, 0], "B": [0, 8, 7, 6, 5, 5]}


def panel() -> Any:
    """Two bars a session, everything at 100."""
    rows = [{"ts": ts, "asset": name, "wanted": float(WANTED[name][k])} for k, ts in enumerate(TIMES) for name in ("A", "B")]
    prices = [pl.lit(100.0).alias(name) for name in ("open", "high", "low", "close")]
    return rbt.load(pl.DataFrame(rows).with_columns(*prices, volume=pl.lit(1.0)))


STRATEGY = rbt.Strategy("switch", target=rbt.quantity(pl.col("wanted")))


def test_a_purchase_waits_for_the_session_in_which_the_sale_settles() -> None:
    """8 A for 800 of 1000. Sold in the first bar of day 2; 200 are settled: 2 B, then none. Day 3: 6 wanted, 4 more; 1 sold."""
    result = rbt.run(STRATEGY, panel(), cash="1000", settlement="T+1")
    assert result.equity["unsettled"].to_list() == [0, 0, 800, 800, 0, 100]
    assert result.equity["cash"].to_list() == [1000, 200, 800, 800, 400, 500]
    assert result.orders.select("filled", "detail").rows() == [
        (8, "none"), (8, "none"), (2, "unsettled"), (0, "unsettled"), (4, "none"), (1, "none"),
    ]  # fmt: skip
    assert result.notes[-1].startswith("2 orders were cut or refused because cash from sales was not settled")


def test_without_settlement_the_same_run_has_no_such_column() -> None:
    result = rbt.run(STRATEGY, panel(), cash="1000")
    assert "unsettled" not in result.equity.columns
    assert set(result.orders["detail"]) == {"none"}
    assert rbt.run(STRATEGY, panel(), cash="1000", settlement=0).equity.equals(result.equity)


def test_bulk_is_bar_by_bar() -> None:
    data = panel()
    bulk = rbt.run(STRATEGY, data, cash="1000", settlement=2, flows=[("2024-01-04", "-300")])
    stepped = walk(bulk.sleeves, data, bulk.config)
    assert stepped.equity.equals(bulk.equity)
    assert stepped.orders.equals(bulk.orders)
    assert bulk.flows["detail"].to_list() == ["unsettled"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"settlement": "tomorrow"}, "settlement 'tomorrow' is not 0 to 16 sessions"),
        ({"settlement": 17}, "settlement 17"),
        ({"settlement": -1}, "settlement -1"),
        ({"settlement": True}, "settlement True"),
        ({"settlement": "T+1", "max_gross": 2}, "a cash account lends nothing"),
        ({"settlement": "T+1", "margin": rbt.margin("0.5", "0.25")}, "a cash account lends nothing"),
    ],
)
def test_nonsense_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(rbt.ConfigError, match=message):
        rbt.run(STRATEGY, panel(), **given)
