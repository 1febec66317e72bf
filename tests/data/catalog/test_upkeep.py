"""Damage is found, named, and repaired where nothing is lost."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import rustybt as rbt
from rustybt.data import Catalog
from rustybt.data.catalog import repair, verify
from rustybt.data.catalog.reading import BARS, GRID, READY
from rustybt.errors import ConfigError, DataError
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
@pytest.mark.parametrize("name", [READY, GRID])
def test_ready_files_are_made_again(shelf: Catalog, bars: pl.DataFrame, name: str, damage: Callable[[Path], None]) -> None:
    made = rbt.ingest(bars, "a")
    damage(shelf.folder(made.snapshot) / name)
    assert [finding.repairable for finding in verify(shelf)] == [True]
    assert len(repair(shelf)) == 1
    assert verify(shelf) == []
    panel = rbt.load("a")
    panel.__dict__.pop("snapshot")
    assert panel.snapshot == made.snapshot


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
