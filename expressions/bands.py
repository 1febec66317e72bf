"""Bands and channels: lines around a price, as wide as it moves (a part of the volatility family)."""

from __future__ import annotations

import polars as pl


def _of(column: str | pl.Expr) -> pl.Expr:
    return pl.col(column) if isinstance(column, str) else column


def _ratio(above: pl.Expr, below: pl.Expr) -> pl.Expr:
    return pl.when(below != 0).then(above / below)


def _average_range(prefix: str, window: int) -> pl.Expr:
    # Wilder's average of true ranges: it starts from the mean of the first ones, then moves by 1 / window of the distance.
    high, low, before = pl.col(prefix + "high"), pl.col(prefix + "low"), pl.col(prefix + "close").shift(1)
    known = high.is_not_null() & low.is_not_null() & before.is_not_null()
    x = pl.when(known).then(pl.max_horizontal(high, before) - pl.min_horizontal(low, before))
    count = x.cum_count()
    seeded = pl.when(count > window).then(x).when(count == window).then(x.cum_sum() / window)
    return seeded.ewm_mean(alpha=1 / window, adjust=False, ignore_nulls=True)


def bollinger_upper(column: str | pl.Expr = "close", *, window: int = 20, deviations: float = 2.0) -> pl.Expr:
    """Upper Bollinger band.

    Args:
        column: price, a column name or an expression.
        window: bars of mean and deviation.
        deviations: standard deviations above the mean.

    Formula: ``sma + deviations * s``, ``s`` the standard deviation of the window divided by ``window`` (not ``window - 1``).
    Unit: that of the column.
    Lookback: ``window - 1`` bars.
    Nulls: null until the window is full; a null inside the window gives null.
    Source: Bollinger on Bollinger Bands (2001); TA-Lib BBANDS.

    Example:
        >>> pl.DataFrame({"close": [1.0, 3.0]}).select(bollinger_upper(window=2)).to_series().to_list()
        [None, 4.0]
    """
    x = _of(column)
    return x.rolling_mean(window) + deviations * x.rolling_std(window, ddof=0)


def bollinger_lower(column: str | pl.Expr = "close", *, window: int = 20, deviations: float = 2.0) -> pl.Expr:
    """Lower Bollinger band.

    Args:
        column: price, a column name or an expression.
        window: bars of mean and deviation.
        deviations: standard deviations below the mean.

    Formula: ``sma - deviations * s``, ``s`` the standard deviation of the window divided by ``window`` (not ``window - 1``).
    Unit: that of the column.
    Lookback: ``window - 1`` bars.
    Nulls: null until the window is full; a null inside the window gives null.
    Source: Bollinger on Bollinger Bands (2001); TA-Lib BBANDS.

    Example:
        >>> pl.DataFrame({"close": [1.0, 3.0]}).select(bollinger_lower(window=2)).to_series().to_list()
        [None, 0.0]
    """
    x = _of(column)
    return x.rolling_mean(window) - deviations * x.rolling_std(window, ddof=0)


def percent_b(column: str | pl.Expr = "close", *, window: int = 20, deviations: float = 2.0) -> pl.Expr:
    """Where a price stands between its Bollinger bands.

    Args:
        column: price, a column name or an expression.
        window: bars of mean and deviation.
        deviations: standard deviations from the mean to a band.

    Formula: ``(x - lower) / (upper - lower)``.
    Unit: 0 at the lower band, 1 at the upper; it may lie outside.
    Lookback: ``window - 1`` bars.
    Nulls: null until the window is full; a null inside the window gives null, and so do bands of no width.
    Source: Bollinger on Bollinger Bands (2001).

    Example:
        >>> pl.DataFrame({"close": [1.0, 3.0]}).select(percent_b(window=2)).to_series().to_list()
        [None, 0.75]
    """
    x = _of(column)
    return 0.5 + _ratio(x - x.rolling_mean(window), 2 * deviations * x.rolling_std(window, ddof=0))


