"""Who evaluates the chunks of a sweep: threads, or processes. The rows are the same and come in the same order.

To add an executor: a generator of the rows of chunks in their order, listed in `EXECUTORS`.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rustybt.engine import RunConfig
from rustybt.engine.begin import begun
from rustybt.errors import ConfigError
from rustybt.model import Panel
from rustybt.spec import StrategyFunction
from rustybt.sweeps.evaluate import Evaluator, Rows
from rustybt.sweeps.measure import columns, failed
from rustybt.sweeps.variants import Block, Chunk

AHEAD = 2
"""Chunks per worker that are handed out before the first of them is taken back: what waits takes memory."""
DEATHS = 2
"""How often a chunk may take its process with it before its variants are tried one by one."""


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

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("evaluators", "lock")}


def in_threads(work: Work, chunks: Sequence[Chunk], workers: int) -> Iterator[Rows]:
    """In threads of this process: nothing is copied, and the kernel leaves Python to the others."""
    if workers == 1:
        yield from map(work.rows, chunks)
        return
    pool = ThreadPoolExecutor(workers, thread_name_prefix="sweep")
    try:
        yield from (future.result() for _, future in _handed_out(pool, work.rows, chunks, workers))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def in_processes(work: Work, chunks: Sequence[Chunk], workers: int) -> Iterator[Rows]:
    """In processes of their own, each of which is sent the work once. A chunk whose process dies is run again.

    Raises:
        ConfigError: the strategy cannot be sent to another process.
    """
    try:
        packed = pickle.dumps(work)
    except Exception as error:  # noqa: BLE001 - pickle raises what it likes
        do = 'put the strategy into a module, or use executor="threads"'
        raise ConfigError(f"the sweep cannot be sent to another process: {error}", where="sweep, executor", do=do) from None
    left, deaths = deque(chunks), 0
    while left:
        if deaths > DEATHS:
            yield _apart(packed, left.popleft())
            deaths = 0
            continue
        pool = _pool(packed, workers)
        try:
            for chunk, future in _handed_out(pool, _rows, list(left), workers):
                rows = future.result()
                assert chunk is left[0]
                left.popleft()
                deaths = 0
                yield rows
        except BrokenProcessPool:
            deaths += 1
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


EXECUTORS: dict[str, Callable[[Work, Sequence[Chunk], int], Iterator[Rows]]] = {"threads": in_threads, "processes": in_processes}


def executor_of(name: str) -> Callable[[Work, Sequence[Chunk], int], Iterator[Rows]]:
    """An executor by name.

    Raises:
        ConfigError: there is none.
    """
    if name not in EXECUTORS:
        raise ConfigError(f"there is no executor {name!r}", where="sweep, executor", do=f"use one of {', '.join(map(repr, EXECUTORS))}")
    return EXECUTORS[name]


def workers_of(given: int | None) -> int:
    """How many workers: one per core of this process unless given.

    Raises:
        ConfigError: fewer than one.
    """
    if given is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise ConfigError(f"{given!r} workers", where="sweep, workers", do="give 1 or more, or None for one per core")
    return given


def _handed_out(
    pool: Executor, evaluate: Callable[[Chunk], Rows], chunks: Sequence[Chunk], workers: int
) -> Iterator[tuple[Chunk, Future[Rows]]]:
    """Chunks and what becomes of them, in order, a few ahead of the one that is waited for."""
    waiting: deque[tuple[Chunk, Future[Rows]]] = deque()
    for chunk in chunks:
        waiting.append((chunk, pool.submit(evaluate, chunk)))
        if len(waiting) > AHEAD * workers:
            yield waiting.popleft()
    yield from waiting


def _pool(packed: bytes, workers: int) -> ProcessPoolExecutor:
    """Processes that start from nothing: a fork of a process with threads may hang."""
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _receive, (packed,))


_received: dict[str, Work] = {}


def _receive(packed: bytes) -> None:
    _received["work"] = pickle.loads(packed)


def _rows(chunk: Chunk) -> Rows:
    return _received["work"].rows(chunk)


def _apart(packed: bytes, chunk: Chunk) -> Rows:
    """The variants of a chunk that kills its process, each in a process of its own; one that dies is a row that says so."""
    import numpy as np
    import polars as pl

    work: Work = pickle.loads(packed)
    found: list[Rows] = []
    for at in range(chunk.block.assignments.count):
        one = Chunk(chunk.first + at, Block(chunk.block.data, chunk.block.strategy, chunk.block.assignments.taken([at])))
        pool = _pool(packed, 1)
        try:
            found.append(pool.submit(_rows, one).result())
        except BrokenProcessPool:
            row: dict[str, Any] = failed("the process that ran this variant died").row
            blank = np.zeros((1, begun(work.panels[chunk.block.data], work.config).bars), dtype=np.int64) if work.curves else None
            found.append(Rows(pl.DataFrame([row], schema=columns(work.config.money_scale)), (), blank))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    curves = np.concatenate([rows.curves for rows in found if rows.curves is not None]) if work.curves else None
    return Rows(pl.concat([rows.frame for rows in found]), tuple(trial for rows in found for trial in rows.trials), curves)
