"""Cross-sectional momentum: each month, hold the assets that rose most over the last year but one month.

Source: Jegadeesh and Titman (1993); the skipped month avoids short-term reversal.
"""

from __future__ import annotations

from typing import Annotated

import polars as pl

import rustybt as rbt
from expressions import momentum as momentum_of


@rbt.strategy
def momentum(
    lookback: Annotated[int, rbt.Range(2, 2000)] = 252,
    skip: Annotated[int, rbt.Range(0, 500)] = 21,
    top: Annotated[int, rbt.Range(1, 1000)] = 50,
    invested: Annotated[float, rbt.Range(0.0, 1.0)] = 0.99,
    column: str = "adj_close",
) -> rbt.Strategy:
    """The ``top`` assets by momentum in equal parts, decided at the first bar of each month.

    Args:
        lookback: bars of the return.
        skip: most recent bars left out, less than ``lookback``.
        top: number of assets held.
        invested: share of equity used.
        column: price.
    """
    if skip >= lookback:
        raise rbt.SpecError(f"skip {skip} is not below lookback {lookback}", where="momentum", do="choose skip < lookback")
    score = momentum_of(column, lookback=lookback, skip=skip).over("asset")
    rank = score.rank("ordinal", descending=True).over("ts")
    return rbt.Strategy(
        target=rbt.weight(pl.when(rank <= top).then(invested / top).otherwise(0.0)),
        signals={"score": score},
        schedule=rbt.month_start(),
    )
