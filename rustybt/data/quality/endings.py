"""Files that end within a line: whether the last number is whole cannot be told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from rustybt.data.columns import name_columns
from rustybt.data.options import Options
from rustybt.data.quality.findings import rows_where
from rustybt.data.stamps import utc

CHECK = "unfinished last line"
DETAIL = "the file ends without the end of its last line: if it was cut there, its last number is short"


def find_endings(opened: Sequence[tuple[str, pl.LazyFrame]], options: Options) -> list[pl.DataFrame]:
    """The last row of each file of lines whose last line does not end.

    Args:
        opened: names and rows of the sources.
        options: columns and timezone.
    """
    found = []
    for name, rows in opened:
        if not name.lower().endswith(".csv") or not ends_within_a_line(name):
            continue
        last = name_columns(name, rows, options).frame.select("ts", "asset").tail(1).collect()
        stamps, _, _ = utc(last["ts"], options, name)
        found.append(rows_where(last.with_columns(stamps.alias("ts")), CHECK, pl.lit(value=True), DETAIL))
    return found


def ends_within_a_line(path: str) -> bool:
    """Whether the last byte of a file is not the end of a line.

    Example:
        >>> import tempfile
        >>> with tempfile.NamedTemporaryFile() as file:
        ...     _, _ = file.write(b"1,2"), file.flush()
        ...     ends_within_a_line(file.name)
        True
    """
    with Path(path).open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(size - 1, 0))
        return file.read(1) not in (b"", b"\n", b"\r")
