"""Sessions: of venues, around the clock, of the FX week, and of a user's own calendar."""

from __future__ import annotations

import warnings
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import rustybt as rbt
from rustybt.data.calendars import Calendar, calendar, code_of, sessions
from rustybt.errors import ConfigError, DataError
from rustybt.testing import markets

from .conftest import Make


def days(first: str, last: str) -> tuple[int, int]:
    return int(np.datetime64(first, "D").astype(int)), int(np.datetime64(last, "D").astype(int))


@pytest.mark.parametrize("code", ["24/7", "24/5"])
def test_around_the_clock_is_as_in_exchange_calendars(code: str) -> None:
    import exchange_calendars

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own use of pandas
        known = exchange_calendars.get_calendar(code, start="2019-12-20", end="2020-03-10")
    ours = sessions(code, *days("2019-12-20", "2020-03-10"))
    inside = np.isin(ours.days, known.sessions.to_numpy().astype("datetime64[D]").astype(np.int32))
    assert inside.sum() == len(known.sessions)
    assert (ours.opens[inside] == known.opens_nanos // 1000).all()
    assert (ours.closes[inside] == known.closes_nanos // 1000).all()


def test_the_fx_week_turns_at_five_in_new_york() -> None:
    week = calendar("FX").sessions("2024-03-08", "2024-03-12")
    # The clocks in New York go forward on Sunday the 10th, so Monday opens an hour earlier in UTC.
    assert week.select("session", "open", "close").rows() == [
        (date(2024, 3, 8), datetime(2024, 3, 7, 22, tzinfo=UTC), datetime(2024, 3, 8, 22, tzinfo=UTC)),
        (date(2024, 3, 11), datetime(2024, 3, 10, 21, tzinfo=UTC), datetime(2024, 3, 11, 21, tzinfo=UTC)),
        (date(2024, 3, 12), datetime(2024, 3, 11, 21, tzinfo=UTC), datetime(2024, 3, 12, 21, tzinfo=UTC)),
    ]


def test_breaks_and_early_closes_of_a_venue() -> None:
    tokyo = calendar("XTKS").sessions("2024-03-08", "2024-03-08")
    assert tokyo.row(0)[3:5] == (datetime(2024, 3, 8, 2, 30, tzinfo=UTC), datetime(2024, 3, 8, 3, 30, tzinfo=UTC))
    york = calendar("XNYS").sessions("2024-11-27", "2024-12-02")
    assert york["early"].to_list() == [False, True, False]
    assert york["break_start"].null_count() == 3


def test_a_calendar_of_ones_own() -> None:
    desk = calendar(
        "desk", zone="Asia/Tokyo", week={"mon-thu": "09:00-11:30 12:30-15:00", "fri": "09:00-11:30"},
        closed=["2024-03-05"], special={date(2024, 3, 9): "10:00-12:00", "2024-03-06": "09:00-11:00"},
    )  # fmt: skip
    found = desk.sessions("2024-03-04", "2024-03-10")
    assert found["session"].dt.day().to_list() == [4, 6, 7, 8, 9]
    hour = pl.col("open", "close").dt.convert_time_zone("Asia/Tokyo").dt.hour()
    assert found.select(hour).rows() == [(9, 15), (9, 11), (9, 15), (9, 11), (10, 12)]
    assert found["early"].to_list() == [False, True, False, False, False]
    assert found["break_start"].is_null().to_list() == [False, True, False, True, True]
    assert Calendar.read(desk.code) == desk


def test_a_calendar_that_changes_another() -> None:
    mine = calendar("mine", base="XNYS", closed=["2024-03-05"], special={"2024-03-09": "09:30-12:00"})
    found = mine.sessions("2024-03-04", "2024-03-10")
    assert found["session"].dt.day().to_list() == [4, 6, 7, 8, 9]
    assert found["open"].to_list()[-1] == datetime(2024, 3, 9, 14, 30, tzinfo=UTC)


def test_times_that_the_clock_skips_or_shows_twice() -> None:
    night = calendar("night", zone="America/New_York", week={"mon-sun": "01:30-02:30"})
    spring, autumn = night.sessions("2024-03-10", "2024-03-10"), night.sessions("2024-11-03", "2024-11-03")
    assert spring.row(0)[1:3] == (datetime(2024, 3, 10, 6, 30, tzinfo=UTC), datetime(2024, 3, 10, 7, 30, tzinfo=UTC))
    assert autumn.row(0)[1:3] == (datetime(2024, 11, 3, 5, 30, tzinfo=UTC), datetime(2024, 11, 3, 7, 30, tzinfo=UTC))


def test_a_dataset_keeps_its_own_calendar(make: Make, tmp_path: Path) -> None:
    file = tmp_path / "desk.toml"
    file.write_text('zone = "Europe/London"\nweek = {mon-fri = "08:00-16:30"}\nspecial = {2020-01-07 = "08:00-12:30"}\n')
    bars = make({"A": [1, 2, 3]}, start=datetime(2020, 1, 6, tzinfo=UTC)).with_columns(pl.col("ts").dt.date())
    made = rbt.ingest(bars, "mine", catalog=tmp_path / "shelf", calendar=str(file))
    panel = rbt.Catalog(tmp_path / "shelf").open("mine")
    closes = [datetime(2020, 1, 6, 16, 30, tzinfo=UTC), datetime(2020, 1, 7, 12, 30, tzinfo=UTC), datetime(2020, 1, 8, 16, 30, tzinfo=UTC)]
    assert panel.frame["ts"].to_list() == closes
    assert panel.calendar == code_of(str(file))
    file.unlink()
    part = rbt.Catalog(tmp_path / "shelf").open("mine@" + made.snapshot[:12])
    assert part.session_close is not None
    assert (part.session_close == part.ts).all()


def test_schedules_and_day_orders_follow_the_fx_week() -> None:
    first, last = datetime(2024, 3, 7, 23, tzinfo=UTC), datetime(2024, 3, 12, 21, tzinfo=UTC)
    stamps = pl.datetime_range(first, last, "1h", time_unit="us", eager=True)
    stamps = stamps.filter((stamps <= datetime(2024, 3, 8, 22, tzinfo=UTC)) | (stamps > datetime(2024, 3, 10, 21, tzinfo=UTC)))
    frame = pl.DataFrame({"ts": stamps, "asset": "EURUSD", "open": 1.1, "high": 1.2, "low": 1.0, "close": 1.1, "volume": 0})
    panel = rbt.load(frame, stamp="close", calendar="FX", asset_class="fx")
    assert not [note for note in panel.warnings if "outside" in note]
    assert np.unique(panel.sessions).astype("datetime64[D]").astype(str).tolist() == ["2024-03-08", "2024-03-11", "2024-03-12"]
    told = panel.ts, panel.sessions, panel.next_session, panel.session_close
    hours = {
        kind: [datetime.fromtimestamp(ts / 1e6, UTC).hour for ts in panel.ts[schedule.resolve(*told)]]
        for kind, schedule in (("open", rbt.session_open()), ("close", rbt.session_close()))
    }
    assert hours == {"open": [23, 22, 22], "close": [22, 21, 21]}
    ask = rbt.order("limit", 1000, limit=pl.lit(0.9), when=pl.col("ts").dt.hour() == 5, replace=False)
    orders = rbt.run(rbt.Strategy("day", orders=[ask]), panel, cash="100000").orders
    ended = orders.filter(pl.col("status") == "expired")["ts"].to_list()
    assert ended == [datetime(2024, 3, day, hour, tzinfo=UTC) for day, hour in ((8, 22), (11, 21), (12, 21))]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"week": {"mon-fri": "9-17"}}, "hours '9-17' are not understood"),
        ({"week": {"mon-fri": "09:00-25:00"}}, "name no time of day"),
        ({"week": {"mon-fri": "09:00-12:00 11:00-15:00"}}, "do not go forward"),
        ({"week": {"fri-mon": "09:00-12:00"}}, "days 'fri-mon' are not understood"),
        ({"week": {"mon-fri": "09:00-12:00", "tue": "09:00-11:00"}}, "tue has hours twice"),
        ({"closed": ["2024-01-01"]}, "has no sessions"),
        ({"base": "XNYS", "week": {"mon": "09:00-10:00"}}, "a base and a week"),
        ({"week": {"mon": "09:00-10:00"}, "zone": "Mars/Base"}, "unknown time zone 'Mars/Base'"),
        ({"base": "XNYS", "closed": ["1 January"]}, "'1 January' is no date"),
        ({"base": "XNYS", "closed": ["2024-01-02"], "special": {"2024-01-02": "09:00-10:00"}}, "is closed and has hours"),
    ],
)
def test_bad_calendars_are_one_message(given: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        calendar("x", **given)  # type: ignore[arg-type]


def test_dates_beyond_a_calendar_are_refused(make: Make) -> None:
    short = calendar("short", base="XNYS", first="2020-01-06", last="2020-01-07")
    bars = make({"A": [1, 2, 3, 4]})
    with pytest.raises(DataError, match="covers 2020-01-06 to 2020-01-07, and 2020-01-06 to 2020-01-09 is asked for"):
        rbt.load(bars, stamp="close", calendar=short)
    with pytest.raises(DataError, match="does not cover the data: The XKRX holidays are only recorded"):
        calendar("XKRX").sessions("1900-01-01", "1900-02-01")
    with pytest.raises(DataError, match="unknown calendar 'fx'") as caught:
        calendar("fx").sessions("2024-01-01", "2024-02-01")
    assert "FX" in caught.value.do
    overlap = calendar("overlap", week={"mon-fri": "17:00-17:00"}, special={"2024-03-06": "12:00-17:00", "2024-03-07": "12:00-18:00"})
    with pytest.raises(ConfigError, match="the session of 2024-03-08 opens before"):
        overlap.sessions("2024-03-04", "2024-03-08")
    with pytest.raises(ConfigError, match="start 2024-02-01 is after end"):
        calendar("FX").sessions("2024-02-01", "2024-01-01")


def test_a_calendar_file_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the calendar cannot be read"):
        code_of(str(tmp_path / "none.toml"))
    file = tmp_path / "odd.toml"
    file.write_text('hours = "09:00-10:00"\n')
    with pytest.raises(ConfigError, match="unknown setting 'hours'"):
        code_of(str(file))


def test_the_wall_clock_of_every_session_is_as_written() -> None:
    rows = calendar("FX").sessions("1990-01-01", "2030-12-31")
    local = rows.select(pl.col("open", "close").dt.convert_time_zone("America/New_York").dt.strftime("%H:%M"))
    assert local.unique().rows() == [("17:00", "17:00")]
    assert (rows["open"] >= rows["close"].shift(1)).all()
    assert rows["session"].dt.weekday().max() == 5
    assert rows.height == np.busday_count("1990-01-01", "2031-01-01")


def test_intraday_gaps_against_a_calendar() -> None:
    from rustybt.data.quality import check_bars

    grid = markets.market(assets=1, bars=3, seed=1).bars[:1].drop("ts")
    opens = [datetime(2024, 7, day, 13, 30, tzinfo=UTC) + timedelta(minutes=30 * n) for day in (1, 2, 3, 8, 9) for n in range(13)]
    opens = [stamp for stamp in opens if not (stamp.day == 3 and stamp.hour >= 17)]  # 3 July closes at 13:00 in New York
    opens.remove(datetime(2024, 7, 2, 15, tzinfo=UTC))
    opens.append(datetime(2024, 7, 2, 21, tzinfo=UTC))
    bars = grid.join(pl.DataFrame({"ts": pl.Series(sorted(opens), dtype=pl.Datetime("us", "UTC"))}), how="cross")
    found = check_bars(bars, calendar="XNYS", stamp="open").findings.filter(~pl.col("check").is_in(["stale bar", "repeated bar"]))
    assert found.select("check", "detail").rows() == [
        ("outside trading hours", "no trading hours of XNYS"),
        ("missing sessions", "1 sessions are missing after it"),
        ("missing bars", "1 of 13 bars of the session"),
    ]
