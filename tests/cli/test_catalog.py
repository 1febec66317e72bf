"""The catalog at the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import rustybt as rbt

Command = Callable[..., Any]


@pytest.fixture(autouse=True)
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RUSTYBT_CATALOG", str(tmp_path / "catalog"))
    return tmp_path / "catalog"


def test_ingest_run_show_and_remove(rustybt: Command, bars: str, cross: str, tmp_path: Path) -> None:
    made = rustybt("ingest", bars, "--name", "mine", "--stamp", "close", "--json").json
    assert made["new"]
    assert not rustybt("ingest", bars, "--name", "mine", "--stamp", "close", "--json").json["new"]
    run = rustybt("run", cross, "--data", "mine", "--out", str(tmp_path / "run"), "--json").json
    assert run["identity"]["snapshot"] == made["snapshot"]
    assert rustybt("run", cross, "--data", bars, "--stamp", "close", "--json").json["identity"]["run_id"] == run["identity"]["run_id"]
    assert f'"dataset": "mine@{made["snapshot"][:12]}"' in (tmp_path / "run/manifest.json").read_text()
    shown = rustybt("catalog", "show", "mine", "--json").json
    assert [one["run_id"] for one in shown["runs"]] == [run["identity"]["run_id"]]
    assert shown["snapshot"]["bars"] == made["bars"]
    assert rustybt("catalog", "list", "--json").json["datasets"][0]["dataset"] == "mine"
    refused = rustybt("catalog", "remove", "mine")
    assert refused.code == 2
    assert "1 saved runs use 'mine'" in refused.err
    assert len(rustybt("catalog", "remove", "mine", "--force", "--json").json["removed"]) == 1
    assert rustybt("catalog", "list", "--json").json["datasets"] == []


def test_sql_over_a_dataset_and_a_run(rustybt: Command, bars: str, cross: str, tmp_path: Path) -> None:
    rustybt("ingest", bars, "--name", "mine")
    assert rustybt("sql", "SELECT count(*) AS n FROM mine", "--json").json["rows"] == [{"n": pl.read_parquet(bars).height}]
    run = rustybt("run", cross, "--data", "mine", "--out", str(tmp_path / "run"), "--json").json
    fills = rustybt("sql", "SELECT count(*) AS n FROM run.fills", "--run", str(tmp_path / "run"), "--json").json
    assert fills["rows"] == [{"n": run["fills"]}]
    failed = rustybt("sql", "SELECT 1 FROM nowhere")
    assert failed.code == 1
    assert "the query cannot be answered" in failed.err


def test_diff_and_export(rustybt: Command, bars: str, tmp_path: Path) -> None:
    rustybt("ingest", bars, "--name", "mine")
    frame = pl.read_parquet(bars)
    frame.with_columns(pl.col("volume") + 1).write_parquet(tmp_path / "new.parquet")
    rustybt("ingest", str(tmp_path / "new.parquet"), "--name", "mine")
    assert rustybt("catalog", "diff", "mine", "--json").json["bars"] == {"changed": frame.height}
    assert f"{frame.height} bars changed" in rustybt("catalog", "diff", "mine").out
    out = tmp_path / "out.parquet"
    assert rustybt("catalog", "export", "mine", str(out)).code == 0
    assert pl.read_parquet(out).height == frame.height
    assert "the file exists" in rustybt("catalog", "export", "mine", str(out)).err


def test_the_embedded_set_keeps_its_events(rustybt: Command) -> None:
    made = rustybt("ingest", "demo", "--name", "stocks", "--json").json
    assert made["snapshot"] == rbt.load("demo").snapshot


def test_verify_and_repair(rustybt: Command, bars: str, shelf: Path) -> None:
    rustybt("ingest", bars, "--name", "mine")
    assert rustybt("catalog", "verify", "--json").json == {"ok": True, "findings": []}
    next(shelf.glob("snapshots/*/ready.arrow")).unlink()
    failed = rustybt("catalog", "verify")
    assert failed.code == 1
    assert "ready.arrow is missing" in failed.out
    assert "made again" in rustybt("catalog", "repair").out
    assert rustybt("catalog", "verify").code == 0


def test_an_empty_catalog_and_a_bad_source(rustybt: Command, tmp_path: Path, shelf: Path) -> None:
    assert "no datasets" in rustybt("catalog", "list").out
    assert rustybt("catalog", "show", "mine").code == 1
    assert "no such file" in rustybt("ingest", str(tmp_path / "none.parquet"), "--name", "mine").err
    assert not shelf.exists()


def test_check_writes_a_page_and_mend_a_copy(rustybt: Command, bars: str, tmp_path: Path) -> None:
    frame = pl.read_parquet(bars)
    dirty, mended, log, page = (tmp_path / name for name in ("dirty.parquet", "mended.parquet", "log.parquet", "q.html"))
    first = (pl.col("asset") == frame["asset"][0]) & (pl.col("ts") == frame["ts"][0])
    frame.with_columns(pl.when(first).then(None).otherwise("high").alias("high")).write_parquet(dirty)
    checked = rustybt("catalog", "check", str(dirty), "--page", str(page), "--json")
    assert checked.code == 1
    assert checked.json["counts"] == {"null price": 1}
    assert "null price" in page.read_text()
    done = rustybt("catalog", "mend", str(dirty), "--fix", "null price", "--out", str(mended), "--log", str(log), "--json")
    assert done.code == 0
    assert done.json["done"] == {"null price": 1}
    assert done.json["left"] == {}
    assert pl.read_parquet(mended).height == frame.height - 1
    assert pl.read_parquet(log)["action"].to_list() == ["taken out"]
    assert rustybt("catalog", "mend", str(dirty), "--fix", "spike", "--out", str(mended)).code == 2


def test_a_file_of_another_form_is_checked_by_the_address_that_ingests_it(rustybt: Command, tmp_path: Path) -> None:
    file = tmp_path / "bars.csv"
    file.write_text("Date;Ticker;Open;High;Low;Close;Volume\n13.02.2024;A;1,5;2,5;1;1,5;100\n14.02.2024;A;1,5;1,2;1;1,5;100\n")
    checked = rustybt("catalog", "check", f"csv:{file}", "--json")
    assert checked.code == 1
    assert checked.json["counts"] == {"open outside low..high": 1, "close outside low..high": 1}
    assert checked.json["rows"] == 2


def test_repairs_are_shown_with_the_snapshot(rustybt: Callable[..., Any], bars: str, tmp_path: Path, shelf: Path) -> None:
    dirty, mended, log = (str(tmp_path / f"{name}.parquet") for name in ("dirty", "mended", "log"))
    rows = pl.read_parquet(bars)
    rows.with_columns(close=pl.when(pl.int_range(pl.len()) == 7).then(None).otherwise("close")).write_parquet(dirty)
    assert rustybt("catalog", "mend", dirty, "--fix", "null price", "--out", mended, "--log", log, "--json").json["done"] == {
        "null price": 1
    }
    assert rustybt("ingest", mended, "--name", "mended", "--repairs", log, "--json").code == 0
    assert [row["check"] for row in rustybt("catalog", "show", "mended", "--json").json["repairs"]] == ["null price"]
    assert "1 repairs before it was ingested" in rustybt("catalog", "show", "mended").out
    assert rustybt("sql", "SELECT count(*) AS n FROM repairs", "--json").json["rows"] == [{"n": 1}]


def test_check_and_mend_say_what_was_set_aside_at_ingest(rustybt: Command, bars: str, tmp_path: Path) -> None:
    frame = pl.read_parquet(bars)
    file = tmp_path / "bad.parquet"
    frame.with_columns(pl.when(pl.int_range(pl.len()) == 5).then(None).otherwise("close").alias("close")).write_parquet(file)
    rustybt("ingest", str(file), "--name", "mine", "--stamp", "close")
    aside = rustybt("catalog", "check", "mine", "--json").json["aside"]
    assert (aside["rows"], aside["source"], aside["reasons"][0]["reason"]) == (1, str(file), "null price")
    assert "1 rows were set aside when it was ingested" in rustybt("catalog", "check", "mine").out
    ran = rustybt("catalog", "mend", "mine", "--fix", "null price", "--out", str(tmp_path / "m.parquet"))
    assert f"mend its source ({file})" in ran.out.replace("\n", "")
    assert rustybt("catalog", "check", str(file), "--json").json["aside"]["rows"] == 0


def test_a_damaged_dataset_is_marked_and_stops_nobody_else(rustybt: Command, bars: str, shelf: Path, tmp_path: Path) -> None:
    rustybt("ingest", bars, "--name", "good")
    assert "damaged" not in rustybt("catalog", "list").out
    frame = pl.read_parquet(bars).with_columns(pl.col("volume") + 1)
    frame.write_parquet(tmp_path / "other.parquet")
    bad = rustybt("ingest", str(tmp_path / "other.parquet"), "--name", "bad", "--json").json
    (shelf / "snapshots" / bad["snapshot"] / "bars.parquet").unlink()
    listed = rustybt("catalog", "list", "--json")
    assert {one["dataset"]: one["damage"] for one in listed.json["datasets"]} == {"bad": "bars.parquet is missing", "good": ""}
    assert listed.err.splitlines() == [
        "dataset 'bad' is damaged: bars.parquet is missing: run rustybt catalog verify, then rustybt catalog repair"
    ]
    shown = rustybt("catalog", "list").out
    assert "damaged" in shown
    assert shown.count("yes") == 1
    assert rustybt("catalog", "show", "bad", "--json").json["snapshot"]["bars"] == frame.height
    asked = rustybt("sql", "SELECT count(*) AS n FROM good", "--json")
    assert asked.json["rows"] == [{"n": frame.height}]
    assert len(asked.err.splitlines()) == 1
    assert "dataset 'bad' is damaged" in asked.err
    for words in (("sql", "SELECT * FROM bad"), ("catalog", "diff", "bad"), ("catalog", "check", "bad")):
        failed = rustybt(*words)
        assert (failed.code, failed.err.split(":")[0]) == (1, "DataError")
        assert "is damaged: bars.parquet is missing" in failed.err


def test_sql_writes_over_no_snapshot_and_its_help_names_every_table(rustybt: Command, bars: str, shelf: Path) -> None:
    made = rustybt("ingest", bars, "--name", "mine", "--json").json
    file = shelf / "snapshots" / made["snapshot"] / "bars.parquet"
    refused = rustybt("sql", f"copy (select 1 as x) to '{file}'")
    assert (refused.code, refused.err.splitlines()[0]) == (2, "ConfigError: COPY is refused, a query only reads")
    assert rustybt("catalog", "verify").code == 0
    told = " ".join(rustybt("sql", "--help").out.replace("│", " ").split())
    assert "snapshots, versions, symbols, files, runs, repairs" in told
