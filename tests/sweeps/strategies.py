"""Strategies that another process can import."""

from __future__ import annotations

import os
import time
from pathlib import Path
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


@rbt.strategy
def slow_once(mark: str, fast: int = 5, slow: int = 20) -> rbt.Strategy:
    """Its first process dies; the others take their time."""
    made = Path(mark)
    if fast == 5 and os.environ.get("RAY_JOB_ID") and not made.exists():
        made.touch()
        os._exit(3)
    time.sleep(0.2)
    return rbt.Strategy(target=rbt.weight(0.1 + fast / 1000 + slow / 10_000))
