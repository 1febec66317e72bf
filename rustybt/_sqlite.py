"""SQLite files of ours: opened with a wait for other processes, and refused with one clear message when they are not ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rustybt.errors import ConfigError

LOCKED = ("SQLITE_BUSY", "SQLITE_LOCKED")


@dataclass(frozen=True)
class Schema:
    """What a file of ours holds.

    Attributes:
        what: words for a reader, such as "trial registry".
        application: number in the file's header by which it is known as ours.
        version: of the tables; a file of a later one is refused.
        statements: that make the tables in an empty file.
    """

    what: str
    application: int
    version: int
    statements: tuple[str, ...]


@contextmanager
def transaction(path: Path, schema: Schema, wait: float = 10.0) -> Iterator[sqlite3.Connection]:
    """One transaction on a file, made with its tables when it is not there; committed at the end, rolled back on an error.

    The connection is opened and closed here, so threads and forked processes share nothing; a writer waits for others.

    Args:
        path: of the file.
        schema: what it has to hold.
        wait: seconds to wait for another process.

    Raises:
        ConfigError: it is locked for longer (``facts["locked"]``), it is no SQLite file, it is of another program or of a later version,
            or it cannot be written.

    Example:
        >>> import tempfile
        >>> notes = Schema("list of notes", 7, 1, ("CREATE TABLE notes (text TEXT)",))
        >>> with tempfile.TemporaryDirectory() as folder, transaction(Path(folder) / "n.sqlite", notes) as db:
        ...     db.execute("INSERT INTO notes VALUES ('ticks are exact')").rowcount
        1
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=wait, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise ConfigError(f"the {schema.what} cannot be opened: {error}", where=str(path), do="choose a file that can be written") from None
    try:
        connection.execute("BEGIN IMMEDIATE")
        _prepare(connection, path, schema)
        yield connection
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise _explained(error, path, schema, wait) from None
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.close()


def _prepare(connection: sqlite3.Connection, path: Path, schema: Schema) -> None:
    application, version = (int(connection.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("application_id", "user_version"))
    tables = int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    if application == 0 and version == 0 and tables == 0:
        _make(connection, schema.statements)
        connection.execute(f"PRAGMA application_id = {schema.application}")
        connection.execute(f"PRAGMA user_version = {schema.version}")
    elif application != schema.application:
        raise ConfigError(f"this SQLite file is not a {schema.what}", where=str(path), do="choose another file, or a new one")
    elif version > schema.version:
        what = f"the {schema.what} is of version {version}, this program knows {schema.version}"
        raise ConfigError(what, where=str(path), do="update rustybt, or choose another file")


def _make(connection: sqlite3.Connection, statements: Sequence[str]) -> None:
    for statement in statements:
        connection.execute(statement)


def _explained(error: sqlite3.Error, path: Path, schema: Schema, wait: float) -> ConfigError:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(LOCKED):
        what, do = f"the {schema.what} is locked by another process for more than {wait:g} s", "try again when that one has ended"
        return ConfigError(what, where=str(path), do=do, locked=True)
    if name.startswith("SQLITE_NOTADB"):
        return ConfigError(f"this is no SQLite file, so no {schema.what}", where=str(path), do="choose another file, or a new one")
    if name.startswith("SQLITE_CORRUPT"):
        return ConfigError(f"the {schema.what} is damaged: {error}", where=str(path), do="restore it from a copy, or move it away")
    return ConfigError(f"the {schema.what} cannot be used: {error}", where=str(path), do="choose a file that can be written")
