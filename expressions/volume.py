"""Volume: how much was traded, and what that says about the price."""

from __future__ import annotations

import polars as pl


def _ratio(above: pl.Expr, below: pl.Expr) -> pl.Expr:
    return pl.when(below != 0).then(above / below)


def _typical(prefix: str) -> pl.Expr:
    return (pl.col(prefix + "high") + pl.col(prefix + "low") + pl.col(prefix + "close")) / 3


def _money_flow(prefix: str) -> pl.Expr:
    """Volume times the place of the close in the range: all of it at the high, minus all of it at the low."""
    high, low, close = (pl.col(prefix + name) for name in ("high", "low", "close"))
    known = high.is_not_null() & low.is_not_null() & close.is_not_null()
    place = pl.when(known).then(pl.when(high != low).then((2 * close - low - high) / (high - low)).otherwise(0.0))
    return place * pl.col(prefix + "volume")


def obv(*, prefix: str = "") -> pl.Expr:
    """On-balance volume: volume added on rises and taken away on falls. It starts from 0; TA-Lib starts from the first volume.

    Args:
        prefix: of the columns; ``adj_`` for adjusted ones.

    Formula: ``sum of sign(close[i] - close[i - 1]) * volume[i]``.
    Unit: that of the volume.
    Lookback: unbounded.
    Nulls: null at the first bar and where a move or volume is unknown; the sum goes on from there.
    Source: Granville, New Key to Stock Market Profits (1963); TA-Lib OBV less the first volume.

    Example:
        >>> pl.DataFrame({"close": [1.0, 2.0, 1.5], "volume": [9.0, 5.0, 2.0]}).select(obv()).to_series().to_list()
        [None, 5.0, 3.0]
    """
    return (pl.col(prefix + "close").diff().sign() * pl.col(prefix + "volume")).cum_sum()


def ad_line(*, prefix: str = "") -> pl.Expr:
    """Accumulation/distribution line: volume weighted by where the close stands in the range of the bar.

    Args:
        prefix: of the columns; ``adj_`` for adjusted ones.

    Formula: ``sum of volume * (2 * close - low - high) / (high - low)``; a bar without range counts 0.
    Unit: that of the volume.
    Lookback: unbounded.
    Nulls: null where a price or the volume is; the sum goes on from there.
    Source: Chaikin, as in Achelis, Technical Analysis from A to Z (1995); TA-Lib AD.

    Example:
        >>> bars = pl.DataFrame({"high": [3.0, 4.0], "low": [1.0, 2.0], "close": [3.0, 2.5], "volume": [10.0, 4.0]})
        >>> bars.select(ad_line()).to_series().to_list()
        [10.0, 8.0]
    """
    return _money_flow(prefix).cum_sum()


def cmf(*, window: int = 20, prefix: str = "") -> pl.Expr:
    """Chaikin money flow: the accumulation of a window as a share of its volume.

    Args:
        window: bars that are summed.
        prefix: of the columns; ``adj_`` for adjusted ones.

    Formula: ``sum(volume * (2 * close - low - high) / (high - low)) / sum(volume)``; a bar without range counts 0 above.
    Unit: -1 to 1.
    Lookback: ``window - 1`` bars.
    Nulls: null until the window is full; a null inside it gives null, and so does no volume at all.
    Source: Chaikin, as in Achelis, Technical Analysis from A to Z (1995).

    Example:
        >>> bars = pl.DataFrame({"high": [3.0, 4.0], "low": [1.0, 2.0], "close": [3.0, 2.5], "volume": [10.0, 4.0]})
        >>> bars.select(cmf(window=2).round(4)).to_series().to_list()
        [None, 0.5714]
    """
    return _ratio(_money_flow(prefix).rolling_sum(window), pl.col(prefix + "volume").rolling_sum(window))


def mfi(*, window: int = 14, prefix: str = "") -> pl.Expr:
    """Money flow index: the money of rising bars as a share of all money.

    Args:
        window: bars that are summed.
        prefix: of the columns; ``adj_`` for adjusted ones.

    Formula: ``100 * up / (up + down)``; ``up`` sums ``p * volume`` where ``p = (high + low + close) / 3`` rose, ``down`` where it fell.
    Unit: 0 to 100.
    Lookback: ``window`` bars.
    Nulls: null until there are ``window`` moves; a null inside the window gives null, and so does no flow at all (TA-Lib says 0).
    Source: Quong and Soudack (1989), Stocks & Commodities 7:3; TA-Lib MFI.

    Example:
        >>> bars = pl.DataFrame({"high": [3.0, 4.0, 3.0], "low": [1.0, 2.0, 1.0], "close": [2.0, 3.0, 2.0], "volume": [1.0, 2.0, 3.0]})
        >>> bars.select(mfi(window=2)).to_series().to_list()
        [None, None, 50.0]
    """
    price = _typical(prefix)
    # Thirds are rounded: a price that has not moved may seem to by the last digit.
    flow, move = price * pl.col(prefix + "volume"), (price / price.shift(1) - 1).round(12)
    known = move.is_not_null()
    up = pl.when(known).then(pl.when(move > 0).then(flow).otherwise(0.0 * flow))
    both = pl.when(known).then(pl.when(move != 0).then(flow).otherwise(0.0 * flow))
    return 100 * _ratio(up.rolling_sum(window), both.rolling_sum(window)).clip(0.0, 1.0)


