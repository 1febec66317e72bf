"""A hundred exchanges through ccxt: ``ccxt:binance:BTC/USDT,ETH/USDT``."""

from rustybt.adapters.ccxt.source import CcxtSource, open_source

__all__ = ["CcxtSource", "open_source"]
