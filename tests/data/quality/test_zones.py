"""A wrong zone is one finding that names it, not one for every bar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from rustybt.data.demo import BARS
from rustybt.data.quality import check_bars

ZONE = "America/New_York"
CHECKS = ("zone error", "outside trading hours", "missing sessions", "missing bars")


def traded(first: datetime, days: int, minutes: int = 30, length: float = 6.5, zone: str = ZONE) -> pl.DataFrame:
    """Bars of every session by the clock of a zone, stamped at their open."""
    clock = [first + timedelta(days=day, minutes=minutes * n) for day in range(days) for n in range(int(length * 60) // minutes)]
    stamps = pl.Series("ts", [one for one in clock if one.weekday() < 5]).dt.replace_time_zone(zone).dt.convert_time_zone("UTC")
    price = 10 + pl.int_range(len(stamps), eager=True) % 5 / 10
    return pl.DataFrame({"ts": stamps, "asset": "A", **dict.fromkeys(("open", "high", "low", "close"), price), "volume": price + 5})


# The clock goes back on 3 November; no holiday up to 28 November.
AUTUMN = datetime(2024, 10, 7, 9, 30, tzinfo=UTC).replace(tzinfo=None)
AS_UTC = pl.col("ts").dt.convert_time_zone(ZONE).dt.replace_time_zone("UTC")
TWICE = pl.col("ts").dt.replace_time_zone(None).dt.replace_time_zone(ZONE).dt.convert_time_zone("UTC")


def told(rows: pl.DataFrame, stamp: str | None = "open", calendar: str = "XNYS") -> tuple[dict[str, int], list[str]]:
    quality = check_bars(rows, calendar=calendar, stamp=stamp)  # type: ignore[arg-type]
    counts = {check: quality.counts[check] for check in CHECKS if check in quality.counts}
    return counts, quality.findings.filter(pl.col("check") == "zone error")["detail"].to_list()


def test_bars_on_the_right_clock_have_no_zone_error() -> None:
    assert told(traded(AUTUMN, 45)) == ({}, [])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (AS_UTC, f"as if the clock of {ZONE} was taken for UTC: timezone='{ZONE}'?"),
        (TWICE, f"as if UTC was taken for the clock of {ZONE}: timezone='UTC'?"),
        (pl.col("ts") + pl.duration(hours=3), "as if they were 3 hours late"),
        (pl.col("ts") - pl.duration(minutes=330), "as if they were 5.5 hours early"),
    ],
    ids=["local as UTC", "twice", "late", "half an hour"],
)
def test_a_wrong_clock_is_one_finding_that_names_it(change: pl.Expr, said: str) -> None:
    rows = traded(AUTUMN, 45).with_columns(change.alias("ts"))
    counts, details = told(rows)
    assert counts == {"zone error": 1}
    assert said in details[0]
    assert details[0].endswith("(leaves 0)")


def test_what_is_missing_is_counted_on_the_likely_clock() -> None:
    rows = traded(AUTUMN, 45).with_columns(AS_UTC.alias("ts"))
    assert told(rows.filter(pl.int_range(pl.len()) != 50))[0] == {"zone error": 1, "missing bars": 1}


def test_bars_before_and_after_the_session_are_no_zone_error() -> None:
    counts, details = told(traded(AUTUMN - timedelta(hours=3), 45, length=13.0))
    assert details == []
    assert counts["outside trading hours"] > 300


def test_a_few_stray_bars_are_findings_of_their_own() -> None:
    rows = traded(AUTUMN, 45)
    night = rows[:10].with_columns(pl.col("ts") + pl.duration(hours=12))
    assert told(pl.concat([rows, night])) == ({"outside trading hours": 10}, [])


def test_bars_of_a_whole_hour_leave_those_across_the_open() -> None:
    rows = traded(AUTUMN - timedelta(minutes=30), 45, minutes=60, length=7.0)
    assert told(rows, None)[0]["outside trading hours"] == rows["ts"].dt.date().n_unique()
    counts, details = told(rows.with_columns(AS_UTC.alias("ts")), None)
    assert counts["zone error"] == 1
    assert "outside trading hours" not in counts
    assert f"taken for UTC: timezone='{ZONE}'? (leaves 33)" in details[0]


def test_currencies_on_another_clock_are_seen_by_their_weekends() -> None:
    week = [datetime(2023, 11, 12, 22, tzinfo=UTC) + timedelta(days=7 * n, hours=h) for n in range(12) for h in range(120)]
    rows = traded(AUTUMN, 1)[:1].drop("ts").join(pl.DataFrame({"ts": pl.Series(week).dt.cast_time_unit("us")}), how="cross")
    assert told(rows, calendar="FX") == ({}, [])
    counts, details = told(rows.with_columns(pl.col("ts") + pl.duration(hours=2)), calendar="FX")
    assert counts == {"zone error": 1}
    assert details[0].startswith("24 of 1440 bars")
    assert "as if they were 2 hours late" in details[0]


@pytest.mark.parametrize(("by", "side"), [(-1, "early"), (1, "late")])
def test_dates_that_are_a_day_off_are_one_finding(by: int, side: str) -> None:
    """Midnight in Tokyo is a day earlier in UTC: every bar of a Monday is one of a Sunday."""
    days = pl.read_parquet(BARS).filter(pl.col("asset") == "IBM")
    moved = days.with_columns(pl.col("ts") + pl.duration(days=by))
    counts, details = told(moved, None)
    assert counts == {"zone error": 1}
    assert details[0].endswith(f"of {days.height} bars are on no session of XNYS, as if all were a day {side}: a zone?")
    gap = moved.filter(pl.int_range(pl.len()) != 50)
    assert told(gap, None)[0] == {"zone error": 1, "missing sessions": 1}
    assert told(days, None) == ({}, [])
