"""The real alpha_vantage against a simulated server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import rustybt as rbt
from rustybt.testing import SourceSuite
from rustybt.testing.sources import QUICK
from rustybt.testing.vendors import Call, Reply, SimulatedAlphaVantage, Vendor
from tests.adapters.stocks import stocks


class TestAlphaVantage(SourceSuite):
    source, symbols, bars_path, wants_key, pages = "alphavantage", ("AAPL", "MSFT"), "TIME_SERIES_DAILY", True, 1

    def vendor(self) -> Vendor:
        return SimulatedAlphaVantage(stocks())

    def settings(self, vendor: Vendor) -> dict[str, Any]:
        return {**super().settings(vendor), "requests_per_minute": 6000}


@pytest.mark.parametrize(
    ("said", "kind", "retryable"),
    [
        ("We have detected your API key as open-sesame and our standard API rate limit is 25 requests per day.", "asked too often", True),
        ("Thank you! This is a premium endpoint. You may subscribe.", "premium endpoint", False),
    ],
)
def test_what_it_says_with_status_200_is_understood(tmp_path: Path, said: str, kind: str, retryable: bool) -> None:
    class Terse(SimulatedAlphaVantage):
        def answer(self, call: Call) -> Reply:
            return Reply({"Information": said})

    with Terse(stocks()) as vendor:
        settings = {"base_url": vendor.url, "key": vendor.key}
        with pytest.raises(rbt.SourceError, match=kind) as caught:
            rbt.ingest("alphavantage:AAPL", "got", catalog=tmp_path, start="2024-01-01", settings=settings, patience=QUICK)
    assert caught.value.retryable is retryable
    assert vendor.key not in str(caught.value)
    assert len(vendor.calls) == 1


def test_the_end_of_a_symbol_says_its_exchange() -> None:
    from rustybt.adapters.alphavantage import AlphaVantageSource

    source = AlphaVantageSource("k", None, 5, 1.0)
    assert [source.terms(symbol).calendar for symbol in ("IBM", "TSCO.LON", "600104.SHH")] == ["XNYS", "XLON", None]
