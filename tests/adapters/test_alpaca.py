"""The real alpaca-py against a simulated Alpaca."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import rustybt as rbt
from rustybt.testing import SourceSuite
from rustybt.testing.sources import QUICK
from rustybt.testing.vendors import Call, Reply, SimulatedAlpaca, Vendor
from tests.adapters.stocks import stocks


class TestAlpaca(SourceSuite):
    source, symbols, bars_path, wants_key = "alpaca", ("AAPL", "MSFT"), "/stocks/bars", True

    def vendor(self) -> Vendor:
        return SimulatedAlpaca(stocks())

    def settings(self, vendor: Vendor) -> dict[str, Any]:
        return {**super().settings(vendor), "secret": vendor.key}


class TestAlpacaIntraday(TestAlpaca):
    """Sessions of minutes, over midnight of UTC dates."""

    start, end = "2024-06-03", "2024-06-14"

    def vendor(self) -> Vendor:
        return SimulatedAlpaca(stocks("15m"))


def test_without_a_key_the_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("APCA_API_KEY_ID", "ALPACA_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(rbt.ConfigError, match="alpaca needs a key") as caught:
        rbt.ingest("alpaca:AAPL", "got", start="2024-01-01")
    assert "APCA_API_KEY_ID" in caught.value.do


def test_keys_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with SimulatedAlpaca(stocks()) as vendor:
        monkeypatch.setenv("APCA_API_KEY_ID", vendor.key)
        monkeypatch.setenv("APCA_API_SECRET_KEY", vendor.key)
        given: dict[str, Any] = {"start": "2024-01-01", "end": "2024-12-31", "patience": QUICK}
        made = rbt.ingest("alpaca:MSFT", "got", catalog=tmp_path, settings={"base_url": vendor.url, "feed": "iex"}, **given)
    assert rbt.Catalog(tmp_path).open(made.name).calendar == "XNYS"
    assert {call.query.get("feed") for call in vendor.calls_to("/stocks/bars")} == {"iex"}


def test_a_plan_that_does_not_cover_the_feed_says_so(tmp_path: Path) -> None:
    class Stern(SimulatedAlpaca):
        def answer(self, call: Call) -> Reply:
            return Reply({"message": "subscription does not permit querying recent SIP data"}, 403)

    with Stern(stocks()) as vendor:
        settings = {"base_url": vendor.url, "key": vendor.key, "secret": vendor.key}
        with pytest.raises(rbt.SourceError, match="another feed, or an earlier end") as caught:
            rbt.ingest("alpaca:MSFT", "got", catalog=tmp_path, start="2024-01-01", settings=settings, patience=QUICK)
    assert not caught.value.retryable
