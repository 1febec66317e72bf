"""Cross-section: where an asset stands among all assets of the same bar.

A value may be a column name or an expression. Operations along time inside it are taken asset by asset before the assets are compared.
"""

from __future__ import annotations

import polars as pl


def _of(value: str | pl.Expr) -> pl.Expr:
    return (pl.col(value) if isinstance(value, str) else value).over("asset")


def _ratio(above: pl.Expr, below: pl.Expr) -> pl.Expr:
    return pl.when(below != 0).then(above / below)


def cross_rank(value: str | pl.Expr, *, descending: bool = False) -> pl.Expr:
    """Rank among the assets, from 1; equal values share their average rank.

    Args:
        value: a column name or an expression.
        descending: whether 1 is the highest.

    Formula: average rank of the value among the non-null values of the bar.
    Unit: 1 to the number of assets.
    Lookback: ``0`` bars.
    Nulls: null where the value is; nulls are not counted.
    Source: Grinold and Kahn, Active Portfolio Management, 2nd ed. (2000), chapter 14.

    Example:
        >>> frame = pl.DataFrame({"ts": [1, 1, 1], "asset": ["A", "B", "C"], "x": [5.0, 7.0, 5.0]})
        >>> frame.select(cross_rank("x")).to_series().to_list()
        [1.5, 3.0, 1.5]
    """
    return _of(value).rank("average", descending=descending).over("ts")


def cross_percentile(value: str | pl.Expr) -> pl.Expr:
    """Rank among the assets as a share.

    Args:
        value: a column name or an expression.

    Formula: ``(rank - 1) / (n - 1)``, average ranks, ``n`` non-null values.
    Unit: 0 = the lowest, 1 = the highest.
    Lookback: ``0`` bars.
    Nulls: null where the value is, and where there is only one.
    Source: Grinold and Kahn, Active Portfolio Management, 2nd ed. (2000), chapter 14.

    Example:
        >>> frame = pl.DataFrame({"ts": [1, 1, 1], "asset": ["A", "B", "C"], "x": [5.0, 7.0, 6.0]})
        >>> frame.select(cross_percentile("x")).to_series().to_list()
        [0.0, 1.0, 0.5]
    """
    x = _of(value)
    return _ratio(x.rank("average").over("ts") - 1, x.count().over("ts").cast(pl.Float64) - 1)


def cross_zscore(value: str | pl.Expr) -> pl.Expr:
    """Distance from the mean of the assets, in standard deviations.

    Args:
        value: a column name or an expression.

    Formula: ``(x - mean) / std`` over the assets of the bar, divided by ``n - 1``.
    Unit: standard deviations.
    Lookback: ``0`` bars.
    Nulls: null where the value is, where there is only one, and where all are equal; nulls are left out of mean and deviation.
    Source: Grinold and Kahn, Active Portfolio Management, 2nd ed. (2000), chapter 14.

    Example:
        >>> frame = pl.DataFrame({"ts": [1, 1, 1], "asset": ["A", "B", "C"], "x": [1.0, 2.0, 3.0]})
        >>> frame.select(cross_zscore("x")).to_series().to_list()
        [-1.0, 0.0, 1.0]
    """
    x = _of(value)
    return _ratio(x - x.mean().over("ts"), x.std().over("ts"))


def demean(value: str | pl.Expr) -> pl.Expr:
    """What is left of a value without the mean of the assets.

    Args:
        value: a column name or an expression.

    Formula: ``x - mean`` over the assets of the bar.
    Unit: that of the value.
    Lookback: ``0`` bars.
    Nulls: null where the value is; nulls are left out of the mean.
    Source: Grinold and Kahn, Active Portfolio Management, 2nd ed. (2000), chapter 14.

    Example:
        >>> frame = pl.DataFrame({"ts": [1, 1], "asset": ["A", "B"], "x": [1.0, 2.0]})
        >>> frame.select(demean("x")).to_series().to_list()
        [-0.5, 0.5]
    """
    x = _of(value)
    return x - x.mean().over("ts")


def market_mean(value: str | pl.Expr) -> pl.Expr:
    """The mean of the assets: an equally weighted market, to set beside each of them.

    Args:
        value: a column name or an expression, such as a return.

    Formula: mean of the non-null values of the bar.
    Unit: that of the value.
    Lookback: ``0`` bars.
    Nulls: null where no asset has a value.
    Source: any textbook.

    Example:
        >>> frame = pl.DataFrame({"ts": [1, 1], "asset": ["A", "B"], "x": [1.0, 2.0]})
        >>> frame.select(market_mean("x")).to_series().to_list()
        [1.5, 1.5]
    """
    return _of(value).mean().over("ts")


def winsorise(value: str | pl.Expr, *, lower: float = 0.05, upper: float = 0.95) -> pl.Expr:
    """A value drawn in to the quantiles of the assets.

    Args:
        value: a column name or an expression.
        lower: quantile of the smallest value left, 0 to 1.
        upper: quantile of the largest value left, 0 to 1.

    Formula: ``min(max(x, q(lower)), q(upper))``, quantiles of the bar between two values on the line that joins them.
    Unit: that of the value.
    Lookback: ``0`` bars.
    Nulls: null where the value is; nulls are left out of the quantiles.
    Source: Tukey (1962), The Future of Data Analysis.

    Example:
        >>> frame = pl.DataFrame({"ts": [1, 1, 1], "asset": ["A", "B", "C"], "x": [1.0, 2.0, 9.0]})
        >>> frame.select(winsorise("x", lower=0.25, upper=0.75)).to_series().to_list()
        [1.5, 2.0, 5.5]
    """
    x = _of(value)
    return x.clip(x.quantile(lower, "linear").over("ts"), x.quantile(upper, "linear").over("ts"))


