"""Bybit through its official client pybit: ``bybit:BTCUSDT``, ``bybit:linear:BTCUSDT``."""

from rustybt.adapters.bybit.source import BybitSource, open_source

__all__ = ["BybitSource", "open_source"]
