"""Arrays of a panel in one file, mapped when it is opened: a line that says where each lies, then their bytes."""

from __future__ import annotations

import json
import mmap
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

ALIGNED = 64
"""Bytes: every array begins at a multiple, as Arrow and the processor like it."""


class Writable(Protocol):
    """A file that takes bytes."""

    def write(self, data: Any, /) -> int:
        """Take them."""


type Arrays = Mapping[str, np.ndarray[Any, Any]]


def write_arrays(file: Writable, arrays: Arrays) -> None:
    """Write arrays one after the other.

    Args:
        file: open, empty.
        arrays: by name, C order, numbers.
    """
    places, at = {}, 0
    for name, array in arrays.items():
        places[name] = [array.dtype.str, array.shape, at]
        at += -(-array.nbytes // ALIGNED) * ALIGNED
    head = json.dumps(places).encode()
    head += b" " * (-(len(head) + 1) % ALIGNED) + b"\n"
    file.write(head)
    for array in arrays.values():
        file.write(memoryview(np.ascontiguousarray(array).reshape(-1)).cast("B"))
        file.write(bytes(-array.nbytes % ALIGNED))


def map_arrays(path: Path) -> dict[str, np.ndarray[Any, Any]]:
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
