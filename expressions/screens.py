"""Screens: true or false per asset and bar, for a universe or a condition. A null counts as false."""

from __future__ import annotations

import polars as pl


def _of(column: str | pl.Expr) -> pl.Expr:
    return pl.col(column) if isinstance(column, str) else column


def price_above(column: str | pl.Expr = "close", *, least: float) -> pl.Expr:
    """Whether the price is above a floor, such as that of penny stocks.

    Args:
        column: price, a column name or an expression; not an adjusted one, which is not what was paid.
        least: floor in quote currency.

    Formula: ``x[t] > least``.
    Unit: true or false.
    Lookback: ``0`` bars.
    Nulls: false where the price is null.
    Source: Jegadeesh and Titman (2001), Profitability of Momentum Strategies.

    Example:
        >>> pl.DataFrame({"close": [4.0, 6.0]}).select(price_above(least=5.0)).to_series().to_list()
        [False, True]
    """
    return (_of(column) > least).fill_null(False)


def volume_above(column: str | pl.Expr = "volume", *, least: float, window: int = 20) -> pl.Expr:
    """Whether the average volume is above a floor.

    Args:
        column: volume, a column name or an expression.
        least: floor in units of the volume.
        window: bars in the average.

    Formula: ``mean(x, window) > least``.
    Unit: true or false.
    Lookback: ``window - 1`` bars.
    Nulls: false until the window is full and where it holds a null.
    Source: Kaufman, Trading Systems and Methods, 5th ed. (2013), chapter 12.

    Example:
        >>> pl.DataFrame({"volume": [4.0, 6.0, 8.0]}).select(volume_above(least=5.0, window=2)).to_series().to_list()
        [False, False, True]
    """
    return (_of(column).rolling_mean(window) > least).fill_null(False)


def liquid(*, least: float, window: int = 20) -> pl.Expr:
    """Whether the average money traded per bar is above a floor.

    Args:
        least: floor in quote currency per bar.
        window: bars in the average.

    Formula: ``mean(close * volume, window) > least``.
    Unit: true or false.
    Lookback: ``window - 1`` bars.
    Nulls: false until the window is full and where it holds a null.
    Source: Brennan, Chordia and Subrahmanyam (1998), Alternative Factor Specifications.

    Example:
        >>> pl.DataFrame({"close": [2.0, 3.0], "volume": [5.0, 10.0]}).select(liquid(least=15.0, window=2)).to_series().to_list()
        [False, True]
    """
    return ((pl.col("close") * pl.col("volume")).rolling_mean(window) > least).fill_null(False)


def most_liquid(*, n: int, window: int = 20) -> pl.Expr:
    """Whether an asset is among those with the most money traded; of equal ones the first asset in order wins.

    Args:
        n: how many assets.
        window: bars in the average.

    Formula: ``rank of mean(close * volume, window) from the highest <= n``.
    Unit: true or false.
    Lookback: ``window - 1`` bars.
    Nulls: false until the window is full and where it holds a null.
    Source: Brennan, Chordia and Subrahmanyam (1998), Alternative Factor Specifications.

    Example:
        >>> frame = pl.DataFrame({"ts": [1, 1], "asset": ["A", "B"], "close": [2.0, 3.0], "volume": [5.0, 9.0]})
        >>> frame.select(most_liquid(n=1, window=1)).to_series().to_list()
        [False, True]
    """
    money = (pl.col("close") * pl.col("volume")).rolling_mean(window).over("asset")
    return (money.rank("ordinal", descending=True).over("ts") <= n).fill_null(False)


def listed_for(*, bars: int, column: str = "close") -> pl.Expr:
    """Whether an asset has had so many bars, this one included.

    Args:
        bars: how many.
        column: price that must be there at the first of them.

    Formula: ``x[t - bars + 1]`` is known.
    Unit: true or false.
    Lookback: ``bars - 1`` bars.
    Nulls: false where the price so long ago is null.
    Source: Fama and French (1992), The Cross-Section of Expected Stock Returns.

    Example:
        >>> pl.DataFrame({"close": [4.0, 6.0]}).select(listed_for(bars=2)).to_series().to_list()
        [False, True]
    """
    return pl.col(column).shift(bars - 1).is_not_null()


