"""Nonsense through the public door: one error that says where it is and what to do, made before anything runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

import rustybt as rbt

BARS = pl.DataFrame(
    [
        {"asset": name, "ts": date(2024, 1, 1) + timedelta(days=day), "open": 10.0, "high": 12.0, "low": 9.0, "close": 11.0, "volume": 100}
        for name in "AB"
        for day in range(6)
    ]
)
HOLD = rbt.Strategy("hold", target=rbt.quantity(1))
STOP, TARGET = rbt.order("stop", "filled", stop=9), rbt.order("limit", "filled", limit=12)
NOON = datetime(2024, 1, 2, 12, tzinfo=UTC)
PAID = pl.DataFrame({"asset": ["A", "A"], "ts": [NOON, NOON], "rate": ["0.0001", "0.0002"]})
OWN = {"A": rbt.costs(by_asset={"B": rbt.costs()})}
WEEKLY = BARS.group_by_dynamic("ts", every="7d", group_by="asset").agg(pl.col("open", "high", "low", "close", "volume").first())


def run(**settings: Any) -> rbt.Result:
    return rbt.run(HOLD, BARS, **settings)


@pytest.mark.parametrize(
    ("make", "where"),
    [
        (lambda: rbt.order("limit", 1, limit=9, tif="gtd", until=2**70), "order, until"),
        (lambda: rbt.bracket(rbt.order("market", 1), stop=TARGET, target=TARGET), "bracket, stop"),
        (lambda: rbt.bracket(rbt.order("market", 1), stop=STOP, target=STOP), "bracket, target"),
        (lambda: rbt.bracket(rbt.order("market", 1, then=[STOP]), stop=STOP, target=TARGET), "bracket, entry"),
        (lambda: rbt.costs(by_asset=OWN), "costs, by_asset, 'A'"),
        (lambda: rbt.bands("0.1", by_asset={"A": rbt.bands("0.1", by_asset={"B": rbt.bands("0.1")})}), "bands, by_asset"),
        (lambda: rbt.bps(1) + 5, "commission, +"),  # type: ignore[operator]  # the point, as below
        (lambda: rbt.ticks(1) + 5, "slippage, +"),  # type: ignore[operator]
        (lambda: rbt.latency("1s") + 5, "latency, +"),  # type: ignore[operator]
        (lambda: rbt.carry(borrow="0.1", triple="wednesday"), "carry, triple"),
        (lambda: rbt.carry(funding=PAID), "carry, funding, row 1"),
        (lambda: rbt.limit(1, ["halt"]), "limit, action"),  # type: ignore[arg-type]
        (lambda: rbt.controls(min_leverage=3, max_leverage=2), "controls, min_leverage"),
        (lambda: rbt.Asset.of(""), "asset '', symbol"),
        (lambda: rbt.Asset.of(5), "asset 5, symbol"),  # type: ignore[arg-type]
        (lambda: rbt.Asset.of("A", ["equity"]), "asset 'A'"),  # type: ignore[arg-type]
        (lambda: rbt.load(BARS, asset_class=["equity"]), "asset 'A'"),  # type: ignore[arg-type]
        (lambda: rbt.load(BARS, assets={"A": {"currency": ""}}), "asset 'A', currency"),
        (lambda: rbt.load(BARS, assets={"A": {"currency": 5}}), "asset 'A', currency"),
        (lambda: rbt.load(BARS, events=5), "events"),
        (lambda: run(finer=5), "run, finer"),
        (lambda: run(finer=WEEKLY), "run, finer"),
        (lambda: run(finer=BARS.filter(asset="A").with_columns(asset=pl.lit("Z"))), "run, finer"),
        (lambda: run(cash="1.000000001"), "run, cash"),
        (lambda: run(costs=rbt.costs(commission=rbt.per_trade("0.005")), money_scale=2), "commission, flat"),
        (lambda: run(costs=rbt.costs(commission=rbt.bps(1, minimum="0.005")), money_scale=2), "commission, minimum"),
        (lambda: run().lots(["fifo"]), "method"),  # type: ignore[arg-type]
        (lambda: run().to_beancount("x.beancount", method=["fifo"]), "method"),  # type: ignore[arg-type]
    ],
)
def test_nonsense_is_one_error_that_names_the_field(make: Callable[[], object], where: str) -> None:
    with pytest.raises(rbt.RustyBTError) as refused:
        make()
    assert refused.value.where == where
    assert refused.value.do


def test_costs_of_assets_that_are_not_in_the_data_are_said() -> None:
    """As of `increments` and `dated_terms`: one file of costs may serve several datasets, a misspelt symbol is to be seen."""
    result = run(costs=rbt.costs(by_asset={"AA": rbt.costs(commission=rbt.bps(1)), "B": rbt.costs()}))
    assert "costs name 1 assets that are not in the data (first: 'AA')." in result.warnings
    assert not any("costs name" in line for line in run(costs=rbt.costs(by_asset={"B": rbt.costs()})).warnings)
