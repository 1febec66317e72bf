"""Reference data, continuous futures and adjusted bars at the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import rustybt as rbt

Command = Callable[..., Any]
ASSETS = """asset,symbol,from_ts,kind,root,expiry,listed,delisted,tick_size,currency
FB.1,FB,,equity,,,1999-09-29,2003-03-28,0.01,USD
META,FB,,equity,,,2012-05-18,,0.01,USD
META,META,2022-06-09,,,,,,,
ESZ3,,,future,ES,2013-12-20,2013-01-02,,0.25,USD
ESH4,,,future,ES,2014-03-21,2013-01-02,,0.25,USD
"""


@pytest.fixture(autouse=True)
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RUSTYBT_CATALOG", str(tmp_path / "catalog"))
    return tmp_path / "catalog"


@pytest.fixture
def assets(tmp_path: Path, rustybt: Command) -> str:
    path = tmp_path / "assets.csv"
    path.write_text(ASSETS)
    assert rustybt("assets", "add", str(path), "--json").json["new"]
    return str(path)


def test_a_symbol_is_found_by_its_day(rustybt: Command, assets: str) -> None:
    found = rustybt("assets", "find", "FB", "--on", "2015-01-02", "--json").json
    assert (found["id"], found["listed"], found["tick_size"], found["currency"]) == ("META", "2012-05-18", "0.01", "USD")
    assert rustybt("assets", "find", "FB", "--on", "2001-01-02", "--json").json["id"] == "FB.1"
    assert "META" in rustybt("assets", "find", "FB", "--on", "2015-01-02").out
    assert rustybt("assets", "find", "FB", "--on", "2001-01-02", "--known", "2001-01-02", "--json").json["delisted"] is None


def test_mistakes_are_one_message_and_a_code(rustybt: Command, assets: str, tmp_path: Path) -> None:
    reused = rustybt("assets", "find", "FB", "--json")
    assert reused.code == 1
    assert "'FB' named 2 assets" in reused.json["error"]["what"]
    assert "Traceback" not in reused.err
    assert rustybt("assets", "find", "FBB", "--on", "2015-01-02").code == 1
    assert rustybt("assets", "find", "FB", "--on", "soon").code == 2
    assert "there is nothing to add" in rustybt("assets", "add").err
    bad = tmp_path / "bad.csv"
    bad.write_text("asset,symbol,tick_size\nA,A,0.01\nB,B,wide\n")
    refused = rustybt("assets", "add", str(bad))
    assert refused.code == 1
    assert f"{bad}, line 3" in refused.err
    wrong = tmp_path / "events.csv"
    wrong.write_text("asset,ts,kind,value\nMETA,2024-02-21,dividend,0.5\nMETA,2024-05-21,split,-2\n")
    assert f"{wrong}, line 3, asset 'META', 2024-05-21" in rustybt("assets", "add", "--events", str(wrong)).err
    wrong.write_text("pair,ts,rate\nEUR/USD,2024-02-21,1.1\nEUR/USD,2024-02-22,1E30\n")
    assert f"{wrong}, line 3" in rustybt("assets", "add", "--rates", str(wrong)).err
    assert len(rustybt("assets", "log", "--json").json["revisions"]) == 1


def test_show_list_chain_log_and_export(rustybt: Command, assets: str, tmp_path: Path) -> None:
    shown = rustybt("assets", "show", "META", "--json").json
    assert [(one["symbol"], one["first"], one["last"]) for one in shown["names"]] == [
        ("FB", "2012-05-18", "2022-06-08"),
        ("META", "2022-06-09", None),
    ]
    assert "META 2022-06-09" in rustybt("assets", "show", "META").out
    assert [one["id"] for one in rustybt("assets", "list", "--on", "2013-06-03", "--json").json["assets"]] == ["ESH4", "ESZ3", "META"]
    assert [one["id"] for one in rustybt("assets", "list", "--kind", "future", "--json").json["assets"]] == ["ESH4", "ESZ3"]
    assert [one["asset"] for one in rustybt("assets", "chain", "ES", "--json").json["contracts"]] == ["ESZ3", "ESH4"]
    made = rustybt("assets", "export", str(tmp_path / "out"), "--json").json
    assert [one["rows"] for one in made["files"]] == [5, 0, 0]
    again = rustybt("assets", "add", str(tmp_path / "out/assets.csv"), "--json").json
    assert not again["new"]
    assert "the file exists" in rustybt("assets", "export", str(tmp_path / "out")).err
    assert rustybt("sql", "SELECT count(*) AS n FROM reference.spells WHERE dropped IS NULL", "--json").json["rows"] == [{"n": 5}]


def test_bars_are_ingested_by_reference(rustybt: Command, assets: str, tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(
        "ts,asset,open,high,low,close,volume\n2002-01-02,FB,5,5,5,5,9\n2022-06-08,FB,190,190,190,190,9\n2022-06-09,META,196,196,196,196,9\n"
    )
    made = rustybt("ingest", str(path), "--name", "fb", "--reference", "--json").json
    assert (made["assets"], made["bars"], made["quarantined"]) == (2, 3, 0)
    assert rbt.load("fb").symbols == ("FB.1", "META")


STRATEGY = """
import rustybt as rbt