def crosses_above(column: str | pl.Expr, other: str | pl.Expr) -> pl.Expr:
    """Whether one value has just risen above another.

    Args:
        column: the one that rises, a column name or an expression.
        other: the one that is crossed.

    Formula: ``x[t] > y[t]`` and ``x[t - 1] <= y[t - 1]``.
    Unit: true or false.
    Lookback: ``1`` bar.
    Nulls: false where one of the four is null.
    Source: any textbook.

    Example:
        >>> frame = pl.DataFrame({"x": [1.0, 3.0, 4.0], "y": [2.0, 2.0, 2.0]})
        >>> frame.select(crosses_above("x", "y")).to_series().to_list()
        [False, True, False]
    """
    x, y = _of(column), _of(other)
    return ((x > y) & (x.shift(1) <= y.shift(1))).fill_null(False)


def crosses_below(column: str | pl.Expr, other: str | pl.Expr) -> pl.Expr:
    """Whether one value has just fallen below another.

    Args:
        column: the one that falls, a column name or an expression.
        other: the one that is crossed.

    Formula: ``x[t] < y[t]`` and ``x[t - 1] >= y[t - 1]``.
    Unit: true or false.
    Lookback: ``1`` bar.
    Nulls: false where one of the four is null.
    Source: any textbook.

    Example:
        >>> frame = pl.DataFrame({"x": [3.0, 1.0, 0.0], "y": [2.0, 2.0, 2.0]})
        >>> frame.select(crosses_below("x", "y")).to_series().to_list()
        [False, True, False]
    """
    x, y = _of(column), _of(other)
    return ((x < y) & (x.shift(1) >= y.shift(1))).fill_null(False)


def above_average(column: str | pl.Expr = "close", *, window: int = 200) -> pl.Expr:
    """Whether a price is above its simple average.

    Args:
        column: price, a column name or an expression.
        window: bars in the average.

    Formula: ``x[t] > mean(x, window)[t]``.
    Unit: true or false.
    Lookback: ``window - 1`` bars.
    Nulls: false until the window is full and where it holds a null.
    Source: Faber (2007), A Quantitative Approach to Tactical Asset Allocation.

    Example:
        >>> pl.DataFrame({"close": [1.0, 3.0, 2.0]}).select(above_average(window=2)).to_series().to_list()
        [False, True, False]
    """
    x = _of(column)
    return (x > x.rolling_mean(window)).fill_null(False)


def new_high(column: str | pl.Expr = "close", *, window: int = 252) -> pl.Expr:
    """Whether a value is above all of a window before it.

    Args:
        column: price, a column name or an expression.
        window: bars looked at, this one not included.

    Formula: ``x[t] > max(x[t - 1], ..., x[t - window])``.
    Unit: true or false.
    Lookback: ``window`` bars.
    Nulls: false until there are ``window`` earlier bars and where one of them is null.
    Source: George and Hwang (2004), The 52-Week High and Momentum Investing.

    Example:
        >>> pl.DataFrame({"close": [1.0, 3.0, 2.0, 4.0]}).select(new_high(window=2)).to_series().to_list()
        [False, False, False, True]
    """
    x = _of(column)
    return (x > x.rolling_max(window).shift(1)).fill_null(False)


def new_low(column: str | pl.Expr = "close", *, window: int = 252) -> pl.Expr:
    """Whether a value is below all of a window before it.

    Args:
        column: price, a column name or an expression.
        window: bars looked at, this one not included.

    Formula: ``x[t] < min(x[t - 1], ..., x[t - window])``.
    Unit: true or false.
    Lookback: ``window`` bars.
    Nulls: false until there are ``window`` earlier bars and where one of them is null.
    Source: George and Hwang (2004), The 52-Week High and Momentum Investing.

    Example:
        >>> pl.DataFrame({"close": [4.0, 3.0, 5.0, 1.0]}).select(new_low(window=2)).to_series().to_list()
        [False, False, False, True]
    """
    x = _of(column)
    return (x < x.rolling_min(window).shift(1)).fill_null(False)
