"""Momentum: how far and how fast a price has moved."""

from __future__ import annotations

import polars as pl


def _of(column: str | pl.Expr) -> pl.Expr:
    return pl.col(column) if isinstance(column, str) else column


def _ratio(above: pl.Expr, below: pl.Expr) -> pl.Expr:
    return pl.when(below != 0).then(above / below)


def _ema(x: pl.Expr, window: int) -> pl.Expr:
    return x.ewm_mean(span=window, adjust=False, min_samples=window, ignore_nulls=True)


def _wilder(x: pl.Expr, window: int) -> pl.Expr:
    # Wilder starts from the mean of the first values, then moves by 1 / window of the distance.
    count = x.cum_count()
    seeded = pl.when(count > window).then(x).when(count == window).then(x.cum_sum() / window)
    return seeded.ewm_mean(alpha=1 / window, adjust=False, ignore_nulls=True)


def _typical(prefix: str) -> pl.Expr:
    return (pl.col(prefix + "high") + pl.col(prefix + "low") + pl.col(prefix + "close")) / 3


def momentum(column: str | pl.Expr = "close", *, lookback: int = 252, skip: int = 21) -> pl.Expr:
    """Return over a long window that leaves out the most recent bars (12-1 momentum with 252 and 21).

    Args:
        column: price, a column name or an expression.
        lookback: bars from the start of the window to now.
        skip: most recent bars left out, less than ``lookback``.

    Formula: ``x[t - skip] / x[t - lookback] - 1``.
    Unit: fraction, 0.1 = 10 %.
    Lookback: ``lookback`` bars.
    Nulls: null until there are ``lookback`` earlier bars; a null at either end gives null.
    Source: Jegadeesh and Titman (1993), Returns to Buying Winners and Selling Losers.

    Example:
        >>> frame = pl.DataFrame({"close": [10.0, 11.0, 12.0, 9.0]})
        >>> frame.select(momentum("close", lookback=2, skip=1))["close"].round(3).to_list()
        [None, None, 0.1, 0.091]
    """
    x = _of(column)
    return x.shift(skip) / x.shift(lookback) - 1


def roc(column: str | pl.Expr = "close", *, window: int = 10) -> pl.Expr:
    """Rate of change in percent.

    Args:
        column: price, a column name or an expression.
        window: bars from begin to end.

    Formula: ``100 * (x[t] / x[t - window] - 1)``.
    Unit: percent.
    Lookback: ``window`` bars.
    Nulls: null until there are ``window`` earlier bars; a null at either end gives null.
    Source: any textbook; TA-Lib ROC.

    Example:
        >>> pl.DataFrame({"close": [10.0, 11.0, 12.0]}).select(roc(window=2).round(4)).to_series().to_list()
        [None, None, 20.0]
    """
    x = _of(column)
    return 100 * (x / x.shift(window) - 1)


def change(column: str | pl.Expr = "close", *, window: int = 10) -> pl.Expr:
    """Difference over some bars.

    Args:
        column: price, a column name or an expression.
        window: bars from begin to end.

    Formula: ``x[t] - x[t - window]``.
    Unit: that of the column.
    Lookback: ``window`` bars.
    Nulls: null until there are ``window`` earlier bars; a null at either end gives null.
    Source: any textbook; TA-Lib MOM.

    Example:
        >>> pl.DataFrame({"close": [10.0, 11.0, 13.0]}).select(change(window=1))["close"].to_list()
        [None, 1.0, 2.0]
    """
    return _of(column).diff(window)


def rsi(column: str | pl.Expr = "close", *, window: int = 14) -> pl.Expr:
    """Relative strength index: gains as a share of all movement, in Wilder's averages.

    Args:
        column: price, a column name or an expression.
        window: bars of Wilder's average.

    Formula: ``100 * wilder(gain) / (wilder(gain) + wilder(loss))``; Wilder's average starts from the mean of the first ``window`` values.
    Unit: 0 to 100; 50 when nothing has moved (TA-Lib says 0).
    Lookback: unbounded.
    Nulls: null for the first ``window`` bars and where this or the last price is; the averages go on from there.
    Source: Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib RSI.

    Example:
        >>> pl.DataFrame({"close": [10.0, 11.0, 10.0, 13.0]}).select(rsi(window=2).round(4)).to_series().to_list()
        [None, None, 50.0, 87.5]
    """
    move = _of(column).diff()
    gain, loss = _wilder(move.clip(lower_bound=0.0), window), _wilder((-move).clip(lower_bound=0.0), window)
    return pl.when(gain + loss == 0).then(50.0).otherwise(100 * gain / (gain + loss))


