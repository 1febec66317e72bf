"""Polygon, now Massive, through its client massive: ``polygon:AAPL,X:BTCUSD``."""

from rustybt.adapters.polygon.source import PolygonSource, open_source

__all__ = ["PolygonSource", "open_source"]
