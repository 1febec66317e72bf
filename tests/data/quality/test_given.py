"""Events beside the bars explain what they explain, and are checked themselves."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

import rustybt as rbt
from rustybt.data.demo import BARS, EVENTS
from rustybt.data.hours import DAY
from rustybt.data.quality import check_bars, mend
from rustybt.data.quality.given import lay_events
from rustybt.data.quality.temporal import EXPLAINED
from rustybt.errors import DataError
from rustybt.model import Event

REAL = Path(__file__).parent / "real"
MONDAY = date(2024, 1, 8)


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> rbt.Catalog:
    monkeypatch.setenv("RUSTYBT_CATALOG", str(tmp_path / "catalog"))
    return rbt.Catalog()


def event(day: date, kind: str, value: tuple[int, int], other: str | None = None) -> Event:
    return Event("A", (day - date(1970, 1, 1)).days * DAY, kind, *value, other)


def bars(*days: date) -> pl.DataFrame:
    return pl.DataFrame({"asset": ["A"] * len(days), "day": list(days), "close": [10.0] * len(days)})


def test_an_event_is_at_the_first_row_on_or_after_its_date() -> None:
    week = bars(MONDAY, MONDAY, MONDAY + timedelta(days=3), MONDAY + timedelta(days=3))
    listed = [event(MONDAY + timedelta(days=1), "split", (2, 1)), event(MONDAY + timedelta(days=2), "split", (3, 1))]
    assert lay_events(week, listed)["split"].to_list() == [1.0, 1.0, 6.0, 1.0]


def test_events_outside_the_bars_are_at_no_row() -> None:
    listed = [event(MONDAY - timedelta(days=1), "split", (2, 1)), event(MONDAY + timedelta(days=9), "dividend", (1, 1))]
    laid = lay_events(bars(MONDAY, MONDAY + timedelta(days=1)), listed)
    assert laid.select("split", "dividend").rows() == [(1.0, 0.0), (1.0, 0.0)]


def test_what_is_given_takes_the_place_of_a_column() -> None:
    week = bars(MONDAY, MONDAY + timedelta(days=1)).with_columns(pl.lit(9.0).alias("split_ratio"), pl.lit(3.0).alias("Dividends"))
    laid = lay_events(week, [event(MONDAY, "split", (2, 1))])
    assert laid.columns == ["asset", "day", "close", "Dividends", "split", EXPLAINED]


def test_large_dividends_and_spinoffs_explain_a_jump() -> None:
    days = [MONDAY + timedelta(days=n) for n in range(4)]
    listed = [event(days[1], "dividend", (1, 10)), event(days[2], "dividend", (5, 1)), event(days[3], "spinoff", (1, 1), "B")]
    assert lay_events(bars(*days), listed)[EXPLAINED].to_list() == [False, False, True, True]


def test_splits_that_are_given_are_no_riddle_and_true_dividends_no_finding() -> None:
    assert check_bars(BARS, calendar="XNYS", events=EVENTS).counts == {"jump like a split": 1}


def test_a_wrong_dividend_and_a_wrong_split_among_the_events_are_found() -> None:
    change = pl.when(pl.int_range(pl.len()) == pl.lit(30)).then(pl.col("value") * 1.5).otherwise("value").alias("value")
    events = pl.read_parquet(EVENTS).sort("kind", "asset", "ts").with_columns(change)
    wrong = events.row(30, named=True)
    found = check_bars(BARS, events=events).findings.filter(pl.col("check") == "dividend adjusted wrongly")
    assert found.select("asset", "ts").rows() == [(wrong["asset"], found["ts"][0])]
    false = pl.DataFrame([{"asset": "IBM", "ts": date(2005, 6, 1), "kind": "split", "value": 4.0}])
    found = check_bars(BARS, events=false).findings.filter(pl.col("check") == "split without a jump")
    assert found.select("asset", pl.col("ts").dt.date()).rows() == [("IBM", date(2005, 6, 1))]


def test_an_event_of_an_asset_without_a_row_is_refused() -> None:
    with pytest.raises(DataError, match="asset 'A' is not in the source"):
        check_bars(BARS, events=[event(MONDAY, "split", (2, 1))])


def test_a_dataset_is_checked_with_its_own_events(shelf: rbt.Catalog) -> None:
    rbt.ingest("demo", "stocks")
    assert check_bars("stocks").counts == {"jump like a split": 1}
    assert check_bars("stocks", events=[]).counts == {"jump like a split": 4}
    assert mend("stocks", ["null price"]).quality.counts == {"jump like a split": 1}


def test_splits_that_a_dataset_applies_to_adjusted_prices_are_found(shelf: rbt.Catalog) -> None:
    rows = pl.read_parquet(REAL / "csvdir4.parquet")
    events = rows.filter(pl.col("split") > 0, pl.col("split") != 1).select("asset", "ts", pl.lit("split").alias("kind"), value="split")
    rbt.ingest(rows.drop("split", "dividend"), "twice", stamp="session", calendar="XNYS", events=events)
    found = check_bars("twice").findings.filter(pl.col("check") == "split without a jump").sort("asset")
    assert found.select("asset", pl.col("ts").dt.date()).rows() == [("AAPL", date(2014, 6, 9)), ("KO", date(2012, 8, 13))]
    assert [note for note in rbt.load("twice").warnings if note.startswith("2 splits are not seen in the prices")]


def test_bars_of_a_morning_before_midnight_utc_are_of_their_session(shelf: rbt.Catalog) -> None:
    """In Sydney the session of a day begins on the UTC day before."""
    opens = [datetime(2024, 1, day, hour, tzinfo=UTC) for day in (8, 9, 10) for hour in (22, 23)]
    later = [stamp + timedelta(hours=3) for stamp in opens]
    stamps = sorted({*opens, *later})
    price = [20.0 if stamp < datetime(2024, 1, 9, 12, tzinfo=UTC) else 10.0 for stamp in stamps]
    frame = pl.DataFrame({"ts": stamps, "asset": "A", **dict.fromkeys(("open", "high", "low", "close"), price), "volume": 5.0})
    split = [event(date(2024, 1, 10), "split", (2, 1))]
    rbt.ingest(frame, "sydney", stamp="open", interval="1h", calendar="XASX", events=split)
    assert {"jump like a split", "split without a jump"}.isdisjoint(check_bars("sydney").counts)
