"""Directional movement: which side makes the new extremes (a part of the trend family)."""

from __future__ import annotations

import polars as pl


def _ratio(above: pl.Expr, below: pl.Expr) -> pl.Expr:
    return pl.when(below != 0).then(above / below)


def _wilder(x: pl.Expr, window: int) -> pl.Expr:
    # Wilder starts from the mean of the first values, then moves by 1 / window of the distance.
    count = x.cum_count()
    seeded = pl.when(count > window).then(x).when(count == window).then(x.cum_sum() / window)
    return seeded.ewm_mean(alpha=1 / window, adjust=False, ignore_nulls=True)


def _true_range(prefix: str) -> pl.Expr:
    high, low, before = pl.col(prefix + "high"), pl.col(prefix + "low"), pl.col(prefix + "close").shift(1)
    known = high.is_not_null() & low.is_not_null() & before.is_not_null()
    return pl.when(known).then(pl.max_horizontal(high, before) - pl.min_horizontal(low, before))


def _moves(prefix: str) -> tuple[pl.Expr, pl.Expr]:
    up, down = pl.col(prefix + "high").diff(), -pl.col(prefix + "low").diff()
    known = (up + down + pl.col(prefix + "close").shift(1)).is_not_null()
    plus = pl.when(known).then(pl.when((up > down) & (up > 0)).then(up).otherwise(0.0))
    minus = pl.when(known).then(pl.when((down > up) & (down > 0)).then(down).otherwise(0.0))
    return plus, minus


def _since(x: pl.Expr, extreme: pl.Expr, window: int) -> pl.Expr:
    return pl.coalesce(*(pl.when(x.shift(i) == extreme).then(i) for i in range(window + 1)))


def plus_di(*, window: int = 14, prefix: str = "") -> pl.Expr:
    """Plus directional indicator: rising highs as a share of the range.

    The averages start from the mean of the first ``window`` values, as Wilder's do; TA-Lib starts from ``window - 1`` of them,
    a difference that shrinks by ``1 - 1 / window`` with each bar.

    Args:
        window: bars of Wilder's average.
        prefix: of the price columns; ``adj_`` for adjusted ones.

    Formula: ``100 * wilder(+DM) / wilder(TR)``; ``+DM`` = rise of the high where it is positive and more than the fall of the low, else 0.
    Unit: 0 to 100.
    Lookback: unbounded.
    Nulls: null for the first ``window`` bars, where a price of this or the last bar is null, and where the range is 0.
    Source: Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib PLUS_DI but for its start.

    Example:
        >>> bars = pl.DataFrame({"high": [10.0, 12.0, 11.0], "low": [8.0, 9.0, 8.0], "close": [9.0, 11.0, 9.0]})
        >>> bars.select(plus_di(window=2).round(4)).to_series().to_list()
        [None, None, 33.3333]
    """
    return 100 * _ratio(_wilder(_moves(prefix)[0], window), _wilder(_true_range(prefix), window))


def minus_di(*, window: int = 14, prefix: str = "") -> pl.Expr:
    """Minus directional indicator: falling lows as a share of the range. It starts as `plus_di` does.

    Args:
        window: bars of Wilder's average.
        prefix: of the price columns; ``adj_`` for adjusted ones.

    Formula: ``100 * wilder(-DM) / wilder(TR)``; ``-DM`` = fall of the low where it is positive and more than the rise of the high, else 0.
    Unit: 0 to 100.
    Lookback: unbounded.
    Nulls: null for the first ``window`` bars, where a price of this or the last bar is null, and where the range is 0.
    Source: Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib MINUS_DI but for its start.

    Example:
        >>> bars = pl.DataFrame({"high": [10.0, 12.0, 11.0], "low": [8.0, 9.0, 8.0], "close": [9.0, 11.0, 9.0]})
        >>> bars.select(minus_di(window=2).round(4)).to_series().to_list()
        [None, None, 16.6667]
    """
    return 100 * _ratio(_wilder(_moves(prefix)[1], window), _wilder(_true_range(prefix), window))