def cmo(column: str | pl.Expr = "close", *, window: int = 14) -> pl.Expr:
    """Chande momentum oscillator: gains less losses as a share of all movement (TA-Lib smooths them as Wilder does; Chande sums).

    Args:
        column: price, a column name or an expression.
        window: moves that are summed.

    Formula: ``100 * (sum of gains - sum of losses) / (sum of gains + sum of losses)``.
    Unit: -100 to 100.
    Lookback: ``window`` bars.
    Nulls: null until there are ``window`` moves; a null inside gives null, and so does a window without movement.
    Source: Chande and Kroll, The New Technical Trader (1994).

    Example:
        >>> pl.DataFrame({"close": [10.0, 11.0, 10.0, 13.0]}).select(cmo(window=2)).to_series().to_list()
        [None, None, 0.0, 50.0]
    """
    x = _of(column)
    return 100 * _ratio(x.diff(window), x.diff().abs().rolling_sum(window))


def stochastic_k(*, window: int = 14, prefix: str = "") -> pl.Expr:
    """Fast stochastic: where the close stands in the range of the window.

    Args:
        window: bars of the range.
        prefix: of the price columns; ``adj_`` for adjusted ones.

    Formula: ``100 * (close - lowest low) / (highest high - lowest low)``.
    Unit: 0 to 100.
    Lookback: ``window - 1`` bars.
    Nulls: null until the window is full; a null inside it gives null, and so does a range of 0 (TA-Lib says 0).
    Source: Lane (1984), Stocks & Commodities 2:3; TA-Lib STOCHF.

    Example:
        >>> bars = pl.DataFrame({"high": [10.0, 12.0], "low": [8.0, 9.0], "close": [9.0, 11.0]})
        >>> bars.select(stochastic_k(window=2)).to_series().to_list()
        [None, 75.0]
    """
    low, high = pl.col(prefix + "low").rolling_min(window), pl.col(prefix + "high").rolling_max(window)
    return 100 * _ratio(pl.col(prefix + "close") - low, high - low)


def stochastic_d(*, window: int = 14, smooth: int = 3, prefix: str = "") -> pl.Expr:
    """Slow line of the stochastic: the simple average of `stochastic_k`.

    Args:
        window: bars of the range.
        smooth: bars of the average.
        prefix: of the price columns; ``adj_`` for adjusted ones.

    Formula: ``sma(stochastic_k, smooth)``.
    Unit: 0 to 100.
    Lookback: ``window + smooth - 2`` bars.
    Nulls: null until both windows are full; a null inside them gives null, and so does a range of 0.
    Source: Lane (1984), Stocks & Commodities 2:3; TA-Lib STOCHF.

    Example:
        >>> bars = pl.DataFrame({"high": [10.0, 12.0], "low": [8.0, 9.0], "close": [9.0, 11.0]})
        >>> bars.select(stochastic_d(window=1, smooth=2).round(4)).to_series().to_list()
        [None, 58.3333]
    """
    return stochastic_k(window=window, prefix=prefix).rolling_mean(smooth)


def williams_r(*, window: int = 14, prefix: str = "") -> pl.Expr:
    """Williams %R: how far the close stands below the top of the range.

    Args:
        window: bars of the range.
        prefix: of the price columns; ``adj_`` for adjusted ones.

    Formula: ``-100 * (highest high - close) / (highest high - lowest low)``.
    Unit: -100 to 0.
    Lookback: ``window - 1`` bars.
    Nulls: null until the window is full; a null inside it gives null, and so does a range of 0.
    Source: Williams, How I Made One Million Dollars (1973); TA-Lib WILLR.

    Example:
        >>> bars = pl.DataFrame({"high": [10.0, 12.0], "low": [8.0, 9.0], "close": [9.0, 11.0]})
        >>> bars.select(williams_r(window=2)).to_series().to_list()
        [None, -25.0]
    """
    low, high = pl.col(prefix + "low").rolling_min(window), pl.col(prefix + "high").rolling_max(window)
    return -100 * _ratio(high - pl.col(prefix + "close"), high - low)


