"""Statistics of a window: where a value stands in its own past, and how two series move together."""

from __future__ import annotations

import math

import polars as pl


def _of(column: str | pl.Expr) -> pl.Expr:
    return pl.col(column) if isinstance(column, str) else column


def _ratio(above: pl.Expr, below: pl.Expr) -> pl.Expr:
    return pl.when(below != 0).then(above / below)


def _covariance(x: pl.Expr, y: pl.Expr, window: int) -> pl.Expr:
    # Means and variances have to be of the same pairs.
    both = x.is_not_null() & y.is_not_null()
    x, y = pl.when(both).then(x), pl.when(both).then(y)
    return (x * y).rolling_mean(window) - x.rolling_mean(window) * y.rolling_mean(window)


def zscore(column: str | pl.Expr = "close", *, window: int = 20) -> pl.Expr:
    """Distance of a value from its mean, in standard deviations.

    Args:
        column: a column name or an expression.
        window: values in mean and deviation, 2 or more.

    Formula: ``(x - mean(x, window)) / std(x, window)``, divided by ``window - 1``.
    Unit: standard deviations.
    Lookback: ``window - 1`` bars.
    Nulls: null until the window is full; a null inside it gives null, and so does a deviation of 0.
    Source: Chan, Algorithmic Trading (2013), chapter 2.

    Example:
        >>> pl.DataFrame({"close": [1.0, 3.0]}).select(zscore(window=2).round(4)).to_series().to_list()
        [None, 0.7071]
    """
    x = _of(column)
    return _ratio(x - x.rolling_mean(window), x.rolling_std(window))


def rolling_correlation(column: str | pl.Expr, other: str | pl.Expr, *, window: int = 60) -> pl.Expr:
    """Pearson correlation of two columns.

    Args:
        column: a column name or an expression, such as a return.
        other: the column it is compared with.
        window: pairs in the sample, 2 or more.

    Formula: ``cov(x, y) / (std(x) * std(y))``.
    Unit: -1 to 1.
    Lookback: ``window - 1`` bars.
    Nulls: null until the window is full; a null in either column inside it gives null, and so does a variance of 0.
    Source: any textbook; TA-Lib CORREL.

    Example:
        >>> frame = pl.DataFrame({"x": [1.0, 2.0, 4.0], "y": [2.0, 4.0, 8.0]})
        >>> frame.select(rolling_correlation("x", "y", window=3).round(4)).to_series().to_list()
        [None, None, 1.0]
    """
    x, y = _of(column), _of(other)
    scale = (_covariance(x, x, window).clip(lower_bound=0.0) * _covariance(y, y, window).clip(lower_bound=0.0)).sqrt()
    return _ratio(_covariance(x, y, window), scale).clip(-1.0, 1.0)


def rolling_beta(column: str | pl.Expr, other: str | pl.Expr, *, window: int = 60) -> pl.Expr:
    """Slope of one column on another, such as an asset's return on the market's.

    Args:
        column: the dependent column, a column name or an expression.
        other: the column that explains it.
        window: pairs in the sample, 2 or more.

    Formula: ``cov(x, y) / var(y)``.
    Unit: units of ``column`` per unit of ``other``.
    Lookback: ``window - 1`` bars.
    Nulls: null until the window is full; a null in either column inside it gives null, and so does a variance of 0.
    Source: Sharpe (1963), A Simplified Model for Portfolio Analysis; TA-Lib BETA with returns as input.

    Example:
        >>> frame = pl.DataFrame({"x": [1.0, 2.0, 4.0], "y": [2.0, 4.0, 8.0]})
        >>> frame.select(rolling_beta("x", "y", window=3).round(4)).to_series().to_list()
        [None, None, 0.5]
    """
    x, y = _of(column), _of(other)
    return _ratio(_covariance(x, y, window), _covariance(y, y, window))


def autocorrelation(column: str | pl.Expr = "close", *, window: int = 60, lag: int = 1) -> pl.Expr:
    """Correlation of a column with its own earlier values.

    Args:
        column: a column name or an expression, such as a return.
        window: pairs in the sample, 2 or more.
        lag: bars between the two values of a pair.

    Formula: ``correlation(x[t], x[t - lag])`` over ``window`` pairs.
    Unit: -1 to 1.
    Lookback: ``window - 1 + lag`` bars.
    Nulls: null until there are ``window`` pairs; a null inside gives null, and so does a variance of 0.
    Source: Lo and MacKinlay (1988), Stock Market Prices Do Not Follow Random Walks.

    Example:
        >>> pl.DataFrame({"close": [1.0, 2.0, 1.0, 2.0]}).select(autocorrelation(window=3).round(4)).to_series().to_list()
        [None, None, None, -1.0]
    """
    x = _of(column)
    return rolling_correlation(x, x.shift(lag), window=window)


