"""RSI reversion: buy what has fallen hard, sell it when it has recovered.

Each asset is bought when its relative strength index drops below a low level and held until the index rises above a higher one. The
capital is split evenly over the assets that trade; the part of an asset that is not held stays in cash.

Source: Wilder, New Concepts in Technical Trading Systems (1978); levels as in Connors and Alvarez, Short Term Trading Strategies
That Work (2008), made milder.

Parameters: window of the index, the levels of entry and exit, the share of equity used, the price.
"""

from __future__ import annotations

from typing import Annotated

import polars as pl

import rustybt as rbt
from expressions import rsi


@rbt.strategy
def rsi_reversion(
    window: Annotated[int, rbt.Range(2, 200)] = 14,
    low: Annotated[float, rbt.Range(0.0, 100.0)] = 30.0,
    high: Annotated[float, rbt.Range(0.0, 100.0)] = 55.0,
    invested: Annotated[float, rbt.Range(0.0, 1.0)] = 0.99,
    column: str = "adj_close",
) -> rbt.Strategy:
    """Long from an index below ``low`` until it is above ``high``.

    Args:
        window: bars of the index.
        low: level of entry.
        high: level of exit, above ``low``.
        invested: share of equity used when every asset is held.
        column: price.
    """
    if low >= high:
        raise rbt.SpecError(f"low {low} is not below high {high}", where="rsi_reversion", do="choose low < high")
    index = rsi(column, window=window)
    held = pl.when(index < low).then(1.0).when(index > high).then(0.0).forward_fill()
    share = invested / pl.col("asset").n_unique().over("ts")
    # Wilder's average remembers its first bars: after ten windows their weight is below 0.0001.
    return rbt.Strategy(target=rbt.weight(held * share), signals={"rsi": index}, warmup=10 * window)
