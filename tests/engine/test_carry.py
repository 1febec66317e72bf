"""Carry through the public door: nights and rates by hand, in bulk and bar by bar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

import rustybt as rbt
from rustybt.engine.incremental import walk

THURSDAY = datetime(2024, 1, 4, 21, tzinfo=UTC)
DAILY = [THURSDAY + timedelta(days=day) for day in (0, 1, 4, 5, 6)]
"""Thursday, Friday, Monday, Tuesday, Wednesday."""
LONG = rbt.Strategy("long", target=rbt.quantity(pl.when(pl.col("close") > 0).then(10)))
SHORT = rbt.Strategy("short", target=rbt.quantity(pl.when(pl.col("close") > 0).then(-10)))


def panel(times: list[datetime], price: float = 100.0, **asset: Any) -> Any:
    frame = pl.DataFrame({"ts": times, "asset": ["A"] * len(times), "volume": [1.0] * len(times)})
    frame = frame.with_columns(pl.lit(price).alias(name) for name in ("open", "high", "low", "close"))
    return rbt.load(frame, assets={"A": rbt.Asset.of("A", "fx", **asset)} if asset else None)


def amounts(result: rbt.Result, kind: str) -> list[str]:
    rows = result.carry.filter(pl.col("kind") == kind)
    return [f"{row['ts']:%a} {row['amount'].normalize():f}" for row in rows.iter_rows(named=True)]


def test_a_borrow_fee_is_for_the_days_between_sessions() -> None:
    """Short 10 at 100 from Friday on: 1000 x 0.36 / 360 = 1 a day, three over the weekend."""
    result = rbt.run(SHORT, panel(DAILY), carry=rbt.carry(borrow="0.36"))
    assert amounts(result, "borrow") == ["Mon -3", "Tue -1", "Wed -1"]
    assert result.equity["equity"].to_list() == [100_000, 100_000, 99_997, 99_996, 99_995]
    assert result.metrics["cost_borrow"] == 5.0
    assert result.journal.filter(account="expenses:borrow")["amount"].sum() == 5
    assert result.journal["amount"].sum() == 0


def test_the_rate_is_that_of_the_session_that_ends() -> None:
    """0.36 to Monday, 0.72 from Monday on: Friday to Monday still at 0.36."""
    rates = pl.DataFrame({"asset": ["A", "A"], "session": [date(2024, 1, 1), date(2024, 1, 8)], "rate": [0.36, 0.72]})
    assert amounts(rbt.run(SHORT, panel(DAILY), carry=rbt.carry(borrow=rates)), "borrow") == ["Mon -3", "Tue -2", "Wed -2"]


@pytest.mark.parametrize(("rate", "available", "then"), [(0.72, False, 2), (None, True, 1), (None, False, 1)])
def test_a_short_that_can_no_longer_be_borrowed_pays_on(rate: float | None, available: bool, then: int) -> None:
    """From Monday on no more is to be had: what is held pays the rate of that row, or where it has none the one before."""
    days, free = [date(2024, 1, 1), date(2024, 1, 8)], [True, available]
    rates = pl.DataFrame({"asset": ["A", "A"], "session": days, "rate": [0.36, rate], "available": free})
    more = rbt.Strategy("more", target=rbt.quantity(pl.when(pl.col("session") >= date(2024, 1, 8)).then(-11).otherwise(-10)))
    result = rbt.run(more, panel(DAILY), carry=rbt.carry(borrow=rates))
    assert amounts(result, "borrow") == ["Mon -3", f"Tue -{then}", f"Wed -{then}"]
    assert result.orders.filter(detail="no_borrow")["requested"].to_list() == [1]


def test_a_year_has_360_or_365_days() -> None:
    assert amounts(rbt.run(SHORT, panel(DAILY), carry=rbt.carry(borrow="0.365", day_count=365)), "borrow") == ["Mon -3", "Tue -1", "Wed -1"]


def test_interest_is_paid_on_debt_and_received_on_cash() -> None:
    """Cash 500 - 1000 = -500 from Friday on: 500 x 0.72 / 360 = 1 a day. Before: 500 x 0.36 / 360 = 0.50 on Friday."""
    result = rbt.run(LONG, panel(DAILY), cash="500", max_gross=5, money_scale=2, carry=rbt.carry(interest="0.72", credit="0.36"))
    assert amounts(result, "credit") == ["Fri 0.5"]
    assert amounts(result, "interest") == ["Mon -3", "Tue -1", "Wed -1.01"]  # 499.50 x 3 x 0.002 = 2.997; 502.50: 1.005; 503.50: 1.007


def test_a_rollover_at_a_time_of_the_day_counts_every_day() -> None:
    """Bars at 21:00; the rollover at 21:00 belongs to what was held after the bar of that instant: the same as by sessions."""
    at = rbt.run(SHORT, panel(DAILY), carry=rbt.carry(borrow="0.36", rollover="21:00"))
    assert amounts(at, "borrow") == ["Mon -3", "Tue -1", "Wed -1"]
    hours = [THURSDAY + timedelta(hours=hour) for hour in range(6)]
    inside = rbt.run(SHORT, panel(hours), carry=rbt.carry(borrow="0.36", rollover="23:30"))
    assert inside.carry["ts"].to_list() == [THURSDAY + timedelta(hours=3)]


def test_swap_points_count_three_on_wednesday_and_none_at_the_weekend() -> None:
    """Long 10 at -0.01 a night. Friday to Monday: Friday's night only; Wednesday's night is booked on Thursday."""
    week = [*DAILY, THURSDAY + timedelta(days=7)]
    points = {"A": ("-0.01", "0.02")}
    result = rbt.run(LONG, panel(week), carry=rbt.carry(swap=points, triple="wednesday"))
    assert amounts(result, "swap") == ["Mon -0.1", "Tue -0.1", "Wed -0.1", "Thu -0.3"]
    assert amounts(rbt.run(LONG, panel(week), carry=rbt.carry(swap=points)), "swap") == ["Mon -0.3", "Tue -0.1", "Wed -0.1", "Thu -0.1"]
    assert amounts(rbt.run(SHORT, panel(week), carry=rbt.carry(swap=points)), "swap")[0] == "Mon 0.6"


def test_financing_of_an_asset_with_a_multiplier_goes_by_value() -> None:
    """10 at 100 x 50 = 50000 x 0.036 / 360 = 5 a day."""
    result = rbt.run(LONG, panel(DAILY, multiplier="50", lot_size="1", tick_size="0.01"), carry=rbt.carry(financing={"A": ("0.036", "0")}))
    assert amounts(result, "financing") == ["Mon -15", "Tue -5", "Wed -5"]


def test_funding_is_about_what_was_held_at_its_instant() -> None:
    """Hourly bars; held from 22:00 on. 21:30 comes before it, 23:00 is booked at the bar after, with its own mark: 10 x 110 x 0.001."""
    hours = [THURSDAY + timedelta(hours=hour) for hour in range(5)]
    instants = [THURSDAY + timedelta(minutes=minutes) for minutes in (30, 120, 150, 9999)]
    rates = pl.DataFrame({"asset": ["A"] * 4, "ts": instants, "rate": [0.5, 0.001, -0.001, 0.5], "mark": [None, 110.0, None, None]})
    result = rbt.run(LONG, panel(hours), carry=rbt.carry(funding=rates))
    assert result.carry["ts"].to_list() == [THURSDAY + timedelta(hours=3)] * 2
    assert result.carry["amount"].to_list() == [Decimal("-1.1"), 1]
    assert result.metrics["cost_funding"] == 0.1


def test_a_short_that_cannot_be_borrowed_is_refused_with_its_row_and_a_note() -> None:
    rates = pl.DataFrame({"asset": ["A", "A"], "session": [date(2024, 1, 1), date(2024, 1, 8)], "rate": [None, 0.36]})
    again = rbt.Strategy("again", target=rbt.quantity(pl.when(pl.col("close") > 0).then(-10)), schedule=rbt.every(1))
    result = rbt.run(again, panel(DAILY), carry=rbt.carry(borrow=rates))
    assert result.orders.select("status", "detail").rows() == [("rejected", "no_borrow"), ("filled", "none")]
    assert result.fills["ts"].to_list() == [DAILY[2]]
    assert result.notes[-1].startswith("1 orders would have sold short what could not be borrowed, first at 2024-01-05T21:00")
    assert rbt.run(SHORT, panel(DAILY), carry=rbt.carry(borrow={"A": None})).fills.height == 0


def test_bulk_is_bar_by_bar_and_the_journal_alone_gives_the_cash() -> None:
    from rustybt.ledger import check_journal

    pair = rbt.Strategy("pair", target=rbt.weight(pl.when(pl.col("asset") == "IBM").then(0.9).when(pl.col("asset") == "MSFT").then(-0.5)))
    everything = rbt.carry(borrow="0.02", interest="0.06", credit="0.01", financing=("0.05", "-0.01"), swap={"IBM": ("-0.01", 0)})
    data = rbt.load("demo", start="2006-01-01", end="2006-12-31")
    bulk = rbt.run(pair, data, max_gross=2, carry=everything)
    stepped = walk(bulk.sleeves, data, bulk.config)
    assert stepped.equity.equals(bulk.equity)
    assert stepped.carry.equals(bulk.carry)
    assert bulk.carry["kind"].n_unique() > 3
    check_journal(bulk.journal, bulk.equity, bulk.positions)
    assert bulk.metrics["income_credit_interest"] > 0
    assert bulk.config.to_dict()["carry"]["borrow"] == [["*", None, 2_000_000]]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"borrow": {"ZZZ": "0.01"}}, "'ZZZ' is not in the data"),
        ({"swap": {"ZZZ": (1, 1)}}, "carry, swap"),
        ({"funding": pl.DataFrame({"asset": ["Z"], "ts": [THURSDAY], "rate": [0.1]})}, "'Z' is not in the data"),
    ],
)
def test_rates_for_assets_that_are_not_there_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(rbt.ConfigError, match=message):
        rbt.run(LONG, panel(DAILY), carry=rbt.carry(**given))


def test_carry_that_is_none_is_refused() -> None:
    with pytest.raises(rbt.ConfigError, match="is not a Carry"):
        rbt.run(LONG, panel(DAILY), carry="0.05")  # type: ignore[arg-type]


def test_a_run_with_carry_is_a_sound_beancount_file(tmp_path: Any) -> None:
    from beancount import loader

    result = rbt.run(SHORT, panel(DAILY), carry=rbt.carry(borrow="0.36", credit="0.01"))
    path = tmp_path / "books.beancount"
    result.to_beancount(path)
    assert "Expenses:Borrow" in path.read_text()
    entries, errors, _ = loader.load_file(str(path))
    assert entries
    assert errors == []
