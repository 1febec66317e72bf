"""SQL over the catalog and over saved runs, by DuckDB, which only reads."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from rustybt.data.catalog.damage import REPAIR, glance
from rustybt.data.catalog.reading import BARS
from rustybt.data.catalog.schema import TABLES
from rustybt.data.catalog.statements import refuse_writing
from rustybt.data.catalog.store import Catalog
from rustybt.data.reference.schema import TABLES as OF_REFERENCE
from rustybt.errors import DataError

if TYPE_CHECKING:
    import duckdb


def sql(catalog: Catalog, query: str, run: Path | None = None, *, say: Callable[[str], object] | None = None) -> pl.DataFrame:
    """The answer to a query.

    Every dataset is a table of its newest bars (exact decimals) under its name; the catalog's own tables are ``snapshots``, ``versions``,
    ``files``, ``symbols``, ``runs`` and ``repairs``; reference data are tables of schema ``reference`` (``reference.assets``, ``spells``,
    ``events``, ``rates``, ``revisions``), of which the rows hold whose ``dropped`` is null; with ``run``, the frames of a saved run are
    tables of schema ``run`` (``run.fills``). Files of the user's are read by their path.

    Args:
        catalog: where to look.
        query: one that reads; tables may be made in memory on the way.
        run: folder of a saved run.
        say: told of each table that is left out because its file is damaged, one sentence.

    Raises:
        DataError: the query cannot be answered (the message is DuckDB's), or a table that it names is damaged.
        ConfigError: the query would write a file.
    """
    import duckdb

    with duckdb.connect() as connection:
        if catalog.exists:
            with catalog.reading() as source:
                for name in TABLES:
                    connection.register(name, _table(source, name).to_arrow())
        if catalog.reference.exists:
            connection.execute("CREATE SCHEMA reference")
            with catalog.reference.reading() as source:
                for name in OF_REFERENCE:
                    connection.register("__rows", _table(source, name).to_arrow())
                    connection.execute(f"CREATE TABLE reference.{name} AS SELECT * FROM __rows")
                    connection.unregister("__rows")
        lost = _views(connection, catalog, run)
        connection.execute("SET allow_persistent_secrets = false; SET lock_configuration = true")
        try:
            refuse_writing(connection, query)
            answer = connection.sql(query)
            found = pl.DataFrame() if answer is None else pl.DataFrame(pl.from_arrow(answer.to_arrow_table()))
        except duckdb.Error as error:
            for name, said in lost.items():
                if _names(query, name):
                    raise DataError(said, where="sql", do=_mended(name)) from error
            do = _unquoted(connection, catalog, query) or "rustybt catalog list names the datasets"
            raise DataError(f"the query cannot be answered: {error}", where="sql", do=do) from error
    for name, said in lost.items():
        if say is not None:
            say(f"{said}; it is left out: {_mended(name)}")
    return found


def table(catalog: Catalog, name: str) -> pl.DataFrame:
    """One of the catalog's own tables."""
    with catalog.reading() as source:
        return _table(source, name)


def _views(connection: duckdb.DuckDBPyConnection, catalog: Catalog, run: Path | None) -> dict[str, str]:
    """Make a view of each dataset and of each frame of the run; by name, what is wrong with those that cannot be read."""
    import duckdb

    listed = [(version.dataset, catalog.folder(version.snapshot) / BARS, version.snapshot) for version in catalog.datasets()]
    if run is not None:
        connection.execute("CREATE SCHEMA run")
        listed += [(f"run.{path.stem}", path, "") for path in sorted(run.glob("*.parquet"))]
    lost = dict[str, str]()
    for name, path, snapshot in listed:
        try:
            _view(connection, f'run."{path.stem}"' if not snapshot else f'"{name}"', path)
        except duckdb.Error as error:
            first = str(error).strip().splitlines()[0]
            what = f"dataset {name!r} is damaged" if snapshot else f"table {name} is damaged"
            lost[name] = f"{what}: {glance(catalog).get(snapshot, first) if snapshot else first}"
    return lost


def _mended(name: str) -> str:
    return "write the run again" if name.startswith("run.") else REPAIR


def _names(query: str, name: str) -> bool:
    """Whether a query says a name, in quotes or without."""
    plain = query.replace('"', "")
    return re.search(rf"(?i)(?<![\w-]){re.escape(name)}(?![\w-])", plain) is not None


def _unquoted(connection: duckdb.DuckDBPyConnection, catalog: Catalog, query: str) -> str:
    """What to do about a dataset that the query names as SQL does not take it; empty where it names none."""
    reserved = connection.execute("SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category = 'reserved'")
    words = {row[0] for row in reserved.fetchall()}
    for version in catalog.datasets():
        name = version.dataset
        odd = not re.fullmatch(r"[A-Za-z_]\w*", name) or name.lower() in words
        if odd and re.search(rf"(?i)\b(from|join|,)\s*{re.escape(name)}(?![\w\"-])", query):
            return f'SQL takes {name} for something else: write it in double quotes, "{name}"'
    return ""


def _table(source: sqlite3.Connection, name: str) -> pl.DataFrame:
    cursor = source.execute(f"SELECT * FROM {name}")
    columns = [column[0] for column in cursor.description]
    return pl.DataFrame(cursor.fetchall(), schema=columns, orient="row", infer_schema_length=None)


def _view(connection: duckdb.DuckDBPyConnection, name: str, path: Path) -> None:
    quoted = str(path).replace("'", "''")
    connection.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM read_parquet('{quoted}')")
