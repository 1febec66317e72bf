"""``rustybt migrate``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

BUNDLES = Path(__file__).parents[1] / "data" / "bundles" / "real"


@pytest.fixture(autouse=True)
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUSTYBT_CATALOG", str(tmp_path / "catalog"))


def test_a_bundle_becomes_a_dataset_with_a_report(rustybt: Callable[..., Any], tmp_path: Path) -> None:
    report = tmp_path / "report.parquet"
    ran = rustybt("migrate", str(BUNDLES / "daily"), "--name", "old", "--report", str(report), "--json")
    assert (ran.code, ran.json["ok"], ran.json["events"], ran.json["empty"]) == (0, True, 3, 1)
    assert pl.read_parquet(report)["rows"].sum() == ran.json["rows"]
    again = rustybt("migrate", str(BUNDLES / "daily"), "--name", "old")
    assert "every row, sum and checksum is that of the bundle" in again.out
    assert rustybt("catalog", "show", "old", "--json").json["snapshot"]["assets"] == 4


def test_what_is_no_bundle_is_one_message(rustybt: Callable[..., Any], tmp_path: Path) -> None:
    ran = rustybt("migrate", str(tmp_path), "--name", "old")
    assert ran.code == 1
    assert "there are no daily bars of a bundle" in ran.err
    assert rustybt("migrate", str(tmp_path), "--name", "old", "--kind", "hourly").code == 2


def test_splits_that_the_prices_hold_already_are_said_and_found(rustybt: Callable[..., Any], tmp_path: Path) -> None:
    days = [f"2024-01-{day:02}" for day in range(8, 13)]
    rows = "".join(f"{day},10.0,10.5,9.9,10.{number},1000,0.0,{7.0 if number == 3 else 1.0}\n" for number, day in enumerate(days))
    (tmp_path / "b/daily").mkdir(parents=True)
    (tmp_path / "b/daily/AAPL.csv").write_text("date,open,high,low,close,volume,dividend,split\n" + rows)
    ran = rustybt("migrate", str(tmp_path / "b"), "--name", "old", "--calendar", "XNYS")
    assert "- 1 split is not seen in the prices (first: 'AAPL', 7:1 on 2024-01-11)" in ran.out
    assert rustybt("catalog", "show", "old", "--json").json["versions"][0]["source"] == str(tmp_path / "b")
    found = rustybt("catalog", "check", "old", "--json")
    assert (found.code, found.json["counts"]) == (1, {"split without a jump": 1})
    assert rustybt("catalog", "check", "old", "--events", str(tmp_path / "none.csv")).code == 1
