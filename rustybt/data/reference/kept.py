"""Rows of the reference tables as the objects they stand for, and back."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from rustybt.data.reference.listing import SIZES, TERMS, Entry, Spell
from rustybt.model import Event

OF_ASSET = ("id", "kind", "name", "root", "underlying", "expiry", "listed", "delisted", "known")
OF_SPELL = ("asset", "first", *TERMS, "known")
OF_EVENT = ("asset", "ts", "kind", "numerator", "denominator", "other", "pay", "cash", "price", "part")
DATED = ("expiry", "listed", "delisted", "known", "first")
EXACT = (*SIZES, "cash", "price", "part")
READ: dict[str, Callable[[str], Any]] = {**dict.fromkeys(DATED, date.fromisoformat), **dict.fromkeys(EXACT, Decimal)}
HOLDS = "added <= ? AND (dropped IS NULL OR dropped > ?)"
MANY = 400
"""Names that are asked for in one query: SQLite takes a limited number."""
Row = tuple[Any, ...]


def plain(values: Iterable[Any]) -> Row:
    """Values as SQLite keeps them: dates and decimals as texts."""
    return tuple(
        one.isoformat() if isinstance(one, date) else f"{one.normalize():f}" if isinstance(one, Decimal) else one for one in values
    )


def asset_row(entry: Entry) -> Row:
    """The row of an entry in the table of assets."""
    return plain(getattr(entry, name) for name in OF_ASSET)


def spell_rows(entry: Entry) -> list[Row]:
    """Its rows in the table of spells."""
    return [(entry.id, *plain(getattr(spell, name) for name in OF_SPELL[1:])) for spell in entry.spells]


def event_row(event: Event, known: date | None) -> Row:
    """The row of a corporate action."""
    return plain((*(getattr(event, name) for name in OF_EVENT), known))


def event_of(row: Row) -> tuple[Event, date | None]:
    """The corporate action of a row, and when it was known."""
    return Event(**_typed(OF_EVENT, row)), None if row[-1] is None else date.fromisoformat(row[-1])


def entries_of(connection: sqlite3.Connection, ids: Sequence[str] | None, revision: int) -> dict[str, Entry]:
    """The entries of some ids, or all, as of a revision; by id, in its order."""
    heads: dict[str, Row] = {}
    spells: dict[str, list[Spell]] = {}
    for names in parts(ids):
        chosen = "" if names is None else f" AND id IN ({', '.join('?' * len(names))})"
        asked = (revision, revision, *(names or ()))
        for row in connection.execute(f"SELECT {', '.join(OF_ASSET)} FROM assets WHERE {HOLDS}{chosen}", asked):
            heads[row[0]] = row
        chosen = chosen.replace(" id ", " asset ")
        for row in connection.execute(f"SELECT {', '.join(OF_SPELL)} FROM spells WHERE {HOLDS}{chosen}", asked):
            spells.setdefault(row[0], []).append(Spell(**_typed(OF_SPELL[1:], row[1:])))
    found = {}
    for name in sorted(heads):
        ordered = tuple(sorted(spells[name], key=lambda spell: spell.first or date.min))
        found[name] = Entry(**_typed(OF_ASSET, heads[name]), spells=ordered)
    return found


def parts(names: Sequence[str] | None) -> Iterable[Sequence[str] | None]:
    """Names in groups that one query takes; None = all of them at once."""
    if names is None:
        return [None]
    return [names[start : start + MANY] for start in range(0, len(names), MANY)]


def owners_of(connection: sqlite3.Connection, symbols: Sequence[str], revision: int) -> list[str]:
    """Ids of the assets that ever had one of some symbols, or are called so."""
    found: set[str] = set()
    for names in parts(symbols):
        marks = ", ".join("?" * len(names or ()))
        query = f"SELECT DISTINCT asset FROM spells WHERE {HOLDS} AND (symbol IN ({marks}) OR asset IN ({marks}))"
        found |= {row[0] for row in connection.execute(query, (revision, revision, *(names or ()), *(names or ())))}
    return sorted(found)


def _typed(names: Sequence[str], row: Row) -> dict[str, Any]:
    found = dict(zip(names, row, strict=False))
    for name in names:
        if found[name] is not None and (read := READ.get(name)) is not None:
            found[name] = read(found[name])
    return found
