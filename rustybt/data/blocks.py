"""Passes over long arrays a block at a time: what they make on the way stays in the processor's cache and takes no fresh memory.

The first touch of memory costs more than the arithmetic, so rows are also taken out in place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from rustybt.model.panel import Ints

BLOCK = 2**16
"""Rows of a block."""


def blocks(rows: int, *, overlap: int = 0) -> Iterator[slice]:
    """Slices that cover so many rows; each but the first begins ``overlap`` rows early.

    Example:
        >>> [(part.start, part.stop) for part in blocks(100_000, overlap=1)]
        [(0, 65536), (65535, 100000)]
    """
    for start in range(0, rows, BLOCK):
        yield slice(max(start - overlap, 0), min(start + BLOCK, rows))


def compact[T: np.generic](values: npt.NDArray[T], keep: npt.NDArray[np.bool_], *, owned: bool = False) -> npt.NDArray[T]:
    """The rows of a mask: moved to the front where the array may be written, else copied.

    Args:
        values: (rows,).
        keep: (rows,).
        owned: the array belongs to nobody else, whatever its flags say: Polars shows its memory as read-only.

    Example:
        >>> compact(np.array([1, 2, 3]), np.array([True, False, True])).tolist()
        [1, 3]
    """
    into = _writable(values) if owned or values.flags.writeable else np.empty(int(np.count_nonzero(keep)), values.dtype)
    at = 0
    for part in blocks(len(values)):
        left = values[part][keep[part]]
        into[at : at + len(left)] = left
        at += len(left)
    return into[:at]


def backward(values: Ints, codes: npt.NDArray[Any], *, equal: bool = False) -> Ints:
    """Rows that are less than the one before of the same asset, or with ``equal`` not more than it.

    Example:
        >>> backward(np.array([1, 3, 2, 1]), np.array([0, 0, 0, 1])).tolist()
        [2]
    """
    found = []
    for part in blocks(len(values), overlap=1):
        here, owner = values[part], codes[part]
        less = here[1:] <= here[:-1] if equal else here[1:] < here[:-1]
        found.append(np.flatnonzero(less & (owner[1:] == owner[:-1])) + part.start + 1)
    return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)


def ordered(values: npt.NDArray[Any]) -> bool:
    """Whether no value is less than the one before.

    Example:
        >>> ordered(np.array([1, 1, 2])), ordered(np.array([2, 1]))
        (True, False)
    """
    return all(bool((values[part][1:] >= values[part][:-1]).all()) for part in blocks(len(values), overlap=1))


class _Shared:
    """The memory of an array without its flag; numpy keeps this object, and with it the array, as long as the memory is used."""

    def __init__(self, values: npt.NDArray[Any]) -> None:
        self.values = values
        place, _ = values.__array_interface__["data"]
        self.__array_interface__ = {**values.__array_interface__, "data": (place, False)}


def _writable[T: np.generic](values: npt.NDArray[T]) -> npt.NDArray[T]:
    return values if values.flags.writeable else np.asarray(_Shared(values))
