"""The index of what is kept: one row a request, and counts of what was answered from where."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rustybt._sqlite import Schema
from rustybt.data.cache.freshness import Reach
from rustybt.errors import DataError
from rustybt.model.source import Terms

TABLES = """
CREATE TABLE entries (
    key TEXT PRIMARY KEY,      -- SHA-256 of source, address, options, symbol and frequency
    source TEXT NOT NULL,
    address TEXT NOT NULL,
    options TEXT NOT NULL,     -- JSON
    symbol TEXT NOT NULL,
    frequency TEXT NOT NULL,
    start TEXT NOT NULL,       -- the instants of a Reach, ISO in UTC
    until TEXT NOT NULL,
    wanted TEXT NOT NULL,
    asked TEXT NOT NULL,
    oldest TEXT NOT NULL,
    rows INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    file TEXT NOT NULL UNIQUE,
    sha256 TEXT NOT NULL,
    terms TEXT NOT NULL,       -- JSON
    events TEXT NOT NULL,      -- JSON list
    notes TEXT NOT NULL,       -- JSON list
    used INTEGER NOT NULL,     -- number of the request that used it last
    hits INTEGER NOT NULL      -- answers that needed nothing of the source
);
CREATE TABLE counts (name TEXT PRIMARY KEY, number INTEGER NOT NULL);
"""
INDEX = Schema(what="index of the download cache", application=0x52424443, migrations=(TABLES,), error=DataError, shared=True)
COUNTED = ("memory", "disk", "start", "end", "whole", "revised", "refused", "damaged", "evicted")
"""Answers from memory, from the disk, after asking for the start, for the end, for all; starts and ends that did not fit what was kept;
offline requests that could not be answered; damaged files; entries that made room for others."""
REACH = ("start", "until", "wanted", "asked", "oldest")
COLUMNS = "key, symbol, start, until, wanted, asked, oldest, rows, bytes, file, sha256, terms, events, notes"


@dataclass(frozen=True)
class Entry:
    """A request that is kept.

    Attributes:
        key: of the request.
        symbol: for messages.
        reach: how far it reaches, and when the source was asked.
        rows: bars.
        bytes: of the file.
        file: name of the file.
        sha256: of its content.
        terms: what the source said of the symbol.
        events: corporate actions, as in a `rustybt.model.source.Page`.
        notes: sentences for the user.
    """

    key: str
    symbol: str
    reach: Reach
    rows: int
    bytes: int
    file: str
    sha256: str
    terms: Terms
    events: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...]


def find(connection: sqlite3.Connection, key: str) -> Entry | None:
    """The entry of a key."""
    row = connection.execute(f"SELECT {COLUMNS} FROM entries WHERE key = ?", (key,)).fetchone()
    if row is None:
        return None
    reach = Reach(*(datetime.fromisoformat(text) for text in row[2:7]))
    about, events, notes = (json.loads(text) for text in row[11:14])
    terms = Terms(about["asset_class"], about["settings"], about["calendar"])
    rows, size, file, digest = row[7:11]
    return Entry(row[0], row[1], reach, rows, size, file, digest, terms, tuple(events), tuple(notes))


def replace(connection: sqlite3.Connection, entry: Entry, asked: Sequence[str]) -> str | None:
    """Put an entry in the place of the one of its key; the name of the file that it replaces."""
    old = connection.execute("SELECT file FROM entries WHERE key = ?", (entry.key,)).fetchone()
    settings = {name: value if value is None else str(value) for name, value in entry.terms.settings.items()}
    about = {"asset_class": entry.terms.asset_class, "settings": settings, "calendar": entry.terms.calendar}
    said = [json.dumps(about), json.dumps([dict(event) for event in entry.events]), json.dumps(list(entry.notes))]
    moments = [getattr(entry.reach, name).isoformat() for name in REACH]
    row = [entry.key, *asked, *moments, entry.rows, entry.bytes, entry.file, entry.sha256, *said]
    marks = ", ".join("?" * len(row))
    again = "(SELECT hits FROM entries WHERE key = ?)"
    connection.execute(
        f"INSERT OR REPLACE INTO entries VALUES ({marks}, {_NEXT}, coalesce({again}, 0))",
        (*row, entry.key),
    )
    return None if old is None else str(old[0])


_NEXT = "(SELECT coalesce(max(used), 0) + 1 FROM entries)"


def use(connection: sqlite3.Connection, key: str, hit: bool) -> None:
    """Remember that an entry answered."""
    connection.execute(f"UPDATE entries SET used = {_NEXT}, hits = hits + ? WHERE key = ?", (int(hit), key))


def count(connection: sqlite3.Connection, name: str, number: int = 1) -> None:
    """Add to a count."""
    connection.execute(
        "INSERT INTO counts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET number = number + excluded.number", (name, number)
    )


def oldest(connection: sqlite3.Connection, limit: int) -> list[tuple[str, str]]:
    """Keys and files of the entries that were not used for longest, as many as are beyond a limit of bytes; never the newest one."""
    gone, left = [], 0
    rows = connection.execute("SELECT key, file, bytes FROM entries ORDER BY used DESC").fetchall()
    for number, (key, file, size) in enumerate(rows):
        left += size
        if left > limit and number:
            gone.append((key, file))
    return gone
