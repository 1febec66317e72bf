"""Vendors at the command line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rustybt.testing.vendors import SimulatedBinance, around_the_clock

TAPE = around_the_clock("BTCUSDT", datetime(2024, 1, 1, tzinfo=UTC), "1h", 100)


@pytest.fixture(autouse=True)
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RUSTYBT_CATALOG", str(tmp_path / "catalog"))
    return tmp_path / "catalog"


def test_bars_of_a_vendor_become_a_dataset(rustybt: Callable[..., Any]) -> None:
    with SimulatedBinance([TAPE]) as vendor:
        more = (
            "--name",
            "coins",
            "--frequency",
            "1h",
            "--start",
            "2024-01-01",
            "--end",
            "2024-01-31",
            "--setting",
            f"base_url={vendor.url}",
        )
        ran = rustybt("ingest", "ccxt:binance:BTC/USDT", *more, "--json")
        assert (ran.code, ran.json["bars"], ran.json["assets"], ran.json["new"]) == (0, 100, 1, True)
        assert not rustybt("ingest", "ccxt:binance:BTC/USDT", *more, "--fresh", "--json").json["new"]


def test_a_vendor_that_refuses_is_one_message_and_exit_code_1(rustybt: Callable[..., Any]) -> None:
    with SimulatedBinance([TAPE]) as vendor:
        more = ("--name", "coins", "--start", "2024-01-01", "--frequency", "1h", "--setting", f"base_url={vendor.url}")
        ran = rustybt("ingest", "ccxt:binance:NO/SUCH", *more)
    assert ran.code == 1
    assert "ccxt:binance has no symbol 'NO/SUCH'" in ran.err
    assert "Traceback" not in ran.err


def test_a_key_on_the_command_line_is_refused(rustybt: Callable[..., Any]) -> None:
    ran = rustybt("ingest", "polygon:AAPL", "--name", "x", "--start", "2024-01-01", "--setting", "key=abc")
    assert ran.code == 2
    assert "environment variable" in ran.err


def test_a_source_with_a_slip_is_answered_with_those_like_it(rustybt: Callable[..., Any]) -> None:
    ran = rustybt("ingest", "yfinanse:AAPL", "--name", "x", "--start", "2024-01-01")
    assert ran.code == 2
    assert "there is no source 'yfinanse'" in ran.err
    assert "did you mean 'yfinance'?" in ran.err
