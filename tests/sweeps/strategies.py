"""Strategies that another process can import."""

from __future__ import annotations

import os
from typing import Annotated

import polars as pl

import rustybt as rbt


@rbt.strategy
def cross(fast: Annotated[int, rbt.Range(2, 30)] = 5, slow: int = 20) -> rbt.Strategy:
    up = pl.col("close").rolling_mean(fast) > pl.col("close").rolling_mean(slow)
    return rbt.Strategy(target=rbt.weight(pl.when(up).then(0.3).otherwise(0.0)))


@rbt.strategy
def breakout(window: int = 10, share: float = 0.2) -> rbt.Strategy:
    up = pl.col("close") >= pl.col("close").rolling_max(window)
    return rbt.Strategy(target=rbt.weight(pl.when(up).then(share).otherwise(0.0)))


@rbt.strategy
def deadly(fast: int = 5) -> rbt.Strategy:
    if fast == 7:
        os._exit(3)
    return rbt.Strategy(target=rbt.weight(0.1 + fast / 1000))
