"""The real pybit against a simulated exchange."""

from __future__ import annotations

from pathlib import Path

import pytest

import rustybt as rbt
from rustybt.data.download import open_address
from rustybt.testing import SourceSuite
from rustybt.testing.vendors import SimulatedBybit, Vendor
from tests.adapters.coins import coins


class TestBybit(SourceSuite):
    source, symbols, bars_path = "bybit", ("BTCUSDT", "ETHUSDT"), "/kline"

    def vendor(self) -> Vendor:
        return SimulatedBybit(coins())


def test_a_category_stands_before_the_symbols() -> None:
    source, symbols = open_address("bybit:linear:BTCUSDT,ETHUSDT")
    assert (source.name, symbols) == ("bybit:linear", ("BTCUSDT", "ETHUSDT"))
    with pytest.raises(rbt.ConfigError, match="bybit has no category 'option'"):
        open_address("bybit:option:BTC-1JAN27-100000-C")


class TestBybitLinear(SourceSuite):
    source, symbols, bars_path = "bybit:linear", ("BTCUSDT", "ETHUSDT"), "/kline"

    def vendor(self) -> Vendor:
        return SimulatedBybit(coins())


@pytest.mark.parametrize("category", ["spot", "linear", "inverse"])
def test_each_category_gives_its_bars_and_terms(category: str, tmp_path: Path) -> None:
    with SimulatedBybit(coins()) as vendor:
        given = {"start": "2024-01-01", "end": "2024-01-31", "frequency": "1h", "settings": {"base_url": vendor.url}}
        made = rbt.ingest(f"bybit:{category}:BTCUSDT", "got", catalog=tmp_path, **given)  # type: ignore[arg-type]
    panel = rbt.Catalog(tmp_path).open(made.name)
    assert (made.source, panel.symbols) == (f"bybit:{category}:BTCUSDT", ("BTCUSDT",))
    assert panel.assets[0].currency == "USDT"
    assert {call.query["category"] for call in vendor.calls if "category" in call.query} == {category}
