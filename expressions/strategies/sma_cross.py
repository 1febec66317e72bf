"""SMA cross: hold an asset while its fast average is above its slow one.

The oldest trend rule there is. The capital is split evenly over the assets that trade; what is out of trend stays in cash.
"""

from __future__ import annotations

from typing import Annotated

import polars as pl

import rustybt as rbt
from expressions import sma


@rbt.strategy
def sma_cross(
    fast: Annotated[int, rbt.Range(2, 500)] = 20,
    slow: Annotated[int, rbt.Range(3, 1000)] = 50,
    invested: Annotated[float, rbt.Range(0.0, 1.0)] = 0.99,
    column: str = "adj_close",
) -> rbt.Strategy:
    """Long above the cross, else in cash.

    Args:
        fast: bars of the fast average.
        slow: bars of the slow average, more than ``fast``.
        invested: share of equity used when every asset is in trend.
        column: price that is averaged.
    """
    if fast >= slow:
        raise rbt.SpecError(f"fast {fast} is not below slow {slow}", where="sma_cross", do="choose fast < slow")
    up = sma(column, window=fast) > sma(column, window=slow)
    share = invested / pl.col("asset").n_unique().over("ts")
    return rbt.Strategy(target=rbt.weight(pl.when(up).then(share).otherwise(0.0)))
