"""Stocks through alpaca-py: ``alpaca:AAPL,MSFT``."""

from rustybt.adapters.alpaca.source import AlpacaSource, open_source

__all__ = ["AlpacaSource", "open_source"]
