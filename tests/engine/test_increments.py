"""Ticks, lots and least notionals that change over time, through the public door."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest

import rustybt as rbt
from rustybt.engine.compare import outcome_difference
from rustybt.engine.incremental import walk
from rustybt.errors import ConfigError
from rustybt.model import Panel, Status
from tests.engine.conftest import bars_of

FLAT = [(30.0, 31.0, 29.0, 30.0)] * 6
"""Sessions 2024-01-01 to 2024-01-06."""
WANTED = rbt.Strategy("wanted", target=rbt.quantity(pl.when(pl.col("close") > 0).then(27)), schedule=rbt.every(1))


def filled(increments: Any, **sizes: Any) -> list[Decimal]:
    data = rbt.load(bars_of("A", FLAT), tick_size="0.01", assets={"A": sizes}) if sizes else rbt.load(bars_of("A", FLAT), tick_size="0.01")
    return rbt.run(WANTED, data, increments=increments).fills["quantity"].to_list()


def test_each_bar_goes_by_the_lot_in_force_at_its_session() -> None:
    result = rbt.run(WANTED, bars_of("A", FLAT), increments=[{"asset": "A", "from_ts": "2024-01-03", "lot": 1}, {"asset": "A", "lot": 10}])
    assert result.fills["quantity"].to_list() == [20, 7]
    assert result.fills["ts"].dt.date().to_list() == [date(2024, 1, 2), date(2024, 1, 3)]
    assert result.orders["detail"].to_list()[:2] == ["none", "lot_size"]


def test_an_instant_holds_from_the_first_bar_that_is_complete_after_it() -> None:
    at_the_close = datetime(2024, 1, 2, 21, tzinfo=UTC)
    assert filled([{"asset": "A", "from_ts": at_the_close, "lot": 10}]) == [27]
    assert filled([{"asset": "A", "from_ts": datetime(2024, 1, 2, 20, tzinfo=UTC), "lot": 10}]) == [20]


def test_what_was_in_force_before_the_first_bar_is_the_last_change_before_it() -> None:
    rows = [{"asset": "A", "from_ts": "1990-01-01", "lot": 100}, {"asset": "A", "from_ts": "2001-01-01", "lot": 5}]
    assert filled(rows) == [25]


def test_what_a_change_leaves_out_stays_as_it_was() -> None:
    rows = [{"asset": "A", "lot": 10}, {"asset": "A", "from_ts": "2024-01-02", "min_notional": 300, "lot": None}]
    assert filled(rows) == [20]


def test_an_asset_may_declare_its_least_notional() -> None:
    assert filled(None, min_notional="810") == [27]
    assert filled(None, min_notional="810.01") == []
    assert filled([{"asset": "A", "from_ts": "2024-01-04", "min_notional": 0}], min_notional="900") == [27]


def test_a_least_notional_changes_the_identity_of_the_data() -> None:
    def snapshot(**sizes: str) -> str:
        return rbt.load(bars_of("A", FLAT), assets={"A": sizes}).snapshot

    assert len({snapshot(), snapshot(min_notional="5"), snapshot(min_notional="10")}) == 3
    assert snapshot() == snapshot(min_notional="0")


def test_all_ways_to_write_increments_are_one() -> None:
    rows = [{"asset": "A", "from_ts": date(2024, 1, 3), "lot": Decimal(5)}, {"asset": "A", "from_ts": date(2024, 1, 5), "lot": Decimal(1)}]
    frame = pl.DataFrame(rows)
    text = frame.with_columns(pl.col("from_ts").cast(pl.String))
    ways: list[Any] = [rows, reversed(rows), frame, frame.lazy(), text.to_pandas()]
    found = [rbt.run(WANTED, bars_of("A", FLAT), increments=way) for way in ways]
    assert len({result.identity["run_id"] for result in found}) == 1
    assert found[0].identity["run_id"] != rbt.run(WANTED, bars_of("A", FLAT)).identity["run_id"]


def test_both_engines_give_the_same_with_increments(panel: Panel, cross: rbt.Strategy) -> None:
    from rustybt.engine import configure, run_configured

    rows = [
        {"asset": symbol, "from_ts": day, "tick": Decimal("0.05"), "lot": lot, "min_notional": least}
        for symbol, day, lot, least in zip(
            panel.symbols, (None, "2001-06-01", None, "2019-01-01"), (10, 7, 3, 100), (21_500, 0, 50, 60_000), strict=True
        )
    ]
    config = configure(increments=rows, costs=rbt.costs(slippage=rbt.bps(7)))
    bulk, bar_by_bar = run_configured({"cross": cross}, panel, config), walk({"cross": cross}, panel, config)
    assert outcome_difference(bulk.outcome, bar_by_bar.outcome) == ""
    assert bulk.residuals.equals(bar_by_bar.residuals)
    assert {"lot_size", "min_notional"} <= set(bulk.orders["detail"].to_list())


def test_both_engines_give_the_same_for_orders_with_increments(panel: Panel) -> None:
    from rustybt.engine import configure, run_configured

    close = pl.col("close")
    bracket = rbt.bracket(
        rbt.order("limit", weight=0.1, limit=close * 0.99),
        stop=rbt.order("stop", "filled", stop=close * 0.95, tif="gtc", reduce_only=True),
        target=rbt.order("limit", "filled", limit=close * 1.04, tif="gtc", reduce_only=True),
    )
    strategy = rbt.Strategy(
        "brackets", orders=[bracket, rbt.order("trailing_stop", quantity=-37, trail_fraction=0.04, reduce_only=True)], schedule=rbt.every(7)
    )
    rows = [
        {"asset": symbol, "from_ts": day, "tick": Decimal(tick), "lot": lot, "min_notional": 900}
        for symbol in panel.symbols
        for day, tick, lot in ((None, "0.0625", 10), ("2020-06-01", "0.01", 3))
    ]
    config = configure(increments=rows)
    bulk, bar_by_bar = run_configured({"b": strategy}, panel, config), walk({"b": strategy}, panel, config)
    assert outcome_difference(bulk.outcome, bar_by_bar.outcome) == ""
    assert {"lot_size", "min_notional", "oco"} <= set(bulk.orders["detail"].to_list())
    log = bulk.outcome.log
    before = np.searchsorted(panel.sessions, (date(2020, 6, 1) - date(1970, 1, 1)).days)
    early = (log.bar < before) & (log.status == Status.ACCEPTED) & (log.requested != 0) & (log.price != 0)
    assert early.sum() > 20
    assert not (log.price[early] % 625).any()


def test_increments_of_assets_that_are_not_there_are_said() -> None:
    result = rbt.run(WANTED, bars_of("A", FLAT), increments=[{"asset": "B", "lot": 2}])
    assert "increments name 1 assets that are not in the data (first: 'B')." in result.warnings


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ([{"asset": "A", "lot": 0}], "row 0, lot"),
        ([{"asset": "A", "lot": 2}, {"asset": "A", "from_ts": "2024-01-02", "tick": "-0.01"}], "row 1, tick"),
        ([{"asset": "A", "min_notional": -1}], "row 0, min_notional"),
        ([{"asset": "A", "tick": "coarse"}], "row 0, tick"),
        ([{"asset": "A", "from_ts": "soon", "lot": 2}], "row 0, from_ts"),
        ([{"asset": "A", "from_ts": datetime(2024, 1, 1), "lot": 2}], "row 0, from_ts"),  # noqa: DTZ001 - that is what is refused
        ([{"lot": 2}], "row 0, asset"),
        ([{"asset": "A"}], "neither tick nor lot"),
        ([{"asset": "A", "lot_size": 2}], "unknown field 'lot_size'"),
        ([{"asset": "A", "lot": 2}, {"asset": "A", "lot": 3}], "row 1"),
        ([{"asset": "A", "lot": "1.5"}], "asset 'A', lot"),
        ([{"asset": "A", "tick": "0.00015"}], "asset 'A', tick"),
        ([{"asset": "A", "min_notional": "0.000000001"}], "asset 'A', min_notional"),
        ("binance", "run, increments"),
        ([3], "run, increments"),
    ],
)
def test_nonsense_is_refused_by_name(rows: Any, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        rbt.run(WANTED, bars_of("A", FLAT), increments=rows)


def test_a_negative_least_notional_of_an_asset_is_refused() -> None:
    with pytest.raises(ConfigError, match="min_notional -1"):
        rbt.Asset.of("A", min_notional=-1)
