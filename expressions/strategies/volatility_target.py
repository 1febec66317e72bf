"""Volatility targeting: hold less of what moves more.

Each asset has an equal part of the equity. Of its part as much is invested as brings it to the wanted volatility, never more than
all of it; the rest stays in cash. Decided at the first bar of each week.

Source: Moreira and Muir (2017), Volatility-Managed Portfolios.

Parameters: the wanted volatility, the window in which volatility is measured, bars in a year, the share of equity used, the price.
"""

from __future__ import annotations

from typing import Annotated

import polars as pl

import rustybt as rbt
from expressions import volatility_target as volatility_target_of


@rbt.strategy
def volatility_target(
    target: Annotated[float, rbt.Range(0.001, 2.0)] = 0.15,
    window: Annotated[int, rbt.Range(2, 1000)] = 60,
    periods: Annotated[int, rbt.Range(1, 1_000_000)] = 252,
    invested: Annotated[float, rbt.Range(0.0, 1.0)] = 0.99,
    column: str = "adj_close",
) -> rbt.Strategy:
    """Weights that bring each asset's part to a wanted volatility, weekly.

    Args:
        target: wanted volatility per year, 0.15 = 15 %.
        window: log returns in the standard deviation.
        periods: bars in a year: 252 for sessions, 365 for days of crypto.
        invested: share of equity used when nothing moves.
        column: price.
    """
    scale = volatility_target_of(column, target=target, window=window, periods=periods, most=1.0)
    share = invested / pl.col("asset").n_unique().over("ts")
    return rbt.Strategy(target=rbt.weight(scale * share), signals={"scale": scale}, schedule=rbt.week_start())
