"""Categories: a label per asset and bar, as an Enum, whose codes never depend on the data."""

from __future__ import annotations

import polars as pl


def _of(column: str | pl.Expr) -> pl.Expr:
    return pl.col(column) if isinstance(column, str) else column


def _labels(value: pl.Expr, low: pl.Expr | float, high: pl.Expr | float, names: tuple[str, str, str]) -> pl.Expr:
    first, middle, last = (pl.lit(name) for name in names)
    chosen = pl.when(value < low).then(first).when(value > high).then(last).when(value.is_not_null()).then(middle)
    return chosen.cast(pl.Enum(list(names)))


def trend_regime(column: str | pl.Expr = "close", *, window: int = 200, band: float = 0.01) -> pl.Expr:
    """Whether a price is in an up trend, a down trend or neither.

    Args:
        column: price, a column name or an expression.
        window: bars in the average.
        band: distance from the average that counts as flat, 0.01 = 1 %.

    Formula: ``d = x / mean(x, window) - 1``: ``down`` where ``d < -band``, ``up`` where ``d > band``, else ``flat``.
    Unit: Enum of ``down``, ``flat``, ``up``.
    Lookback: ``window - 1`` bars.
    Nulls: null until the window is full; a null inside the window gives null.
    Source: Faber (2007), A Quantitative Approach to Tactical Asset Allocation.

    Example:
        >>> pl.DataFrame({"close": [1.0, 2.0, 2.0, 1.0]}).select(trend_regime(window=2)).to_series().to_list()
        [None, 'up', 'flat', 'down']
    """
    x = _of(column)
    return _labels(x / x.rolling_mean(window) - 1, -band, band, ("down", "flat", "up"))


def volatility_regime(column: str | pl.Expr = "close", *, window: int = 20, history: int = 252) -> pl.Expr:
    """Whether a price moves little, as usual or much, by its own past.

    Args:
        column: price above 0, a column name or an expression.
        window: log returns in each standard deviation, 2 or more.
        history: standard deviations that this one is compared with, itself included.

    Formula: ``calm`` below the lower quartile of the past standard deviations, ``wild`` above the upper, else ``normal``.
    Unit: Enum of ``calm``, ``normal``, ``wild``.
    Lookback: ``window + history - 1`` bars.
    Nulls: null until there is that much past; a null inside it gives null.
    Source: Moreira and Muir (2017), Volatility-Managed Portfolios.

    Example:
        >>> frame = pl.DataFrame({"close": [1.0, 1.1, 1.2, 1.3, 2.6]})
        >>> frame.select(volatility_regime(window=2, history=3)).to_series().to_list()
        [None, None, None, None, 'wild']
    """
    x = _of(column)
    sigma = (x / x.shift(1)).log().rolling_std(window)
    low, high = (sigma.rolling_quantile(q, interpolation="linear", window_size=history) for q in (0.25, 0.75))
    return _labels(pl.when(low.is_not_null()).then(sigma), low, high, ("calm", "normal", "wild"))


def size_bucket(value: str | pl.Expr, *, small: float = 0.3, large: float = 0.7) -> pl.Expr:
    """Whether an asset is small, middling or large among the assets of its bar.

    Args:
        value: size, such as market value or traded money: a column name or an expression.
        small: share of the assets that are small.
        large: share from which they are large.

    Formula: ``p = (rank - 1) / (n - 1)`` of ``n`` values (average ranks):
        ``small`` where ``p < small``, ``large`` where ``p > large``, else ``mid``.
    Unit: Enum of ``small``, ``mid``, ``large``.
    Lookback: ``0`` bars.
    Nulls: null where the value is; a single asset is ``mid``.
    Source: Fama and French (1993), Common Risk Factors in the Returns on Stocks and Bonds.

    Example:
        >>> frame = pl.DataFrame({"ts": [1, 1, 1], "asset": ["A", "B", "C"], "x": [5.0, 9.0, 7.0]})
        >>> frame.select(size_bucket("x")).to_series().to_list()
        ['small', 'large', 'mid']
    """
    x = _of(value).over("asset")
    rank, count = x.rank("average").over("ts"), x.count().over("ts").cast(pl.Float64)
    place = pl.when(count > 1).then((rank - 1) / (count - 1)).when(x.is_not_null()).then(0.5)
    return _labels(place, small, large, ("small", "mid", "large"))


def candle(*, doji: float = 0.1, prefix: str = "") -> pl.Expr:
    """The body of the bar: falling, next to nothing, or rising.

    Args:
        doji: largest body, as a share of the range, that counts as nothing.
        prefix: of the price columns; ``adj_`` for adjusted ones.

    Formula: ``b = (close - open) / (high - low)``, 0 without a range:
        ``falling`` below ``-doji``, ``rising`` above ``doji``, else ``doji``.
    Unit: Enum of ``falling``, ``doji``, ``rising``.
    Lookback: ``0`` bars.
    Nulls: null where a price is.
    Source: Nison, Japanese Candlestick Charting Techniques (1991).

    Example:
        >>> bars = pl.DataFrame({"open": [1.0, 2.0], "high": [3.0, 2.5], "low": [1.0, 1.5], "close": [3.0, 2.0]})
        >>> bars.select(candle()).to_series().to_list()
        ['rising', 'doji']
    """
    open_, high, low, close = (pl.col(prefix + name) for name in ("open", "high", "low", "close"))
    body = pl.when(high != low).then((close - open_) / (high - low)).when(high == low).then(0.0 * (close - open_))
    return _labels(body, -doji, doji, ("falling", "doji", "rising"))