def top_n(value: str | pl.Expr, *, n: int) -> pl.Expr:
    """Whether a value is among the highest; of equal ones the first asset in order wins.

    Args:
        value: a column name or an expression.
        n: how many.

    Formula: ``rank from the highest <= n``.
    Unit: true or false.
    Lookback: ``0`` bars.
    Nulls: false where the value is null.
    Source: Jegadeesh and Titman (1993), Returns to Buying Winners and Selling Losers.

    Example:
        >>> frame = pl.DataFrame({"ts": [1, 1, 1], "asset": ["A", "B", "C"], "x": [1.0, 9.0, None]})
        >>> frame.select(top_n("x", n=1)).to_series().to_list()
        [False, True, False]
    """
    return (_of(value).rank("ordinal", descending=True).over("ts") <= n).fill_null(False)


def bottom_n(value: str | pl.Expr, *, n: int) -> pl.Expr:
    """Whether a value is among the lowest; of equal ones the first asset in order wins.

    Args:
        value: a column name or an expression.
        n: how many.

    Formula: ``rank from the lowest <= n``.
    Unit: true or false.
    Lookback: ``0`` bars.
    Nulls: false where the value is null.
    Source: Jegadeesh and Titman (1993), Returns to Buying Winners and Selling Losers.

    Example:
        >>> frame = pl.DataFrame({"ts": [1, 1, 1], "asset": ["A", "B", "C"], "x": [1.0, 9.0, None]})
        >>> frame.select(bottom_n("x", n=1)).to_series().to_list()
        [True, False, False]
    """
    return (_of(value).rank("ordinal").over("ts") <= n).fill_null(False)


def quantile_bucket(value: str | pl.Expr, *, buckets: int = 5) -> pl.Expr:
    """Which of some equally large groups of assets a value falls in; of equal ones the first asset comes first.

    Args:
        value: a column name or an expression.
        buckets: number of groups.

    Formula: ``floor((rank - 1) * buckets / n)``, ordinal ranks from the lowest, ``n`` non-null values.
    Unit: whole number, 0 = the lowest group, ``buckets - 1`` = the highest.
    Lookback: ``0`` bars.
    Nulls: null where the value is; nulls are not counted.
    Source: Fama and French (1992), The Cross-Section of Expected Stock Returns.

    Example:
        >>> frame = pl.DataFrame({"ts": [1, 1, 1, 1], "asset": ["A", "B", "C", "D"], "x": [1.0, 9.0, 5.0, 7.0]})
        >>> frame.select(quantile_bucket("x", buckets=2)).to_series().to_list()
        [0, 1, 0, 1]
    """
    x = _of(value)
    place = x.rank("ordinal").over("ts").cast(pl.Int64) - 1
    return place * buckets // x.count().over("ts").cast(pl.Int64)


def group_neutralise(value: str | pl.Expr, *, group: str | pl.Expr) -> pl.Expr:
    """What is left of a value without the mean of its group, such as its sector.

    Args:
        value: a column name or an expression.
        group: a column name or an expression that is known at the bar.

    Formula: ``x - mean`` over the assets of the bar with the same group.
    Unit: that of the value.
    Lookback: ``0`` bars.
    Nulls: null where the value is; assets without a group are a group of their own.
    Source: Grinold and Kahn, Active Portfolio Management, 2nd ed. (2000), chapter 14.

    Example:
        >>> frame = pl.DataFrame({"ts": [1, 1, 1], "asset": ["A", "B", "C"], "sector": ["x", "x", "y"], "x": [1.0, 2.0, 9.0]})
        >>> frame.select(group_neutralise("x", group="sector")).to_series().to_list()
        [-0.5, 0.5, 0.0]
    """
    x = _of(value)
    return x - x.mean().over("ts", group)


def group_rank(value: str | pl.Expr, *, group: str | pl.Expr, descending: bool = False) -> pl.Expr:
    """Rank among the assets of the same group, from 1; equal values share their average rank.

    Args:
        value: a column name or an expression.
        group: a column name or an expression that is known at the bar.
        descending: whether 1 is the highest.

    Formula: average rank of the value among the non-null values of the bar with the same group.
    Unit: 1 to the number of assets in the group.
    Lookback: ``0`` bars.
    Nulls: null where the value is; assets without a group are a group of their own.
    Source: Grinold and Kahn, Active Portfolio Management, 2nd ed. (2000), chapter 14.

    Example:
        >>> frame = pl.DataFrame({"ts": [1, 1, 1], "asset": ["A", "B", "C"], "sector": ["x", "x", "y"], "x": [1.0, 2.0, 9.0]})
        >>> frame.select(group_rank("x", group="sector")).to_series().to_list()
        [1.0, 2.0, 1.0]
    """
    return _of(value).rank("average", descending=descending).over("ts", group)
