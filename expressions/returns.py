"""Returns: how much a price has changed, as a fraction."""

from __future__ import annotations

import polars as pl


def _of(column: str | pl.Expr) -> pl.Expr:
    return pl.col(column) if isinstance(column, str) else column


def simple_return(column: str | pl.Expr = "close", *, periods: int = 1) -> pl.Expr:
    """Change over some bars as a fraction of where it began.

    Args:
        column: price, a column name or an expression.
        periods: bars from begin to end.

    Formula: ``x[t] / x[t - periods] - 1``.
    Unit: fraction, 0.1 = 10 %.
    Lookback: ``periods`` bars.
    Nulls: null until there are ``periods`` earlier bars; a null at either end gives null.
    Source: Tsay, Analysis of Financial Time Series, 3rd ed. (2010), 1.1.

    Example:
        >>> pl.DataFrame({"close": [10.0, 11.0, 8.8]}).select(simple_return().round(4))["close"].to_list()
        [None, 0.1, -0.2]
    """
    x = _of(column)
    return x / x.shift(periods) - 1


def log_return(column: str | pl.Expr = "close", *, periods: int = 1) -> pl.Expr:
    """Continuously compounded change over some bars.

    Args:
        column: price above 0, a column name or an expression.
        periods: bars from begin to end.

    Formula: ``ln(x[t] / x[t - periods])``.
    Unit: natural logarithm.
    Lookback: ``periods`` bars.
    Nulls: null until there are ``periods`` earlier bars; a null at either end gives null.
    Source: Tsay, Analysis of Financial Time Series, 3rd ed. (2010), 1.1.

    Example:
        >>> pl.DataFrame({"close": [10.0, 11.0, 11.0]}).select(log_return().round(4))["close"].to_list()
        [None, 0.0953, 0.0]
    """
    x = _of(column)
    return (x / x.shift(periods)).log()


def overnight_return(*, prefix: str = "") -> pl.Expr:
    """From the last close to this open.

    Args:
        prefix: of the price columns; ``adj_`` for adjusted ones.

    Formula: ``open[t] / close[t - 1] - 1``.
    Unit: fraction, 0.1 = 10 %.
    Lookback: ``1`` bar.
    Nulls: null at the first bar; a null open or last close gives null.
    Source: Lou, Polk and Skouras (2019), A tug of war: overnight versus intraday expected returns.

    Example:
        >>> pl.DataFrame({"open": [9.0, 11.0], "close": [10.0, 12.0]}).select(overnight_return().round(4)).to_series().to_list()
        [None, 0.1]
    """
    return pl.col(prefix + "open") / pl.col(prefix + "close").shift(1) - 1


def intraday_return(*, prefix: str = "") -> pl.Expr:
    """From this open to this close.

    Args:
        prefix: of the price columns; ``adj_`` for adjusted ones.

    Formula: ``close[t] / open[t] - 1``.
    Unit: fraction, 0.1 = 10 %.
    Lookback: ``0`` bars.
    Nulls: null where open or close is.
    Source: Lou, Polk and Skouras (2019), A tug of war: overnight versus intraday expected returns.

    Example:
        >>> pl.DataFrame({"open": [10.0, 11.0], "close": [10.5, 11.0]}).select(intraday_return().round(4)).to_series().to_list()
        [0.05, 0.0]
    """
    return pl.col(prefix + "close") / pl.col(prefix + "open") - 1


def cumulative_return(column: str | pl.Expr = "close") -> pl.Expr:
    """Change since the first bar of the asset.

    Args:
        column: price, a column name or an expression.

    Formula: ``x[t] / x[first] - 1``.
    Unit: fraction, 0.1 = 10 %.
    Lookback: unbounded.
    Nulls: null where the price is; all null when the first price is.
    Source: Tsay, Analysis of Financial Time Series, 3rd ed. (2010), 1.1.

    Example:
        >>> pl.DataFrame({"close": [10.0, 11.0, 9.0]}).select(cumulative_return().round(4))["close"].to_list()
        [0.0, 0.1, -0.1]
    """
    x = _of(column)
    return x / x.first() - 1


def annualised_return(column: str | pl.Expr = "close", *, window: int = 252, periods: int = 252) -> pl.Expr:
    """Compound growth rate over a window, per year.

    Args:
        column: price, a column name or an expression.
        window: bars of the return.
        periods: bars in a year.

    Formula: ``(x[t] / x[t - window]) ** (periods / window) - 1``.
    Unit: fraction per year.
    Lookback: ``window`` bars.
    Nulls: null until there are ``window`` earlier bars; a null at either end gives null.
    Source: Bacon, Practical Portfolio Performance Measurement and Attribution, 2nd ed. (2008), chapter 2.

    Example:
        >>> frame = pl.DataFrame({"close": [10.0, 11.0]})
        >>> frame.select(annualised_return(window=1, periods=2).round(4))["close"].to_list()
        [None, 0.21]
    """
    x = _of(column)
    return (x / x.shift(window)) ** (periods / window) - 1


def drawdown(column: str | pl.Expr = "close") -> pl.Expr:
    """Loss from the highest value so far.

    Args:
        column: price or equity above 0, a column name or an expression.

    Formula: ``x[t] / max(x[first..t]) - 1``.
    Unit: fraction, 0 or negative.
    Lookback: unbounded.
    Nulls: null where the price is; nulls are left out of the maximum.
    Source: Magdon-Ismail and Atiya (2004), Maximum Drawdown.

    Example:
        >>> pl.DataFrame({"close": [10.0, 8.0, 12.0, 9.0]}).select(drawdown())["close"].round(4).to_list()
        [0.0, -0.2, 0.0, -0.25]
    """
    x = _of(column)
    return x / x.cum_max() - 1


def rolling_drawdown(column: str | pl.Expr = "close", *, window: int = 252) -> pl.Expr:
    """Loss from the highest value of a window.

    Args:
        column: price above 0, a column name or an expression.
        window: bars of the maximum, this one included.

    Formula: ``x[t] / max(x[t - window + 1..t]) - 1``.
    Unit: fraction, 0 or negative.
    Lookback: ``window - 1`` bars.
    Nulls: null until the window is full; a null inside the window gives null.
    Source: George and Hwang (2004), The 52-Week High and Momentum Investing.

    Example:
        >>> pl.DataFrame({"close": [10.0, 8.0, 6.0]}).select(rolling_drawdown(window=2))["close"].round(4).to_list()
        [None, -0.2, -0.25]
    """
    x = _of(column)
    return x / x.rolling_max(window) - 1
