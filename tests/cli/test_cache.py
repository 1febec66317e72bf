"""``rustybt cache`` and the flags of ``rustybt ingest`` that go with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rustybt.testing.vendors import SimulatedBinance, around_the_clock

TAPES = [
    around_the_clock(symbol, datetime(2024, 1, 1, tzinfo=UTC), "1h", 100, seed=seed) for seed, symbol in enumerate(("BTCUSDT", "ETHUSDT"))
]
SPAN = ("--frequency", "1h", "--start", "2024-01-01", "--end", "2024-01-31")


@pytest.fixture(autouse=True)
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RUSTYBT_CATALOG", str(tmp_path / "catalog"))
    return tmp_path / "catalog"


def test_what_is_warm_is_ingested_offline_and_counted(rustybt: Callable[..., Any]) -> None:
    with SimulatedBinance(TAPES) as vendor:
        there = ("--setting", f"base_url={vendor.url}")
        assert rustybt("cache", "warm", "binance:BTCUSDT", *SPAN, *there, "--json").json == {"symbols": {"BTCUSDT": "whole"}}
        calls = len(vendor.calls)
        ran = rustybt("ingest", "binance:BTCUSDT", "--name", "coins", *SPAN, *there, "--offline", "--json")
        assert (ran.code, ran.json["bars"], len(vendor.calls)) == (0, 100, calls)
        lacking = rustybt("ingest", "binance:BTCUSDT,ETHUSDT", "--name", "more", *SPAN, *there, "--offline")
        assert (lacking.code, len(vendor.calls)) == (1, calls)
        assert "the cache lacks bars of 1 of 2 symbols: ETHUSDT (nothing is kept)" in lacking.err
        assert rustybt("ingest", "binance:BTCUSDT", "--name", "coins", *SPAN, *there, "--fresh", "--json").code == 0
        assert len(vendor.calls) > calls
    found = rustybt("cache", "stats", "--json").json
    assert (found["entries"], found["rows"], found["counts"]["whole"]) == (1, 100, 2)
    assert 0 < found["hit_rate"] < 1
    assert "BTCUSDT" in rustybt("cache", "stats").out
    assert rustybt("cache", "clear", "--symbol", "ETHUSDT", "--json").json == {"cleared": 0}
    assert "1 requests were forgotten" in rustybt("cache", "clear").out
    assert rustybt("cache", "stats", "--json").json["counts"]["whole"] == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("ingest", "binance:X", "--name", "x", "--start", "2024-01-01", "--fresh", "--offline"), "--fresh and --offline were given"),
        (("ingest", "binance:X", "--name", "x", "--start", "2024-01-01", "--freshness", "soon"), "freshness 'soon' is not understood"),
        (("ingest", "demo", "--name", "x", "--offline"), "offline is for vendors"),
        (("cache", "warm", "demo", "--start", "2024-01-01"), "only downloads are kept in the cache"),
        (("cache", "warm", "polygon:A", "--start", "2024-01-01", "--setting", "key=k"), "shows it to everybody"),
        (("cache", "clear", "--source", ""), "--source is empty"),
    ],
)
def test_what_cannot_be_is_said_in_one_message(rustybt: Callable[..., Any], given: tuple[str, ...], said: str) -> None:
    ran = rustybt(*given)
    assert ran.code == 2
    assert said in ran.err
