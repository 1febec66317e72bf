"""Coarser bars worked by hand: early closes, breaks, edges, amounts, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

import rustybt as rbt
from rustybt.errors import ConfigError, DataError

STAMP = pl.Datetime("us", "UTC")


def bars(stamps: Sequence[datetime], **columns: Any) -> pl.DataFrame:
    """One bar per stamp of asset A; the close counts up from 1."""
    close = [float(i + 1) for i in range(len(stamps))]
    given = {"open": close, "high": [c + 0.5 for c in close], "low": [c - 0.5 for c in close], "close": close, "volume": [10] * len(close)}
    return pl.DataFrame({"ts": pl.Series(list(stamps), dtype=STAMP), "asset": "A", **given, **columns})


def every(first: datetime, last: datetime, step: timedelta) -> list[datetime]:
    return [first + i * step for i in range((last - first) // step + 1)]


def at(hour: int, minute: int = 0, day: int = 29, month: int = 11, year: int = 2024) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


MINUTE, HALF = timedelta(minutes=1), timedelta(minutes=30)


def test_the_last_bar_of_a_short_day_ends_with_it() -> None:
    # 29 November 2024 closes at 13:00 in New York, 18:00 UTC, after three and a half hours.
    made = rbt.resample(bars(every(at(14, 31), at(18, 0), MINUTE)), "1h", calendar="XNYS")
    assert made["ts"].to_list() == [at(15, 30), at(16, 30), at(17, 30), at(18)]
    assert made.row(3)[2:] == (181.0, 210.5, 180.5, 210.0, 300)
    assert rbt.resample(bars(every(at(14, 31), at(18, 0), MINUTE)), "1d", calendar="XNYS").rows()[0][0] == at(18)


def test_no_bar_reaches_over_a_break() -> None:
    stamps = [*every(at(0, 30, day=28), at(2, 30, day=28), HALF), *every(at(4, day=28), at(6, 30, day=28), HALF)]
    made = rbt.resample(bars(stamps), "1h", calendar="XTKS")
    assert made["ts"].to_list() == [at(1, 0, 28), at(2, 0, 28), at(2, 30, 28), at(4, 30, 28), at(5, 30, 28), at(6, 30, 28)]
    assert made["volume"].to_list() == [20, 20, 10, 20, 20, 20]
    assert rbt.resample(bars(stamps), "1d", calendar="XTKS").height == 1


def test_bars_may_be_counted_from_the_hour() -> None:
    stamps = every(at(15, 0, day=26), at(21, 0, day=26), HALF)
    made = rbt.resample(bars(stamps), "1h", calendar="XNYS", anchor="clock")
    assert made["ts"].to_list() == every(at(15, 0, 26), at(21, 0, 26), timedelta(hours=1))
    india = rbt.calendar("india", zone="Asia/Kolkata", week={"mon-fri": "09:15-15:30"})
    made = rbt.resample(bars([at(4, 15, 26), at(4, 30, 26), at(5, 0, 26)]), "1h", calendar=india, anchor="clock")
    assert made["ts"].to_list() == [at(4, 30, 26)]  # 10:00 in India


def test_rows_outside_are_dropped_or_kept_apart() -> None:
    stamps = [at(14, 0), at(14, 30), at(15, 0), at(18, 0), at(18, 30), at(20, 0)]
    assert rbt.resample(bars(stamps), "1d", calendar="XNYS").row(0)[2:] == (3.0, 4.5, 2.5, 4.0, 20)
    kept = rbt.resample(bars([*stamps, at(14, 0, 2, 12), at(21, 0, 2, 12)]), "1d", calendar="XNYS", outside="keep")
    # What trades after a close belongs to the session that closes next.
    assert kept["volume"].to_list() == [40, 40]
    hours = rbt.resample(bars(stamps), "4h", calendar="XNYS", outside="keep", anchor="clock")
    assert hours["ts"].to_list() == [at(14, 30), at(17), at(18)]


def test_the_bar_that_is_open_is_never_seen() -> None:
    minutes = bars(every(at(10, 1), at(10, 14), MINUTE))
    assert rbt.resample(minutes, "5m")["ts"].to_list() == [at(10, 5), at(10, 10)]
    assert rbt.resample(minutes, "5m", until=at(10, 15))["ts"].to_list() == [at(10, 5), at(10, 10), at(10, 15)]
    assert rbt.resample(minutes, "5m", until=at(10, 9))["ts"].to_list() == [at(10, 5)]
    other = minutes.with_columns(pl.lit("B").alias("asset"), pl.col("ts") + timedelta(minutes=1))
    assert rbt.resample(pl.concat([minutes, other]), "5m").filter(asset="A").height == 3  # B tells that it is 10:15


def test_weeks_and_months_end_with_their_last_session() -> None:
    days = pl.date_range(date(2024, 11, 25), date(2024, 12, 6), eager=True)
    frame = bars([at(0)] * 12).with_columns(days.alias("ts"))
    weeks = rbt.resample(frame, "1w", calendar="XNYS", stamp="session")
    assert weeks["ts"].to_list() == [at(18), at(21, 0, 6, 12)]
    assert weeks["volume"].to_list() == [40, 50]  # Thanksgiving is no session, nor is Saturday
    months = rbt.resample(frame, "1mo", calendar="XNYS", stamp="session")
    assert months["ts"].to_list() == [at(18)]
    assert rbt.resample(frame, "1mo", stamp="session")["ts"].to_list() == [datetime(2024, 12, 1, tzinfo=UTC)]
    assert rbt.resample(frame, "1w", stamp="session")["ts"].to_list() == [datetime(2024, 12, 2, tzinfo=UTC)]


def test_a_month_at_the_end_of_a_calendar() -> None:
    stamps = every(datetime(2049, 12, 28, 2, tzinfo=UTC), datetime(2049, 12, 30, 8, tzinfo=UTC), HALF)
    assert rbt.resample(bars(stamps), "1mo", calendar="XHKG").height == 0  # the 31st is still to come
    with pytest.raises(DataError, match="does not cover"):
        rbt.resample(bars([*stamps, datetime(2050, 1, 4, 2, tzinfo=UTC)]), "1mo", calendar="XHKG")


def test_stamps_at_the_start_count_from_there() -> None:
    stamps = every(at(10, 0), at(10, 9), MINUTE)
    made = rbt.resample(bars(stamps), "5m", stamp="open", interval="1m")
    assert made["ts"].to_list() == [at(10, 5), at(10, 10)]
    assert made["open"].to_list() == [1.0, 6.0]


def test_trades_and_their_weighted_price() -> None:
    ts = [at(10), at(10) + timedelta(milliseconds=100), at(10) + timedelta(milliseconds=249), at(10) + timedelta(milliseconds=250), at(11)]
    trades = pl.DataFrame({"ts": pl.Series(ts, dtype=STAMP), "asset": "A", "price": [1.0, 3.0, 2.0, 9.0, 9.0], "size": [1, 2, 1, 1, 1]})
    made = rbt.resample(trades, "250ms")
    assert made.row(0)[2:] == (1.0, 3.0, 1.0, 2.0, 4, 2.25)
    assert made["ts"][0] == at(10) + timedelta(milliseconds=250)
    # A trade at the very close is in the session that closes; one at the close of a day without a night is in the next.
    close = trades.with_columns(pl.Series("ts", [at(17, 59), at(18), at(18), at(18, 1), at(18, 2)], dtype=STAMP))
    assert rbt.resample(close, "1d", calendar="XNYS")["volume"].to_list() == [4]
    night = trades.with_columns(pl.Series("ts", [at(23), at(0, 0, 30), at(1, 0, 30), at(2, 0, 30), at(0, 0, 1, 12)], dtype=STAMP))
    assert rbt.resample(night, "1d", calendar="24/7")["volume"].to_list() == [1, 4]


def test_amounts_close_bars_and_what_is_beyond_counts_on() -> None:
    frame = bars(every(at(10, 1), at(10, 7), MINUTE), volume=[4, 4, 4, 9, 9, 1, 1])
    made = rbt.resample(frame, "10 volume")
    assert made.select("ts", "volume").rows() == [(at(10, 3), 12), (at(10, 4), 9), (at(10, 5), 9)]
    twice = frame.with_columns(pl.Series("ts", [at(10, 1)] * 4 + [at(10, 2)] * 3, dtype=STAMP)).rename({"close": "price", "volume": "size"})
    together = rbt.resample(twice.drop("open", "high", "low"), "10 volume")
    assert together.select("ts", "volume").rows() == [(at(10, 1), 21), (at(10, 2), 11)]


def test_sums_are_exact_whatever_the_type() -> None:
    stamps = every(at(10, 1), at(10, 10), MINUTE)
    assert rbt.resample(bars(stamps, volume=[0.1] * 10), "10m")["volume"][0] == 1.0
    assert rbt.resample(bars(stamps, volume=[2**53 + 1] * 10), "10m")["volume"][0] == 10 * (2**53 + 1)
    exact = pl.Series([Decimal("0.000000000000000001")] * 10, dtype=pl.Decimal(38, 18))
    made = rbt.resample(bars(stamps, volume=exact, close=exact), "10m")
    assert made["volume"][0] == Decimal("0.00000000000000001")
    assert made.schema["close"] == pl.Decimal(38, 18)
    with pytest.raises(DataError, match="the bars cannot be summed"):
        rbt.resample(bars(stamps, volume=[2**62] * 10), "10m")


def test_rows_without_a_price_do_not_count() -> None:
    frame = bars(every(at(10, 1), at(10, 5), MINUTE), high=[1.0, None, 3.0, float("nan"), 5.0])
    assert rbt.resample(frame, "5m").row(0)[2:] == (1.0, 5.0, 0.5, 5.0, 30)


def test_further_columns_are_combined_as_told() -> None:
    frame = bars(every(at(10, 1), at(10, 4), MINUTE), oi=[5, None, 7, None], note=["a", None, "c", "d"], fee=[0.1] * 4)
    ways: dict[str, Any] = {"oi": "last", "note": "first", "fee": "sum"}
    assert rbt.resample(frame, "2m", extras=ways).select("oi", "note", "fee").rows() == [(5, "a", 0.2), (7, "c", 0.2)]


def test_no_rows_and_one_row() -> None:
    for calendar in (None, "XNYS"):
        for length in ("1h", "1mo", "3 ticks"):
            one = bars([at(15)])
            empty = rbt.resample(one.clear(), length, calendar=calendar)
            assert empty.height == 0
            assert empty.schema == rbt.resample(one, length, calendar=calendar).schema
    assert rbt.resample(bars([at(15)]), "1h").height == 1


def test_a_panel_keeps_its_calendar_and_its_bars_run() -> None:
    panel = rbt.load("demo", assets=["IBM", "MSFT"], start="2012-01-01")
    weeks = rbt.resample(panel, "1w")
    fridays = weeks["ts"].dt.convert_time_zone("America/New_York").dt.weekday()
    assert fridays.is_in([4, 5]).all()  # Good Friday is no session
    again = rbt.load(weeks, stamp="close", calendar="XNYS")
    assert rbt.run(rbt.Strategy("hold", target=rbt.weight(0.4)), again).counts()["fills"] > 0


@pytest.mark.parametrize(
    ("length", "options", "said"),
    [
        ("5 minutes", {}, "interval '5 minutes' is not understood"),
        ("0m", {}, "interval '0m' is not understood"),
        ("1.5h", {}, "interval '1.5h' is not understood"),
        ("5mo", {}, "does not divide a year"),
        ("2d", {"calendar": "XNYS"}, "counts sessions from nowhere"),
        ("0 ticks", {}, "is no amount"),
        ("0.5 volume", {}, "is finer than the steps"),
        ("5m", {"stamp": "open"}, "need their length"),
        ("5m", {"interval": "1m"}, "interval is for bars stamped at their start"),
        ("5m", {"stamp": "start"}, "unknown stamp 'start'"),
        ("5m", {"outside": "hide"}, "unknown outside 'hide'"),
        ("5m", {"anchor": "noon"}, "unknown anchor 'noon'"),
        ("5m", {"until": datetime(2024, 1, 1)}, "names no instant"),  # noqa: DTZ001
        ("5m", {"extras": {"none": "last"}}, "column 'none' is missing"),
        ("5m", {"extras": {"close": "last"}}, "column 'close' is made by itself"),
        ("5m", {"extras": {"note": "mean"}}, "unknown way 'mean'"),
        ("5m", {"extras": {"note": "sum"}}, "cannot be summed"),
    ],
)
def test_bad_options_are_one_message(length: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        rbt.resample(bars([at(10)], note=["x"]), length, **options)


def test_bad_frames_are_one_message() -> None:
    frame = bars([at(10)])
    with pytest.raises(DataError, match="column 'asset' is missing"):
        rbt.resample(frame.drop("asset"), "5m")
    with pytest.raises(DataError, match="column 'close' holds String"):
        rbt.resample(frame.with_columns(pl.col("close").cast(pl.String)), "5m")
    with pytest.raises(DataError, match="ts is naive"):
        rbt.resample(frame.with_columns(pl.col("ts").dt.replace_time_zone(None)), "5m")
    with pytest.raises(DataError, match="ts holds dates"):
        rbt.resample(frame.with_columns(pl.col("ts").dt.date()), "1w")
    with pytest.raises(ConfigError, match="a list cannot be resampled"):
        rbt.resample([frame], "5m")  # type: ignore[type-var]
    with pytest.raises(DataError, match="unknown calendar 'NYC'"):
        rbt.resample(frame, "5m", calendar="NYC")
    with pytest.raises(DataError, match=r"price x volume of 1e\+25 is too large"):
        rbt.resample(bars([at(10)], close=[1e10], high=[1e10], volume=[1e15]), "5 value")


def test_rows_that_come_too_late_are_refused() -> None:
    maker = rbt.Resampler("5m")
    assert maker.push(bars([at(10, 5)])).height == 1
    with pytest.raises(DataError, match=r"a row of 2024-11-29T10:04:00\.000000Z comes after what is known") as caught:
        maker.push(bars([at(10, 4)]))
    assert "asset 'A'" in caught.value.where
    other = bars([at(10, 5)]).with_columns(pl.lit("B").alias("asset"))
    assert rbt.Resampler("5m").push(other, now=at(10, 4)).height == 0
    with pytest.raises(DataError, match="the columns differ"):
        maker.push(bars([at(10, 6)], volume=[1.0]))
    with pytest.raises(ConfigError, match="no row was pushed"):
        rbt.Resampler("5m").advance(at(10))


def test_time_alone_completes_a_bar() -> None:
    maker = rbt.Resampler("1h", calendar="XNYS")
    assert maker.push(bars([at(17, 45)])).height == 0
    assert maker.advance(at(17, 59)).height == 0
    assert maker.advance(at(18)).select("ts", "close").rows() == [(at(18), 1.0)]
    assert maker.advance(at(19)).height == 0
