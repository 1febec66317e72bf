"""Strategies that another process can import."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import polars as pl

import rustybt as rbt
from rustybt.sweeps import Case


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


@rbt.strategy
def sleepy(n: int = 20, nap: float = 0.05) -> rbt.Strategy:
    """Its function is the slow part."""
    time.sleep(nap)
    return rbt.Strategy(target=rbt.weight(pl.when(pl.col("close").rolling_mean(n) > pl.col("close")).then(0.1).otherwise(0.0)))


@dataclass(frozen=True)
class Fatal:
    """A change that takes the process of one run with it: the one whose first draw is that of run ``number`` of seed 0."""

    number: int

    def apply(self, case: Case, rng: np.random.Generator) -> Case:
        if self.number >= 0 and rng.random() == np.random.default_rng([0, self.number]).random():
            os._exit(3)
        return case
