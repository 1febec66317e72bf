"""Open an SQLite file: waiting for its lock, its schema brought up to date, and one clear message when it cannot be used."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rustybt.errors import DataError

WAIT = 10.0
"""Seconds to wait for another process that writes."""


@contextmanager
def database(path: Path, migrations: Sequence[str], wait: float = WAIT) -> Iterator[sqlite3.Connection]:
    """A connection with the newest schema, closed at the end.

    Args:
        path: of the file; it is made when missing.
        migrations: SQL scripts, each from one version to the next; the number that has run is kept in ``user_version``.
        wait: seconds to wait for a lock.

    Raises:
        DataError: the file is locked, is no database, or was written by a newer version.
    """
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite3.connect(path, timeout=wait, isolation_level=None)
        connection.execute("PRAGMA foreign_keys = ON")
        _migrate(connection, migrations, path)
        yield connection
    except sqlite3.Error as error:
        known = (("locked", "wait until the other process has finished"), ("disk", "free some space; nothing was published"))
        do = next((said for word, said in known if word in str(error)), "restore the file, or move it away and ingest again")
        raise DataError(f"the database cannot be used: {error}", where=str(path), do=do) from error
    finally:
        if connection is not None:
            connection.close()


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """One transaction: all of it or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _migrate(connection: sqlite3.Connection, migrations: Sequence[str], path: Path) -> None:
    if _version(connection) == len(migrations):
        return
    connection.execute("PRAGMA journal_mode = WAL")
    with writing(connection):
        have = _version(connection)  # again: another process may have migrated it meanwhile
        if have > len(migrations):
            raise DataError(f"the database has schema {have}, newer than {len(migrations)}", where=str(path), do="upgrade rustybt")
        for number, script in enumerate(migrations[have:], have + 1):
            for statement in script.split(";"):
                if statement.strip():
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
