"""The quality page: what it says is what was found, and it needs nothing from elsewhere."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

import rustybt as rbt
from rustybt.data.quality import check_bars
from rustybt.errors import DataError
from rustybt.testing import markets

HERE = Path(__file__).parent / "real"


class Reader(HTMLParser):
    """Tags in order, with their attributes and texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in ("meta", "line", "circle", "rect"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag != "rect":
            assert self.open.pop() == tag


def daily(days: int = 30) -> pl.DataFrame:
    stamps = pl.Series([datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=i) for i in range(days)], dtype=pl.Datetime("us", "UTC"))
    frame = pl.DataFrame({"ts": stamps, "volume": 10}).with_columns(pl.lit(5.0).alias(name) for name in ("open", "high", "low", "close"))
    return frame.join(pl.DataFrame({"asset": ["A", "B"]}), how="cross").with_columns(pl.col("close") + 0.0)


def test_coverage_counts_what_could_be_there() -> None:
    frame = daily().filter(~((pl.col("asset") == "B") & pl.col("ts").dt.day().is_between(11, 15)))
    cover = check_bars(frame, calendar="24/7").coverage
    assert cover.assets.select("asset", "bars", "missing").rows() == [("A", 30, 0), ("B", 25, 5)]
    assert cover.cells.filter(asset="B")["have"].to_list() == [int(not 11 <= day <= 15) for day in range(1, 31)]
    assert (cover.edges[0], len(cover.edges)) == (datetime(2024, 1, 1, tzinfo=UTC), 31)
    without = check_bars(frame).coverage
    assert without.assets["missing"].to_list() == [0, 5]
    weekdays = check_bars(daily().filter(pl.col("ts").dt.weekday() <= 5), calendar="XNYS").coverage
    assert weekdays.assets["missing"].to_list() == [0, 0]  # 1 and 15 January have a bar although they are no sessions


def test_many_bars_fall_into_few_stretches() -> None:
    cover = check_bars(markets.market(assets=3, bars=700, seed=2).bars).coverage
    assert len(cover.edges) <= 121
    assert cover.cells["have"].sum() == 3 * 700
    assert cover.cells.height == 3 * (len(cover.edges) - 1)


def test_the_page_shows_what_was_found(tmp_path: Path) -> None:
    quality = check_bars(HERE / "djia.parquet", calendar="XNYS")
    text = quality.page(tmp_path / "q.html", "Dow <names>").read_text()
    seen = Reader(text)
    assert seen.open == []
    assert "<h1>Dow &lt;names&gt;</h1>" in text
    for check, count in quality.counts.items():
        assert f"<td>{check}</td><td class=n>{count:,}</td>" in text
    marks = [attrs for tag, attrs in seen.found if tag == "circle"]
    wrong = quality.findings.filter(pl.col("severity") != "note")
    assert {mark["class"] for mark in marks} == set(wrong["severity"].unique())
    assert 0 < len(marks) <= wrong.select("asset", "ts").unique().height
    assert not re.search(r"(src|href)=|url\(|@import|<script", text)
    assert quality.page(tmp_path / "again.html", "Dow <names>").read_text() == text


def test_one_bar_and_no_session_make_a_page(tmp_path: Path) -> None:
    one = daily(1).filter(asset="A")
    for calendar in (None, "XNYS", "24/7"):
        assert "no session" not in check_bars(one).counts
        assert "<svg" in check_bars(one, calendar=calendar).page(tmp_path / "one.html").read_text()


def test_a_dataset_has_a_page_by_its_calendar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUSTYBT_CATALOG", str(tmp_path / "shelf"))
    made = rbt.ingest("demo", "stocks")
    quality = check_bars("stocks")
    assert (quality.calendar, quality.source) == ("XNYS", made.name)
    assert quality.counts == {"jump like a split": 1}
    assert made.name in quality.page(tmp_path / "q.html").read_text()
    hours = daily().with_columns(pl.col("ts") + timedelta(hours=3))
    rbt.ingest(pl.concat([daily(), hours]), "two", stamp="close", calendar="24/7")
    assert check_bars("two").coverage.assets["bars"].to_list() == [60, 60]


def test_a_page_that_cannot_be_written_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot write the page: No such file"):
        check_bars(daily()).page(tmp_path / "none" / "q.html")
    with pytest.raises(DataError, match="the source has no rows"):
        check_bars(daily().clear())
