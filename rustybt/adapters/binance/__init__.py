"""Binance spot through its official client: ``binance:BTCUSDT``."""

from rustybt.adapters.binance.source import BinanceSource, open_source

__all__ = ["BinanceSource", "open_source"]
