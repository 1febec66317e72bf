"""Momentum: how far and how fast a price has moved."""

from __future__ import annotations

import polars as pl


def momentum(column: str = "close", *, lookback: int = 252, skip: int = 21) -> pl.Expr:
    """Return over a long window that leaves out the most recent bars (12-1 momentum with 252 and 21).

    Args:
        column: price.
        lookback: bars from the start of the window to now.
        skip: most recent bars left out, less than ``lookback``.

    Returns:
        Float64 per row, 0.1 = 10 %.

    Formula: ``x[t - skip] / x[t - lookback] - 1``.
    Lookback: ``lookback`` bars.
    Nulls: null until there are ``lookback`` earlier bars; a null at either end gives null.
    Source: Jegadeesh and Titman (1993), Returns to Buying Winners and Selling Losers.

    Example:
        >>> frame = pl.DataFrame({"close": [10.0, 11.0, 12.0, 9.0]})
        >>> frame.select(momentum("close", lookback=2, skip=1))["close"].round(3).to_list()
        [None, None, 0.1, 0.091]
    """
    return pl.col(column).shift(skip) / pl.col(column).shift(lookback) - 1
