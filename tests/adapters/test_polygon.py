"""The real client of Polygon (Massive) against a simulated one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rustybt.testing import SourceSuite
from rustybt.testing.vendors import SimulatedPolygon, Vendor, around_the_clock
from tests.adapters.stocks import stocks


class TestPolygon(SourceSuite):
    source, symbols, bars_path, wants_key = "polygon", ("AAPL", "MSFT"), "/v2/aggs/", True

    def vendor(self) -> Vendor:
        return SimulatedPolygon(stocks())

    def settings(self, vendor: Vendor) -> dict[str, Any]:
        return {**super().settings(vendor), "requests_per_minute": 6000}


class TestPolygonIntraday(TestPolygon):
    start, end = "2024-06-03", "2024-06-14"

    def vendor(self) -> Vendor:
        return SimulatedPolygon(stocks("15m"))


class TestPolygonCoins(TestPolygon):
    """Pairs have a colon in their name, and days that begin at midnight UTC."""

    symbols, unknown = ("X:BTCUSD", "X:ETHUSD"), "X:NOSUCH"

    def vendor(self) -> Vendor:
        start = datetime(2024, 1, 1, tzinfo=UTC)
        return SimulatedPolygon([around_the_clock(symbol, start, "1d", 250, seed=4, step="0.001") for symbol in self.symbols])
