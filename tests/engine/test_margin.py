"""Margin through the public door: bulk is bar by bar, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

import rustybt as rbt
from rustybt.engine.incremental import walk
from rustybt.errors import ConfigError

DAYS = [datetime(2024, 1, day, 21, tzinfo=UTC) for day in (2, 3, 4, 5, 8)]
CLOSES = [100.0, 100.0, 60.0, 62.0, 62.0]
BARS = pl.DataFrame({"ts": DAYS, "asset": ["A"] * 5, "open": [100.0, 100.0, 100.0, 61.0, 62.0], "close": CLOSES}).with_columns(
    high=pl.max_horizontal("open", "close"), low=pl.min_horizontal("open", "close"), volume=pl.lit(1.0)
)
TWICE = rbt.Strategy("twice", target=rbt.weight(pl.when(pl.col("close") >= 100).then(2.0)))
MARGIN = rbt.margin("0.5", "0.25")


def test_a_call_is_a_row_a_sale_and_a_sentence() -> None:
    result = rbt.run(TWICE, BARS, cash="1000", margin=MARGIN)
    assert result.orders.filter(reason="liquidation").select("requested", "filled").rows() == [(7, 7)]
    assert result.trades.filter(exit_reason="liquidation").height == 1
    assert result.warnings[-1].startswith("equity was below the maintenance margin at 1 bars, first at 2024-01-04T21:00:00")
    assert result.counts()["rejected"] == 0


def test_bulk_is_bar_by_bar_with_margin() -> None:
    panel = rbt.load(BARS)
    bulk = rbt.run(TWICE, panel, cash="1000", margin=MARGIN, flows=[("2024-01-05", 100)])
    stepped = walk(bulk.sleeves, panel, bulk.config)
    assert stepped.equity.equals(bulk.equity)
    assert stepped.orders.equals(bulk.orders)


def test_margin_is_part_of_the_identity_and_absent_without() -> None:
    with_margin, without = rbt.run(TWICE, BARS, margin=MARGIN), rbt.run(TWICE, BARS, max_gross=2)
    assert "margin" not in without.config.to_dict()
    assert with_margin.config.to_dict()["margin"] == {"initial": "0.5", "maintenance": "0.25", "per_contract": False}
    assert with_margin.identity["run_id"] != without.identity["run_id"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"margin": 0.5}, "margin 0.5 is not a Margin"),
        ({"margin": MARGIN, "max_gross": 2}, "max_gross 2 beside margin"),
        ({"margin": rbt.margin(1, 1, by_asset={"Z": MARGIN})}, "no asset 'Z' in the data"),
    ],
)
def test_nonsense_is_refused_by_name(settings: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        rbt.run(TWICE, BARS, **settings)
