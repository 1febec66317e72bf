"""SQL over the catalog and over saved runs, by DuckDB."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from rustybt.data.catalog.reading import BARS
from rustybt.data.catalog.schema import TABLES
from rustybt.data.catalog.store import Catalog
from rustybt.errors import DataError

if TYPE_CHECKING:
    import duckdb


def sql(catalog: Catalog, query: str, run: Path | None = None) -> pl.DataFrame:
    """The answer to a query.

    Every dataset is a table of its newest bars (exact decimals) under its name; the catalog's own tables are ``snapshots``, ``versions``,
    ``files``, ``symbols`` and ``runs``; with ``run``, the frames of a saved run are tables of schema ``run`` (``run.fills``).

    Raises:
        DataError: the query cannot be answered; the message is DuckDB's.
    """
    import duckdb

    with duckdb.connect() as connection:
        for name in TABLES if catalog.exists else ():
            with catalog.reading() as source:
                cursor = source.execute(f"SELECT * FROM {name}")
                columns = [column[0] for column in cursor.description]
                frame = pl.DataFrame(cursor.fetchall(), schema=columns, orient="row", infer_schema_length=None)
            connection.register(name, frame.to_arrow())
        for version in catalog.datasets():
            _view(connection, f'"{version.dataset}"', catalog.folder(version.snapshot) / BARS)
        if run is not None:
            connection.execute("CREATE SCHEMA run")
            for path in sorted(run.glob("*.parquet")):
                _view(connection, f'run."{path.stem}"', path)
        try:
            answer = connection.sql(query)
            return pl.DataFrame() if answer is None else pl.DataFrame(pl.from_arrow(answer.to_arrow_table()))
        except duckdb.Error as error:
            raise DataError(f"the query cannot be answered: {error}", where="sql", do="rustybt catalog list names the datasets") from error


def _view(connection: duckdb.DuckDBPyConnection, name: str, path: Path) -> None:
    quoted = str(path).replace("'", "''")
    connection.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM read_parquet('{quoted}')")
