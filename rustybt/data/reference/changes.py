"""What changes in the reference data: checked against what is there, and written as one revision."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from itertools import pairwise
from typing import Any

from rustybt.data.reference.kept import event_row
from rustybt.data.reference.listing import Entry, day_of, span_text
from rustybt.data.reference.rows import Rate
from rustybt.errors import DataError
from rustybt.model import Event


@dataclass(frozen=True)
class Revision:
    """One change of the reference data.

    Attributes:
        number: counted from 1; `Reference.at` goes back to it.
        created: UTC.
        source: where the rows came from.
        added, dropped: rows that came, and that hold no more.
        new: whether anything changed.
    """

    number: int
    created: str
    source: str
    added: int
    dropped: int
    new: bool = True


def check_symbols(entries: Mapping[str, Entry], changed: set[str]) -> None:
    """Refuses two assets with one symbol on the same day at the same venue.

    Raises:
        DataError: naming the symbol and both assets.
    """
    named: dict[tuple[str, str | None], list[tuple[date, date, str]]] = {}
    wanted = {name for owner in changed for _, _, name, _ in entries[owner].names()}
    for entry in entries.values():
        for first, last, name, venue in entry.names():
            if name in wanted:
                named.setdefault((name, venue), []).append((first, last, entry.id))
    for (name, venue), spans in named.items():
        if venue is not None:  # where a venue is not said, it may be any
            spans = spans + named.get((name, None), [])
        for before, after in pairwise(sorted(spans)):
            if after[0] <= before[1] and after[2] != before[2]:
                what = f"{name!r} names {before[2]!r} {span_text(*before[:2])} and {after[2]!r} {span_text(*after[:2])}"
                raise DataError(
                    f"{what}: a reused symbol without dates that part the two",
                    where=f"reference data, symbol {name!r}",
                    do="say with listed, delisted or from_ts which it was when, or give a venue to both",
                )


def check_actions(actions: Sequence[tuple[Event, date | None]], ids: Set[str]) -> None:
    """Refuses events of assets that are not there.

    Raises:
        DataError: naming the first.
    """
    for event, _ in actions:
        for name in (event.asset, None if event.kind == "rename" else event.other):
            if name is not None and name not in ids:
                like = get_close_matches(name, ids, n=3, cutoff=0.5)
                do = f"did you mean {', '.join(map(repr, like))}?" if like else "add the asset first; events name ids, not symbols"
                raise DataError(f"a {event.kind} of {name!r}, which is no asset here", where=f"events, {day_of(event.ts)}", do=do)


class Change:
    """Rows that come and go in one transaction; its revision is written when the first does."""

    def __init__(self, connection: sqlite3.Connection, created: str, source: str) -> None:
        self.connection, self.created, self.source = connection, created, source
        self.number, self.added, self.dropped = 0, 0, 0

    def swap(self, table: str, key: str, name: str, old: list[tuple[Any, ...]], new: list[tuple[Any, ...]]) -> None:
        """The rows of a name that hold from now on, in place of those that did."""
        if sorted(map(repr, old)) == sorted(map(repr, new)):
            return
        number = self.revision()
        where = f"WHERE {key} = ? AND dropped IS NULL"
        self.dropped += self.connection.execute(f"UPDATE {table} SET dropped = ? {where}", (number, name)).rowcount
        self.insert(table, new)

    def insert(self, table: str, rows: list[tuple[Any, ...]]) -> None:
        """Rows that are new."""
        if rows:
            number = self.revision()
            marks = ", ".join("?" * (len(rows[0]) + 2))
            self.connection.executemany(f"INSERT INTO {table} VALUES ({marks})", [(*row, number, None) for row in rows])
            self.added += len(rows)

    def finish(self) -> Revision:
        """The revision, or the last one where nothing changed."""
        if not self.number:
            last = self.connection.execute("SELECT * FROM revisions ORDER BY number DESC LIMIT 1").fetchone()
            return replace(Revision(*last), new=False) if last else Revision(0, self.created, self.source, 0, 0, new=False)
        counts = (self.added, self.dropped, self.number)
        self.connection.execute("UPDATE revisions SET added = ?, dropped = ? WHERE number = ?", counts)
        return Revision(self.number, self.created, self.source, self.added, self.dropped)

    def revision(self) -> int:
        """The number under which the rows come and go."""
        if not self.number:
            row = self.connection.execute(
                "INSERT INTO revisions (created, source, added, dropped) VALUES (?, ?, 0, 0)", (self.created, self.source)
            )
            self.number = int(row.lastrowid or 0)
        return self.number


def swap_events(change: Change, actions: Sequence[tuple[Event, date | None]]) -> None:
    """Corporate actions, in place of all of the assets that they name."""
    by_asset: dict[str, list[tuple[Any, ...]]] = {}
    for event, known in actions:
        by_asset.setdefault(event.asset, []).append(event_row(event, known))
    for name, rows in by_asset.items():
        old = change.connection.execute("SELECT * FROM events WHERE asset = ? AND dropped IS NULL", (name,)).fetchall()
        change.swap("events", "asset", name, [row[:-2] for row in old], rows)


def swap_rates(change: Change, given: Sequence[Rate]) -> None:
    """Rates, each in place of that of its pair and time."""
    fresh: list[tuple[Any, ...]] = []
    for row in given:
        where = "pair = ? AND ts = ? AND dropped IS NULL"
        old = change.connection.execute(f"SELECT rate, known FROM rates WHERE {where}", row[:2]).fetchone()
        if old == row[2:]:
            continue
        if old is not None:
            change.dropped += change.connection.execute(
                f"UPDATE rates SET dropped = ? WHERE {where}", (change.revision(), *row[:2])
            ).rowcount
        fresh.append(row)
    change.insert("rates", fresh)
