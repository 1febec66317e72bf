"""Schedules: hand-worked calendars, and all bars at once against one bar at a time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rustybt.errors import ConfigError, SpecError
from rustybt.spec.schedule import (
    KINDS,
    Days,
    Flags,
    Ints,
    Moment,
    Schedule,
    cron,
    every,
    month_end,
    month_start,
    session_close,
    session_open,
    week_end,
    week_start,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")


def micros(moment: datetime) -> int:
    return (moment.astimezone(UTC) - EPOCH) // timedelta(microseconds=1)


def days(*dates: date) -> Days:
    return np.array([(day - date(1970, 1, 1)).days for day in dates], dtype=np.int32)


def one_by_one(schedule: Schedule, ts: Ints, sessions: Days, following: Days | None, closes: Ints | None) -> list[bool]:
    """The answers of `fires`, each from one bar and the bar before it."""
    moments = [
        Moment(
            i,
            int(ts[i]),
            int(sessions[i]),
            None if following is None else int(following[i]),
            None if closes is None else int(closes[i]),
        )
        for i in range(len(ts))
    ]
    return [schedule.fires(previous, current) for previous, current in zip([None, *moments], moments, strict=False)]


def daily(*dates: date) -> tuple[Ints, Days, Days, Ints]:
    """Sessions stamped with their close at 16:00 in New York; each is followed by the next one given, the last by the day after it."""
    closes = np.array([micros(datetime(d.year, d.month, d.day, 16, tzinfo=NEW_YORK)) for d in dates], dtype=np.int64)
    return closes, days(*dates), days(*dates[1:], dates[-1] + timedelta(days=1)), closes


# Thursday 30 January 2020, Friday 31, Monday 3 February, Tuesday 4, Friday 28, Monday 2 March
DATES = (date(2020, 1, 30), date(2020, 1, 31), date(2020, 2, 3), date(2020, 2, 4), date(2020, 2, 28), date(2020, 3, 2))


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (every(), [1, 1, 1, 1, 1, 1]),
        (every(bars=2), [1, 0, 1, 0, 1, 0]),
        (every(bars=3, offset=1), [0, 1, 0, 0, 1, 0]),
        (every(bars=2, offset=10), [0, 0, 0, 0, 0, 0]),
        (month_start(), [1, 0, 1, 0, 0, 1]),
        (month_end(), [0, 1, 0, 0, 1, 0]),
        (week_start(), [1, 0, 1, 0, 1, 1]),
        (week_end(), [0, 1, 0, 1, 1, 0]),
        (session_open(), [1, 1, 1, 1, 1, 1]),
        (session_close(), [1, 1, 1, 1, 1, 1]),
        (cron("0 16 * * fri", zone="America/New_York"), [0, 1, 0, 0, 1, 0]),
        (cron("0 12 28 feb *", zone="America/New_York"), [0, 0, 0, 0, 1, 0]),
    ],
    ids=str,
)
def test_daily_bars_fire_where_the_calendar_says(schedule: Schedule, expected: list[int]) -> None:
    assert schedule.resolve(*daily(*DATES)).tolist() == [bool(flag) for flag in expected]
    assert one_by_one(schedule, *daily(*DATES)) == [bool(flag) for flag in expected]


def intraday() -> tuple[Ints, Days, Days, Ints]:
    """Bars at 12:00, 14:00 and 16:00 of Thursday 30 January, Friday 31 (which has no bar at the close) and Monday 3 February 2020."""
    dates = DATES[:3]
    stamps = [(d, hour) for d in dates for hour in (12, 14, 16) if (d, hour) != (dates[1], 16)]
    ts = np.array([micros(datetime(d.year, d.month, d.day, hour, tzinfo=NEW_YORK)) for d, hour in stamps], dtype=np.int64)
    closes = np.array([micros(datetime(d.year, d.month, d.day, 16, tzinfo=NEW_YORK)) for d, _ in stamps], dtype=np.int64)
    following = {dates[0]: dates[1], dates[1]: dates[2], dates[2]: date(2020, 2, 4)}
    return ts, days(*(d for d, _ in stamps)), days(*(following[d] for d, _ in stamps)), closes


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (session_open(), [1, 0, 0, 1, 0, 1, 0, 0]),
        (session_close(), [0, 0, 1, 0, 0, 0, 0, 1]),
        (month_start(), [1, 0, 0, 0, 0, 1, 0, 0]),
        (month_end(), [0, 0, 0, 0, 0, 0, 0, 0]),  # the last session of January has no closing bar
        (cron("30 13 * * mon-fri", zone="America/New_York"), [0, 1, 0, 0, 1, 0, 1, 0]),
        (cron("30 13 * * *", zone="America/New_York"), [0, 1, 0, 0, 1, 1, 1, 0]),  # that of the weekend at Monday's first bar
    ],
    ids=str,
)
def test_intraday_bars_fire_at_the_open_and_the_close(schedule: Schedule, expected: list[int]) -> None:
    assert schedule.resolve(*intraday()).tolist() == [bool(flag) for flag in expected]
    assert one_by_one(schedule, *intraday()) == [bool(flag) for flag in expected]


def test_a_cron_instant_between_bars_fires_at_the_next_bar_once() -> None:
    ts = np.array([micros(datetime(2024, 1, 1, hour, tzinfo=UTC)) for hour in (0, 6, 12, 18)], dtype=np.int64)
    fires = cron("0 7-11 * * *").resolve(ts, np.zeros(4, dtype=np.int32))
    assert fires.tolist() == [False, False, True, False]


def test_the_first_bar_fires_a_cron_only_on_the_instant_itself() -> None:
    ts = np.array([micros(datetime(2024, 1, 1, 6, tzinfo=UTC))], dtype=np.int64)
    session = np.zeros(1, dtype=np.int32)
    assert cron("0 6 * * *").resolve(ts, session).tolist() == [True]
    assert cron("0 5 * * *").resolve(ts, session).tolist() == [False]


def test_a_cron_follows_the_clock_of_its_zone_through_daylight_saving() -> None:
    """New York moved to summer time on 10 March 2024: 15:30 there is 20:30 UTC before and 19:30 UTC after."""
    ts = np.array([micros(datetime(2024, 3, day, hour, 30, tzinfo=UTC)) for day in (8, 11) for hour in (19, 20)], dtype=np.int64)
    fires = cron("30 15 * * mon-fri", zone="America/New_York").resolve(ts, np.zeros(4, dtype=np.int32))
    assert fires.tolist() == [False, True, True, False]


@pytest.mark.parametrize(
    ("schedule", "instead"), [(month_end(), "month_start"), (week_end(), "week_start"), (session_close(), "session_open")]
)
def test_a_schedule_that_needs_a_calendar_says_so(schedule: Schedule, instead: str) -> None:
    ts, sessions, *_ = daily(*DATES)
    assert schedule.needs_calendar
    for ask in (lambda: schedule.resolve(ts, sessions), lambda: schedule.fires(None, Moment(0, 0, 0))):
        with pytest.raises(ConfigError) as error:
            ask()
        assert "calendar=" in error.value.do
        assert instead in error.value.do


@pytest.mark.parametrize("kind", KINDS)
def test_no_bars_give_no_firings(kind: str) -> None:
    schedule = cron("0 0 * * *") if kind == "cron" else Schedule(kind)
    empty, none = np.array([], dtype=np.int64), np.array([], dtype=np.int32)
    fires = schedule.resolve(empty, none, none, empty)
    assert fires.dtype == np.bool_
    assert fires.shape == (0,)


@pytest.mark.parametrize(
    "make",
    [
        lambda: every(bars=0),
        lambda: every(bars=1.5),  # type: ignore[arg-type]
        lambda: every(bars=True),
        lambda: every(offset=-1),
        lambda: Schedule("monthly"),
        lambda: cron("30 15 * *"),
        lambda: cron("61 * * * *"),
        lambda: cron("0 0 30 feb *"),
        lambda: cron("0 0 31 4,6 *"),
        lambda: cron("* * * * * *"),
        lambda: cron(""),
        lambda: cron("0 0 * * *", zone="Mars/Olympus"),
        lambda: cron("0 0 * * *", zone="../etc"),
        lambda: cron("0 0 * * *", zone=None),  # type: ignore[arg-type]
    ],
)
def test_a_schedule_that_cannot_be_is_refused_at_construction(make: object) -> None:
    assert callable(make)
    with pytest.raises(SpecError) as error:
        make()
    assert "schedule" in error.value.where


SCHEDULES = st.one_of(
    st.builds(every, st.integers(1, 9), st.integers(0, 9)),
    st.sampled_from([month_start(), month_end(), week_start(), week_end(), session_open(), session_close()]),
    st.builds(
        cron,
        st.sampled_from(["30 15 * * mon-fri", "0 * * * *", "*/20 9-16 * * *", "15 2 * * *", "0 0 1 * *", "30 1 * * sun", "0 12 L * *"]),
        st.sampled_from(["UTC", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe"]),
    ),
)


@st.composite
def markets(draw: st.DrawFn) -> tuple[Ints, Days, Days, Ints]:
    """Sessions with weekends and gaps, bars inside them (some lacking the close), across a change to daylight saving."""
    start = draw(st.sampled_from([date(2024, 2, 26), date(2024, 10, 28), date(1969, 12, 20)]))
    gaps = draw(st.lists(st.integers(1, 6), min_size=2, max_size=25))
    sessions = [start + timedelta(days=sum(gaps[:i])) for i in range(len(gaps))]
    hours = draw(st.lists(st.sampled_from([9.5, 10.0, 11 / 3 + 6, 12.0, 15.5, 16.0]), min_size=1, unique=True))
    rows = [(d, hour, after) for d, after in pairwise(sessions) for hour in sorted(hours) if draw(st.integers(0, 9))]
    stamp = [datetime(d.year, d.month, d.day, tzinfo=NEW_YORK) + timedelta(microseconds=round(hour * 3.6e9)) for d, hour, _ in rows]
    closes = [datetime(d.year, d.month, d.day, 16, tzinfo=NEW_YORK) for d, _, _ in rows]
    return (
        np.array([micros(s) for s in stamp], dtype=np.int64),
        days(*(d for d, _, _ in rows)),
        days(*(after for _, _, after in rows)),
        np.array([micros(c) for c in closes], dtype=np.int64),
    )


@given(SCHEDULES, markets())
@settings(max_examples=150)
def test_all_bars_at_once_and_one_bar_at_a_time_agree(schedule: Schedule, market: tuple[Ints, Days, Days, Ints]) -> None:
    assert schedule.resolve(*market).tolist() == one_by_one(schedule, *market)


@given(SCHEDULES, markets(), st.integers(0, 60))
@settings(max_examples=100)
def test_later_bars_never_change_an_earlier_answer(schedule: Schedule, market: tuple[Ints, Days, Days, Ints], cut: int) -> None:
    whole: Flags = schedule.resolve(*market)
    ts, sessions, following, closes = market
    assert schedule.resolve(ts[:cut], sessions[:cut], following[:cut], closes[:cut]).tolist() == whole[:cut].tolist()


@given(markets())
@settings(max_examples=50)
def test_a_month_starts_once_per_month_with_a_bar(market: tuple[Ints, Days, Days, Ints]) -> None:
    ts, sessions, *_ = market
    months = {str(day)[:7] for day in sessions.astype("datetime64[D]")}
    assert month_start().resolve(ts, sessions).sum() == len(months)


@pytest.mark.parametrize("schedule", [every(21, 3), month_end(), cron("0 9 * * *", zone="Asia/Tokyo")])
def test_the_text_of_a_schedule_is_the_call_that_makes_it(schedule: Schedule) -> None:
    assert eval(repr(schedule)) == schedule
