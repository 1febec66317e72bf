"""Damage is found, named, and repaired where nothing is lost."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import rustybt as rbt
from rustybt.data import Catalog
from rustybt.data.catalog import repair, sql, verify
from rustybt.data.catalog.content import SPANS
from rustybt.data.catalog.files import checksum
from rustybt.data.catalog.reading import ARRAYS, BARS, DESCRIPTION, GRID, INDEX, READY, without_adjusted
from rustybt.errors import ConfigError, DataError
from rustybt.model import Panel
from rustybt.testing import markets


@pytest.fixture
def bars() -> pl.DataFrame:
    return markets.market(assets=3, bars=60, seed=4).bars


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize("damage", [flip, cut, Path.unlink])
@pytest.mark.parametrize("name", [READY, ARRAYS])
def test_ready_files_are_made_again(shelf: Catalog, bars: pl.DataFrame, name: str, damage: Callable[[Path], None]) -> None:
    made = rbt.ingest(bars, "a")
    damage(shelf.folder(made.snapshot) / name)
    assert [finding.repairable for finding in verify(shelf)] == [True]
    assert len(repair(shelf)) == 1
    assert verify(shelf) == []
    panel = rbt.load("a")
    panel.__dict__.pop("snapshot")
    assert panel.snapshot == made.snapshot


def in_the_earlier_form(folder: Path, panel: Panel, connection: sqlite3.Connection) -> None:
    """Ready files as they were written before assets were numbers and arrays lay in one file."""
    frame = panel.frame.with_columns(pl.col("asset").cast(pl.String))
    frame = without_adjusted(frame, panel.adj_digits)
    frame.write_ipc(folder / "made", compression="uncompressed", record_batch_size=frame.height)  # the panel maps the one that is there
    (folder / "made").replace(folder / READY)
    np.save(folder / GRID, np.stack([panel.open, panel.high, panel.low, panel.close]))
    np.savez(folder / INDEX, **{name: getattr(panel, name) for name in SPANS if getattr(panel, name) is not None})
    (folder / ARRAYS).unlink()
    about = json.loads((folder / DESCRIPTION).read_text())
    del about["aside"]
    (folder / DESCRIPTION).write_text(json.dumps(about))
    connection.execute("DELETE FROM files WHERE snapshot = ?", (panel.snapshot,))
    files = [(panel.snapshot, path.name, path.stat().st_size, checksum(path)) for path in folder.iterdir()]
    connection.executemany("INSERT INTO files VALUES (?, ?, ?, ?)", files)


def test_a_snapshot_of_an_earlier_form_is_read_and_repaired(shelf: Catalog) -> None:
    """Its files are those that the version before wrote."""
    made = rbt.ingest("demo", "a")
    now, folder = rbt.load("a"), shelf.folder(made.snapshot)
    with shelf.changing() as connection:
        in_the_earlier_form(folder, now, connection)
    assert verify(shelf) == []
    old = rbt.load("a")
    assert old.frame.equals(now.frame)
    assert (old.frame.schema, old.quarantine.schema) == (now.frame.schema, now.quarantine.schema)
    assert all(np.array_equal(getattr(old, name), getattr(now, name)) for name in ("open", "high", "low", "close", "row_bar", "events"))
    cut(folder / GRID)
    repair(shelf)
    assert verify(shelf) == []
    assert sorted(path.name for path in folder.glob("ready*")) == [ARRAYS, READY]
    assert rbt.load("a").frame.equals(now.frame)


@pytest.mark.parametrize("damage", [flip, cut, Path.unlink])
def test_damaged_bars_are_set_aside_and_the_snapshot_before_is_the_dataset(
    shelf: Catalog, bars: pl.DataFrame, damage: Callable[[Path], None]
) -> None:
    first = rbt.ingest(bars, "a")
    second = rbt.ingest(bars.with_columns(bars["volume"] + 1), "a")
    damage(shelf.folder(second.snapshot) / BARS)
    assert [finding.repairable for finding in verify(shelf, "a")] == [False]
    assert "set aside" in repair(shelf)[0]
    assert rbt.load("a").snapshot == first.snapshot
    assert len(list((shelf.root / "damaged").iterdir())) == 1
    assert verify(shelf) == []


def test_a_half_written_snapshot_is_one_message(shelf: Catalog, bars: pl.DataFrame) -> None:
    made = rbt.ingest(bars, "a")
    cut(shelf.folder(made.snapshot) / READY)
    with pytest.raises(DataError, match=f"snapshot a@{made.snapshot[:12]} is damaged") as caught:
        rbt.load("a")
    assert "repair" in caught.value.do


def test_a_full_disk_publishes_nothing(shelf: Catalog, tmp_path: Path) -> None:
    """A limit on the size of files is the disk that is full, in a process of its own."""
    bars = markets.market(assets=3, bars=1200, seed=4).bars
    old = rbt.ingest(bars, "a")
    bars.with_columns(bars["volume"] + 1).write_parquet(tmp_path / "bars.parquet")
    script = (
        "import resource, signal, sys\nimport rustybt as rbt\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nresource.setrlimit(resource.RLIMIT_FSIZE, (60000, 60000))\n"
        "try:\n    rbt.ingest(sys.argv[1], 'a')\nexcept rbt.DataError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "bars.parquet")], text=True, capture_output=True, check=True)
    assert re.match(r"the catalog cannot be written: .*File too large", done.stdout), done
    assert "nothing was published" in done.stdout
    assert rbt.load("a").snapshot == old.snapshot
    assert all("staging" not in finding.where for finding in verify(shelf))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("b", "there is no dataset 'b'"),
        ("a@ffff", "'ffff' is no snapshot of dataset 'a'"),
        ("A", "there is no dataset 'A'"),
    ],
)
def test_an_unknown_name_is_one_message(shelf: Catalog, bars: pl.DataFrame, name: str, said: str) -> None:
    rbt.ingest(bars, "a")
    with pytest.raises(DataError, match=re.escape(said)):
        rbt.load(name)


def test_an_unknown_asset_of_a_dataset_is_one_message(shelf: Catalog) -> None:
    rbt.ingest("demo", "stocks")
    with pytest.raises(DataError, match="asset 'AAPK' is not in the source") as caught:
        rbt.load("stocks", assets=["AAPK"])
    assert "AAPL" in caught.value.do


def test_what_was_settled_cannot_be_said_again(shelf: Catalog, bars: pl.DataFrame) -> None:
    rbt.ingest(bars, "a")
    with pytest.raises(ConfigError, match="calendar cannot be applied to a dataset"):
        rbt.load("a", calendar="XNYS")
    with pytest.raises(DataError, match="no bar lies between"):
        rbt.load("a", start="2100-01-01")


@pytest.mark.parametrize("name", ["demo", "a.b", "a/b", "", "ä", "-a"])
def test_a_name_that_could_be_a_path_is_refused(shelf: Catalog, bars: pl.DataFrame, name: str) -> None:
    with pytest.raises(ConfigError, match="dataset name"):
        rbt.ingest(bars, name)
    assert not shelf.exists


def test_a_broken_database_is_one_message(shelf: Catalog, bars: pl.DataFrame) -> None:
    rbt.ingest(bars, "a")
    for path in shelf.root.glob("catalog.db*"):
        path.write_bytes(b"no database at all" * 100)
    with pytest.raises(DataError, match="no SQLite file, so no catalog"):
        rbt.load("a")


@pytest.mark.parametrize("name", ["snapshots", "Versions", "files", "symbols", "runs", "repairs"])
def test_a_name_of_a_table_of_the_catalog_is_refused(shelf: Catalog, bars: pl.DataFrame, name: str) -> None:
    with pytest.raises(ConfigError, match="is that of a table of the catalog"):
        rbt.ingest(bars, name)


@pytest.mark.parametrize("name", ["us-daily", "select", "2024"])
def test_a_name_that_sql_takes_for_something_else_is_to_be_quoted(shelf: Catalog, bars: pl.DataFrame, name: str) -> None:
    rbt.ingest(bars, name)
    with pytest.raises(DataError, match="the query cannot be answered") as caught:
        sql(shelf, f"select * from {name}")
    assert f'"{name}"' in caught.value.do
    assert sql(shelf, f'select * from "{name}"').height == bars.height
    with pytest.raises(DataError) as caught:
        sql(shelf, "select nothing from snapshots")
    assert "catalog list" in caught.value.do


def test_findings_name_the_datasets_of_a_snapshot(shelf: Catalog, bars: pl.DataFrame) -> None:
    made = rbt.ingest(bars, "a")
    rbt.ingest(bars, "b")
    (shelf.folder(made.snapshot) / "bars.parquet").write_bytes(b"broken")
    assert {finding.datasets for finding in verify(shelf)} == {"a, b"}
