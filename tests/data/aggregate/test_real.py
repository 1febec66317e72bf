"""Real bars: in steps = at once, beside plain Python, and beside the vendor's own hours.

The files in ``real`` are slices; the folder that RUSTYBT_REAL_DATA names may hold more, and what needs it is skipped elsewhere.
"""

from __future__ import annotations

import os
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import rustybt as rbt
from tests.data.aggregate.oracle import Hours, bars_of

HERE = Path(__file__).parent / "real"


def read(name: str) -> pl.DataFrame:
    for folder in (HERE, Path(os.environ.get("RUSTYBT_REAL_DATA", HERE))):
        if (file := folder / f"{name}.parquet").exists():
            return pl.read_parquet(file)
    pytest.skip(f"{name} is not here")


def plain(frame: pl.DataFrame) -> list[tuple[Any, ...]]:
    return [(*row[:6], Decimal(str(row[6]))) for row in frame.rows()]


@pytest.mark.parametrize("name", ["minutes", "crypto_1m_bitfinex_201712"])
def test_minutes_to_days_in_steps_or_at_once(name: str) -> None:
    minutes = read(name)
    end: Any = minutes["ts"].max()
    five = rbt.resample(minutes, "5m", stamp="open", interval="1m", until=end + timedelta(hours=1))
    for length in ("1h", "1d", "1w"):
        direct = rbt.resample(minutes, length, stamp="open", interval="1m", until=end)
        assert rbt.resample(five, length, until=end).equals(direct)


@pytest.mark.parametrize("name", ["minutes", "crypto_1m_bitfinex_201712"])
def test_hours_of_real_minutes_by_plain_python(name: str) -> None:
    minutes = read(name).with_columns(pl.col("ts") + timedelta(minutes=1)).head(3000)
    assert plain(rbt.resample(minutes, "1h")) == bars_of(minutes.rows(named=True), timedelta(hours=1), None)


def test_fx_hours_to_sessions() -> None:
    hours = read("fx").with_columns(pl.col("ts") + timedelta(hours=1))
    days = rbt.resample(hours, "1d", calendar="FX")
    assert days["ts"].dt.hour().unique().sort().to_list() == [21, 22]  # 17:00 in New York, in summer and in winter
    assert days.height == 15
    table = rbt.calendar("FX").sessions("2015-02-20", "2015-04-05")
    sessions = [Hours(day, ((begin, end),)) for day, begin, end in table.select("session", "open", "close").rows()]
    assert plain(days) == bars_of(hours.rows(named=True), "1d", sessions)
    maker = rbt.Resampler("1d", calendar="FX")
    assert pl.concat([maker.push(part) for part in hours.iter_slices(1)]).equals(days)


def test_hours_of_a_venue_beside_those_of_the_vendor() -> None:
    made = rbt.resample(read("minutes"), "1h", stamp="open", interval="1m", calendar="XNYS", anchor="clock")
    both = made.join(read("hours").with_columns(pl.col("ts") + timedelta(hours=1)), on=["asset", "ts"], suffix="_vendor")
    assert both.height > 50
    assert both.select((pl.col("volume") == pl.col("volume_vendor")).mean()).item() > 0.9
    # Its hours are made of trades with more decimals than its minutes, so prices differ by cents.
    apart = both.select((pl.col(name) - pl.col(f"{name}_vendor")).abs().median() for name in ("high", "low", "close"))
    assert max(apart.row(0)) < 0.02


def test_a_real_short_day_ends_early() -> None:
    minutes = read("minutes").filter(pl.col("ts").dt.date() == pl.date(2015, 12, 24))
    made = rbt.resample(minutes, "1h", stamp="open", interval="1m", calendar="XNYS")
    assert made.height
    assert made["ts"].dt.strftime("%H:%M").unique().sort().to_list() == ["15:30", "16:30", "17:30", "18:00"]


def test_trades_of_a_session_close_with_it() -> None:
    trades = read("trades")
    days = rbt.resample(trades, "1d", calendar="XNYS")
    inside = trades.filter(pl.col("ts") <= days["ts"][0])
    size: Any = inside["size"].sum()
    assert inside.height < trades.height
    assert days["volume"].to_list() == [size]
    assert days["vwap"][0] == pytest.approx(float((inside["price"] * inside["size"]).sum()) / size, rel=1e-12)
    values = rbt.resample(trades, "5000000 value", calendar="XNYS")
    assert values.height > 5
    assert values["volume"].sum() == size
    assert values["ts"].to_list()[-1] == days["ts"][0]
