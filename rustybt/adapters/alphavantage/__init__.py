"""Alpha Vantage through alpha_vantage: ``alphavantage:IBM,TSCO.LON``."""

from rustybt.adapters.alphavantage.source import AlphaVantageSource, open_source

__all__ = ["AlphaVantageSource", "open_source"]
