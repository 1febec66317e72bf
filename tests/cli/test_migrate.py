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
