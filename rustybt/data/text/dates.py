"""Dates whose day and month could change places: a text file that writes them is refused, not guessed."""

from __future__ import annotations

import polars as pl

from rustybt.errors import DataError

FEW = 1000
"""Rows from which it is told how a column is written."""
SLASHED = r"^\s*(\d{1,2})[/-](\d{1,2})[/-]\d{4}"


def refuse_ambiguous(path: str, start: bytes | str, frame: pl.LazyFrame) -> None:
    """Refuse a column that was read as dates though every one has two numbers up to 12 before its year.

    Args:
        path: of the file.
        start: its first lines, or the path.
        frame: as it is read.

    Raises:
        DataError: with the first date that has two meanings.
    """
    head = pl.read_csv(start, infer_schema=False, n_rows=FEW, glob=False)
    slashed = [name for name in head.columns if head[name].drop_nulls().head(1).str.contains(SLASHED).any()]
    if not slashed:
        return
    schema = frame.collect_schema()
    for name in (name for name in slashed if schema[name].is_temporal()):
        texts = pl.read_csv(path, infer_schema=False, columns=[name], glob=False)[name].drop_nulls()
        first, second = (texts.str.extract(SLASHED, group).cast(pl.Int32) for group in (1, 2))
        both = (first <= 12) & (second <= 12)
        if both.all() and (first != second).any():
            raise DataError(
                f"{texts.filter(first != second)[0]!r} may have the day or the month first",
                where=f"{path}, column {name!r}",
                do=f"write dates as 2024-01-31; bars can be read from csv:{path} with "
                'settings={"date_format": "%d/%m/%Y"} (--setting date_format=%d/%m/%Y)',
            )
