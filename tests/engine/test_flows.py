"""Deposits and withdrawals through the public door."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

import rustybt as rbt
from rustybt.engine.flows import Flow, read_flows
from rustybt.engine.incremental import walk
from rustybt.errors import ConfigError

HOLD = rbt.Strategy("hold", target=rbt.quantity(pl.when(pl.col("close") > 0).then(5)))
DAYS = [datetime(2024, 1, day, 21, tzinfo=UTC) for day in (2, 3, 4, 5, 8)]


def bars(prices: list[float]) -> pl.DataFrame:
    """One asset, flat bars but for the close of the next being its open."""
    frame = pl.DataFrame({"ts": DAYS, "asset": ["A"] * len(DAYS), "open": [prices[0], *prices[:-1]], "close": prices})
    return frame.with_columns(high=pl.max_horizontal("open", "close"), low=pl.min_horizontal("open", "close"), volume=pl.lit(1.0))


def test_a_deposit_is_no_return() -> None:
    data = bars([100.0, 100.0, 110.0, 110.0, 121.0])
    result = rbt.run(HOLD, data, cash="500", flows=[("2024-01-05", "500")])
    assert result.equity["flow"].to_list() == [0, 0, 0, 500, 0]
    assert result.equity["equity"].to_list() == [500, 500, 550, 1050, 1105]
    assert result.metrics["total_return"] == pytest.approx(550 / 500 * 1105 / 1050 - 1, rel=1e-14)
    assert result.metrics["net_deposits"] == 500.0
    assert result.metrics["max_drawdown"] == 0.0


def test_a_withdrawal_is_no_drawdown() -> None:
    data = bars([100.0] * 5)
    result = rbt.run(HOLD, data, cash="1000", flows=[(date(2024, 1, 5), "-500")])
    assert result.equity["equity"].to_list() == [1000, 1000, 1000, 500, 500]
    assert (result.metrics["max_drawdown"], result.metrics["max_drawdown_bars"], result.metrics["total_return"]) == (0.0, 0.0, 0.0)


def test_all_ways_to_write_flows_are_one() -> None:
    pairs = [("2024-01-03", "10"), ("2024-01-05", "-5")]
    frame = pl.DataFrame({"session": [date(2024, 1, 3), date(2024, 1, 5)], "amount": [Decimal(10), Decimal(-5)]})
    stamps = frame.select(pl.col("session").cast(pl.Datetime("us", "UTC")).alias("ts"), "amount")
    ways: list[Any] = [pairs, dict(pairs), frame, frame.lazy(), frame.to_pandas(), stamps, [(DAYS[1], 10), (DAYS[3], -5)]]
    found = [rbt.run(HOLD, bars([100.0] * 5), cash="1000", flows=way) for way in ways]
    assert found[0].flows.select("ts", "amount").rows() == [(DAYS[1], Decimal(10)), (DAYS[3], Decimal(-5))]
    for other in found[1:]:
        assert other.flows.equals(found[0].flows)
        assert other.equity.equals(found[0].equity)


def test_a_session_without_a_bar_pays_at_the_next_one() -> None:
    result = rbt.run(HOLD, bars([100.0] * 5), cash="1000", flows=[("2024-01-06", "7")])
    assert result.flows["ts"].to_list() == [DAYS[4]]


def test_flows_of_nothing_are_the_run_without() -> None:
    data = bars([100.0, 90.0, 95.0, 100.0, 80.0])
    plain, zero = rbt.run(HOLD, data, cash="1000"), rbt.run(HOLD, data, cash="1000", flows=[("2024-01-04", 0)])
    assert zero.equity.equals(plain.equity)
    assert zero.orders.equals(plain.orders)
    assert zero.journal.equals(plain.journal)
    assert dict(zero.metrics) == dict(plain.metrics)
    assert "flows" not in plain.config.to_dict()


def test_bulk_is_bar_by_bar_with_flows_and_the_journal_adds_up() -> None:
    data = rbt.load(bars([100.0, 90.0, 95.0, 100.0, 80.0]))
    bulk = rbt.run(HOLD, data, cash="1000", flows=[("2024-01-02", 50), ("2024-01-04", -200), ("2024-01-08", -5000)])
    stepped = walk(bulk.sleeves, data, bulk.config)
    assert stepped.equity.equals(bulk.equity)
    assert stepped.flows.equals(bulk.flows)
    assert bulk.flows["status"].to_list() == ["applied", "applied", "rejected"]
    assert bulk.flows["requested"].to_list() == [50, -200, -5000]
    journal = bulk.journal
    assert journal["amount"].sum() == 0
    assert journal.filter(account="equity:deposits")["amount"].to_list() == [-50, 200]
    assert journal.filter(account="equity:deposits")["asset"].to_list() == [None, None]
    assert journal.filter(account="assets:cash")["amount"].sum() == bulk.equity["cash"][-1]
    assert bulk.counts()["rejected"] == 0
    assert bulk.orders.height == bulk.fills.height == 1


def test_a_run_with_flows_is_saved_and_reported(tmp_path: Any) -> None:
    result = rbt.run(HOLD, bars([100.0] * 5), cash="1000", flows=[("2024-01-04", 20)])
    folder = result.save(tmp_path / "run")
    assert pl.read_parquet(folder / "flows.parquet").height == 1
    assert "20.00 paid in" in result._repr_html_()


@pytest.mark.parametrize(
    ("flows", "message"),
    [
        ([(None, 5)], "None is not a date"),
        ([("soon", 5)], "'soon' is not a date"),
        ([("2024-01-03", "much")], "amount of flow 0 'much' is not a number"),
        ([("2024-01-03", "0.000000001")], "more than 8 decimals"),
        ([("2024-01-03",)], "is not a date and an amount"),
        ([(datetime(2024, 1, 3), 5)], "no time zone"),  # noqa: DTZ001 - the mistake
        ("2024-01-03", "are not pairs"),
        (5, "are not pairs"),
        (pl.DataFrame({"when": [1], "amount": [1]}), "columns when, amount"),
        ([("2023-12-29", 5)], "outside of the data"),
        ([("2024-01-09", 5)], "outside of the data"),
    ],
)
def test_nonsense_is_refused_by_name(flows: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        rbt.run(HOLD, bars([100.0] * 5), cash="1000", flows=flows)
    assert "flow" in str(caught.value)


def test_an_instant_takes_effect_at_the_first_bar_not_before_it() -> None:
    late = DAYS[1] + timedelta(hours=1)
    result = rbt.run(HOLD, bars([100.0] * 5), cash="1000", flows=[(late, 5)])
    assert result.flows["ts"].to_list() == [DAYS[2]]
    assert read_flows([(late.isoformat(), 5)], 8) == (Flow(late, Decimal(5)),)


def test_flows_are_part_of_the_identity() -> None:
    plain = rbt.run(HOLD, bars([100.0] * 5), cash="1000")
    again = replace(plain, config=replace(plain.config, flows=(Flow(date(2024, 1, 4), Decimal(5)),)))
    assert again.identity["run_id"] != plain.identity["run_id"]
