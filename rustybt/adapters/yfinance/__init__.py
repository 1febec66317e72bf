"""Yahoo Finance through yfinance: ``yfinance:AAPL,MSFT``."""

from rustybt.adapters.yfinance.source import YahooSource, open_source

__all__ = ["YahooSource", "open_source"]
