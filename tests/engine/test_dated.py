"""Commissions and margin that change over time, through the public door."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest

import rustybt as rbt
from rustybt.engine.compare import outcome_difference
from rustybt.engine.incremental import walk
from rustybt.errors import ConfigError, DataError
from rustybt.model import Panel
from tests.engine.conftest import bars_of

FLAT = [(100.0, 100.0, 100.0, 100.0)] * 6
"""Sessions 2024-01-01 to 2024-01-06."""
FLIP = rbt.Strategy("flip", target=rbt.quantity(pl.when(pl.col("ts").dt.day() % 2 == 1).then(1).otherwise(0)), schedule=rbt.every(1))
"""Buys and sells 1 in turn, from 2024-01-02 on."""


def fees(rows: Any, **settings: Any) -> list[Decimal]:
    result = rbt.run(FLIP, bars_of("A", FLAT), costs=rbt.costs(commission=rbt.bps(100)), dated_terms=rows, **settings)
    return [fee.normalize() for fee in result.fills["fee"].to_list()]


def test_each_bar_goes_by_the_commission_in_force_at_its_session() -> None:
    rows = [
        {"asset": "A", "from_ts": "2024-01-05", "commission_flat": 7},
        {"asset": "A", "from_ts": "2024-01-03", "commission_rate": "0.02"},
    ]
    assert fees(rows) == [1, 2, 2, 9, 9]
    assert fees(pl.DataFrame(rows)) == [1, 2, 2, 9, 9]


def test_an_instant_holds_from_the_first_bar_that_is_complete_after_it() -> None:
    at_the_close = datetime(2024, 1, 3, 21, tzinfo=UTC)
    assert fees([{"asset": "A", "from_ts": at_the_close, "commission_rate": 0}]) == [1, 1, 0, 0, 0]


def test_terms_without_a_date_hold_from_the_start() -> None:
    assert fees([{"asset": "A", "commission_rate": 0}]) == [0] * 5


def test_margin_by_date_bounds_what_can_be_bought() -> None:
    hold = rbt.Strategy("hold", target=rbt.quantity(30), schedule=rbt.every(1))
    rows = [{"asset": "A", "from_ts": "2024-01-04", "margin_initial": "0.5"}]
    result = rbt.run(hold, bars_of("A", FLAT), cash=2000, margin=rbt.margin(1, "0.25"), dated_terms=rows)
    assert result.fills["quantity"].to_list() == [20, 10]
    assert result.fills["ts"].dt.day().to_list() == [2, 4]


def test_both_engines_give_the_same_with_dated_terms(panel: Panel, cross: rbt.Strategy) -> None:
    from rustybt.engine import configure, run_configured

    rows = [
        {"asset": symbol, "from_ts": day, "commission_rate": rate, "commission_flat": flat, "margin_maintenance": least}
        for symbol in panel.symbols
        for day, rate, flat, least in ((None, "0.001", 1, None), ("2020-04-01", "0", None, "0.45"), ("2020-07-01", "0.002", 0, "0.1"))
    ]
    config = configure(dated_terms=rows, margin=rbt.margin("0.5", "0.25"))
    bulk, bar_by_bar = run_configured({"cross": cross}, panel, config), walk({"cross": cross}, panel, config)
    assert outcome_difference(bulk.outcome, bar_by_bar.outcome) == ""
    rates = bulk.fills.select(rate=(pl.col("fee") > 1).cast(pl.Int8)).unique()
    assert rates.height == 2


def test_dated_terms_are_part_of_the_identity_and_leave_the_tables_as_they_were() -> None:
    rows = [{"asset": "A", "from_ts": "2024-01-03", "commission_rate": "0.02"}]
    result = rbt.run(FLIP, bars_of("A", FLAT), dated_terms=rows)
    assert result.identity["run_id"] != rbt.run(FLIP, bars_of("A", FLAT)).identity["run_id"]
    assert result.tables.row("fee_rate").tolist() == [0]


def test_dated_terms_of_assets_that_are_not_there_are_said() -> None:
    result = rbt.run(FLIP, bars_of("A", FLAT), dated_terms=[{"asset": "B", "commission_rate": 0}])
    assert "dated_terms name 1 assets that are not in the data (first: 'B')." in result.warnings


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ([{"asset": "A", "commission_rate": "-0.001"}], "row 0, commission_rate"),
        (
            [{"asset": "A", "commission_rate": 1}, {"asset": "A", "from_ts": "2024-01-02", "commission_maker": 10}],
            "row 1, commission_maker",
        ),
        ([{"asset": "A", "commission_rate": "0.0000000001"}], "row 0, commission_rate"),
        ([{"asset": "A", "commission_flat": "0.0000000001"}], "asset 'A', commission_flat"),
        ([{"asset": "A", "from_ts": "soon", "commission_rate": 0}], "row 0, from_ts"),
        ([{"commission_rate": 0}], "row 0, asset"),
        ([{"asset": "A"}], "none of commission, commission_flat"),
        ([{"asset": "A", "fee": 2}], "unknown field 'fee'"),
        ([{"asset": "A", "commission_rate": 0}, {"asset": "A", "commission_rate": 1}], "row 1"),
        ([{"asset": "A", "margin_initial": "0.5"}], "margin by date without margin"),
        ([{"asset": "A", "commission_cap": "1.5"}], "row 0, commission_cap"),
        ([{"asset": "A", "commission_minimum": 3, "commission_maximum": 2}], "maximum 2 is below minimum 3"),
        ([{"asset": "A", "commission_minimum": 3}, {"asset": "A", "from_ts": "2024-01-02", "commission_maximum": 2}], "below minimum"),
        ([{"asset": "A", "commission": 3}], "row 0, commission"),
        ([{"asset": "A", "commission": "ib"}], "there is no profile 'ib'"),
        ([{"asset": "A", "commission": rbt.tiered({0: rbt.bps(1)}), "commission_rate": 0}], "its commission has tiers"),
        ("ib", "run, dated_terms"),
        ([3], "run, dated_terms"),
    ],
)
def test_nonsense_is_refused_by_name(rows: Any, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        rbt.run(FLIP, bars_of("A", FLAT), dated_terms=rows)


def test_a_maintenance_margin_above_the_initial_one_is_refused() -> None:
    rows = [{"asset": "A", "margin_maintenance": "0.6"}]
    with pytest.raises(ConfigError, match=r"maintenance 0.6 is above initial 0.5"):
        rbt.run(FLIP, bars_of("A", FLAT), margin=rbt.margin("0.5", "0.25"), dated_terms=rows)


def test_a_commission_by_date_beside_tiers_is_refused() -> None:
    costs = rbt.costs(commission=rbt.tiered({0: rbt.bps(10), 1_000_000: rbt.bps(5)}))
    with pytest.raises(ConfigError, match="its commission has tiers"):
        rbt.run(FLIP, bars_of("A", FLAT), costs=costs, dated_terms=[{"asset": "A", "commission_rate": 0}])


def test_bounds_and_money_per_unit_hold_from_their_date() -> None:
    rows = [
        {"asset": "A", "from_ts": "2024-01-03", "commission_minimum": 3},
        {"asset": "A", "from_ts": "2024-01-04", "commission_rate": 0, "commission_per_unit": "4", "commission_minimum": 0},
        {"asset": "A", "from_ts": "2024-01-05", "commission_maximum": "2.5"},
        {"asset": "A", "from_ts": "2024-01-06", "commission_cap": "0.02"},
    ]
    assert fees(rows) == [1, 3, 4, Decimal("2.5"), 2]
    assert fees(pl.DataFrame(rows, schema_overrides={"commission_per_unit": pl.String}, infer_schema_length=None, strict=False)) == fees(
        rows
    )


def test_a_commission_by_date_may_have_tiers_and_may_lose_them() -> None:
    tiers = rbt.tiered({0: rbt.bps(200), 100: rbt.bps(400)})
    rows = [
        {"asset": "A", "from_ts": "2024-01-03", "commission": tiers},
        {"asset": "A", "from_ts": "2024-01-05", "commission": rbt.tiered({0: rbt.bps(300), 200: rbt.bps(600)}), "commission_minimum": 1},
        {"asset": "A", "from_ts": "2024-01-06", "commission": rbt.per_share("0.5"), "commission_flat": 2},
    ]
    assert fees(rows) == [1, 2, 4, 6, Decimal("2.5")]


def test_tiers_by_another_measure_begin_to_count_anew() -> None:
    costs = rbt.costs(commission=rbt.tiered({0: rbt.bps(100), 100: rbt.bps(200)}))
    rows = [{"asset": "A", "from_ts": "2024-01-04", "commission": rbt.tiered({0: rbt.bps(300), 1: rbt.bps(400)}, by="quantity")}]
    result = rbt.run(FLIP, bars_of("A", FLAT), costs=costs, dated_terms=rows)
    assert [fee.normalize() for fee in result.fills["fee"].to_list()] == [1, 2, 3, 4, 4]


def test_a_profile_by_date_is_told_by_its_name() -> None:
    given = fees(pl.DataFrame([{"asset": "A", "from_ts": "2024-01-04", "commission": "ib_us_equity_fixed"}]))
    assert given == [1, 1, 1, 1, 1]
    assert fees([{"asset": "A", "from_ts": "2024-01-04", "commission": "binance_spot"}])[2:] == [Decimal("0.1")] * 3


def test_both_engines_give_the_same_with_tiers_by_date(panel: Panel, cross: rbt.Strategy) -> None:
    from rustybt.engine import configure, run_configured

    small, large = (
        rbt.tiered({0: rbt.bps(10), 20_000: rbt.bps(5)}),
        rbt.tiered({0: rbt.per_share("0.01"), 300: rbt.per_share("0.02")}, by="quantity"),
    )
    rows = [
        {"asset": symbol, "from_ts": day, "commission": made, "commission_minimum": least}
        for symbol in panel.symbols
        for day, made, least in (("2020-03-02", small, None), ("2020-05-04", large, 1), ("2020-07-01", rbt.bps(1), None))
    ]
    config = configure(dated_terms=rows, costs=rbt.costs(commission=rbt.per_trade(1)))
    bulk, bar_by_bar = run_configured({"cross": cross}, panel, config), walk({"cross": cross}, panel, config)
    assert outcome_difference(bulk.outcome, bar_by_bar.outcome) == ""
    assert bulk.fills["fee"].n_unique() > 10


@pytest.mark.parametrize(
    "rows", [[(1, 0, 1, 0), (0, 0, 1, 0)], [(0, 1, 1, 0)], [(0, 0, 17, 0)], [(0, 0, 11, 0)], [(0, 0, 1, -1)], [(0, 0, 1, 2**61)]]
)
def test_rows_that_mean_nothing_are_refused_by_the_kernel(rows: Any) -> None:
    from rustybt.kernel.given import dated_of

    tables = rbt.run(FLIP, bars_of("A", FLAT)).tables
    with pytest.raises(DataError, match="dated settings"):
        dated_of(replace(tables, dated=np.array(rows)))


@pytest.mark.parametrize(
    "rows",
    [[(0, 0, 13, 1)], [(0, 0, place, 0) for place in (13, 12, 14, 15)], [(0, 0, 12, 0), (0, 0, 13, 1), (0, 0, 14, 0), (0, 0, 15, 0)]],
)
def test_tiers_that_are_not_there_are_refused_by_the_kernel(rows: Any) -> None:
    from rustybt.kernel.given import dated_of

    tables = rbt.run(FLIP, bars_of("A", FLAT)).tables
    with pytest.raises(DataError, match="tiers that are not among the 0"):
        dated_of(replace(tables, dated=np.array(rows)))
