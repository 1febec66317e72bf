"""Volatility: how much a price moves."""

from __future__ import annotations

import math

import polars as pl


def _of(column: str | pl.Expr) -> pl.Expr:
    return pl.col(column) if isinstance(column, str) else column


def _wilder(x: pl.Expr, window: int) -> pl.Expr:
    # Wilder starts from the mean of the first values, then moves by 1 / window of the distance.
    count = x.cum_count()
    seeded = pl.when(count > window).then(x).when(count == window).then(x.cum_sum() / window)
    return seeded.ewm_mean(alpha=1 / window, adjust=False, ignore_nulls=True)


def true_range(*, prefix: str = "") -> pl.Expr:
    """Range of the bar, the gap from the last close included.

    Args:
        prefix: of the price columns; ``adj_`` for adjusted ones.

    Formula: ``max(high, last close) - min(low, last close)``.
    Unit: that of the price.
    Lookback: ``1`` bar.
    Nulls: null at the first bar and where one of the three is.
    Source: Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib TRANGE.

    Example:
        >>> bars = pl.DataFrame({"high": [10.0, 12.0], "low": [8.0, 11.0], "close": [9.0, 11.0]})
        >>> bars.select(true_range()).to_series().to_list()
        [None, 3.0]
    """
    high, low, before = pl.col(prefix + "high"), pl.col(prefix + "low"), pl.col(prefix + "close").shift(1)
    known = high.is_not_null() & low.is_not_null() & before.is_not_null()
    return pl.when(known).then(pl.max_horizontal(high, before) - pl.min_horizontal(low, before))


def atr(*, window: int = 14, prefix: str = "") -> pl.Expr:
    """Average true range, in Wilder's average.

    Args:
        window: bars of Wilder's average.
        prefix: of the price columns; ``adj_`` for adjusted ones.

    Formula: ``a[t] = a[t - 1] + (true_range[t] - a[t - 1]) / window``, starting from the mean of the first ``window`` true ranges.
    Unit: that of the price.
    Lookback: unbounded.
    Nulls: null for the first ``window`` bars and where the true range is; the average goes on from there.
    Source: Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib ATR.

    Example:
        >>> bars = pl.DataFrame({"high": [10.0, 12.0, 12.0], "low": [8.0, 11.0, 10.0], "close": [9.0, 11.0, 11.0]})
        >>> bars.select(atr(window=2)).to_series().to_list()
        [None, None, 2.5]
    """
    return _wilder(true_range(prefix=prefix), window)


def natr(*, window: int = 14, prefix: str = "") -> pl.Expr:
    """Average true range as a fraction of the close (TA-Lib gives percent).

    Args:
        window: bars of Wilder's average.
        prefix: of the price columns; ``adj_`` for adjusted ones.

    Formula: ``atr / close``.
    Unit: fraction, 0.02 = 2 %.
    Lookback: unbounded.
    Nulls: null for the first ``window`` bars and where the true range or the close is.
    Source: Forman (2006), Stocks & Commodities 24:5; TA-Lib NATR / 100.

    Example:
        >>> bars = pl.DataFrame({"high": [10.0, 12.0], "low": [8.0, 11.0], "close": [9.0, 12.0]})
        >>> bars.select(natr(window=1)).to_series().to_list()
        [None, 0.25]
    """
    return atr(window=window, prefix=prefix) / pl.col(prefix + "close")


def realised_volatility(column: str | pl.Expr = "close", *, window: int = 20, periods: int = 252) -> pl.Expr:
    """Standard deviation of log returns, per year.

    Args:
        column: price above 0, a column name or an expression.
        window: returns in the sample, 2 or more.
        periods: bars in a year.

    Formula: ``sqrt(periods) * std(ln(x[t] / x[t - 1]), window)``, divided by ``window - 1``.
    Unit: fraction per year, 0.2 = 20 %.
    Lookback: ``window`` bars.
    Nulls: null until there are ``window`` returns; a null inside the window gives null.
    Source: Hull, Options, Futures, and Other Derivatives, 9th ed. (2014), 15.4.

    Example:
        >>> frame = pl.DataFrame({"close": [1.0, 1.1, 1.0]})
        >>> frame.select(realised_volatility(window=2, periods=1).round(4)).to_series().to_list()
        [None, None, 0.1348]
    """
    x = _of(column)
    return (x / x.shift(1)).log().rolling_std(window) * math.sqrt(periods)