def rolling_skew(column: str | pl.Expr = "close", *, window: int = 60) -> pl.Expr:
    """Skewness of a window: negative when its left tail is the longer.

    Args:
        column: a column name or an expression, such as a return.
        window: values in the sample.

    Formula: ``m3 / m2^1.5`` with the central moments of the window, divided by ``window``.
    Unit: none.
    Lookback: ``window - 1`` bars.
    Nulls: null until the window is full; a null inside it gives null; NaN where all values are equal.
    Source: Joanes and Gill (1998), Comparing Measures of Sample Skewness and Kurtosis, g1.

    Example:
        >>> pl.DataFrame({"close": [1.0, 1.0, 4.0]}).select(rolling_skew(window=3).round(4)).to_series().to_list()
        [None, None, 0.7071]
    """
    return _of(column).rolling_skew(window)


def rolling_kurtosis(column: str | pl.Expr = "close", *, window: int = 60) -> pl.Expr:
    """Excess kurtosis of a window: above 0 when its tails are fatter than those of a normal distribution.

    Args:
        column: a column name or an expression, such as a return.
        window: values in the sample.

    Formula: ``m4 / m2^2 - 3`` with the central moments of the window, divided by ``window``.
    Unit: none.
    Lookback: ``window - 1`` bars.
    Nulls: null until the window is full; a null inside it gives null; NaN where all values are equal.
    Source: Joanes and Gill (1998), Comparing Measures of Sample Skewness and Kurtosis, g2.

    Example:
        >>> pl.DataFrame({"close": [1.0, 1.0, 4.0]}).select(rolling_kurtosis(window=3).round(4)).to_series().to_list()
        [None, None, -1.5]
    """
    return _of(column).rolling_kurtosis(window)


def rolling_rank(column: str | pl.Expr = "close", *, window: int = 60) -> pl.Expr:
    """Share of the window that is not above this value.

    Args:
        column: a column name or an expression.
        window: values looked at, this one included.

    Formula: ``rank of x[t] in x[t - window + 1..t] / window``, equal values share their average rank.
    Unit: above 0, at most 1 = the highest.
    Lookback: ``window - 1`` bars.
    Nulls: null until the window is full; a null inside it gives null.
    Source: any textbook on order statistics.

    Example:
        >>> pl.DataFrame({"close": [1.0, 3.0, 2.0]}).select(rolling_rank(window=2)).to_series().to_list()
        [None, 1.0, 0.5]
    """
    return _of(column).rolling_rank(window) / window


def rolling_quantile(column: str | pl.Expr = "close", *, quantile: float = 0.5, window: int = 60) -> pl.Expr:
    """Quantile of a window, between two values on the line that joins them.

    Args:
        column: a column name or an expression.
        quantile: 0 to 1, 0.5 = median.
        window: values looked at, this one included.

    Formula: value at place ``quantile * (window - 1)`` of the sorted window, counted from 0.
    Unit: that of the column.
    Lookback: ``window - 1`` bars.
    Nulls: null until the window is full; a null inside it gives null.
    Source: Hyndman and Fan (1996), Sample Quantiles in Statistical Packages, type 7.

    Example:
        >>> pl.DataFrame({"close": [1.0, 3.0, 2.0]}).select(rolling_quantile(window=2)).to_series().to_list()
        [None, 2.0, 2.5]
    """
    return _of(column).rolling_quantile(quantile, interpolation="linear", window_size=window)


def rolling_sharpe(column: str | pl.Expr = "close", *, window: int = 252, periods: int = 252) -> pl.Expr:
    """Mean return over its standard deviation, per year, without a risk-free rate.

    Args:
        column: price above 0, a column name or an expression.
        window: returns in the sample, 2 or more.
        periods: bars in a year.

    Formula: ``sqrt(periods) * mean(r, window) / std(r, window)``, ``r = x[t] / x[t - 1] - 1``, divided by ``window - 1``.
    Unit: per square root of a year.
    Lookback: ``window`` bars.
    Nulls: null until there are ``window`` returns; a null inside gives null, and so does a deviation of 0.
    Source: Sharpe (1994), The Sharpe Ratio.

    Example:
        >>> frame = pl.DataFrame({"close": [1.0, 1.1, 1.21, 1.1]})
        >>> frame.select(rolling_sharpe(window=3, periods=1).round(4)).to_series().to_list()
        [None, None, None, 0.3299]
    """
    x = _of(column)
    returns = x / x.shift(1) - 1
    return _ratio(returns.rolling_mean(window) * math.sqrt(periods), returns.rolling_std(window))


def efficiency_ratio(column: str | pl.Expr = "close", *, window: int = 10) -> pl.Expr:
    """Kaufman's efficiency: the way made as a share of the way walked.

    Args:
        column: price, a column name or an expression.
        window: moves looked at.

    Formula: ``|x[t] - x[t - window]| / sum(|x[i] - x[i - 1]|)``.
    Unit: 0 = noise, 1 = a straight line.
    Lookback: ``window`` bars.
    Nulls: null until there are ``window`` moves; a null inside gives null, and so does a window without movement.
    Source: Kaufman, Smarter Trading (1995).

    Example:
        >>> pl.DataFrame({"close": [1.0, 3.0, 2.0]}).select(efficiency_ratio(window=2).round(4)).to_series().to_list()
        [None, None, 0.3333]
    """
    x = _of(column)
    return _ratio(x.diff(window).abs(), x.diff().abs().rolling_sum(window))
