"""When a bar counts: stamps, zones, sessions, calendars, start and end."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from polars._typing import TimeUnit

from rustybt.data import load
from rustybt.errors import ConfigError, DataError
from rustybt.model import Panel
from tests.data.conftest import Make

MIDNIGHT = datetime(2020, 1, 6, tzinfo=UTC)


def instants(panel: Panel) -> list[datetime]:
    return panel.frame["ts"].to_list()


def sessions(panel: Panel) -> list[date]:
    return panel.frame["session"].to_list()


def test_close_stamps_are_kept(make: Make) -> None:
    panel = load(make({"A": [1, 2]}), stamp="close")
    assert instants(panel) == [datetime(2020, 1, 6, 21, tzinfo=UTC), datetime(2020, 1, 7, 21, tzinfo=UTC)]
    assert panel.warnings == ()


def test_a_bar_that_closes_at_midnight_belongs_to_the_day_it_covers(make: Make) -> None:
    panel = load(make({"A": [1, 2]}, start=MIDNIGHT), stamp="close")
    assert sessions(panel) == [date(2020, 1, 5), date(2020, 1, 6)]


def test_no_stamp_takes_ts_as_it_stands_and_says_so(make: Make) -> None:
    panel = load(make({"A": [1, 2]}, start=MIDNIGHT))
    assert instants(panel)[0] == MIDNIGHT
    assert sessions(panel)[0] == MIDNIGHT.date()
    assert "All are at 00:00, so they look like sessions" in panel.warnings[0]


def test_open_stamps_are_shifted_by_the_smallest_spacing_of_each_asset(make: Make) -> None:
    minutes = make({"A": [1, 2, 3, 4]}, start=MIDNIGHT, every=timedelta(minutes=1))
    hours = make({"B": [1, 2, 3]}, start=MIDNIGHT, every=timedelta(hours=1))
    panel = load(pl.concat([minutes[[0, 2, 3]], hours]), stamp="open")
    first = panel.frame.group_by("asset", maintain_order=True).first()["ts"].to_list()
    assert first == [MIDNIGHT + timedelta(minutes=1), MIDNIGHT + timedelta(hours=1)]
    assert "1m, 1h" in panel.warnings[0]


def test_open_stamps_with_a_given_interval(make: Make) -> None:
    panel = load(make({"A": [1]}, start=MIDNIGHT), stamp="open", interval="5m")
    assert instants(panel) == [MIDNIGHT + timedelta(minutes=5)]
    assert panel.warnings == ()


def test_an_interval_that_cannot_be_known_is_refused(make: Make) -> None:
    with pytest.raises(DataError, match="single bar") as caught:
        load(make({"A": [1]}), stamp="open")
    assert caught.value.where == "asset 'A'"
    with pytest.raises(DataError, match="spacing is 420 s"):
        load(make({"A": [1, 2]}, every=timedelta(minutes=7)), stamp="open")
    with pytest.raises(ConfigError, match="interval 'soon'"):
        load(make({"A": [1]}), stamp="open", interval="soon")


def test_session_stamps_are_complete_at_the_end_of_the_date(make: Make) -> None:
    panel = load(make({"A": [1]}, start=MIDNIGHT), stamp="session")
    assert instants(panel) == [datetime(2020, 1, 6, 23, 59, 59, 999999, tzinfo=UTC)]
    assert sessions(panel) == [date(2020, 1, 6)]


def test_session_stamps_on_a_calendar_are_complete_at_the_close(make: Make) -> None:
    bars = make({"A": [1, 2, 3]}, start=datetime(2019, 11, 27, tzinfo=UTC))
    panel = load(bars[[0, 2]], stamp="session", calendar="XNYS")
    # The day after Thanksgiving closes at 13:00 in New York.
    assert instants(panel) == [datetime(2019, 11, 27, 21, tzinfo=UTC), datetime(2019, 11, 29, 18, tzinfo=UTC)]
    assert panel.calendar == "XNYS"
    assert panel.next_session is not None
    assert panel.next_session.astype("datetime64[D]").astype(str).tolist() == ["2019-11-29", "2019-12-02"]
    assert panel.session_close is not None
    assert (panel.session_close == panel.ts).all()
    assert panel.warnings == ()


def test_bars_outside_the_calendar_are_kept_and_reported(make: Make) -> None:
    bars = make({"A": [1, 2, 3]}, start=datetime(2019, 11, 27, tzinfo=UTC))
    panel = load(bars, stamp="session", calendar="XNYS")
    assert sessions(panel)[1] == date(2019, 11, 28)
    assert instants(panel)[1] == datetime(2019, 11, 28, 23, 59, 59, 999999, tzinfo=UTC)
    assert panel.warnings == ("1 bars lie outside the sessions of XNYS (first: asset 'A', 2019-11-28); they were kept.",)


def test_intraday_bars_get_the_session_they_trade_in(make: Make) -> None:
    # Friday 20:59 in London is in hours in New York, 22:00 is after them, Saturday belongs to Monday.
    stamps = [datetime(2020, 1, 10, 20, 59, tzinfo=UTC), datetime(2020, 1, 10, 22, tzinfo=UTC), datetime(2020, 1, 11, 15, tzinfo=UTC)]
    bars = make({"A": [1, 2, 3]}).with_columns(pl.Series("ts", stamps, dtype=pl.Datetime("us", "UTC")))
    panel = load(bars, stamp="close", calendar="XNYS")
    assert sessions(panel) == [date(2020, 1, 10), date(2020, 1, 10), date(2020, 1, 13)]
    assert "2 bars lie outside" in panel.warnings[0]


def test_overnight_sessions_carry_the_date_on_which_they_close(make: Make) -> None:
    panel = load(make({"ES": [1]}, start=datetime(2020, 1, 7, 0, 30, tzinfo=UTC)), stamp="close", calendar="CMES")
    assert sessions(panel) == [date(2020, 1, 7)]


def test_a_day_of_round_the_clock_trading_closes_at_the_next_midnight(make: Make) -> None:
    panel = load(make({"BTC": [1]}, start=MIDNIGHT), stamp="session", calendar="24/7")
    assert instants(panel) == [MIDNIGHT + timedelta(days=1)]
    assert sessions(panel) == [MIDNIGHT.date()]


def test_an_unknown_calendar_is_refused_with_what_is_like_it(make: Make) -> None:
    with pytest.raises(DataError, match="unknown calendar 'xnys'") as caught:
        load(make({"A": [1]}), calendar="xnys")
    assert "XNYS" in caught.value.do


def test_a_calendar_that_does_not_reach_the_data_is_refused(make: Make) -> None:
    with pytest.raises(DataError, match="calendar 'XKRX' does not cover the data"):
        load(make({"A": [1]}, start=datetime(1900, 1, 2, tzinfo=UTC)), calendar="XKRX", stamp="session")


def test_naive_times_are_refused_with_the_way_out(make: Make) -> None:
    naive = make({"A": [1, 2]}).with_columns(pl.col("ts").dt.replace_time_zone(None))
    with pytest.raises(DataError, match="ts is naive") as caught:
        load(naive, stamp="close")
    assert 'timezone="UTC"' in caught.value.do
    assert instants(load(naive, stamp="close", timezone="UTC"))[0] == datetime(2020, 1, 6, 21, tzinfo=UTC)
    new_york = load(naive, stamp="close", timezone="America/New_York")
    assert instants(new_york)[0] == datetime(2020, 1, 6, 21, tzinfo=ZoneInfo("America/New_York"))


def test_a_local_time_that_does_not_exist_is_refused(make: Make) -> None:
    skipped = make({"A": [1]}).with_columns(ts=pl.lit("2020-03-08 02:30").str.to_datetime())
    with pytest.raises(DataError, match="cannot be placed in 'America/New_York'"):
        load(skipped, stamp="close", timezone="America/New_York")


def test_other_zones_are_converted_and_said(make: Make) -> None:
    bars = make({"A": [1]})
    panel = load(bars.with_columns(pl.col("ts").dt.convert_time_zone("America/New_York")), stamp="close")
    assert instants(panel) == bars["ts"].to_list()
    assert panel.warnings == ("Times in America/New_York were converted to UTC.",)


def test_sessions_are_read_from_local_midnights_naive_midnights_and_dates(make: Make) -> None:
    bars = make({"A": [1]}, start=MIDNIGHT)
    local = bars.with_columns(pl.col("ts").dt.replace_time_zone("Asia/Tokyo"))
    naive = bars.with_columns(pl.col("ts").dt.replace_time_zone(None))
    dates = bars.with_columns(pl.col("ts").dt.date())
    for form in (local, naive, dates):
        assert sessions(load(form, stamp="session")) == [date(2020, 1, 6)]
    assert load(dates).warnings == ("ts holds dates; they are read as session stamps.",)
    with pytest.raises(DataError, match="a date has no open"):
        load(dates, stamp="open")
    with pytest.raises(DataError, match="ts is naive"):
        load(naive.with_columns(pl.col("ts") + timedelta(hours=1)), stamp="session")


@pytest.mark.parametrize("form", [pl.col("ts").dt.epoch("ms"), pl.col("ts").cast(pl.String)])
def test_numbers_and_text_are_no_times(make: Make, form: pl.Expr) -> None:
    with pytest.raises(DataError, match="which names no instant"):
        load(make({"A": [1]}).with_columns(form))


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_every_time_unit_is_understood(make: Make, unit: TimeUnit) -> None:
    bars = make({"A": [1, 2]})
    panel = load(bars.with_columns(pl.col("ts").dt.cast_time_unit(unit)), stamp="close")
    assert instants(panel) == bars["ts"].to_list()


def test_start_and_end_keep_sessions_or_instants(make: Make) -> None:
    bars = make({"A": [1, 2, 3, 4]})
    by_day = load(bars, stamp="close", start="2020-01-07", end=date(2020, 1, 8))
    assert sessions(by_day) == [date(2020, 1, 7), date(2020, 1, 8)]
    by_time = load(bars, stamp="close", start=datetime(2020, 1, 7, 21, tzinfo=UTC), end="2020-01-08T20:59:59Z")
    assert sessions(by_time) == [date(2020, 1, 7)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"start": 5}, "start 5 is not a date"),
        ({"end": np.datetime64("NaT", "D")}, "end .* is not a date"),
        ({"columns": ["close"]}, "columns is a list"),
        ({"assets": 5}, "assets is a int"),
        ({"extras": 5}, "extras is a int"),
        ({"extras": "close"}, "extras is the text 'close'"),
    ],
)
def test_an_option_of_a_wrong_type_is_refused_by_name(make: Make, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load(make({"A": [1, 2]}), stamp="close", **options)


def test_start_and_end_that_cannot_be_met_are_refused(make: Make) -> None:
    bars = make({"A": [1, 2]})
    with pytest.raises(DataError, match="no bar lies between") as caught:
        load(bars, stamp="close", start="2021-01-01")
    assert "2020-01-06 to 2020-01-07" in caught.value.do
    assert caught.value.what == "no bar lies between start 2021-01-01 and the last bar"
    with pytest.raises(ConfigError, match="is naive"):
        load(bars, stamp="close", start="2020-01-07 21:00")
    with pytest.raises(ConfigError, match="start 'tomorrow' is not a date"):
        load(bars, stamp="close", start="tomorrow")
    with pytest.raises(ConfigError, match="end 'tomorrow at 5' is not a time"):
        load(bars, stamp="close", end="tomorrow at 5")


def test_assets_without_a_bar_in_the_span_leave(make: Make) -> None:
    bars = pl.concat([make({"A": [1]}), make({"B": [1, 2]}), make({"C": [1, 2]})])
    panel = load(bars, stamp="close", start="2020-01-07")
    assert panel.symbols == ("B", "C")
    assert panel.frame["asset"].dtype == pl.Enum(["B", "C"])
    assert panel.frame["asset"].to_list() == ["B", "C"]


def test_times_before_1970_have_their_own_session(make: Make) -> None:
    panel = load(make({"GE": [1, 2]}, start=datetime(1962, 1, 2, tzinfo=UTC)), stamp="session")
    assert sessions(panel) == [date(1962, 1, 2), date(1962, 1, 3)]
    assert np.diff(panel.ts).tolist() == [86_400_000_000]


@pytest.mark.parametrize("stamp", ["open", "close", "session"])
@pytest.mark.parametrize("microseconds", [9 * 10**18, -9 * 10**18, 253_402_300_799_000_000])
def test_times_that_no_date_can_hold_are_refused(make: Make, microseconds: int, stamp: Literal["open", "close", "session"]) -> None:
    far = pl.lit(microseconds).cast(pl.Datetime("us", "UTC"))
    with pytest.raises(DataError, match="is no date that bars can have") as refused:
        load(
            make({"A": [1, 2]}).with_columns(ts=far - pl.duration(days=pl.int_range(pl.len()))),
            stamp=stamp,
            interval="1d" if stamp == "open" else None,
        )
    assert "unit" in refused.value.do
