"""Bollinger reversion: buy below the lower band, sell at the average.

Each asset is bought when its price closes below the lower band and held until it closes above the middle one. The capital is split
evenly over the assets that trade; the part of an asset that is not held stays in cash.

Source: Bollinger on Bollinger Bands (2001), method III (reversals), reduced to prices.

Parameters: window and width of the bands, the share of equity used, the price.
"""

from __future__ import annotations

from typing import Annotated

import polars as pl

import rustybt as rbt
from expressions import percent_b


@rbt.strategy
def bollinger(
    window: Annotated[int, rbt.Range(2, 500)] = 20,
    deviations: Annotated[float, rbt.Range(0.1, 10.0)] = 2.0,
    invested: Annotated[float, rbt.Range(0.0, 1.0)] = 0.99,
    column: str = "adj_close",
) -> rbt.Strategy:
    """Long from below the lower band until above the average.

    Args:
        window: bars of mean and deviation.
        deviations: standard deviations from the mean to a band.
        invested: share of equity used when every asset is held.
        column: price.
    """
    place = percent_b(column, window=window, deviations=deviations)
    held = pl.when(place < 0).then(1.0).when(place > 0.5).then(0.0).forward_fill()
    share = invested / pl.col("asset").n_unique().over("ts")
    return rbt.Strategy(target=rbt.weight(held * share), signals={"percent_b": place}, warmup=window)
