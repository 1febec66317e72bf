"""CSV files read by what their first rows look like: many times faster than looking at every row before reading it.

A row that is not like the first ones is an error of the reader, never a value that is lost; whoever reads then opens the file by all of
its rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

HEAD = 1000
"""Rows that the types are found from."""
FEW = 4
"""Rows that tell whether a text may be a time: Polars tries every way to write one on every text, 20 us each."""
ENOUGH = 2**20
"""Bytes that usually hold them: given the path of a large file, Polars touches most of it to read its first rows."""
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}([T ])\d{2}:\d{2}:\d{2}((?:\.0+)?)(Z|\+00:?00|)")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Moments:
    """How the times of a column are written: all alike, at full seconds and in UTC, without a zone, or as dates.

    Attributes:
        mark: between date and clock; empty for dates.
        fraction: of the seconds, zeros with their point, or nothing.
        zone: ``"Z"``, ``"+00:00"``, ``"+0000"``, or nothing.
    """

    mark: str = ""
    fraction: str = ""
    zone: str = ""

    def read(self, name: str) -> pl.Expr:
        """The column as Polars reads it: strictly."""
        here = pl.col(name).str
        if not self.mark:
            return here.to_date("%Y-%m-%d", strict=True, cache=False)
        written = f"%Y-%m-%d{self.mark}%H:%M:%S{self.fraction}{self.zone}"
        moment = here.to_datetime(written, time_unit="us", strict=True, cache=False)
        return moment.dt.replace_time_zone("UTC") if self.zone else moment


@dataclass(frozen=True)
class Head:
    """What the first rows tell.

    Attributes:
        schema: of all columns, as Polars finds it.
        moments: columns of times and how they are written; None where some are written otherwise.
    """

    schema: pl.Schema
    moments: Mapping[str, Moments] | None


def head_of(path: str) -> Head | None:
    """What the first rows of a file tell, or None where they do not: a column is empty so far.

    Raises:
        PolarsError: the file cannot be read.
    """
    start = start_of(path)
    plain = pl.read_csv(start, infer_schema_length=HEAD, n_rows=HEAD, glob=False)
    if any(plain[name].null_count() == plain.height for name in plain.columns):
        return None
    texts = pl.read_csv(start, infer_schema=False, n_rows=HEAD, glob=False)
    written = {name: _written(texts[name]) for name, dtype in plain.schema.items() if dtype == pl.String}
    try:
        timed = {} if any(plain[name].head(FEW).null_count() for name in written) else _timed(start, FEW)
    except pl.exceptions.ComputeError:  # a row behind them is not like them
        timed = {}
    if not timed or any(written.get(name) is None for name in timed):
        timed = _timed(start, HEAD)
    found = {name: how for name in timed if (how := written.get(name)) is not None}
    return Head(pl.Schema({**plain.schema, **timed}), found if len(found) == len(timed) else None)


def _timed(start: bytes | str, rows: int) -> dict[str, pl.DataType]:
    """Columns of times, by the first rows."""
    schema = pl.read_csv(start, try_parse_dates=True, infer_schema_length=rows, n_rows=rows, glob=False).schema
    return {name: dtype for name, dtype in schema.items() if dtype.is_temporal()}


def scan_by_head(path: str) -> pl.LazyFrame | None:
    """A file with the types of its first rows, or None where those do not tell.

    Raises:
        PolarsError: the file cannot be read.
    """
    head = head_of(path)
    if head is None:
        return None
    if head.moments is None:
        return pl.scan_csv(path, try_parse_dates=True, infer_schema_length=HEAD, glob=False)
    schema = dict.fromkeys(head.moments, pl.String())
    frame = pl.scan_csv(path, infer_schema_length=HEAD, schema_overrides=schema, glob=False)
    return frame.with_columns(written.read(name) for name, written in head.moments.items())


def scan_by_all(path: str) -> pl.LazyFrame:
    """A file with the types that all rows have.

    Times are looked for in the first rows, where all are written like these: Polars tries every way to write one on every text.

    Raises:
        PolarsError: the file cannot be read.
    """
    whole = pl.scan_csv(path, try_parse_dates=True, infer_schema_length=None, glob=False)
    try:
        found = pl.scan_csv(path, infer_schema_length=None, glob=False).collect_schema()
        first = pl.read_csv(start_of(path), try_parse_dates=True, infer_schema_length=HEAD, n_rows=HEAD, glob=False)
        if first.width != len(found) or any(column.null_count() == first.height for column in first):
            return whole
        timed = [name for name, dtype in first.schema.items() if dtype.is_temporal()]
        known = {name: dtype for name, dtype in found.items() if name not in timed}
        quick = pl.scan_csv(path, try_parse_dates=True, infer_schema_length=HEAD, schema_overrides=known, glob=False)
        if timed and any(quick.select(timed).collect().null_count().row(0)):  # a text that is no time may have become nothing
            return whole
    except pl.exceptions.PolarsError:  # a row behind the first ones is not like them
        return whole
    return quick


def start_of(path: str) -> bytes | str:
    """The first lines of a large plain file, else its path."""
    if not path.lower().endswith(".csv"):
        return path
    with Path(path).open("rb") as file:
        text = file.read(ENOUGH)
    plain = len(text) == ENOUGH and b'"' not in text and text.count(b"\n") > HEAD + 1
    return text[: text.rindex(b"\n") + 1] if plain else path


def _written(column: pl.Series) -> Moments | None:
    """How a column of times is written, where all of them are written alike."""
    listed = column.drop_nulls().to_list()
    if all(DAY.fullmatch(text) for text in listed):
        return Moments()
    kinds = {found.groups() if (found := MOMENT.fullmatch(text)) else None for text in listed}
    kind = kinds.pop()
    return None if kinds or kind is None else Moments(*kind)
