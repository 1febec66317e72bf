"""Buy and hold: split the equity over the assets at the first bar and leave it there.

When a new asset is listed and more of them trade at once than ever before, the equity is split anew; a halt or a delisting changes nothing.

Source: the yardstick of every other strategy; Sharpe (1991), The Arithmetic of Active Management.

Parameters: the share of equity used.
"""

from __future__ import annotations

from typing import Annotated

import polars as pl

import rustybt as rbt


@rbt.strategy
def buy_and_hold(invested: Annotated[float, rbt.Range(0.0, 1.0)] = 0.99) -> rbt.Strategy:
    """All assets in equal parts, bought once.

    Args:
        invested: share of equity used.
    """
    most = pl.col("asset").n_unique().over("ts").cum_max().over("asset")
    return rbt.Strategy(target=rbt.weight(invested / most), warmup=0)
