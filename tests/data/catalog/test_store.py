"""Datasets come back as they went in, by name, by snapshot and in part."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import rustybt as rbt
from rustybt._sqlite import opened
from rustybt.data import Catalog
from rustybt.data.catalog import diff, remove, sql
from rustybt.data.catalog.schema import CATALOG
from rustybt.data.options import Options
from rustybt.errors import ConfigError, DataError
from rustybt.testing import markets


@pytest.fixture
def bars(tmp_path: Path) -> pl.DataFrame:
    return markets.market(assets=3, bars=60, seed=4).bars


@pytest.mark.parametrize("part", [{}, {"assets": ["IBM", "AAPL"]}, {"start": "2005-01-03"}, {"end": "2003-01-03", "assets": ["MSFT"]}])
def test_a_dataset_is_the_file_it_came_from(shelf: Catalog, part: dict[str, Any]) -> None:
    rbt.ingest("demo", "stocks")
    ours, theirs = rbt.load("stocks", **part), rbt.load("demo", **part)
    assert ours.frame.equals(theirs.frame)
    assert ours.frame.schema == theirs.frame.schema
    for name in ("ts", "open", "high", "low", "close", "row_bar", "offsets", "sessions", "events", "next_session", "session_close"):
        assert (getattr(ours, name) == getattr(theirs, name)).all(), name
    ours.__dict__.pop("snapshot", None)
    assert ours.snapshot == theirs.snapshot


def test_quarantine_and_warnings_are_kept(shelf: Catalog, bars: pl.DataFrame) -> None:
    bad = bars.with_columns(pl.when(pl.int_range(pl.len()) == 7).then(None).otherwise("close").alias("close"))
    rbt.ingest(bad, "bad", stamp="close")
    assert rbt.load("bad").quarantine.equals(rbt.load(bad, stamp="close").quarantine)
    assert rbt.load("bad").warnings == rbt.load(bad, stamp="close").warnings


def test_increments_that_all_assets_share_are_kept(shelf: Catalog, bars: pl.DataFrame) -> None:
    made = rbt.ingest(bars, "coarse", stamp="close", tick_size="0.05", volume_step="100")
    expected = rbt.load(bars, stamp="close", tick_size="0.05", volume_step="100")
    assert made.snapshot == expected.snapshot
    again = rbt.load("coarse", start=expected.frame["session"][0])
    assert again.frame.equals(expected.frame)


def test_a_run_of_a_dataset_is_the_run_of_the_file_and_names_the_snapshot(shelf: Catalog) -> None:
    rbt.ingest("demo", "stocks")
    hold = rbt.Strategy("hold", target=rbt.weight(0.2))
    ours, theirs = rbt.run(hold, "stocks"), rbt.run(hold, "demo")
    assert ours.identity == theirs.identity
    assert ours.panel.dataset == f"stocks@{theirs.identity['snapshot'][:12]}"


def test_the_same_content_twice_is_one_snapshot(shelf: Catalog, bars: pl.DataFrame) -> None:
    first = rbt.ingest(bars, "a")
    assert not rbt.ingest(bars, "a").new
    assert rbt.ingest(bars, "b").snapshot == first.snapshot
    assert [version.dataset for version in shelf.versions()] == ["a", "b"]


def test_diff_says_which_bars_and_by_how_much(shelf: Catalog, bars: pl.DataFrame) -> None:
    first = rbt.ingest(bars, "a")
    row = pl.int_range(pl.len())
    second = rbt.ingest(
        bars.with_columns(pl.when(row == 5).then(pl.col("volume") + 3).otherwise("volume").alias("volume")).filter(row != 9), "a"
    )
    found = diff(shelf, "a")
    assert found.equals(diff(shelf, first.name, second.name))
    changed = found.filter(pl.col("change") == "changed")
    assert changed.select("asset", "ts", "field").rows() == [(bars["asset"][5], bars["ts"][5], "volume")]
    assert changed["difference"].to_list() == [3]
    gone = found.filter(pl.col("change") == "removed")
    assert set(gone["ts"]) == {bars["ts"][9]}
    assert gone.height == 5
    assert rbt.load(first.name).snapshot == first.snapshot


def test_sql_sees_exact_bars_and_metadata(shelf: Catalog, bars: pl.DataFrame) -> None:
    rbt.ingest(bars, "my-bars")
    assert sql(shelf, 'SELECT count(*) FROM "my-bars"').item() == bars.height
    assert isinstance(sql(shelf, 'SELECT close FROM "my-bars"').dtypes[0], pl.Decimal)
    assert sql(shelf, "SELECT sum(bars) FROM symbols").item() == bars.height
    with pytest.raises(DataError, match="cannot be answered"):
        sql(shelf, "SELECT nothing FROM nowhere")


def test_a_file_of_the_same_name_comes_first(shelf: Catalog, bars: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rbt.ingest(bars, "stocks")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stocks").write_text("no bars")
    with pytest.raises(DataError, match="unknown file type"):
        rbt.load("stocks")


def test_removed_files_go_when_no_dataset_has_them(shelf: Catalog, bars: pl.DataFrame) -> None:
    made = rbt.ingest(bars, "a")
    rbt.ingest(bars, "b")
    remove(shelf, "a")
    assert shelf.folder(made.snapshot).is_dir()
    remove(shelf, "b")
    assert not shelf.folder(made.snapshot).exists()
    assert shelf.versions() == []


def test_a_dataset_that_runs_use_is_not_removed(shelf: Catalog, bars: pl.DataFrame, tmp_path: Path) -> None:
    rbt.ingest(bars, "a")
    shelf.record_run("run", tmp_path, rbt.load("a"))
    with pytest.raises(ConfigError, match="1 saved runs use 'a'"):
        remove(shelf, "a")
    remove(shelf, "a", force=True)
    assert shelf.versions() == []


def test_an_older_catalog_is_migrated(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    with opened(path, replace(CATALOG, migrations=CATALOG.migrations[:1])) as old:
        old.execute("INSERT INTO snapshots VALUES ('s', 'now', 1, 1, 'x', 'y', NULL, 0, '[]')")
        old.execute("INSERT INTO versions VALUES (1, 'a', 's', 'now', 'x', '{}')")
    with opened(path, CATALOG) as new:
        assert new.execute("SELECT count(*) FROM runs").fetchone() == (0,)
        assert new.execute("PRAGMA user_version").fetchone() == (CATALOG.version,)
    assert [version.dataset for version in Catalog(tmp_path).versions()] == ["a"]


def test_a_newer_catalog_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "catalog.db") as made:
        made.execute("PRAGMA user_version = 99")
    made.close()
    with pytest.raises(DataError, match="the catalog is of version 99, this program knows 5"), opened(tmp_path / "catalog.db", CATALOG):
        pass


def test_a_part_is_cut_where_the_door_cuts(tmp_path: Path) -> None:
    """By session for a date, by instant for a time; what lies outside is not read."""
    shelf = Catalog(tmp_path)
    rbt.ingest("demo", "stocks", catalog=shelf)
    for start, end in (
        ("2010-01-04", "2010-01-08"),
        ("2010-01-04T21:00:00Z", "2010-01-08T20:59:59Z"),
        (None, "2000-03-02"),
        ("2013-02-28", None),
    ):
        part = shelf.open("stocks", Options(start=start, end=end, assets=["AAPL", "IBM"]))
        whole = rbt.load("demo", start=start, end=end, assets=["AAPL", "IBM"], events=[])
        assert part.frame["ts"].equals(whole.frame["ts"])
        assert part.frame["ticks_close"].equals(whole.frame["ticks_close"])
    with pytest.raises(DataError, match="no bar lies between") as caught:
        shelf.open("stocks", Options(start="2020-01-01"))
    assert "2000-03-01 to 2013-03-01" in caught.value.do


KINDS = [
    *(pl.Int8(), pl.UInt16(), pl.UInt64(), pl.Float32(), pl.Float64(), pl.String(), pl.Boolean(), pl.Date(), pl.Time(), pl.Duration("us")),
    *(pl.Datetime("ms"), pl.Datetime("ns", "UTC"), pl.Datetime("us", "America/New_York"), pl.Decimal(10, 2), pl.Categorical()),
]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_extra_columns_of_every_type_come_back(shelf: Catalog, bars: pl.DataFrame, kind: pl.DataType) -> None:
    numbers = pl.Series("x", [None if number in (3, 4) else number % 100 for number in range(bars.height)])
    extra = bars.with_columns(numbers.cast(pl.String).cast(kind) if kind == pl.Categorical() else numbers.cast(kind))
    rbt.ingest(extra, "a")
    found, wanted = shelf.open("a").frame, rbt.load(extra).frame
    assert found.equals(wanted, null_equal=True)
    assert found.schema == wanted.schema
    assert rbt.load("a", start="1990-01-01").frame["x"].equals(wanted["x"], null_equal=True)


def test_an_extra_column_that_no_file_takes_is_left_out_and_said(shelf: Catalog, bars: pl.DataFrame) -> None:
    rbt.ingest(bars.with_columns(x=pl.lit(1, dtype=pl.Int128)), "a")
    panel = shelf.open("a")
    assert "x" not in panel.frame.columns
    assert any("128 bits" in note and note.endswith(": x.") for note in panel.warnings)
