"""What is handed to those who evaluate: the work that all chunks share."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from rustybt.engine import RunConfig
from rustybt.engine.begin import begun
from rustybt.model import Panel
from rustybt.spec import StrategyFunction
from rustybt.sweeps.evaluate import Evaluator, Rows, frame_of
from rustybt.sweeps.measure import columns, failed
from rustybt.sweeps.variants import Block, Chunk

AHEAD = 2
"""Chunks per worker that are handed out before the first of them is taken back: what waits takes memory."""
DIED = "the process that ran this variant died"
"""The error of what took its process with it."""


@dataclass(frozen=True)
class Work:
    """What all chunks share.

    Attributes:
        strategies: families of strategies.
        panels: bars of each dataset.
        config: settings of the run.
        curves: whether equity curves are kept.
        counting: whether trials are named.
        budget: bytes for features.
    """

    strategies: tuple[StrategyFunction, ...]
    panels: tuple[Panel, ...]
    config: RunConfig
    curves: bool = False
    counting: bool = True
    budget: int = 10**9

    @cached_property
    def evaluators(self) -> OrderedDict[int, Evaluator]:
        """Those that were used last, by number of the dataset."""
        return OrderedDict()

    @cached_property
    def lock(self) -> Any:
        """Guards them."""
        return threading.Lock()

    def evaluator(self, data: int) -> Evaluator:
        """The evaluator of a dataset. Two are kept, since chunks of one dataset follow each other."""
        with self.lock:
            if data not in self.evaluators:
                while len(self.evaluators) > 1:
                    self.evaluators.popitem(last=False)
                self.evaluators[data] = Evaluator(
                    self.panels[data], self.config, self.budget if len(self.panels) == 1 else self.budget // 2
                )
            return self.evaluators[data]

    def rows(self, chunk: Chunk) -> Rows:
        """Evaluate one chunk."""
        block = chunk.block
        strategy = self.strategies[block.strategy]
        return self.evaluator(block.data).rows(strategy, block.assignments, curves=self.curves, counting=self.counting)

    def died(self, chunk: Chunk) -> Rows:
        """The row of a variant that took its process with it."""
        row: dict[str, Any] = failed(DIED).row
        blank = np.zeros((1, begun(self.panels[chunk.block.data], self.config).bars), dtype=np.int64) if self.curves else None
        return Rows(pl.DataFrame([row], schema=columns(self.config.money_scale)), (), blank)

    @property
    def modules(self) -> tuple[str, ...]:
        """Names of the modules that the strategies are from."""
        return tuple(dict.fromkeys(strategy.__module__ for strategy in self.strategies))

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("evaluators", "lock")}


def one_by_one(chunk: Chunk) -> list[Chunk]:
    """Chunks of a single variant each."""
    block = chunk.block
    return [Chunk(chunk.first + at, Block(block.data, block.strategy, block.assignments.taken([at]))) for at in range(chunk.count)]


def together(parts: Iterable[Rows]) -> Rows:
    """Rows of chunks that follow each other, as of one."""
    found = list(parts)
    curves = [rows.curves for rows in found if rows.curves is not None]
    trials = tuple(trial for rows in found for trial in rows.trials)
    return Rows(frame_of(found), trials, np.concatenate(curves) if curves else None)
