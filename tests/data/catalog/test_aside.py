"""What an ingest said and set aside belongs to it, whoever brought the same usable bars before."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import polars as pl
import pytest

import rustybt as rbt
from rustybt.data import Catalog
from rustybt.data.catalog import diff, remove, verify
from rustybt.data.catalog.schema import FIRST, REPAIRS, RUNS
from rustybt.testing import markets


@pytest.fixture
def clean() -> pl.DataFrame:
    return markets.market(assets=2, bars=30, seed=4).bars


@pytest.fixture
def dirty(clean: pl.DataFrame) -> pl.DataFrame:
    """The same bars and a row that cannot be used."""
    return worse(clean, -1.0)


def worse(clean: pl.DataFrame, low: float) -> pl.DataFrame:
    later = pl.col("ts") + pl.duration(days=1)
    last = clean.sort("asset", "ts")[-1:].with_columns(later.alias("ts"), pl.lit(low).cast(clean.schema["low"]).alias("low"))
    return pl.concat([clean, last])


def aside(shelf: Catalog, name: str) -> tuple[int, bool]:
    """Rows in quarantine, and whether a warning says so."""
    panel = shelf.open(name)
    return panel.quarantine.height, any("set aside" in note for note in panel.warnings)


@pytest.mark.parametrize("first", ["clean", "dirty"])
def test_each_dataset_has_its_own_quarantine_and_warnings(shelf: Catalog, clean: pl.DataFrame, dirty: pl.DataFrame, first: str) -> None:
    frames = {"clean": clean, "dirty": dirty}
    for name in sorted(frames, key=lambda name: name != first):
        rbt.ingest(frames[name], name, stamp="close")
    ids = {version.snapshot for version in shelf.versions()}
    assert len(ids) == 1
    assert (aside(shelf, "clean"), aside(shelf, "dirty")) == ((0, False), (1, True))
    assert shelf.open("dirty").quarantine.equals(rbt.load(dirty, stamp="close").quarantine)
    assert [(version.dataset, version.quarantined) for version in shelf.datasets()] == [("clean", 0), ("dirty", 1)]
    assert verify(shelf) == []


def test_a_part_of_a_dataset_has_them_too(shelf: Catalog, clean: pl.DataFrame, dirty: pl.DataFrame) -> None:
    for name, frame in (("clean", clean), ("dirty", dirty)):
        rbt.ingest(frame, name, stamp="close")
    part = rbt.load("dirty", assets=[clean["asset"][0]])
    assert (part.quarantine.height, any("set aside" in note for note in part.warnings)) == (1, True)


def test_the_same_bars_with_other_rows_set_aside_are_a_version_of_their_own(
    shelf: Catalog, clean: pl.DataFrame, dirty: pl.DataFrame
) -> None:
    made = [rbt.ingest(frame, "one", stamp="close") for frame in (clean, dirty, dirty, worse(clean, -2.0), clean)]
    assert [version.new for version in made] == [True, False, False, False, False]
    assert [version.quarantined for version in shelf.versions("one")] == [0, 1, 1, 0]
    assert aside(shelf, "one") == (0, False)
    assert diff(shelf, "one").is_empty()


def test_files_of_rows_set_aside_go_with_the_last_version_that_names_them(shelf: Catalog, clean: pl.DataFrame, dirty: pl.DataFrame) -> None:
    snapshot = rbt.ingest(clean, "clean", stamp="close").snapshot
    for name in ("a", "b"):
        rbt.ingest(dirty, name, stamp="close")
    folder = shelf.folder(snapshot)
    for name, left in (("a", 1), ("b", 0)):
        remove(shelf, name)
        assert len(list(folder.glob("quarantine-*.parquet"))) == left
    assert verify(shelf) == []
    assert aside(shelf, "clean") == (0, False)


def test_damage_to_rows_set_aside_is_found(shelf: Catalog, clean: pl.DataFrame, dirty: pl.DataFrame) -> None:
    folder = shelf.folder(rbt.ingest(clean, "clean", stamp="close").snapshot)
    rbt.ingest(dirty, "dirty", stamp="close")
    (file,) = folder.glob("quarantine-*.parquet")
    file.write_bytes(file.read_bytes()[:-1])
    assert [finding.what.split(" has ")[0] for finding in verify(shelf)] == [file.name]


def test_a_catalog_of_before_is_read(shelf: Catalog, dirty: pl.DataFrame, tmp_path: Path) -> None:
    """Its versions get what was said of their content."""
    made = rbt.ingest(dirty, "old", stamp="close")
    before = tmp_path / "before.db"
    with sqlite3.connect(shelf.root / "catalog.db") as now, sqlite3.connect(before) as old:
        old.executescript(f"{FIRST}{RUNS}{REPAIRS}PRAGMA user_version = 3; PRAGMA journal_mode = WAL;")
        row = now.execute("SELECT id, created, bars, assets, first, last, calendar FROM snapshots").fetchone()
        old.execute("INSERT INTO snapshots VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (*row, 1, json.dumps(made.warnings)))
        for table, columns in (("versions", "number, dataset, snapshot, created, source, options"), ("files", "*"), ("symbols", "*")):
            rows = now.execute(f"SELECT {columns} FROM {table}").fetchall()
            old.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
    now.close()
    old.close()
    for path in shelf.root.glob("catalog.db*"):
        path.unlink()
    before.replace(shelf.root / "catalog.db")
    version = shelf.find("old")
    assert (version.warnings, version.quarantined) == (made.warnings, 1)
    assert aside(shelf, "old") == (1, True)
    assert not rbt.ingest(dirty, "old", stamp="close").new
    assert [one.quarantined for one in shelf.versions("old")] == [1]
    assert verify(shelf) == []