def downside_volatility(column: str | pl.Expr = "close", *, window: int = 20, periods: int = 252) -> pl.Expr:
    """Root mean square of the negative log returns, per year; the others count as 0.

    Args:
        column: price above 0, a column name or an expression.
        window: returns in the sample.
        periods: bars in a year.

    Formula: ``sqrt(periods * mean(min(ln(x[t] / x[t - 1]), 0)^2, window))``.
    Unit: fraction per year, 0.2 = 20 %.
    Lookback: ``window`` bars.
    Nulls: null until there are ``window`` returns; a null inside the window gives null.
    Source: Sortino and van der Meer (1991), Downside Risk.

    Example:
        >>> frame = pl.DataFrame({"close": [1.0, 1.1, 1.0]})
        >>> frame.select(downside_volatility(window=2, periods=1).round(4)).to_series().to_list()
        [None, None, 0.0674]
    """
    x = _of(column)
    losses = (x / x.shift(1)).log().clip(upper_bound=0.0)
    return ((losses * losses).rolling_mean(window).clip(lower_bound=0.0) * periods).sqrt()


def ewm_volatility(column: str | pl.Expr = "close", *, decay: float = 0.94, window: int = 20, periods: int = 252) -> pl.Expr:
    """Exponentially weighted volatility of log returns around 0, per year.

    Args:
        column: price above 0, a column name or an expression.
        decay: weight of yesterday's variance, above 0 and below 1.
        window: returns needed before the first value.
        periods: bars in a year.

    Formula: ``v[t] = decay * v[t - 1] + (1 - decay) * r[t]^2``, ``v[first] = r[first]^2``; the value is ``sqrt(periods * v)``.
    Unit: fraction per year, 0.2 = 20 %.
    Lookback: unbounded.
    Nulls: null until there are ``window`` returns and where the return is; the average goes on from there.
    Source: J.P. Morgan, RiskMetrics Technical Document, 4th ed. (1996).

    Example:
        >>> frame = pl.DataFrame({"close": [1.0, 1.1, 1.1]})
        >>> frame.select(ewm_volatility(decay=0.5, window=1, periods=1).round(4)).to_series().to_list()
        [None, 0.0953, 0.0674]
    """
    x = _of(column)
    move = (x / x.shift(1)).log()
    return ((move * move).ewm_mean(alpha=1 - decay, adjust=False, min_samples=window, ignore_nulls=True) * periods).sqrt()


def parkinson(*, window: int = 20, periods: int = 252, prefix: str = "") -> pl.Expr:
    """Volatility from highs and lows, per year.

    Args:
        window: bars in the sample.
        periods: bars in a year.
        prefix: of the price columns; ``adj_`` for adjusted ones.

    Formula: ``sqrt(periods * mean(ln(high / low)^2, window) / (4 * ln(2)))``.
    Unit: fraction per year, 0.2 = 20 %.
    Lookback: ``window - 1`` bars.
    Nulls: null until the window is full; a null inside the window gives null.
    Source: Parkinson (1980), The Extreme Value Method for Estimating the Variance of the Rate of Return.

    Example:
        >>> bars = pl.DataFrame({"high": [1.1, 1.2], "low": [1.0, 1.0]})
        >>> bars.select(parkinson(window=1, periods=1).round(4)).to_series().to_list()
        [0.0572, 0.1095]
    """
    span = (pl.col(prefix + "high") / pl.col(prefix + "low")).log()
    return ((span * span).rolling_mean(window).clip(lower_bound=0.0) * (periods / (4 * math.log(2)))).sqrt()


