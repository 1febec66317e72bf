"""Memory of large logs, curves and money columns, used again once nobody holds them.

Touching a page for the first time takes longer than filling it, several milliseconds for a million bars. Whether the allocator keeps what
was given back depends on what the process did before; this keeps it, up to a limit.
"""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

type Memory = npt.NDArray[np.uint8]

LEAST = 2**20
"""Bytes from which on memory is kept. Smaller arrays the allocator keeps by itself."""
MOST = 2**28
"""Bytes that are kept at most while nobody uses them."""
LINE = 64
"""Bytes of a line of memory."""
STEPS = 8
"""Sizes between a power of two and the next: arrays of about one size take the same memory."""


class Kept:
    """Memory that nobody uses, oldest first.

    Args:
        most: bytes.
    """

    def __init__(self, most: int = MOST) -> None:
        self.most, self.held = most, 0
        self.free: deque[Memory] = deque()
        self.lock = Lock()

    def take(self, size: int) -> Memory:
        """Memory of a size, with anything in it."""
        with self.lock:
            for place in range(len(self.free) - 1, -1, -1):  # what was given back last is still in the cache
                if len(self.free[place]) == size:
                    found = self.free[place]
                    del self.free[place]
                    self.held -= size
                    return found
        return aligned(size)

    def give_back(self, memory: Memory) -> None:
        """Keep memory that nobody uses any more."""
        if len(memory) > self.most or not self.lock.acquire(blocking=False):  # the collector may come while it is held
            return
        try:
            self.free.append(memory)
            self.held += len(memory)
            while self.held > self.most:
                self.held -= len(self.free.popleft())
        finally:
            self.lock.release()


class Loan:
    """Memory under arrays; it goes back when the last of them is gone."""

    def __init__(self, size: int, kept: Kept) -> None:
        self.kept, self.memory = kept, kept.take(size)

    def __buffer__(self, flags: int) -> memoryview:
        return memoryview(self.memory)

    def __del__(self) -> None:
        self.kept.give_back(self.memory)


kept = Kept()
"""Of this process."""


def room_for(length: int, kind: Any, *, lines: bool = False) -> npt.NDArray[Any]:
    """An array with anything in it.

    Args:
        length: numbers.
        kind: their type.
        lines: it begins with a line of memory, however small it is.

    Example:
        >>> room_for(3, np.int64).shape
        (3,)
    """
    size = length * np.dtype(kind).itemsize
    if np.dtype(kind).hasobject:
        return np.empty(length, kind)
    if size < LEAST:
        return aligned(size).view(kind) if lines else np.empty(length, kind)
    return np.frombuffer(Loan(rounded(size), kept), kind, length)


def aligned(size: int) -> Memory:
    """Memory of a size that begins with a line of memory.

    Example:
        >>> aligned(100).ctypes.data % LINE
        0
    """
    memory = np.empty(size + LINE, dtype=np.uint8)
    first = -memory.ctypes.data % LINE
    return memory[first : first + size]


def rounded(size: int) -> int:
    """The size of memory in which so many bytes fit.

    Example:
        >>> rounded(8_000_008), rounded(2**20)
        (8388608, 1048576)
    """
    step = (1 << (size - 1).bit_length()) // (2 * STEPS)
    return -(-size // step) * step
