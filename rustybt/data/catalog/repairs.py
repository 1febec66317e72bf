"""What was repaired in bars before they were ingested: it belongs to the version, for other sources may give the same bars without it."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import polars as pl

from rustybt.errors import ConfigError

if TYPE_CHECKING:
    from rustybt.data.catalog.store import Version

LOG: dict[str, pl.DataType] = {
    "check": pl.String(),
    "asset": pl.String(),
    "ts": pl.Datetime("us", "UTC"),
    "action": pl.String(),
    "column": pl.String(),
    "before": pl.Float64(),
    "after": pl.Float64(),
}
"""Columns of a log of repairs."""
WRITTEN = "%Y-%m-%dT%H:%M:%S%.6fZ"


def check_log(log: pl.DataFrame) -> pl.DataFrame:
    """A log as it is kept, in which NaN is no value.

    Raises:
        ConfigError: it lacks a column, or one is of another type.
    """
    if lacking := [name for name in LOG if name not in log.columns]:
        raise ConfigError(f"the log of repairs has no column {lacking[0]!r}", where="repairs", do="give the log that mend wrote")
    try:
        return log.select(pl.col(name).cast(dtype) for name, dtype in LOG.items()).with_columns(pl.col("before", "after").fill_nan(None))
    except pl.exceptions.PolarsError as error:
        first = str(error).splitlines()[0]
        raise ConfigError(f"the log of repairs cannot be read: {first}", where="repairs", do="give the log that mend wrote") from error


def keep_repairs(connection: sqlite3.Connection, version: Version, log: pl.DataFrame) -> None:
    """Keep the log of a new version."""
    texts = log.with_columns(pl.col("ts").dt.strftime(WRITTEN))
    rows = [(version.number, version.dataset, version.snapshot, number, *row) for number, row in enumerate(texts.iter_rows())]
    connection.executemany("INSERT INTO repairs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)


def read_repairs(connection: sqlite3.Connection, version: Version) -> pl.DataFrame:
    """The log of a version; no rows where there is none."""
    names = ", ".join(f'"{name}"' for name in LOG)
    found = connection.execute(f"SELECT {names} FROM repairs WHERE version = ? ORDER BY number", (version.number,))
    frame = pl.DataFrame(found.fetchall(), schema={**LOG, "ts": pl.String()}, orient="row")
    return frame.with_columns(pl.col("ts").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us").dt.replace_time_zone("UTC"))
