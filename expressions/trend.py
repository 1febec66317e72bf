"""Trend: averages of a price and what is built on them."""

from __future__ import annotations

import math

import polars as pl


def _of(column: str | pl.Expr) -> pl.Expr:
    return pl.col(column) if isinstance(column, str) else column


def _ema(x: pl.Expr, window: int) -> pl.Expr:
    return x.ewm_mean(span=window, adjust=False, min_samples=window, ignore_nulls=True)


def _weighted(x: pl.Expr, weights: list[float]) -> pl.Expr:
    # Polars refuses weights on nulls: they are filled, and windows that hold one are blanked.
    window = len(weights)
    return pl.when(x.rolling_min(window).is_not_null()).then(x.fill_null(0.0).rolling_sum(window, weights=weights))


def _wma(x: pl.Expr, window: int) -> pl.Expr:
    total = window * (window + 1) / 2
    return _weighted(x, [i / total for i in range(1, window + 1)])


def sma(column: str | pl.Expr = "close", *, window: int) -> pl.Expr:
    """Simple moving average.

    Args:
        column: what is averaged, a column name or an expression.
        window: bars in the average.

    Formula: ``(x[t] + ... + x[t - window + 1]) / window``.
    Unit: that of the column.
    Lookback: ``window - 1`` bars.
    Nulls: null until the window is full; a null inside the window gives null.
    Source: any textbook; TA-Lib SMA.

    Example:
        >>> frame = pl.DataFrame({"close": [1.0, 2.0, 6.0]})
        >>> frame.select(sma("close", window=2))["close"].to_list()
        [None, 1.5, 4.0]
    """
    return _of(column).rolling_mean(window)


def ema(column: str | pl.Expr = "close", *, window: int) -> pl.Expr:
    """Exponential moving average.

    It starts from the first value; TA-Lib starts from the mean of the first ``window`` values. The difference shrinks by
    ``1 - a`` with each bar.

    Args:
        column: what is averaged, a column name or an expression.
        window: span in bars, ``a = 2 / (window + 1)``.

    Formula: ``e[t] = a * x[t] + (1 - a) * e[t - 1]``, ``e[first] = x[first]``.
    Unit: that of the column.
    Lookback: unbounded.
    Nulls: null until there are ``window`` values; null where the value is, and the average goes on from the last one.
    Source: Appel, Technical Analysis (2005); TA-Lib EMA but for its start.

    Example:
        >>> frame = pl.DataFrame({"close": [1.0, 4.0, 4.0]})
        >>> frame.select(ema("close", window=2))["close"].round(4).to_list()
        [None, 3.0, 3.6667]
    """
    return _ema(_of(column), window)


def wma(column: str | pl.Expr = "close", *, window: int) -> pl.Expr:
    """Linearly weighted moving average: the last value counts ``window`` times, the first once.

    Args:
        column: what is averaged, a column name or an expression.
        window: bars in the average.

    Formula: ``(window * x[t] + ... + 1 * x[t - window + 1]) / (window * (window + 1) / 2)``.
    Unit: that of the column.
    Lookback: ``window - 1`` bars.
    Nulls: null until the window is full; a null inside the window gives null.
    Source: Kaufman, Trading Systems and Methods, 5th ed. (2013), chapter 7; TA-Lib WMA.

    Example:
        >>> frame = pl.DataFrame({"close": [1.0, 4.0, 1.0]})
        >>> frame.select(wma("close", window=2).round(4)).to_series().to_list()
        [None, 3.0, 2.0]
    """
    return _wma(_of(column), window)


