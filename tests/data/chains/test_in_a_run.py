"""Signals on the series, fills in the contract in front, positions moved by the rolls."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rustybt as rbt
from rustybt.data.chains import Continuous, continuous
from rustybt.errors import ConfigError, DataError
from rustybt.model import Panel
from tests.data.chains.test_rolls import chains, contract

OPTIONS: dict[str, Any] = {"asset_class": "future", "tick_size": "1"}
BARS = pl.concat([contract("A", 0, [100, 101, 102, 103, 104, 105]), contract("B", 2, [110, 111, 112, 113, 114, 90, 91])])
EXPIRIES = {"A": "2024-01-05", "B": "2024-02-10"}


def made() -> Continuous:
    return continuous(BARS, "X", expiries=EXPIRIES, stamp="session", **OPTIONS)


def panel() -> Panel:
    chained = made()
    series = rbt.load(chained.bars, stamp="close", **OPTIONS)
    rising = pl.col("close") > pl.col("close").shift(1)
    trend = rbt.attached(series, columns=["contract"], signals={"rising": rising}, beside="all")
    return rbt.load(BARS, stamp="session", events=chained.events, attach={"x": trend}, **OPTIONS)


def test_the_series_by_hand() -> None:
    chained = made()
    assert chained.frame.select("contract", pl.col("close").cast(pl.Int64)).rows() == [
        ("A", 100),
        ("A", 101),
        ("A", 102),
        ("A", 103),
        ("B", 104),  # 112, and the gap of 8 at the closes of the day before
        ("B", 105),
        ("B", 106),
        ("B", 82),
        ("B", 83),
    ]
    assert chained.rolls.select("session", "gap").rows() == [(date(2024, 1, 5), Decimal(8))]


def test_a_position_is_rolled_and_the_gap_is_no_profit() -> None:
    front = pl.col("asset").cast(pl.String) == pl.col("x_contract")
    hold = rbt.Strategy("hold", target=rbt.quantity(pl.when(front).then(pl.when(pl.col("x_rising")).then(1.0).otherwise(0.0))))
    result = rbt.run(hold, panel(), cash="10000", max_gross="2")
    fills = result.fills.select(pl.col("ts").dt.date(), "asset", "side", "reason", pl.col("price").cast(pl.Int64)).rows()
    assert fills == [
        (date(2024, 1, 3), "A", "buy", "target", 102),
        (date(2024, 1, 5), "A", "sell", "roll", 104),
        (date(2024, 1, 5), "B", "buy", "roll", 112),
        (date(2024, 1, 9), "B", "sell", "target", 91),
    ]
    assert Decimal(result.final_equity) == Decimal(10_000) + (104 - 102) + (91 - 112)


def test_signals_see_the_series_not_the_contract() -> None:
    """B fell by 24, A never: on the series that is one fall, and the roll from 103 to 112 is no rise of 9."""
    rows = panel().frame.filter(pl.col("asset") == "B").select(pl.col("session"), "x_rising", "x_contract")
    assert [row[1] for row in rows.rows()] == [True, True, True, True, True, False, True]
    assert rows["x_contract"].to_list() == ["A", "A", "B", "B", "B", "B", "B"]


@settings(max_examples=25, deadline=None)
@given(chains(), st.sampled_from(["calendar", "volume"]))
def test_one_contract_is_held_through_every_roll(chain: tuple[pl.DataFrame, dict[str, date]], roll: str) -> None:
    """However the contracts list, trade and end: never two, and none only after a roll that could not be traded."""
    bars, expiries = chain
    try:
        chained = continuous(bars, "X", expiries=expiries, roll=roll, adjust="none", stamp="session", **OPTIONS)
    except DataError:
        return
    beside = rbt.attached(rbt.load(chained.bars, stamp="close", **OPTIONS), columns=["contract"], beside="all")
    panel = rbt.load(bars, stamp="session", events=chained.events, attach={"x": beside}, **OPTIONS)
    front = pl.col("asset").cast(pl.String) == pl.col("x_contract")
    hold = rbt.Strategy("hold", target=rbt.quantity(pl.when(front).then(1.0)))
    result = rbt.run(hold, panel, cash="100000", max_gross="2")
    held = result.fills.select("ts", pl.when(pl.col("side") == "buy").then("quantity").otherwise(-pl.col("quantity")).alias("change"))
    totals = held.group_by("ts", maintain_order=True).agg(pl.col("change").sum())["change"].cum_sum().to_list()
    untradable = chained.rolls.filter(~pl.col("tradable")).height
    assert all(1 <= total <= 1 + untradable for total in totals)


def test_beside_all_takes_one_asset() -> None:
    with pytest.raises(ConfigError, match="2 assets to stand beside every bar"):
        rbt.attached(rbt.load(BARS, stamp="session", **OPTIONS), beside="all")
    with pytest.raises(ConfigError, match="unknown beside 'both'"):
        rbt.attached(BARS, beside="both")  # type: ignore[arg-type]
    plain = rbt.attached(rbt.load("demo", assets=["IBM"]), beside="all")
    beside = rbt.load("demo", assets=["AAPL", "IBM"], attach={"ibm": plain})
    wrong = beside.frame.filter(pl.col("asset") == "IBM").filter(pl.col("close") != pl.col("ibm_close"))
    assert wrong.height == 0
    assert beside.frame["ibm_close"].null_count() == 0
