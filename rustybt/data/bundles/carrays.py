"""Columns that bcolz wrote: a folder with the sizes, the type, and numbered chunks that Blosc compressed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rustybt._extras import require
from rustybt.errors import DataError

HEADER = 16
"""Bytes before the compressed ones of a chunk; they begin with the mark."""
MARK = b"blpk"
DO = "the bundle is not whole: copy it again, or ingest it again with Zipline"


def read_column(folder: Path) -> npt.NDArray[Any]:
    """The numbers of a column.

    Raises:
        DataError: a file is missing, or not what bcolz writes.
        MissingExtraError: numcodecs is not installed.
    """
    blosc = require("numcodecs.blosc", extra="zipline")
    try:
        rows = int(json.loads((folder / "meta" / "sizes").read_text())["shape"][0])
        about = json.loads((folder / "meta" / "storage").read_text())
        kind, length = np.dtype(about["dtype"]), int(about["chunklen"])
        parts = [np.zeros(0, dtype=kind)]
        for number in range(-(-rows // length)):
            raw = (folder / "data" / f"__{number}.blp").read_bytes()
            if raw[: len(MARK)] != MARK:
                raise ValueError(f"chunk {number} has no mark")
            parts.append(np.frombuffer(blosc.decompress(raw[HEADER:]), dtype=kind))
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, IndexError) as error:
        raise DataError(f"the column cannot be read: {error}", where=str(folder), do=DO) from error
    found = np.concatenate(parts)
    if len(found) < rows:
        raise DataError(f"the column has {len(found)} numbers, not {rows}", where=str(folder), do=DO)
    return found[:rows]


def attributes(folder: Path) -> dict[str, Any]:
    """What bcolz noted beside the columns of a table.

    Raises:
        DataError: it cannot be read.
    """
    try:
        found: dict[str, Any] = json.loads((folder / "__attrs__").read_text())
    except (OSError, ValueError) as error:
        raise DataError(f"the attributes cannot be read: {error}", where=str(folder), do=DO) from error
    return found
