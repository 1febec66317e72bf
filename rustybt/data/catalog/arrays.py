"""Arrays of a panel in one file, mapped when it is opened: a line that says where each lies, then their bytes."""

from __future__ import annotations

import json
import math
import mmap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

ALIGNED = 64
"""Bytes: every array begins at a multiple, as Arrow and the processor like it."""


class Writable(Protocol):
    """A file that takes bytes."""

    def write(self, data: Any, /) -> int:
        """Take them."""


type Array = np.ndarray[Any, Any]


class Streamed(NamedTuple):
    """An array that is made while it is written.

    Args:
        dtype: of its values.
        shape: as it will be mapped.
        pieces: makes them, in C order.
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    pieces: Callable[[], Iterator[Array]]

    @property
    def nbytes(self) -> int:
        """Bytes of all values."""
        return self.dtype.itemsize * math.prod(self.shape)


type Arrays = Mapping[str, Array | Streamed]


def write_arrays(file: Writable, arrays: Arrays) -> None:
    """Write arrays one after the other.

    Args:
        file: open, empty.
        arrays: by name, C order, numbers; or what makes them.
    """
    places, at = {}, 0
    for name, array in arrays.items():
        places[name] = [array.dtype.str, array.shape, at]
        at += -(-array.nbytes // ALIGNED) * ALIGNED
    head = json.dumps(places).encode()
    head += b" " * (-(len(head) + 1) % ALIGNED) + b"\n"
    file.write(head)
    for array in arrays.values():
        for piece in array.pieces() if isinstance(array, Streamed) else (array,):
            file.write(memoryview(np.ascontiguousarray(piece).reshape(-1)).cast("B"))
        file.write(bytes(-array.nbytes % ALIGNED))


def map_arrays(path: Path) -> dict[str, Array]:
    """The arrays of a file, read when they are used. Writing into one changes it in this process alone, never the file.

    Raises:
        ValueError: the file is not what `write_arrays` wrote, or it ends early.
    """
    with path.open("rb") as file:
        head = file.readline()
        view = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    found = {}
    for name, (dtype, shape, at) in json.loads(head).items():
        count = int(np.prod(shape, dtype=np.int64))
        found[name] = np.frombuffer(view, dtype, count, len(head) + at if count else 0).reshape(shape)
    return found