def bandwidth(column: str | pl.Expr = "close", *, window: int = 20, deviations: float = 2.0) -> pl.Expr:
    """Width of the Bollinger bands as a fraction of the mean.

    Args:
        column: price, a column name or an expression.
        window: bars of mean and deviation.
        deviations: standard deviations from the mean to a band.

    Formula: ``(upper - lower) / sma``.
    Unit: fraction.
    Lookback: ``window - 1`` bars.
    Nulls: null until the window is full; a null inside the window gives null, and so does a mean of 0.
    Source: Bollinger on Bollinger Bands (2001).

    Example:
        >>> pl.DataFrame({"close": [1.0, 3.0]}).select(bandwidth(window=2)).to_series().to_list()
        [None, 2.0]
    """
    x = _of(column)
    return _ratio(2 * deviations * x.rolling_std(window, ddof=0), x.rolling_mean(window))


def keltner_upper(*, window: int = 20, ranges: float = 2.0, prefix: str = "") -> pl.Expr:
    """Upper Keltner line, as modified by Raschke: an exponential average and average true ranges.

    Args:
        window: span of the average of the close and bars of the `atr`.
        ranges: average true ranges above the average.
        prefix: of the price columns; ``adj_`` for adjusted ones.

    Formula: ``ema(close, window) + ranges * atr(window)``; the ema starts from the first close.
    Unit: that of the price.
    Lookback: unbounded.
    Nulls: null for the first ``window`` bars and where the true range or the close is.
    Source: Keltner, How to Make Money in Commodities (1960); Connors and Raschke, Street Smarts (1995).

    Example:
        >>> bars = pl.DataFrame({"high": [10.0, 12.0], "low": [8.0, 11.0], "close": [9.0, 12.0]})
        >>> bars.select(keltner_upper(window=1, ranges=2)).to_series().to_list()
        [None, 18.0]
    """
    middle = pl.col(prefix + "close").ewm_mean(span=window, adjust=False, min_samples=window, ignore_nulls=True)
    return middle + ranges * _average_range(prefix, window)


def keltner_lower(*, window: int = 20, ranges: float = 2.0, prefix: str = "") -> pl.Expr:
    """Lower Keltner line, as modified by Raschke: an exponential average and average true ranges.

    Args:
        window: span of the average of the close and bars of the `atr`.
        ranges: average true ranges below the average.
        prefix: of the price columns; ``adj_`` for adjusted ones.

    Formula: ``ema(close, window) - ranges * atr(window)``; the ema starts from the first close.
    Unit: that of the price.
    Lookback: unbounded.
    Nulls: null for the first ``window`` bars and where the true range or the close is.
    Source: Keltner, How to Make Money in Commodities (1960); Connors and Raschke, Street Smarts (1995).

    Example:
        >>> bars = pl.DataFrame({"high": [10.0, 12.0], "low": [8.0, 11.0], "close": [9.0, 12.0]})
        >>> bars.select(keltner_lower(window=1, ranges=2)).to_series().to_list()
        [None, 6.0]
    """
    return keltner_upper(window=window, ranges=-ranges, prefix=prefix)


def donchian_high(column: str | pl.Expr = "high", *, window: int = 20) -> pl.Expr:
    """Upper Donchian line: the highest value before this bar, so that a close above it is a breakout.

    Args:
        column: price, a column name or an expression.
        window: bars looked at, this one not included.

    Formula: ``max(x[t - 1], ..., x[t - window])``.
    Unit: that of the column.
    Lookback: ``window`` bars.
    Nulls: null until there are ``window`` earlier bars; a null inside the window gives null.
    Source: Faith, Way of the Turtle (2007); TA-Lib MAX one bar earlier.

    Example:
        >>> pl.DataFrame({"high": [1.0, 3.0, 2.0]}).select(donchian_high(window=2)).to_series().to_list()
        [None, None, 3.0]
    """
    return _of(column).rolling_max(window).shift(1)


def donchian_low(column: str | pl.Expr = "low", *, window: int = 20) -> pl.Expr:
    """Lower Donchian line: the lowest value before this bar.

    Args:
        column: price, a column name or an expression.
        window: bars looked at, this one not included.

    Formula: ``min(x[t - 1], ..., x[t - window])``.
    Unit: that of the column.
    Lookback: ``window`` bars.
    Nulls: null until there are ``window`` earlier bars; a null inside the window gives null.
    Source: Faith, Way of the Turtle (2007); TA-Lib MIN one bar earlier.

    Example:
        >>> pl.DataFrame({"low": [1.0, 3.0, 2.0]}).select(donchian_low(window=2)).to_series().to_list()
        [None, None, 1.0]
    """
    return _of(column).rolling_min(window).shift(1)
