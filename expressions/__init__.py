"""A library of Polars expressions to read, copy and extend."""

from expressions.momentum import momentum
from expressions.trend import sma

__all__ = ["momentum", "sma"]
