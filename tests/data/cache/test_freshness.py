"""When kept bars count: the policies, told as instants."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

import rustybt as rbt
from rustybt.data.cache.freshness import Freshness, Reach, Request, may_be_new

CLOSE = datetime(2024, 3, 8, 21, tzinfo=UTC)  # a Friday
START = datetime(2024, 1, 1, tzinfo=UTC)


def lack(text: str, until: datetime, now: datetime, **more: object) -> str:
    """What is lacking of bars that were asked for without an end at one instant, at another."""
    asked = more.pop("asked", until)
    wanted = more.pop("wanted", asked)
    assert isinstance(asked, datetime)
    assert isinstance(wanted, datetime)
    kept = Reach(START, until, wanted, asked, asked)
    given: dict[str, object] = {"frequency": "1d", "start": START, "end": now, "now": now, "latest": True, **more}
    calendar = given.pop("calendar", "XNYS")
    return Freshness.read(text).lacks(kept, Request(**given), calendar)  # type: ignore[arg-type]


MONDAY = CLOSE + timedelta(days=3) - timedelta(hours=1)  # summer time began on Sunday


@pytest.mark.parametrize(
    ("text", "until", "now", "said"),
    [
        ("session", CLOSE, CLOSE + timedelta(hours=1), "nothing"),
        ("session", CLOSE, MONDAY - timedelta(minutes=1), "nothing"),
        ("session", CLOSE, MONDAY, "end"),
        ("session", CLOSE - timedelta(seconds=1), CLOSE, "end"),
        ("hybrid:1h", CLOSE, MONDAY, "end"),
        ("ttl:1h", CLOSE, CLOSE + timedelta(hours=1), "nothing"),
        ("ttl:1h", CLOSE, CLOSE + timedelta(hours=1, seconds=1), "whole"),
        ("always", CLOSE, CLOSE + timedelta(days=365), "nothing"),
        ("never", CLOSE, CLOSE, "whole"),
    ],
)
def test_daily_bars_of_an_exchange(text: str, until: datetime, now: datetime, said: str) -> None:
    assert lack(text, until, now) == said


def test_a_hybrid_answer_is_asked_again_only_after_its_time() -> None:
    for minutes, said in ((14, "nothing"), (16, "end")):
        now = CLOSE + timedelta(minutes=minutes)
        assert lack("hybrid:15m", CLOSE, now, frequency="1m", calendar=None) == said
        assert lack("session", CLOSE, now, frequency="1m", calendar=None) == "end"


def test_without_a_calendar_nobody_knows_when_a_day_ends() -> None:
    assert lack("session", CLOSE, CLOSE + timedelta(minutes=59), calendar=None) == "nothing"
    assert lack("session", CLOSE, CLOSE + timedelta(hours=1), calendar=None) == "end"


def test_bars_within_a_day_come_outside_of_trading_hours_too_but_not_at_weekends() -> None:
    saturday, sunday = CLOSE + timedelta(hours=20), CLOSE + timedelta(hours=40)
    assert may_be_new("1m", "XNYS", CLOSE, CLOSE + timedelta(minutes=30))
    assert not may_be_new("1m", "XNYS", saturday, sunday)
    assert may_be_new("1m", "XNYS", sunday, CLOSE + timedelta(hours=56))  # the night to Monday


def test_a_span_that_ends_in_the_past_is_covered_once_it_was_asked_for() -> None:
    past = CLOSE - timedelta(days=60)
    more = {"asked": CLOSE - timedelta(days=30), "end": past, "latest": False}
    for text in ("session", "always", "ttl:40d", "hybrid:1m"):
        assert lack(text, past, CLOSE, wanted=past, **more) == "nothing", text
        assert lack(text, past - timedelta(days=9), CLOSE, wanted=past - timedelta(days=9), **more) == "end", text


def test_what_was_never_asked_for_is_lacking_however_young_the_answer_is() -> None:
    """An answer that ended a year ago says nothing of the year."""
    more = {"asked": CLOSE, "wanted": CLOSE - timedelta(days=365)}
    for text in ("session", "always", "ttl:12h", "hybrid:12h"):
        assert lack(text, CLOSE - timedelta(days=365), CLOSE, **more) == "end", text


def test_a_beginning_that_is_lacking_asks_for_it_and_a_clock_that_was_wrong_for_all() -> None:
    for text in ("session", "always"):
        assert lack(text, CLOSE, CLOSE, start=START - timedelta(days=1)) == "start"
        assert lack(text, CLOSE, CLOSE - timedelta(days=400)) == "whole"


def test_where_the_calendar_does_not_reach_nobody_knows() -> None:
    short = rbt.calendar("short", week={"mon-fri": "09:30-16:00"}, zone="America/New_York", last="2024-03-08")
    assert not may_be_new("1d", rbt.calendar("long", base="XNYS").code, CLOSE, CLOSE + timedelta(hours=1))
    assert may_be_new("1d", short.code, CLOSE, CLOSE + timedelta(hours=1))


@pytest.mark.parametrize("text", ["", "ttl", "ttl:", "ttl:1y", "sometimes", "hybrid:-1m", "always:1m"])
def test_a_freshness_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(rbt.ConfigError, match="is not understood") as caught:
        Freshness.read(text)
    assert "hybrid:15m" in caught.value.do
