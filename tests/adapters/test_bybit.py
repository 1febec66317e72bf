"""The real pybit against a simulated exchange."""

from __future__ import annotations

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
