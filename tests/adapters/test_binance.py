"""The real client of Binance against a simulated exchange."""

from __future__ import annotations

from rustybt.testing import SourceSuite
from rustybt.testing.vendors import SimulatedBinance, Vendor
from tests.adapters.coins import coins


class TestBinance(SourceSuite):
    source, symbols, bars_path = "binance", ("BTCUSDT", "ETHUSDT"), "klines"

    def vendor(self) -> Vendor:
        return SimulatedBinance(coins())