def cci(*, window: int = 20, prefix: str = "") -> pl.Expr:
    """Commodity channel index: distance of the typical price from its mean, in mean deviations.

    Args:
        window: bars of the mean.
        prefix: of the price columns; ``adj_`` for adjusted ones.

    Formula: ``(p - m) / (0.015 * mean(|p[t - i] - m|))`` with ``p = (high + low + close) / 3``, ``m = sma(p, window)``.
    Unit: multiples of 0.015 mean deviations.
    Lookback: ``window - 1`` bars.
    Nulls: null until the window is full; a null inside it gives null, and so does a mean deviation of 0.
    Source: Lambert (1980), Commodity Channel Index; TA-Lib CCI.

    Example:
        >>> bars = pl.DataFrame({"high": [10.0, 12.0], "low": [8.0, 9.0], "close": [9.0, 12.0]})
        >>> bars.select(cci(window=2).round(4)).to_series().to_list()
        [None, 66.6667]
    """
    price = _typical(prefix)
    mean = price.rolling_mean(window)
    deviation = pl.sum_horizontal(*((price.shift(i) - mean).abs() for i in range(window))) / window
    # A window of equal prices leaves rounding dust rather than 0.
    return pl.when(deviation > mean.abs() * 1e-12).then((price - mean) / (0.015 * deviation))


def trix(column: str | pl.Expr = "close", *, window: int = 15) -> pl.Expr:
    """One-bar change of a triple exponential average. The averages start from the first value, unlike TA-Lib's.

    Args:
        column: price, a column name or an expression.
        window: span in bars of each average.

    Formula: ``100 * (e3[t] / e3[t - 1] - 1)``, ``e3 = ema(ema(ema(x)))``.
    Unit: percent per bar.
    Lookback: unbounded.
    Nulls: null for the first ``3 * window - 2`` values; null where this or the last price is.
    Source: Hutson (1983), Good TRIX; TA-Lib TRIX but for its start.

    Example:
        >>> pl.DataFrame({"close": [10.0, 11.0, 12.0]}).select(trix(window=1)).to_series().round(4).to_list()
        [None, 10.0, 9.0909]
    """
    smooth = _ema(_ema(_ema(_of(column), window), window), window)
    return 100 * (smooth / smooth.shift(1) - 1)


def ppo(column: str | pl.Expr = "close", *, fast: int = 12, slow: int = 26) -> pl.Expr:
    """Percentage price oscillator: MACD as a percentage of the slow average. Averages start from the first value.

    Args:
        column: price, a column name or an expression.
        fast: span in bars.
        slow: span in bars.

    Formula: ``100 * (ema(x, fast) / ema(x, slow) - 1)``.
    Unit: percent.
    Lookback: unbounded.
    Nulls: null until there are ``slow`` values and where the value is.
    Source: Appel, Technical Analysis (2005); TA-Lib PPO with exponential averages but for its start.

    Example:
        >>> pl.DataFrame({"close": [1.0, 4.0, 4.0]}).select(ppo(fast=1, slow=2)).to_series().round(4).to_list()
        [None, 33.3333, 9.0909]
    """
    x = _of(column)
    return 100 * (_ema(x, fast) / _ema(x, slow) - 1)


def ultimate_oscillator(*, short: int = 7, middle: int = 14, long: int = 28, prefix: str = "") -> pl.Expr:
    """Buying pressure as a share of the range over three windows, the shortest counting most.

    Args:
        short: bars of the first window.
        middle: bars of the second.
        long: bars of the third.
        prefix: of the price columns; ``adj_`` for adjusted ones.

    Formula: ``100 * (4 * r(short) + 2 * r(middle) + r(long)) / 7``, ``r(n)`` = sum of ``close - min(low, last close)`` / sum of true range.
    Unit: 0 to 100.
    Lookback: ``max(short, middle, long)`` bars.
    Nulls: null until the windows are full; a null inside them gives null, and so does a range of 0.
    Source: Williams (1985), Stocks & Commodities 3:4; TA-Lib ULTOSC.

    Example:
        >>> bars = pl.DataFrame({"high": [10.0, 12.0], "low": [8.0, 9.0], "close": [9.0, 11.0]})
        >>> bars.select(ultimate_oscillator(short=1, middle=1, long=1).round(4)).to_series().to_list()
        [None, 66.6667]
    """
    high, low, close = (pl.col(prefix + name) for name in ("high", "low", "close"))
    before = close.shift(1)
    known = high.is_not_null() & low.is_not_null() & before.is_not_null()
    bottom = pl.when(known).then(pl.min_horizontal(low, before))
    pressure, span = close - bottom, pl.max_horizontal(high, before) - bottom
    one, two, three = (_ratio(pressure.rolling_sum(n), span.rolling_sum(n)) for n in (short, middle, long))
    return 100 * (4 * one + 2 * two + three) / 7
