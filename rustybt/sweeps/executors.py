"""Who evaluates the chunks of a sweep: threads, processes, or a Ray cluster. The rows are the same and come in the same order.

To add an executor: a generator of the rows of chunks in their order, listed in `EXECUTORS`.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, nullcontext

from rustybt.errors import ConfigError
from rustybt.sweeps.cluster import in_ray, reached
from rustybt.sweeps.evaluate import Rows
from rustybt.sweeps.options import Site
from rustybt.sweeps.variants import Chunk
from rustybt.sweeps.work import AHEAD, Work, one_by_one, together

DEATHS = 2
"""How often a chunk may take its process with it before its variants are tried one by one."""


def in_threads(work: Work, chunks: Sequence[Chunk], site: Site) -> Generator[Rows]:
    """In threads of this process: nothing is copied, and the kernel leaves Python to the others."""
    workers = site.workers
    if workers == 1:
        yield from map(work.rows, chunks)
        return
    pool = ThreadPoolExecutor(workers, thread_name_prefix="sweep")
    try:
        yield from (future.result() for _, future in _handed_out(pool, work.rows, chunks, workers))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def in_processes(work: Work, chunks: Sequence[Chunk], site: Site) -> Generator[Rows]:
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
        pool = _pool(packed, site.workers)
        try:
            for chunk, future in _handed_out(pool, _rows, list(left), site.workers):
                rows = future.result()
                assert chunk is left[0]
                left.popleft()
                deaths = 0
                yield rows
        except BrokenProcessPool:
            deaths += 1
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


type Executing = Callable[[Work, Sequence[Chunk], Site], Generator[Rows]]
EXECUTORS: dict[str, Executing] = {"threads": in_threads, "processes": in_processes, "ray": in_ray}


def executor_of(name: str) -> Executing:
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


def sited(executor: str, workers: int | None, address: str | None = None) -> AbstractContextManager[Site]:
    """Where a sweep will be evaluated; a cluster is held on to for as long.

    Args:
        executor: name.
        workers: how many at a time; None = one per core, of the cluster where there is one.
        address: of a Ray cluster.

    Raises:
        ConfigError: there is no such executor, fewer than one worker, an address for another executor than Ray, or a cluster that cannot be
            reached.
        MissingExtraError: Ray is not installed.
    """
    executor_of(executor)
    if executor == "ray":
        return reached(address, None if workers is None else workers_of(workers), workers_of(None))
    if address is not None:
        raise ConfigError(f"{executor} have no address", where="sweep, address", do='leave it out, or use executor="ray"')
    count = workers_of(workers)
    return nullcontext(Site(executor, count, count))


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
    work: Work = pickle.loads(packed)
    found: list[Rows] = []
    for one in one_by_one(chunk):
        pool = _pool(packed, 1)
        try:
            found.append(pool.submit(_rows, one).result())
        except BrokenProcessPool:
            found.append(work.died(one))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    return together(found)
