"""Files that end within a line: whether the last number is whole cannot be told."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from rustybt.data.columns import name_columns
from rustybt.data.options import Options
from rustybt.data.quality.findings import rows_where
from rustybt.data.stamps import utc
from rustybt.data.text.lines import ends_within_a_line, is_text

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
        if not is_text(name) or not ends_within_a_line(name):
            continue
        last = name_columns(name, rows, options).frame.select("ts", "asset").tail(1).collect()
        stamps, _, _ = utc(last["ts"], options, name)
        found.append(rows_where(last.with_columns(stamps.alias("ts")), CHECK, pl.lit(value=True), DETAIL))
    return found