def vwap(*, prefix: str = "") -> pl.Expr:
    """Volume-weighted average price since the session began.

    Args:
        prefix: of the columns; ``adj_`` for adjusted ones.

    Formula: ``sum(p * volume) / sum(volume)`` over the bars of the session so far, ``p = (high + low + close) / 3``.
    Unit: that of the price.
    Lookback: session.
    Nulls: null where a price or the volume is, and until something has traded; the sums go on from there.
    Source: Berkowitz, Logue and Noser (1988), The Total Cost of Transactions on the NYSE.

    Example:
        >>> bars = pl.DataFrame({"high": [3.0, 6.0], "low": [1.0, 4.0], "close": [2.0, 5.0], "volume": [1.0, 2.0]})
        >>> keyed = bars.with_columns(asset=pl.lit("A"), session=pl.lit(1))
        >>> keyed.select(vwap()).to_series().to_list()
        [2.0, 4.0]
    """
    money = _typical(prefix) * pl.col(prefix + "volume")
    volume = pl.when(money.is_not_null()).then(pl.col(prefix + "volume"))
    return _ratio(money.cum_sum().over("asset", "session"), volume.cum_sum().over("asset", "session"))


def rolling_vwap(*, window: int = 20, prefix: str = "") -> pl.Expr:
    """Volume-weighted average price of a window.

    Args:
        window: bars in the average.
        prefix: of the columns; ``adj_`` for adjusted ones.

    Formula: ``sum(p * volume) / sum(volume)``, ``p = (high + low + close) / 3``.
    Unit: that of the price.
    Lookback: ``window - 1`` bars.
    Nulls: null until the window is full; a null inside it gives null, and so does no volume at all.
    Source: Berkowitz, Logue and Noser (1988), The Total Cost of Transactions on the NYSE.

    Example:
        >>> bars = pl.DataFrame({"high": [3.0, 6.0], "low": [1.0, 4.0], "close": [2.0, 5.0], "volume": [1.0, 2.0]})
        >>> bars.select(rolling_vwap(window=2)).to_series().to_list()
        [None, 4.0]
    """
    volume = pl.col(prefix + "volume")
    return _ratio((_typical(prefix) * volume).rolling_sum(window), volume.rolling_sum(window))


def volume_ratio(column: str = "volume", *, window: int = 20) -> pl.Expr:
    """This volume against the usual one, the average of the bars before.

    Args:
        column: volume.
        window: bars in the average, this one not included.

    Formula: ``volume[t] / mean(volume[t - 1], ..., volume[t - window])``.
    Unit: multiple, 1 = as usual.
    Lookback: ``window`` bars.
    Nulls: null until there are ``window`` earlier bars; a null inside gives null, and so does no volume before.
    Source: Kaufman, Trading Systems and Methods, 5th ed. (2013), chapter 12.

    Example:
        >>> pl.DataFrame({"volume": [2.0, 4.0, 9.0]}).select(volume_ratio(window=2)).to_series().to_list()
        [None, None, 3.0]
    """
    volume = pl.col(column)
    return _ratio(volume, volume.rolling_mean(window).shift(1))


def dollar_volume(*, window: int = 20, prefix: str = "") -> pl.Expr:
    """Average money traded per bar.

    Args:
        window: bars in the average.
        prefix: of the columns; ``adj_`` for adjusted ones.

    Formula: ``mean(close * volume, window)``.
    Unit: quote currency per bar.
    Lookback: ``window - 1`` bars.
    Nulls: null until the window is full; a null inside the window gives null.
    Source: Brennan, Chordia and Subrahmanyam (1998), Alternative Factor Specifications.

    Example:
        >>> pl.DataFrame({"close": [2.0, 3.0], "volume": [5.0, 10.0]}).select(dollar_volume(window=2)).to_series().to_list()
        [None, 20.0]
    """
    return (pl.col(prefix + "close") * pl.col(prefix + "volume")).rolling_mean(window)


def amihud(*, window: int = 20, prefix: str = "") -> pl.Expr:
    """Amihud illiquidity: how far the price moves per unit of money traded.

    Args:
        window: bars in the average.
        prefix: of the columns; ``adj_`` for adjusted ones.

    Formula: ``mean(|close[t] / close[t - 1] - 1| / (close[t] * volume[t]), window)``.
    Unit: fraction per unit of quote currency.
    Lookback: ``window`` bars.
    Nulls: null until there are ``window`` returns; a null inside the window gives null, and so does a bar that traded nothing.
    Source: Amihud (2002), Illiquidity and Stock Returns.

    Example:
        >>> pl.DataFrame({"close": [2.0, 4.0], "volume": [5.0, 10.0]}).select(amihud(window=1)).to_series().to_list()
        [None, 0.025]
    """
    close = pl.col(prefix + "close")
    return _ratio((close / close.shift(1) - 1).abs(), close * pl.col(prefix + "volume")).rolling_mean(window)


def force_index(*, window: int = 13, prefix: str = "") -> pl.Expr:
    """Elder's force index: the move of the close times the volume, averaged.

    Args:
        window: span in bars of the exponential average, which starts from the first value.
        prefix: of the columns; ``adj_`` for adjusted ones.

    Formula: ``ema((close[t] - close[t - 1]) * volume[t], window)``.
    Unit: quote currency.
    Lookback: unbounded.
    Nulls: null for the first ``window`` bars and where a move or volume is unknown; the average goes on from there.
    Source: Elder, Trading for a Living (1993).

    Example:
        >>> pl.DataFrame({"close": [2.0, 4.0, 3.0], "volume": [5.0, 10.0, 8.0]}).select(force_index(window=1)).to_series().to_list()
        [None, 20.0, -8.0]
    """
    force = pl.col(prefix + "close").diff() * pl.col(prefix + "volume")
    return force.ewm_mean(span=window, adjust=False, min_samples=window, ignore_nulls=True)
