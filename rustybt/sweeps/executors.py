"""Who evaluates the chunks of a sweep: threads, processes, or a Ray cluster. The rows are the same and come in the same order.

To add an executor: a class with `Crew.rows` and ``close``, listed in `EXECUTORS`.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import shutil
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from functools import partial
from itertools import count
from multiprocessing.connection import wait
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from rustybt._output import unwritten
from rustybt.errors import ConfigError
from rustybt.model.arguments import whole
from rustybt.sweeps.cluster import Cluster, reached
from rustybt.sweeps.evaluate import Rows
from rustybt.sweeps.options import Site
from rustybt.sweeps.variants import Chunk
from rustybt.sweeps.work import AHEAD, Work, one_by_one, together

DEATHS = 2
"""How often a chunk may take its process with it before its variants are tried one by one."""
MOST_WORKERS = 10_000
"""Of a machine or a cluster."""
KEPT = 2
"""Works that are kept on both sides."""


class Crew(Protocol):
    """Workers that are kept while a study asks for batch after batch."""

    def rows(self, work: Work, chunks: Iterable[Chunk]) -> Generator[Rows]:
        """The rows of chunks, in their order."""
        ...


class Threads:
    """Threads of this process: nothing is copied, and the kernel leaves Python to the others."""

    def __init__(self, site: Site) -> None:
        self.workers = site.workers

    def rows(self, work: Work, chunks: Iterable[Chunk]) -> Generator[Rows]:
        """The rows of chunks, in their order."""
        if self.workers == 1:
            yield from map(work.rows, chunks)
            return
        pool = ThreadPoolExecutor(self.workers, thread_name_prefix="sweep")
        try:
            for _, future in _handed_out(lambda chunk: pool.submit(work.rows, chunk), chunks, self.workers):
                yield future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


class Processes:
    """Processes of their own, which read the work once from a file. A chunk whose process dies is run again."""

    def __init__(self, site: Site) -> None:
        self.workers = site.workers
        self.pool: ProcessPoolExecutor | None = None
        self.folder: TemporaryDirectory[str] | None = None
        self.sent: dict[int, tuple[Work, Path]] = {}

    def rows(self, work: Work, chunks: Iterable[Chunk]) -> Generator[Rows]:
        """The rows of chunks, in their order.

        Raises:
            ConfigError: the strategy cannot be sent to another process.
        """
        place = self._placed(work)
        source, left, deaths = iter(chunks), deque[Chunk](), 0

        def wanted() -> Iterator[Chunk]:
            yield from tuple(left)
            for chunk in source:  # taken when there is a place for it, so that its size can follow from those before
                left.append(chunk)
                yield chunk

        while True:
            if deaths > DEATHS:
                yield _apart(work, place, left.popleft())
                deaths = 0
                continue
            pool = self.pool = self.pool or _pool(self.workers)
            submit = partial(_submitted, pool, place)
            try:
                with closing(_handed_out(submit, wanted(), self.workers)) as handed:
                    for chunk, future in handed:
                        rows = future.result()
                        assert chunk is left[0]
                        left.popleft()
                        deaths = 0
                        yield rows
                return
            except BrokenProcessPool:
                deaths += 1
                pool.shutdown(wait=True, cancel_futures=True)
                self.pool = None

    def _placed(self, work: Work) -> Path:
        """The file of a work; the two that were used last are kept, since a search that prunes takes turns with a part of the bars."""
        if id(work) in self.sent:
            return self.sent[id(work)][1]
        try:
            packed = pickle.dumps(work)
        except Exception as error:  # noqa: BLE001 - pickle raises what it likes
            do = 'put the strategy into a module, or use executor="threads"'
            raise ConfigError(f"the sweep cannot be sent to another process: {error}", where="executor", do=do) from None
        while len(self.sent) >= KEPT:
            self.sent.pop(next(iter(self.sent)))[1].unlink(missing_ok=True)
        place = Path(os.environ.get("TMPDIR", os.curdir))
        try:
            self.folder = self.folder or TemporaryDirectory(prefix="rustybt-")
            place = Path(self.folder.name) / f"work-{next(_numbers)}"
            place.write_bytes(packed)
        except OSError as error:
            then = 'set TMPDIR to it, or use executor="threads"'
            raise unwritten(place, error, "what the processes need", do="choose another place", then=then) from None
        self.sent[id(work)] = work, place
        return place

    def close(self) -> None:
        """Let the processes go."""
        if self.pool is not None:
            self.pool.shutdown(wait=True, cancel_futures=True)
        if self.folder is not None:
            self.folder.cleanup()


@contextmanager
def crew(site: Site) -> Iterator[Crew]:
    """The workers of a site, kept until the end of the block; they start with the first chunk."""
    found = executor_of(site.executor)(site)
    try:
        yield found
    finally:
        if not isinstance(found, Threads):
            found.close()


def evaluated(work: Work, chunks: Iterable[Chunk], site: Site) -> Generator[Rows]:
    """The rows of one batch of chunks, in their order, by workers that are let go after it."""
    if not isinstance(chunks, Sequence) or chunks:
        with crew(site) as workers, closing(workers.rows(work, chunks)) as rows:
            yield from rows


type Hiring = Callable[[Site], Threads | Processes | Cluster]
EXECUTORS: dict[str, Hiring] = {"threads": Threads, "processes": Processes, "ray": Cluster}


def executor_of(name: str) -> Hiring:
    """An executor by name.

    Raises:
        ConfigError: there is none.
    """
    if not isinstance(name, str) or name not in EXECUTORS:
        raise ConfigError(f"there is no executor {name!r}", where="executor", do=f"use one of {', '.join(map(repr, EXECUTORS))}")
    return EXECUTORS[name]


def workers_of(given: int | None) -> int:
    """How many workers: one per core of this process unless given.

    Raises:
        ConfigError: fewer than one.
    """
    if given is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return whole(given, "workers", "give 1 or more, or None for one per core", most=MOST_WORKERS, what=f"{given!r} workers")


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
        raise ConfigError(f"{executor} have no address", where="address", do='leave it out, or use executor="ray"')
    many = workers_of(workers)
    return nullcontext(Site(executor, many, many))


def _handed_out(submit: Callable[[Chunk], Future[Rows]], chunks: Iterable[Chunk], workers: int) -> Generator[tuple[Chunk, Future[Rows]]]:
    """Chunks and what becomes of them, in order, a few ahead of the one that is waited for."""
    waiting: deque[tuple[Chunk, Future[Rows]]] = deque()
    try:
        for chunk in chunks:
            waiting.append((chunk, submit(chunk)))
            if len(waiting) > AHEAD * workers:
                yield waiting.popleft()
        while waiting:
            yield waiting.popleft()
    finally:
        for _, future in waiting:
            future.cancel()


def _pool(workers: int) -> ProcessPoolExecutor:
    """Processes that start from nothing: a fork of a process with threads may hang."""
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_watch)


def _watch() -> None:
    """In a process: end with the one that asked. Those of a pool whose owner was killed would wait for work for ever."""
    owner = multiprocessing.parent_process()
    if owner is not None:
        threading.Thread(target=_end_with, args=(owner.sentinel,), daemon=True).start()


def _end_with(owner: int) -> None:
    wait([owner])
    for place in list(_received):  # what the owner would have deleted
        shutil.rmtree(place.parent, ignore_errors=True)
    os._exit(1)


_numbers = count()
_received: dict[Path, Work] = {}
"""In a process: the works it read last."""


def _submitted(pool: ProcessPoolExecutor, place: Path, chunk: Chunk) -> Future[Rows]:
    return pool.submit(_rows, place, chunk)


def _rows(place: Path, chunk: Chunk) -> Rows:
    if place not in _received:
        while len(_received) >= KEPT:
            _received.pop(next(iter(_received)))
        _received[place] = pickle.loads(place.read_bytes())
    return _received[place].rows(chunk)


def _apart(work: Work, place: Path, chunk: Chunk) -> Rows:
    """The variants of a chunk that kills its process, each in a process of its own; one that dies is a row that says so."""
    found: list[Rows] = []
    for one in one_by_one(chunk):
        pool = _pool(1)
        try:
            found.append(pool.submit(_rows, place, one).result())
        except BrokenProcessPool:
            found.append(work.died(one))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    return together(found)