def hull(column: str | pl.Expr = "close", *, window: int) -> pl.Expr:
    """Hull moving average: a weighted average with most of its lag taken out.

    Args:
        column: what is averaged, a column name or an expression.
        window: bars of the longest average, 2 or more.

    Formula: ``wma(2 * wma(x, window // 2) - wma(x, window), floor(sqrt(window)))``.
    Unit: that of the column.
    Lookback: ``window - 1 + isqrt(window) - 1`` bars.
    Nulls: null until all windows are full; a null inside them gives null.
    Source: Hull (2005), How to reduce lag in a moving average.

    Example:
        >>> frame = pl.DataFrame({"close": [1.0, 2.0, 3.0, 4.0, 5.0]})
        >>> frame.select(hull("close", window=4).round(4)).to_series().to_list()
        [None, None, None, None, 5.0]
    """
    x = _of(column)
    return _wma(2 * _wma(x, window // 2) - _wma(x, window), math.isqrt(window))


def dema(column: str | pl.Expr = "close", *, window: int) -> pl.Expr:
    """Double exponential moving average. Its averages start as in `ema`, unlike TA-Lib's.

    Args:
        column: what is averaged, a column name or an expression.
        window: span in bars of each average.

    Formula: ``2 * ema(x) - ema(ema(x))``.
    Unit: that of the column.
    Lookback: unbounded.
    Nulls: null for the first ``2 * window - 2`` values and where the value is.
    Source: Mulloy (1994), Smoothing Data with Faster Moving Averages; TA-Lib DEMA but for its start.

    Example:
        >>> frame = pl.DataFrame({"close": [1.0, 4.0, 4.0, 4.0]})
        >>> frame.select(dema("close", window=2).round(4)).to_series().to_list()
        [None, None, 3.8889, 4.037]
    """
    one = _ema(_of(column), window)
    return 2 * one - _ema(one, window)


def tema(column: str | pl.Expr = "close", *, window: int) -> pl.Expr:
    """Triple exponential moving average. Its averages start as in `ema`, unlike TA-Lib's.

    Args:
        column: what is averaged, a column name or an expression.
        window: span in bars of each average.

    Formula: ``3 * e1 - 3 * e2 + e3`` with ``e1 = ema(x)``, ``e2 = ema(e1)``, ``e3 = ema(e2)``.
    Unit: that of the column.
    Lookback: unbounded.
    Nulls: null for the first ``3 * window - 3`` values and where the value is.
    Source: Mulloy (1994), Smoothing Data with Less Lag; TA-Lib TEMA but for its start.

    Example:
        >>> frame = pl.DataFrame({"close": [1.0, 4.0, 4.0, 4.0]})
        >>> frame.select(tema("close", window=2).round(4)).to_series().to_list()
        [None, None, None, 4.0864]
    """
    one = _ema(_of(column), window)
    two = _ema(one, window)
    return 3 * one - 3 * two + _ema(two, window)


def macd_line(column: str | pl.Expr = "close", *, fast: int = 12, slow: int = 26) -> pl.Expr:
    """MACD: the fast average less the slow one. Both start as in `ema`, unlike TA-Lib's.

    Args:
        column: price, a column name or an expression.
        fast: span in bars.
        slow: span in bars.

    Formula: ``ema(x, fast) - ema(x, slow)``.
    Unit: that of the column.
    Lookback: unbounded.
    Nulls: null until there are ``slow`` values and where the value is.
    Source: Appel, Technical Analysis (2005); TA-Lib MACD but for its start.

    Example:
        >>> frame = pl.DataFrame({"close": [1.0, 4.0, 4.0]})
        >>> frame.select(macd_line(fast=1, slow=2))["close"].round(4).to_list()
        [None, 1.0, 0.3333]
    """
    x = _of(column)
    return _ema(x, fast) - _ema(x, slow)


def macd_signal(column: str | pl.Expr = "close", *, fast: int = 12, slow: int = 26, signal: int = 9) -> pl.Expr:
    """Signal line of MACD: its own average. The averages start as in `ema`, unlike TA-Lib's.

    Args:
        column: price, a column name or an expression.
        fast: span in bars.
        slow: span in bars.
        signal: span in bars of the average of the line.

    Formula: ``ema(ema(x, fast) - ema(x, slow), signal)``.
    Unit: that of the column.
    Lookback: unbounded.
    Nulls: null for the first ``slow + signal - 2`` values and where the value is.
    Source: Appel, Technical Analysis (2005); TA-Lib MACD but for its start.

    Example:
        >>> frame = pl.DataFrame({"close": [1.0, 4.0, 4.0, 4.0]})
        >>> frame.select(macd_signal(fast=1, slow=2, signal=2))["close"].round(4).to_list()
        [None, None, 0.5556, 0.2593]
    """
    return _ema(macd_line(column, fast=fast, slow=slow), signal)


def macd_histogram(column: str | pl.Expr = "close", *, fast: int = 12, slow: int = 26, signal: int = 9) -> pl.Expr:
    """MACD above its signal line. The averages start as in `ema`, unlike TA-Lib's.

    Args:
        column: price, a column name or an expression.
        fast: span in bars.
        slow: span in bars.
        signal: span in bars of the signal line.

    Formula: ``macd_line - macd_signal``.
    Unit: that of the column.
    Lookback: unbounded.
    Nulls: null for the first ``slow + signal - 2`` values and where the value is.
    Source: Aspray (1986), MACD histogram; TA-Lib MACD but for its start.

    Example:
        >>> frame = pl.DataFrame({"close": [1.0, 4.0, 4.0, 4.0]})
        >>> frame.select(macd_histogram(fast=1, slow=2, signal=2))["close"].round(4).to_list()
        [None, None, -0.2222, -0.1481]
    """
    line = macd_line(column, fast=fast, slow=slow)
    return line - _ema(line, signal)


def linear_slope(column: str | pl.Expr = "close", *, window: int) -> pl.Expr:
    """Slope of the least-squares line through the last values.

    Args:
        column: price, a column name or an expression.
        window: bars in the fit, 2 or more.

    Formula: ``sum((i - m) * x[t - window + 1 + i]) / sum((i - m)^2)`` for ``i`` from 0, ``m = (window - 1) / 2``.
    Unit: that of the column, per bar.
    Lookback: ``window - 1`` bars.
    Nulls: null until the window is full; a null inside the window gives null.
    Source: any textbook; TA-Lib LINEARREG_SLOPE.

    Example:
        >>> frame = pl.DataFrame({"close": [1.0, 3.0, 5.0, 4.0]})
        >>> frame.select(linear_slope("close", window=3).round(4)).to_series().to_list()
        [None, None, 2.0, 0.5]
    """
    centred = [i - (window - 1) / 2 for i in range(window)]
    spread = sum(c * c for c in centred)
    return _weighted(_of(column), [c / spread for c in centred])


def price_to_average(column: str | pl.Expr = "close", *, window: int) -> pl.Expr:
    """How far a price stands above its simple average.

    Args:
        column: price, a column name or an expression.
        window: bars in the average.

    Formula: ``x[t] / sma(x, window)[t] - 1``.
    Unit: fraction, 0.1 = 10 % above.
    Lookback: ``window - 1`` bars.
    Nulls: null until the window is full; a null inside the window gives null.
    Source: Faber (2007), A Quantitative Approach to Tactical Asset Allocation.

    Example:
        >>> frame = pl.DataFrame({"close": [1.0, 3.0]})
        >>> frame.select(price_to_average(window=2))["close"].to_list()
        [None, 0.5]
    """
    x = _of(column)
    return x / x.rolling_mean(window) - 1
