"""Which statements of SQL may be run over the catalog: those that write no file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rustybt.errors import ConfigError

if TYPE_CHECKING:
    import duckdb

READING = ("SELECT", "MULTI")
"""Statements that read; a PIVOT is several in one."""
IN_MEMORY = ("CREATE", "INSERT", "UPDATE", "DELETE", "DROP", "ALTER")
"""Statements that change what is in memory and gone after the query, as no other database can be attached."""
INSIDE = re.compile(r"(?is)\(\s*copy\b")
"""A COPY within another statement, ``WITH x AS (COPY ... TO ...)``, which is not told from a SELECT otherwise."""
DO = "select the rows: --json prints them for programs, and rustybt catalog export writes the bars of a dataset to a file"
COMMENT = re.compile(r"(?s)/\*.*?\*/|--[^\n]*")


def refuse_writing(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    """Refuse what may write a file: COPY, EXPORT, ATTACH, INSTALL, SET and the like. A guard against mistakes, not against malice.

    Raises:
        ConfigError: a statement is not among those that read, or change memory only.
        duckdb.Error: it is no SQL.
    """
    if any(INSIDE.search(text) for text in (query, COMMENT.sub(" ", query))):
        raise ConfigError("COPY is refused, a query only reads", where="sql", do=f'{DO}; a column of that name is written "copy"')
    for kind in kinds_of(connection, query):
        if kind not in (*READING, *IN_MEMORY):
            raise ConfigError(f"{kind} is refused, a query only reads", where="sql", do=DO)


def kinds_of(connection: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    """The kinds of statements in a query; of an EXPLAIN, which may run it, the kind of what is explained."""
    found = list[str]()
    for statement in connection.extract_statements(query):
        try:
            kind = statement.type.name
        except ValueError:  # of a kind that the library for Python does not know
            kind = "such a statement"
        found += _explained(connection, statement.query) if kind == "EXPLAIN" else [kind]
    return found


def _explained(connection: duckdb.DuckDBPyConnection, statement: str) -> list[str]:
    import duckdb

    rest = re.sub(r"(?is)^[\s;]*explain\b(\s+analyze\b)?", "", COMMENT.sub(" ", statement), count=1)
    try:
        return kinds_of(connection, rest)
    except duckdb.Error:  # what stands in brackets are options
        return kinds_of(connection, re.sub(r"(?s)^\s*\([^()]*\)", "", rest, count=1))
