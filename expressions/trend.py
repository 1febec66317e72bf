"""Trend: moving averages and what is built on them."""

from __future__ import annotations

import polars as pl


def sma(column: str = "close", *, window: int) -> pl.Expr:
    """Simple moving average.

    Args:
        column: what is averaged.
        window: bars in the average.

    Returns:
        Float64 per row, in units of the column.

    Formula: ``(x[t] + ... + x[t - window + 1]) / window``.
    Lookback: ``window - 1`` bars.
    Nulls: null until the window is full; a null inside the window gives null.
    Source: any textbook; TA-Lib SMA.

    Example:
        >>> frame = pl.DataFrame({"close": [1.0, 2.0, 6.0]})
        >>> frame.select(sma("close", window=2))["close"].to_list()
        [None, 1.5, 4.0]
    """
    return pl.col(column).rolling_mean(window)