def adx(*, window: int = 14, prefix: str = "") -> pl.Expr:
    """Average directional index: how one-sided the movement is, up or down.

    It starts as `plus_di` does; TA-Lib differs there, and agrees after some hundred bars.

    Args:
        window: bars of each of Wilder's averages.
        prefix: of the price columns; ``adj_`` for adjusted ones.

    Formula: ``wilder(100 * |+DI - -DI| / (+DI + -DI))``.
    Unit: 0 to 100.
    Lookback: unbounded.
    Nulls: null for the first ``2 * window - 1`` bars and where a price of this or the last bar is; bars without any movement are left out.
    Source: Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib ADX but for its start.

    Example:
        >>> bars = pl.DataFrame({"high": [10.0, 12.0, 11.0], "low": [8.0, 9.0, 8.0], "close": [9.0, 11.0, 9.0]})
        >>> bars.select(adx(window=1).round(4)).to_series().to_list()
        [None, 100.0, 100.0]
    """
    plus, minus = (_wilder(move, window) for move in _moves(prefix))
    return _wilder(100 * _ratio((plus - minus).abs(), plus + minus), window)


def aroon_up(column: str | pl.Expr = "high", *, window: int = 25) -> pl.Expr:
    """Aroon up: how recent the highest value is.

    Args:
        column: price, a column name or an expression.
        window: bars back to the oldest value looked at.

    Formula: ``100 * (window - bars since the highest of x[t - window..t]) / window``; of equal ones the latest.
    Unit: 0 to 100, 100 = now.
    Lookback: ``window`` bars.
    Nulls: null until there are ``window`` earlier bars; a null inside the window gives null.
    Source: Chande (1995), Stocks & Commodities 13:9; TA-Lib AROON.

    Example:
        >>> pl.DataFrame({"high": [3.0, 2.0, 1.0, 4.0]}).select(aroon_up(window=2)).to_series().to_list()
        [None, None, 0.0, 100.0]
    """
    x = _of(column)
    return 100 * (window - _since(x, x.rolling_max(window + 1), window)) / window


def aroon_down(column: str | pl.Expr = "low", *, window: int = 25) -> pl.Expr:
    """Aroon down: how recent the lowest value is.

    Args:
        column: price, a column name or an expression.
        window: bars back to the oldest value looked at.

    Formula: ``100 * (window - bars since the lowest of x[t - window..t]) / window``; of equal ones the latest.
    Unit: 0 to 100, 100 = now.
    Lookback: ``window`` bars.
    Nulls: null until there are ``window`` earlier bars; a null inside the window gives null.
    Source: Chande (1995), Stocks & Commodities 13:9; TA-Lib AROON.

    Example:
        >>> pl.DataFrame({"low": [1.0, 2.0, 3.0, 0.5]}).select(aroon_down(window=2)).to_series().to_list()
        [None, None, 0.0, 100.0]
    """
    x = _of(column)
    return 100 * (window - _since(x, x.rolling_min(window + 1), window)) / window


def aroon_oscillator(*, window: int = 25, prefix: str = "") -> pl.Expr:
    """Aroon up less Aroon down.

    Args:
        window: bars back to the oldest value looked at.
        prefix: of the price columns; ``adj_`` for adjusted ones.

    Formula: ``aroon_up(high) - aroon_down(low)``.
    Unit: -100 to 100.
    Lookback: ``window`` bars.
    Nulls: null until there are ``window`` earlier bars; a null inside the window gives null.
    Source: Chande (1995), Stocks & Commodities 13:9; TA-Lib AROONOSC.

    Example:
        >>> bars = pl.DataFrame({"high": [3.0, 4.0, 3.5], "low": [1.0, 2.0, 1.5]})
        >>> bars.select(aroon_oscillator(window=2)).to_series().to_list()
        [None, None, 50.0]
    """
    return aroon_up(prefix + "high", window=window) - aroon_down(prefix + "low", window=window)


def _of(column: str | pl.Expr) -> pl.Expr:
    return pl.col(column) if isinstance(column, str) else column
