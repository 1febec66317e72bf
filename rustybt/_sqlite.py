"""SQLite files of ours: opened with a wait for other processes, brought up to date, and refused with one clear message."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rustybt.errors import ConfigError, RustyBTError

WAIT = 10.0
"""Seconds to wait for another process that writes."""
LOCKED = ("SQLITE_BUSY", "SQLITE_LOCKED")


@dataclass(frozen=True)
class Schema:
    """What a file of ours holds.

    Attributes:
        what: words for a reader, such as "trial registry".
        application: number in the file's header by which it is known as ours; 0 = by its version alone.
        migrations: SQL scripts, each from one version of the tables to the next; the number that has run is kept in ``user_version``. A
            script is never edited; a change is a new one at the end.
        error: what is raised when the file cannot be used.
        shared: whether readers go on while one process writes (a write-ahead log beside the file).
    """

    what: str
    application: int
    migrations: tuple[str, ...]
    error: type[RustyBTError] = ConfigError
    shared: bool = False

    @property
    def version(self) -> int:
        """Of the tables; a file of a later one is refused."""
        return len(self.migrations)


@contextmanager
def opened(path: Path, schema: Schema, wait: float = WAIT) -> Iterator[sqlite3.Connection]:
    """A connection to a file with the newest tables, which it is made with when it is not there; closed at the end.

    The connection is opened and closed here, so threads and forked processes share nothing.

    Args:
        path: of the file.
        schema: what it has to hold.
        wait: seconds to wait for another process.

    Raises:
        RustyBTError: of the schema's kind: the file is locked for longer (``facts["locked"]``), no SQLite file, of another program or of a
            later version, damaged, or it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=wait, isolation_level=None)
    except (OSError, sqlite3.Error, ValueError) as error:  # ValueError: no path can be called so
        raise schema.error(
            f"the {schema.what} cannot be opened: {error}", where=str(path), do="choose a file that can be written"
        ) from None
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        _prepare(connection, path, schema)
        yield connection
    except sqlite3.Error as error:
        raise _explained(error, path, schema, wait) from None
    finally:
        connection.close()


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """One transaction: all of it or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def transaction(path: Path, schema: Schema, wait: float = WAIT) -> Iterator[sqlite3.Connection]:
    """One transaction on a file: committed at the end, rolled back on an error.

    Args:
        path: of the file.
        schema: what it has to hold.
        wait: seconds to wait for another process.

    Raises:
        RustyBTError: as `opened`.

    Example:
        >>> import tempfile
        >>> notes = Schema("list of notes", 7, ("CREATE TABLE notes (text TEXT)",))
        >>> with tempfile.TemporaryDirectory() as folder, transaction(Path(folder) / "n.sqlite", notes) as db:
        ...     db.execute("INSERT INTO notes VALUES ('ticks are exact')").rowcount
        1
    """
    with opened(path, schema, wait) as connection, writing(connection):
        yield connection


def _prepare(connection: sqlite3.Connection, path: Path, schema: Schema) -> None:
    """Refuses a file of another program, and runs the migrations that it lacks."""
    if _state(connection, path, schema) == schema.version:
        return
    if schema.shared:
        connection.execute("PRAGMA journal_mode = WAL")
    with writing(connection):
        have = _state(connection, path, schema)  # again: another process may have migrated it meanwhile
        for number, script in enumerate(schema.migrations[have:], have + 1):
            for statement in _statements(script):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
        if schema.application:
            connection.execute(f"PRAGMA application_id = {schema.application}")


def _state(connection: sqlite3.Connection, path: Path, schema: Schema) -> int:
    """The version of the file; 0 of an empty one."""
    alone = not connection.in_transaction
    if alone:  # one view of the file: between two statements another process may make it
        connection.execute("BEGIN")
    try:
        tables = int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
        application, version = (int(connection.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("application_id", "user_version"))
    finally:
        if alone and connection.in_transaction:
            connection.execute("ROLLBACK")
    empty = application == 0 and version == 0 and tables == 0
    if not empty and (application != schema.application or version == 0):
        raise schema.error(f"this SQLite file is not a {schema.what}", where=str(path), do="choose another file, or a new one")
    if version > schema.version:
        what = f"the {schema.what} is of version {version}, this program knows {schema.version}"
        raise schema.error(what, where=str(path), do="update rustybt, or choose another file")
    return version


def _statements(script: str) -> list[str]:
    """The statements of a script without its comments."""
    plain = "\n".join(line.partition("--")[0] for line in script.splitlines())
    return [statement for statement in plain.split(";") if statement.strip()]


def _explained(error: sqlite3.Error, path: Path, schema: Schema, wait: float) -> RustyBTError:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(LOCKED):
        what, do = f"the {schema.what} is locked by another process for more than {wait:g} s", "try again when that one has ended"
        return schema.error(what, where=str(path), do=do, locked=True)
    if name.startswith("SQLITE_FULL"):
        return schema.error(f"the disk of the {schema.what} is full", where=str(path), do="free some space; nothing was changed")
    if name.startswith("SQLITE_NOTADB"):
        return schema.error(f"this is no SQLite file, so no {schema.what}", where=str(path), do="choose another file, or a new one")
    if name.startswith("SQLITE_CORRUPT"):
        return schema.error(f"the {schema.what} is damaged: {error}", where=str(path), do="restore it from a copy, or move it away")
    full = getattr(error, "sqlite_errorname", "").startswith(("SQLITE_FULL", "SQLITE_IOERR"))
    said = f"{error}: the disk is full, fails, or allows no larger file" if full else str(error)
    do = "free some space, or raise the limit on the size of files (ulimit -f)" if full else "choose a file that can be written"
    return schema.error(f"the {schema.what} cannot be used: {said}", where=str(path), do=do)
