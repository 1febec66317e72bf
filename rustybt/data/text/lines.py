"""Lines of text files, for messages."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path


def line_too_long(path: str, mark: str = ",") -> int | None:
    """The first line with more fields than the heading has, or None.

    Args:
        path: of a text file.
        mark: between its fields.
    """
    packed = path.lower().endswith(".gz")
    with gzip.open(path, "rb") if packed else Path(path).open("rb") as raw:
        reader = csv.reader(io.TextIOWrapper(raw, encoding="utf-8-sig", errors="replace", newline=""), delimiter=mark)
        try:
            width = len(next(reader, []))
            return next((reader.line_num for fields in reader if len(fields) > width), None)
        except csv.Error:
            return None
