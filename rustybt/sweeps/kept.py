"""Rows of variants that were run, kept in a file: a search that was killed finds them again instead of running them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path

import polars as pl

from rustybt._sqlite import Schema, transaction
from rustybt.engine import RunConfig

SCHEMA = Schema(
    what="store of searched variants",
    application=0x52425453,
    migrations=("CREATE TABLE variants (key TEXT PRIMARY KEY, made BLOB NOT NULL) WITHOUT ROWID",),
)
MARK = b"ARROW1"
"""How the bytes of a row begin."""
BLOCK = 500
"""Keys of one question."""


class KeptRows:
    """The file. A row is found by what it follows from: changed code, data or settings find nothing, and searches may share a file.

    Args:
        path: of the file, made on first use.
        wait: seconds to wait for another process that writes.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     rows = KeptRows(Path(folder) / "search.sqlite")
        ...     rows.keep({"a": pl.DataFrame({"sharpe": [1.5], "fills": [7]})})
        ...     {key: row.rows() for key, row in rows.find(["a", "b"]).items()}
        {'a': [(1.5, 7)]}
    """

    def __init__(self, path: str | Path, wait: float = 10.0) -> None:
        self.path, self.wait = Path(path), wait

    def find(self, keys: Iterable[str]) -> dict[str, pl.DataFrame]:
        """The rows that are there and whole, by key, each a frame of one row.

        Raises:
            ConfigError: the file is locked, of another program, or cannot be written.
        """
        wanted, found = list(keys), dict[str, pl.DataFrame]()
        with transaction(self.path, SCHEMA, self.wait) as db:
            for first in range(0, len(wanted), BLOCK):
                part = wanted[first : first + BLOCK]
                marks = ", ".join("?" * len(part))
                for key, made in db.execute(f"SELECT key, made FROM variants WHERE key IN ({marks})", part):
                    row = _row(made)
                    if row is not None:
                        found[key] = row
        return found

    def count(self) -> int:
        """How many rows are there.

        Raises:
            ConfigError: as `find`.
        """
        with transaction(self.path, SCHEMA, self.wait) as db:
            return int(db.execute("SELECT count(*) FROM variants").fetchone()[0])

    def keep(self, rows: Mapping[str, pl.DataFrame]) -> None:
        """Add rows, all or none.

        Raises:
            ConfigError: as `find`.
        """
        with transaction(self.path, SCHEMA, self.wait) as db:
            db.executemany("INSERT OR REPLACE INTO variants VALUES (?, ?)", [(key, _bytes(row)) for key, row in rows.items()])


def row_key(spec_id: str, snapshot: str, config: RunConfig) -> str:
    """SHA-256 of all that a row follows from."""
    from rustybt import __version__

    return hashlib.sha256(json.dumps([spec_id, snapshot, config.to_dict(), __version__], sort_keys=True).encode()).hexdigest()


def _bytes(row: pl.DataFrame) -> bytes:
    """A row behind the digest of its bytes."""
    made = BytesIO()
    row.write_ipc(made)
    return hashlib.sha256(made.getvalue()).digest() + made.getvalue()


def _row(made: bytes) -> pl.DataFrame | None:
    """A row; None where its bytes are not those that were written: it is run again."""
    if not made.startswith(MARK):  # of versions that wrote no digest
        digest, made = made[:32], made[32:]
        if hashlib.sha256(made).digest() != digest:
            return None
    try:
        return pl.read_ipc(BytesIO(made))
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None
