"""Futures through the public door: settled at the end of each session, in bulk and bar by bar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

import rustybt as rbt
from rustybt.engine.incremental import walk

START = datetime(2024, 1, 2, 15, tzinfo=UTC)
TIMES = [START + timedelta(days=day, hours=hour) for day in range(3) for hour in (0, 1)]
HOLD = rbt.Strategy("hold", target=rbt.quantity(pl.when(pl.col("close") > 0).then(1)))


def panel(asset_class: str) -> Any:
    """Two bars a session, rising by a point a bar."""
    prices = [100.0 + k for k in range(len(TIMES))]
    frame = pl.DataFrame({"ts": TIMES, "asset": ["F"] * len(TIMES), "open": prices, "high": prices, "low": prices, "close": prices})
    asset = rbt.Asset.of("F", asset_class, tick_size="0.25", lot_size="1", multiplier="10")
    return rbt.load(frame.with_columns(volume=pl.lit(1.0)), assets={"F": asset})


def test_a_future_is_settled_at_the_end_of_each_session_and_equity_is_the_same() -> None:
    future, share = rbt.run(HOLD, panel("future"), cash="5000"), rbt.run(HOLD, panel("equity"), cash="5000")
    assert future.equity["equity"].equals(share.equity["equity"])
    assert future.equity["cash"].to_list() == [5000, 5000, 5000, 5020, 5020, 5040]
    assert future.equity["settled"].to_list() == [0, 1010, 1010, 1030, 1030, 1050]
    assert share.equity["cash"].to_list()[1:] == [3990] * 5
    assert dict(future.metrics) == dict(share.metrics)
    assert future.journal["amount"].sum() == 0
    assert future.journal.filter(account="assets:cash")["amount"].sum() == future.equity["cash"][-1]
    assert future.journal.filter(account="assets:variation")["amount"].sum() == -1050


def test_bulk_is_bar_by_bar_with_futures() -> None:
    data = panel("future")
    bulk = rbt.run(HOLD, data, cash="5000", margin=rbt.margin(500, 400, per_contract=True), flows=[("2024-01-03", -100)])
    stepped = walk(bulk.sleeves, data, bulk.config)
    assert stepped.equity.equals(bulk.equity)
    assert stepped.journal.equals(bulk.journal)
    assert bulk.flows["status"].to_list() == ["applied"]
    assert "Final equity" in bulk._repr_html_()
