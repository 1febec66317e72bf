"""Repairs: what was asked and nothing else, written down, and clean when checked again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

import rustybt as rbt
from rustybt._sqlite import opened
from rustybt.data.catalog.repairs import check_log
from rustybt.data.catalog.schema import CATALOG
from rustybt.data.quality import CHANGES, SEVERITY, check_bars, mend
from rustybt.errors import ConfigError
from rustybt.testing import markets

REAL = Path(__file__).parent / "real"


def bars() -> pl.DataFrame:
    return markets.market(assets=2, bars=80, seed=4).bars.with_columns(pl.col("volume").cast(pl.Float64))


def unmake(log: pl.DataFrame, frame: pl.DataFrame) -> pl.DataFrame:
    """The values of a repaired frame before it was repaired, by its log."""
    for row in log.filter(pl.col("column") != "").iter_rows(named=True):
        here = (pl.col("asset") == row["asset"]) & (pl.col("ts") == row["ts"])
        frame = frame.with_columns(pl.when(here).then(row["before"]).otherwise(row["column"]).alias(row["column"]))
    return frame


def test_nothing_asked_is_nothing_done() -> None:
    frame = bars()
    done = mend(frame, [])
    assert done.log.is_empty()
    assert done.frame.select(frame.columns).equals(frame.with_columns(pl.col("asset").cast(pl.String)))
    assert mend(frame, CHANGES).log.is_empty()


def test_real_slips_are_moved_back_and_the_log_says_from_where() -> None:
    dirty = pl.read_parquet(REAL / "long.parquet")
    done = mend(dirty, ["decimal slip"])
    assert done.log["action"].unique().to_list() == ["moved"]
    assert set(done.log["asset"]) == {"DE"}
    assert (done.log["after"] / done.log["before"]).round(6).unique().to_list() == [10.0]
    assert "decimal slip" not in done.quality.counts
    assert unmake(done.log, done.frame).select("open", "high", "low", "close").equals(dirty.select("open", "high", "low", "close"))


def test_real_rows_that_contradict_themselves_are_widened_or_taken_out() -> None:
    dirty = pl.read_parquet(REAL / "djia.parquet")
    done = mend(dirty, ["open outside low..high", "close outside low..high", "null price", "zero or negative price"])
    errors = [check for check in done.quality.counts if SEVERITY[check][1] == "error"]
    assert errors == []
    out = done.log.filter(pl.col("action") == "taken out")
    assert out.height == 26  # 25 without a price, one with a low of 0
    assert done.frame.height == dirty.height - 26
    wide = done.log.filter(pl.col("action") == "widened")
    assert wide.height >= 150
    assert wide.filter(pl.col("column") == "high").select((pl.col("after") > pl.col("before")).all()).item()
    assert wide.filter(pl.col("column") == "low").select((pl.col("after") < pl.col("before")).all()).item()


def test_only_what_is_named_is_repaired() -> None:
    before = check_bars(REAL / "djia.parquet").counts
    after = mend(REAL / "djia.parquet", ["null price"]).quality.counts
    assert "null price" not in after
    assert after["open outside low..high"] == before["open outside low..high"]


def test_repeats_order_and_closed_days() -> None:
    frame = bars()
    again = frame[30:31].with_columns(pl.col("close") + 0.0, pl.col("volume") + 0.5)
    done = mend(pl.concat([frame, again]), ["duplicate key", "out of order"])
    assert done.quality.counts == {}
    assert done.frame.height == frame.height
    assert done.frame.filter(pl.col("volume") == again["volume"][0]).height == 1  # the last stays
    assert done.log["check"].to_list() == ["duplicate key", "out of order"]
    zipline = mend(REAL / "zipline9.parquet", ["not a session"], calendar="XNYS")
    assert zipline.log.height == 20
    assert "not a session" not in zipline.quality.counts


def test_a_repaired_dataset_is_a_new_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUSTYBT_CATALOG", str(tmp_path))
    first = rbt.ingest(REAL / "zipline9.parquet", "nine", stamp="session", calendar="XNYS")
    done = mend("nine", ["not a session"])
    second = rbt.ingest(done.frame, "nine", stamp="session", calendar="XNYS")
    assert second.new
    assert second.snapshot != first.snapshot
    assert rbt.load("nine").frame.height == rbt.load(first.name).frame.height - 20
    assert done.log["ts"].min() > datetime(2000, 1, 1, tzinfo=UTC)  # type: ignore[operator]


def test_what_only_a_person_can_tell_is_refused() -> None:
    with pytest.raises(ConfigError, match="'spike' cannot be repaired") as caught:
        mend(bars(), ["spike"])
    assert "'decimal slip'" in caught.value.do


def test_the_log_is_kept_with_the_snapshot(tmp_path: Path) -> None:
    frame = bars().with_columns(close=pl.when(pl.int_range(pl.len()) == 7).then(None).otherwise("close"))
    done = mend(frame, ["null price"])
    assert done.log.height == 1
    shelf = rbt.Catalog(tmp_path)
    made = rbt.ingest(done, "mended", catalog=shelf)
    assert shelf.repairs("mended").equals(done.log.select(shelf.repairs("mended").columns))
    done.log.write_parquet(tmp_path / "log.parquet")
    other = rbt.ingest(done.frame, "other", catalog=shelf, repairs=tmp_path / "log.parquet")
    assert other.snapshot == made.snapshot
    assert shelf.repairs(other.name).height == 1
    plain = rbt.ingest(done.frame, "plain", catalog=shelf)
    assert shelf.repairs(plain.name).is_empty()
    assert not rbt.ingest(done.frame, "plain", catalog=shelf, repairs=done.log).new
    assert shelf.repairs("plain").height == 1
    rbt.data.catalog.remove(shelf, "mended")
    assert shelf.repairs("other").height == 1
    rbt.ingest(done.frame, "mended", catalog=shelf)
    assert shelf.repairs("mended").is_empty(), "the log left with the version that it belonged to"


def test_each_ingest_of_the_same_bars_has_its_own_log(tmp_path: Path) -> None:
    """The log of one is not lost when another gives the same bars, with another log or with none."""
    frame = bars()
    dirty = [frame.with_columns(close=pl.when(pl.int_range(pl.len()) == row).then(None).otherwise("close")) for row in (7, 9)]
    logs = [mend(one, ["null price"]).log for one in dirty]
    shelf = rbt.Catalog(tmp_path)
    made = [rbt.ingest(frame, "one", catalog=shelf, repairs=log) for log in (logs[0], logs[0], logs[1], None, None, logs[1][:0], logs[0])]
    assert len({version.snapshot for version in made}) == 1
    assert [version.new for version in made] == [True, *[False] * 6]
    numbers = [version.number for version in made]
    assert numbers == [1, 1, 2, 3, 3, 3, 4]
    assert [version.number for version in shelf.versions("one")] == [1, 2, 3, 4]
    assert shelf.repairs("one").equals(check_log(logs[0]))
    kept = rbt.data.catalog.sql(shelf, "SELECT version, ts FROM repairs ORDER BY version")
    assert kept["version"].to_list() == [1, 2, 4]
    assert kept["ts"].str.to_datetime(time_zone="UTC").to_list() == [log["ts"][0] for log in (logs[0], logs[1], logs[0])]


def test_the_log_of_an_earlier_catalog_is_that_of_every_ingest_of_its_bars(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    with opened(path, replace(CATALOG, migrations=CATALOG.migrations[:4])) as old:
        old.execute("INSERT INTO snapshots VALUES ('s', 'now', 1, 1, 'x', 'y', NULL)")
        for number, name in ((3, "a"), (4, "a"), (5, "b")):
            old.execute("INSERT INTO versions VALUES (?, ?, 's', 'now', 'x', '{}', '[]', 0, 'quarantine.parquet')", (number, name))
        row = ("null price", "A", "2024-01-02T00:00:00.000000Z", "taken out", None, 1.5, None)
        old.execute("INSERT INTO repairs VALUES ('a', 's', 0, ?, ?, ?, ?, ?, ?, ?)", row)
    shelf = rbt.Catalog(tmp_path)
    assert shelf.repairs("a").rows() == [(*row[:2], datetime(2024, 1, 2, tzinfo=UTC), *row[3:])]
    assert shelf.repairs("b").is_empty()
    with opened(path, CATALOG) as new:
        assert new.execute("SELECT version, dataset, snapshot, number FROM repairs").fetchall() == [(3, "a", "s", 0), (4, "a", "s", 0)]
        assert new.execute("SELECT count(*) FROM sqlite_master WHERE name = 'repairs_of_snapshots'").fetchone() == (0,)
        new.execute("DELETE FROM versions WHERE number = 3")
        assert new.execute("SELECT version FROM repairs").fetchall() == [(4,)]


def test_a_log_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the log of repairs has no column 'check'"):
        rbt.ingest(bars(), "bad", catalog=tmp_path, repairs=pl.DataFrame({"what": [1]}))
    assert not rbt.Catalog(tmp_path).versions()
