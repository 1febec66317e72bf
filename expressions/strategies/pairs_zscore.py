"""Pairs: when two prices drift apart, sell the dear one and buy the cheap one until they are back.

The spread is the difference of the log prices. Beyond the level of entry, measured in its own standard deviations, half of the equity
goes long and half short; inside the level of exit both are closed. Other assets in the data are left alone. The weights are set anew every
few bars: a short that runs away would otherwise grow without end.

Source: Gatev, Goetzmann and Rouwenhorst (2006), Pairs Trading: Performance of a Relative-Value Arbitrage Rule.

Parameters: the two assets, the window of the spread, the levels of entry and exit, bars between two decisions, the share of equity used.
"""

from __future__ import annotations

from typing import Annotated

import polars as pl

import rustybt as rbt
from expressions import zscore


@rbt.strategy
def pairs_zscore(
    first: str = "AAPL",
    second: str = "MSFT",
    *,
    window: Annotated[int, rbt.Range(3, 2000)] = 60,
    entry: Annotated[float, rbt.Range(0.1, 10.0)] = 2.0,
    leave: Annotated[float, rbt.Range(0.0, 10.0)] = 0.5,
    rebalance: Annotated[int, rbt.Range(1, 1000)] = 5,
    invested: Annotated[float, rbt.Range(0.0, 1.0)] = 0.9,
) -> rbt.Strategy:
    """Long the cheap asset and short the dear one while their spread is wide.

    Args:
        first: symbol of one asset.
        second: symbol of the other.
        window: bars in which the spread is measured.
        entry: standard deviations at which the pair is opened.
        leave: standard deviations at which it is closed, below ``entry``.
        rebalance: bars from one decision to the next.
        invested: gross exposure when the pair is open, as a share of equity.
    """
    if first == second:
        raise rbt.SpecError(f"first and second are both {first!r}", where="pairs_zscore", do="name two assets")
    if leave >= entry:
        raise rbt.SpecError(f"leave {leave} is not below entry {entry}", where="pairs_zscore", do="choose leave < entry")
    symbol = pl.col("asset").cast(pl.String)
    one, two = (pl.when(symbol == name).then(pl.col("adj_close").log()).max().over("ts") for name in (first, second))
    z = zscore((one - two).over("asset"), window=window)
    side = pl.when(z < -entry).then(1.0).when(z > entry).then(-1.0).when(z.abs() < leave).then(0.0).forward_fill()
    half = invested / 2
    target = pl.when(symbol == first).then(half * side).when(symbol == second).then(-half * side).otherwise(0.0)
    return rbt.Strategy(target=rbt.weight(target), signals={"zscore": z}, schedule=rbt.every(bars=rebalance), warmup=window)