def garman_klass(*, window: int = 20, periods: int = 252, prefix: str = "") -> pl.Expr:
    """Volatility from all four prices of the bar, per year; it assumes no drift and no overnight gap.

    Args:
        window: bars in the sample.
        periods: bars in a year.
        prefix: of the price columns; ``adj_`` for adjusted ones.

    Formula: ``sqrt(periods * mean(ln(high / low)^2 / 2 - (2 * ln(2) - 1) * ln(close / open)^2, window))``.
    Unit: fraction per year, 0.2 = 20 %.
    Lookback: ``window - 1`` bars.
    Nulls: null until the window is full; a null inside the window gives null.
    Source: Garman and Klass (1980), On the Estimation of Security Price Volatilities from Historical Data.

    Example:
        >>> bars = pl.DataFrame({"open": [1.0, 1.1], "high": [1.1, 1.2], "low": [1.0, 1.0], "close": [1.1, 1.1]})
        >>> bars.select(garman_klass(window=1, periods=1).round(4)).to_series().to_list()
        [0.0321, 0.1289]
    """
    span = (pl.col(prefix + "high") / pl.col(prefix + "low")).log()
    body = (pl.col(prefix + "close") / pl.col(prefix + "open")).log()
    variance = span * span / 2 - (2 * math.log(2) - 1) * body * body
    return (variance.rolling_mean(window).clip(lower_bound=0.0) * periods).sqrt()


def _rogers_satchell(prefix: str) -> pl.Expr:
    open_, high, low, close = (pl.col(prefix + name) for name in ("open", "high", "low", "close"))
    return (high / close).log() * (high / open_).log() + (low / close).log() * (low / open_).log()


def rogers_satchell(*, window: int = 20, periods: int = 252, prefix: str = "") -> pl.Expr:
    """Volatility from all four prices of the bar, per year; right for any drift, blind to overnight gaps.

    Args:
        window: bars in the sample.
        periods: bars in a year.
        prefix: of the price columns; ``adj_`` for adjusted ones.

    Formula: ``sqrt(periods * mean(ln(high / close) * ln(high / open) + ln(low / close) * ln(low / open), window))``.
    Unit: fraction per year, 0.2 = 20 %.
    Lookback: ``window - 1`` bars.
    Nulls: null until the window is full; a null inside the window gives null.
    Source: Rogers and Satchell (1991), Estimating Variance from High, Low and Closing Prices.

    Example:
        >>> bars = pl.DataFrame({"open": [1.0, 1.1], "high": [1.2, 1.3], "low": [0.9, 1.0], "close": [1.1, 1.1]})
        >>> bars.select(rogers_satchell(window=1, periods=1).round(4)).to_series().to_list()
        [0.1924, 0.1923]
    """
    return (_rogers_satchell(prefix).rolling_mean(window).clip(lower_bound=0.0) * periods).sqrt()


def yang_zhang(*, window: int = 20, periods: int = 252, prefix: str = "") -> pl.Expr:
    """Volatility from all four prices and the overnight gap, per year; right for any drift.

    Args:
        window: bars in the sample, 2 or more.
        periods: bars in a year.
        prefix: of the price columns; ``adj_`` for adjusted ones.

    Formula: ``sqrt(periods * (var(ln(open / last close)) + k * var(ln(close / open)) + (1 - k) * rs))``,
        ``k = 0.34 / (1.34 + (window + 1) / (window - 1))``, ``rs`` as in `rogers_satchell`, variances divided by ``window - 1``.
    Unit: fraction per year, 0.2 = 20 %.
    Lookback: ``window`` bars.
    Nulls: null until there are ``window`` gaps; a null inside the window gives null.
    Source: Yang and Zhang (2000), Drift-Independent Volatility Estimation.

    Example:
        >>> bars = pl.DataFrame({"open": [1.0, 1.1, 1.0], "high": [1.2, 1.3, 1.1], "low": [0.9, 1.0, 0.9], "close": [1.1, 1.1, 1.0]})
        >>> bars.select(yang_zhang(window=2, periods=1).round(4)).to_series().to_list()
        [None, None, 0.1758]
    """
    gap = (pl.col(prefix + "open") / pl.col(prefix + "close").shift(1)).log()
    body = (pl.col(prefix + "close") / pl.col(prefix + "open")).log()
    k = 0.34 / (1.34 + (window + 1) / (window - 1))
    inside = _rogers_satchell(prefix).rolling_mean(window)
    variance = gap.rolling_var(window) + k * body.rolling_var(window) + (1 - k) * inside
    return (variance.clip(lower_bound=0.0) * periods).sqrt()
