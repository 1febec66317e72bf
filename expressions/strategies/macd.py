"""MACD: hold an asset while its MACD is above the signal line.

The capital is split evenly over the assets that trade; the part of an asset that is not held stays in cash.

Source: Appel, Technical Analysis: Power Tools for Active Investors (2005).

Parameters: spans of the three averages, the share of equity used, the price.
"""

from __future__ import annotations

from typing import Annotated

import polars as pl

import rustybt as rbt
from expressions import macd_histogram


@rbt.strategy
def macd(
    fast: Annotated[int, rbt.Range(1, 500)] = 12,
    slow: Annotated[int, rbt.Range(2, 1000)] = 26,
    signal: Annotated[int, rbt.Range(1, 500)] = 9,
    invested: Annotated[float, rbt.Range(0.0, 1.0)] = 0.99,
    column: str = "adj_close",
) -> rbt.Strategy:
    """Long above the signal line, else in cash.

    Args:
        fast: span of the fast average.
        slow: span of the slow average, more than ``fast``.
        signal: span of the signal line.
        invested: share of equity used when every asset is held.
        column: price.
    """
    if fast >= slow:
        raise rbt.SpecError(f"fast {fast} is not below slow {slow}", where="macd", do="choose fast < slow")
    histogram = macd_histogram(column, fast=fast, slow=slow, signal=signal)
    share = invested / pl.col("asset").n_unique().over("ts")
    target = rbt.weight(pl.when(histogram > 0).then(share).otherwise(0.0))
    # An exponential average remembers its first price: after five spans its weight is below 0.0001.
    return rbt.Strategy(target=target, signals={"histogram": histogram}, warmup=5 * (slow + signal))