@rbt.strategy
def hold(share: float = 0.5) -> rbt.Strategy:
    return rbt.Strategy("hold", target=rbt.weight(share))
"""


def test_runs_and_sweeps_read_bars_by_reference(rustybt: Command, assets: str, tmp_path: Path) -> None:
    """Without it FB and META would be two assets."""
    bars, file = tmp_path / "bars.csv", tmp_path / "hold.py"
    days = [f"2022-06-{day:02},{'FB' if day < 9 else 'META'},190,190,190,190,900" for day in (6, 7, 8, 9, 10)]
    bars.write_text("\n".join(["ts,asset,open,high,low,close,volume", *days]) + "\n")
    file.write_text(STRATEGY)
    run = rustybt("run", f"{file}:hold", "--data", str(bars), "--stamp", "session", "--reference-data", "--json").json
    assert (run["fills"], rbt.load(bars, reference=rbt.Catalog().reference).symbols) == (1, ("META",))
    swept = rustybt("sweep", f"{file}:hold", "--data", str(bars), "--grid", "share=0.2,0.4", "--reference-data", "--json").json
    assert (swept["variants"], swept["failed"]) == (2, 0)
    stranger = bars.with_name("other.csv")
    stranger.write_text(bars.read_text().replace("FB", "ZZZ"))
    assert "asset 'ZZZ' is not in the source" in rustybt("run", f"{file}:hold", "--data", str(stranger), "--reference-data").err


def test_assets_are_taken_from_a_dataset(rustybt: Command) -> None:
    rustybt("ingest", "demo", "--name", "stocks")
    made = rustybt("assets", "add", "--dataset", "stocks", "--json").json
    assert (made["added"], made["dropped"], made["source"][:7]) == (105, 0, "stocks@")
    assert rustybt("assets", "show", "AAPL", "--json").json["events"] == 5
    assert not rustybt("assets", "add", "--dataset", "stocks", "--json").json["new"]
    assert "files and a dataset at once" in rustybt("assets", "add", "x.csv", "--dataset", "stocks").err


def test_a_dataset_does_not_take_a_symbol_from_its_owners(rustybt: Command, assets: str) -> None:
    rustybt("ingest", "demo", "--name", "stocks")
    refused = rustybt("assets", "add", "--dataset", "stocks")
    assert refused.code == 1
    assert "'FB' names 'FB' always" in refused.err
    assert len(rustybt("assets", "log", "--json").json["revisions"]) == 1


def test_contracts_are_chained(rustybt: Command, assets: str, tmp_path: Path) -> None:
    days = pl.date_range(pl.date(2013, 12, 16), pl.date(2013, 12, 27), eager=True)
    price = {name: [100.25] * 12 for name in ("open", "high", "low", "close")}
    parts = [pl.DataFrame({"ts": days, "asset": [name] * 12, **price, "volume": [9] * 12}) for name in ("ESZ3", "ESH4")]
    pl.concat([parts[0].head(5), parts[1]]).write_parquet(tmp_path / "es.parquet")
    out, log = tmp_path / "series.parquet", tmp_path / "rolls.csv"
    arguments = ["continuous", str(tmp_path / "es.parquet"), "--root", "ES", "--out", str(out), "--log", str(log), "--tick-size", "0.25"]
    made = rustybt(*arguments, "--lead", "2", "--json").json
    assert [(one["session"], one["before"], one["after"]) for one in made["rolls"]] == [("2013-12-18", "ESZ3", "ESH4")]
    assert pl.read_parquet(out)["contract"].to_list() == ["ESZ3"] * 2 + ["ESH4"] * 10
    assert pl.read_csv(log)["gap"].to_list() == [0]
    assert "12 bars, 1 rolls" in rustybt(*arguments).out
    assert rustybt(*arguments, "--roll", "moon").code == 2
    own = rustybt(*arguments, "--expiry", "ESZ3=2013-12-20", "--expiry", "ESH4=2014-03-21", "--lead", "month", "--json").json
    assert [one["session"] for one in own["rolls"]] == []  # the month of the first began before its bars


def test_bars_are_adjusted(rustybt: Command, tmp_path: Path) -> None:
    out, factors = tmp_path / "split.csv", tmp_path / "factors.csv"
    made = rustybt("adjust", "demo", "--mode", "split", "--out", str(out), "--factors", str(factors), "--json").json
    assert (made["bars"], made["assets"], made["pieces"]) == (12154, 5, 8)
    assert pl.read_csv(out).filter(pl.col("asset") == "AAPL")["close"][0] == 130.31 / 4
    early = rustybt("adjust", "demo", "--mode", "split", "--as-of", "2001-01-02", "--out", str(out), "--json").json
    assert early["pieces"] == 4
    assert rustybt("adjust", "demo", "--mode", "upward", "--out", str(out)).code == 2
    assert "unknown file type" in rustybt("adjust", "demo", "--mode", "raw", "--out", "bars.xlsx").err
