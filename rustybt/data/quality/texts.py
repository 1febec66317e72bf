"""Texts among the numbers of a file: each is a finding with its line, and the rest is checked without it."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from rustybt.data.columns import FIELDS
from rustybt.data.placing import checked_numbers, place_of_row
from rustybt.data.quality.findings import rows_where
from rustybt.data.quality.relations import MOST_PLACED

CHECK = "not a finite number"


def without_texts(frame: pl.DataFrame, named: Sequence[tuple[str, pl.LazyFrame]]) -> tuple[pl.DataFrame, list[tuple[int, str]]]:
    """The rows without texts for numbers, and the texts, with the numbers of their rows.

    Args:
        frame: the rows in the order of the source.
        named: the files of the source.

    Raises:
        DataError: most of a column are texts, so that it is not the lines that are wrong.
    """
    found: list[tuple[int, str]] = []
    for name in (name for name in FIELDS if frame.schema[name] == pl.String):
        values = frame[name].cast(pl.Float64, strict=False)
        wrong = values.is_null() & frame[name].is_not_null()
        if wrong.sum() > values.is_not_null().sum():
            checked_numbers(named, frame)
        for row in wrong.arg_true().to_list():
            place = f" ({place_of_row(named, row)})" if len(found) < MOST_PLACED else ""
            found.append((row, f"{name} holds {frame[name][row]!r}, which is no number{place}"))
        frame = frame.with_columns(values if wrong.any() else frame[name])
    return frame, found


def find_texts(frame: pl.DataFrame, texts: Sequence[tuple[int, str]]) -> list[pl.DataFrame]:
    """A finding for each text that `without_texts` found."""
    if not texts:
        return []
    said = pl.DataFrame(texts, schema={"__row": pl.UInt32, "__said": pl.String}, orient="row")
    rows = frame.select("asset", "ts").with_row_index("__row").join(said, on="__row", how="inner", maintain_order="left")
    return [rows_where(rows, CHECK, pl.lit(value=True), pl.col("__said"))]
