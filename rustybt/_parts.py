"""Work over a long array in as many threads as there are cores: numpy computes without the interpreter's lock."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

LONG = 2**18
"""Rows below which a second thread costs more than it wins."""


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_parts[T](work: Callable[[int, int], T], rows: int, block: int, threads: int | None = None) -> list[T]:
    """What ``work(start, stop)`` gives for consecutive parts of ``rows``, in order; one part where there are few.

    Args:
        work: must not mind running beside itself.
        rows: how many there are.
        block: parts begin at multiples of it.
        threads: None = one per core.

    Example:
        >>> in_parts(lambda start, stop: stop - start, 10, 4)
        [10]
        >>> in_parts(lambda start, stop: stop - start, 2**20, 2**10, threads=2)
        [524288, 524288]
    """
    most = threads or cores()
    if rows < LONG or most == 1:
        return [work(0, rows)]
    each = -(-rows // (most * block)) * block
    starts = range(0, rows, each)
    with ThreadPoolExecutor(len(starts)) as pool:
        return list(pool.map(lambda start: work(start, min(start + each, rows)), starts))
