from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from rustybt.errors import ConfigError
from rustybt.execution import bands, halts, stale


def test_dates_are_whole_days_and_times_are_instants() -> None:
    spans = halts([("A", "2020-01-06", date(2020, 1, 7)), ("*", "2020-01-06T14:30+00:00", datetime(2020, 1, 6, 15, tzinfo=UTC))]).spans
    assert (spans[0].start, spans[0].end) == (datetime(2020, 1, 6, tzinfo=UTC), datetime(2020, 1, 8, tzinfo=UTC))
    assert (spans[1].asset, spans[1].start.hour, spans[1].end.hour) == ("*", 14, 15)


def test_a_table_of_halts_may_be_a_frame_or_a_file(tmp_path: Path) -> None:
    frame = pl.DataFrame({"asset": ["A"], "start": ["2020-01-06"], "end": ["2020-01-06"]})
    frame.write_csv(tmp_path / "halts.csv")
    frame.write_parquet(tmp_path / "halts.parquet")
    assert halts(frame) == halts(tmp_path / "halts.csv") == halts(str(tmp_path / "halts.parquet"))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ([("A", "2020-01-07", "2020-01-05")], "ends at 2020-01-06.* not after its start"),
        ([("", "2020-01-07", "2020-01-08")], "asset '' is not a symbol"),
        ([(3, "2020-01-07", "2020-01-08")], "asset 3 is not a symbol"),
        ([("A", "soon", "2020-01-08")], "start 'soon' is not a time"),
        ([("A", "2020-01-07", "2020-01-08T10:00")], "has no time zone"),
        ([("A", "2020-01-07", 5)], "end 5 is not a time"),
        ([("A", "2020-01-07")], "is not a table of halts"),
        (7, "int is not a table of halts"),
        (pl.DataFrame({"asset": ["A"], "start": ["2020-01-06"]}), "has no column 'end'"),
        ("nowhere.csv", "the halts cannot be read"),
    ],
)
def test_halts_that_make_no_sense_are_refused(table: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        halts(table)


def test_cancel_is_true_or_false() -> None:
    with pytest.raises(ConfigError, match="cancel 'yes' is not true or false"):
        halts([], cancel="yes")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "no limit is given"),
        ({"up": 0}, "up 0 is not a fraction between 0 and 1"),
        ({"up": "1"}, "up 1 is not a fraction"),
        ({"up": "0.1", "down": "-0.1"}, "down -0.1 is not a fraction"),
        ({"up": "0.000000001"}, "is not a fraction"),
        ({"by_asset": 5}, "5 is not a table of symbols"),
        ({"by_asset": {"A": "0.1"}}, "the limits of 'A' are no bands"),
    ],
)
def test_limits_that_make_no_sense_are_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        bands(**given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "nothing makes a bar stale"),
        ({"repeats": -1}, "repeats -1 is not a whole number"),
        ({"repeats": 1.5}, "repeats 1.5 is not a whole number"),
        ({"zero_volume": 1}, "zero_volume 1 is not true or false"),
    ],
)
def test_stale_bars_that_make_no_sense_are_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        stale(**given)
