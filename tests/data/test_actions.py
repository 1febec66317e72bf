"""Corporate actions are checked, exact, and take effect at the right bar."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from rustybt.data import load
from rustybt.data.quality import check_bars
from rustybt.errors import DataError
from rustybt.model import Event, Panel
from rustybt.model.events import PLAIN
from tests.data.conftest import Make

DAY = 86_400_000_000


def event(asset: str, day: str, kind: str, value: object) -> pl.DataFrame:
    return pl.DataFrame({"asset": [asset], "ts": [date.fromisoformat(day)], "kind": [kind], "value": [value]})


@pytest.fixture
def bars(make: Make) -> pl.DataFrame:
    """A on Monday 6 to Friday 10 January 2020 without Wednesday; B on Monday and Tuesday."""
    return pl.concat([make({"A": [10, 11, 12, 13, 14]})[[0, 1, 3, 4]], make({"B": [20, 21]})])


def effects(panel: Panel) -> list[tuple[int, ...]]:
    """The first five columns; the others say nothing."""
    assert (panel.events[:, 5:] == PLAIN[5:]).all()
    return [tuple(row[:5]) for row in panel.events.tolist()]


def test_an_event_takes_effect_at_the_first_bar_on_or_after_its_date(bars: pl.DataFrame) -> None:
    # Bars of the panel: 6, 7, 9, 10 January.
    assert effects(load(bars, stamp="close", events=event("A", "2020-01-07", "split", 2.0))) == [(1, 0, 0, 2, 1)]
    assert effects(load(bars, stamp="close", events=event("A", "2020-01-08", "split", 2.0))) == [(2, 0, 0, 2, 1)]
    assert effects(load(bars, stamp="close", events=event("B", "2020-01-07", "dividend", 0.37857))) == [(1, 1, 1, 37857, 100000)]


def test_events_are_sorted_by_bar_column_kind_and_order_given(bars: pl.DataFrame) -> None:
    given = [
        event("B", "2020-01-07", "dividend", 1.5),
        event("A", "2020-01-09", "dividend", 0.1),
        event("A", "2020-01-07", "dividend", 0.2),
        event("A", "2020-01-07", "split", 3.0),
        event("A", "2020-01-07", "dividend", 0.1),
    ]
    assert effects(load(bars, stamp="close", events=pl.concat(given))) == [
        (1, 0, 0, 3, 1),
        (1, 0, 1, 1, 5),
        (1, 0, 1, 1, 10),
        (1, 1, 1, 3, 2),
        (2, 0, 1, 1, 10),
    ]


def test_events_before_the_first_and_after_the_last_bar_are_said_and_ignored(bars: pl.DataFrame) -> None:
    given = pl.concat([event("B", "2020-01-08", "split", 2.0), event("A", "2020-01-05", "dividend", 1.0)])
    panel = load(bars, stamp="close", events=given)
    assert panel.events.shape == (0, 11)
    assert panel.warnings == (
        "1 events before the first bar of their asset take no effect (first: dividend of 'A', 2020-01-05).",
        "1 events after the last bar of their asset take no effect (first: split of 'B', 2020-01-08).",
    )


@pytest.mark.parametrize(("value", "ratio"), [(1.5, (3, 2)), (0.1, (1, 10)), (0.333333333333, (1, 3)), (1 / 7, (1, 7)), ("1.05", (21, 20))])
def test_a_ratio_is_the_nearest_small_fraction(bars: pl.DataFrame, value: object, ratio: tuple[int, int]) -> None:
    assert effects(load(bars, stamp="close", events=event("A", "2020-01-07", "split", value))) == [(1, 0, 0, *ratio)]


@pytest.mark.parametrize(
    ("asset", "kind", "value", "message"),
    [
        ("A", "split", 0.0, "ratio 0/1 of the split is not positive"),
        ("A", "split", -2.0, "ratio -2/1 of the split is not positive"),
        ("A", "dividend", 0.0, "amount 0/1 of the dividend is not positive"),
        ("A", "dividend", None, "the value None of the dividend is not a finite number"),
        ("A", "dividend", float("nan"), "the value NaN of the dividend is not a finite number"),
        ("A", "split", float("inf"), "the value inf of the split is not a finite number"),
        ("A", "bonus", 1.0, "unknown kind of event 'bonus'"),
        ("A", None, 1.0, "null key"),
        (None, "split", 1.0, "null key"),
        ("AA", "split", 2.0, "asset 'AA' is not in the source"),
        ("A", "dividend", 1e300, "the amount of the dividend does not fit"),
        ("A", "dividend", 10.0, "a dividend of 10 is not below the close before it"),
    ],
)
def test_events_that_cannot_be_are_refused(
    bars: pl.DataFrame, asset: str | None, kind: str | None, value: float | None, message: str
) -> None:
    given = pl.DataFrame({"asset": [asset], "ts": [date(2020, 1, 7)], "kind": [kind], "value": [value]})
    given = given.cast({"asset": pl.String, "kind": pl.String, "value": pl.Float64})
    with pytest.raises(DataError, match=message) as caught:
        load(bars, stamp="close", events=given)
    assert caught.value.where.startswith("events")
    assert caught.value.do


def test_events_of_assets_without_a_bar_are_named_by_the_first_and_counted(bars: pl.DataFrame) -> None:
    given = pl.concat(
        [event("A", "2020-01-07", "split", 2.0), event("X", "2020-01-08", "dividend", 0.1), event("Y", "2020-01-09", "split", 2.0)]
    )
    for read in (lambda: load(bars, stamp="close", events=given), lambda: check_bars(bars, events=given)):
        with pytest.raises(DataError) as caught:
            read()
        assert caught.value.what == "asset 'X' is not in the source, but a dividend names it; 2 events name assets that are not"
        assert caught.value.where == "events, asset 'X', 2020-01-08"
    into = event("A", "2020-01-07", "merger", 1.0).with_columns(other=pl.lit("Z"))
    with pytest.raises(DataError) as caught:
        load(bars, stamp="close", events=into)
    assert (caught.value.what, caught.value.where) == (
        "asset 'Z' is not in the source, but a merger names it",
        "events, asset 'A', 2020-01-07",
    )


def test_events_of_assets_that_were_not_chosen_are_no_mistake(bars: pl.DataFrame) -> None:
    panel = load(bars, stamp="close", assets=["A"], events=event("B", "2020-01-07", "split", 2.0))
    assert panel.events.shape == (0, 11)
    assert panel.warnings == ()


def test_events_of_assets_without_a_bar_in_the_span_are_no_mistake(bars: pl.DataFrame) -> None:
    panel = load(bars, stamp="close", start="2020-01-09", events=event("B", "2020-01-07", "split", 2.0))
    assert panel.symbols == ("A",)
    assert panel.events.shape == (0, 11)
    assert panel.adj_digits == 4


def test_dates_come_in_every_form(bars: pl.DataFrame, tmp_path: Path) -> None:
    given = event("A", "2020-01-09", "split", 2.0)
    path = tmp_path / "events.csv"
    given.write_csv(path)
    forms: list[object] = [
        given.with_columns(ts=pl.lit(datetime(2020, 1, 9, tzinfo=UTC))),
        given.with_columns(pl.lit(datetime(2020, 1, 9, tzinfo=UTC)).dt.replace_time_zone("Asia/Tokyo").alias("ts")),
        given.with_columns(pl.col("ts").cast(pl.Datetime("ns"))),
        given.with_columns(pl.col("ts").cast(pl.String)),
        given.to_pandas(),
        given.to_arrow(),
        given.lazy(),
        path,
        [Event("A", 18270 * DAY, "split", 2, 1)],
    ]
    for form in forms:
        assert effects(load(bars, stamp="close", events=form)) == [(2, 0, 0, 2, 1)]


def test_other_forms_of_events_are_refused(bars: pl.DataFrame) -> None:
    given = event("A", "2020-01-09", "split", 2.0)
    for form, message in (
        (given.drop("kind"), "column 'kind' is missing"),
        (given.with_columns(ts=pl.lit("soon")), "holds the text 'soon', which is no date"),
        (given.with_columns(ts=pl.lit(5)), "ts holds Int32, not dates"),
        (given.with_columns(value=pl.lit(True)), "value holds Boolean"),
        ([1, 2], "a list of something else"),
        ([Event("A", 0, "split", 0, 1)], "ratio 0/1"),
    ):
        with pytest.raises(DataError, match=message):
            load(bars, stamp="close", events=form)


def test_an_event_at_the_first_bar_is_kept_and_adjusts_nothing(bars: pl.DataFrame) -> None:
    panel = load(bars, stamp="close", events=event("A", "2020-01-06", "split", 2.0))
    assert effects(panel) == [(0, 0, 0, 2, 1)]
    assert panel.frame["adj_close"].to_list() == panel.frame["close"].to_list()


def test_a_split_on_a_day_without_a_session_is_said() -> None:
    frame = pl.DataFrame({"asset": ["AAPL", "AAPL"], "ts": ["2005-02-26", "2006-02-28"], "kind": ["split", "split"], "value": [2, 2]})
    panel = load("demo", events=frame)
    assert [note for note in panel.warnings if "without a session" in note] == [
        "1 splits are dated on days without a session of XNYS (first: 'AAPL', 2005-02-26); they take effect at the next bar."
    ]
