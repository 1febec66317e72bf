"""Reference data as frames: to look at, to write to a file, and for a run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from rustybt.data.reference.kept import plain
from rustybt.data.reference.listing import TERMS, Entry, day_of
from rustybt.data.reference.rows import FIELDS, LASTING
from rustybt.model import Event

CHANGING = {"tick_size": "tick", "lot_size": "lot", "min_notional": "min_notional"}
"""Terms that a run takes by date, and what it calls them."""
EVENT_COLUMNS = ("asset", "ts", "kind", "value", "other", "pay", "cash", "price", "part", "known")


def assets(entries: Sequence[Entry], day: date | None) -> pl.DataFrame:
    """One row for each entry that was listed on a day, or for all as of their last; columns as of `Listing.to_dict`."""
    rows = []
    for entry in entries:
        found = entry.on(day if day is not None else entry.newest)
        if found is not None:
            rows.append(found.to_dict())
    if not rows:
        return pl.DataFrame(schema=dict.fromkeys(("id", "symbol", "kind"), pl.String))
    frame = pl.DataFrame(rows, infer_schema_length=None)
    texts = frame.with_columns(pl.col(pl.Null).cast(pl.String))
    return texts.with_columns(pl.col("expiry", "listed", "delisted", "since").str.to_date("%Y-%m-%d"))


def spells(entries: Sequence[Entry]) -> pl.DataFrame:
    """One row for each spell, all texts; what is lasting stands in the first row of an asset."""
    rows = []
    for entry in entries:
        for number, spell in enumerate(entry.spells):
            row: dict[str, Any] = {"asset": entry.id, "from_ts": spell.first, "known": spell.known}
            row |= {name: getattr(spell, name) for name in TERMS}
            row |= {name: getattr(entry, name) if number == 0 else None for name in LASTING}
            rows.append(plain(row[name] for name in FIELDS))
    return pl.DataFrame(rows, schema=dict.fromkeys(FIELDS, pl.String), orient="row")


def increments(entries: Sequence[Entry]) -> pl.DataFrame:
    """``asset, from_ts`` (Date, null = from the start), ``tick, lot, min_notional`` (text) of the entries in which one of them changed."""
    rows: list[tuple[Any, ...]] = []
    for entry in entries:
        own: list[tuple[Any, ...]] = []
        for spell in entry.spells:
            sizes = [getattr(spell, name) for name in CHANGING]
            if any(size is not None for size in sizes):
                own.append((entry.id, spell.first, *plain(sizes)))
        rows += own if len(own) > 1 or (own and own[0][1] is not None) else []
    schema = {"asset": pl.String, "from_ts": pl.Date} | dict.fromkeys(CHANGING.values(), pl.String)
    return pl.DataFrame(rows, schema=schema, orient="row")


def events(found: Sequence[tuple[Event, date | None]]) -> pl.DataFrame:
    """Corporate actions as `rustybt.load` takes them, all texts; a ratio or amount that no decimal can hold is rounded to 28 digits."""
    rows = []
    for event, known in sorted(found, key=lambda item: (item[0].asset, item[0].ts, item[0].kind)):
        value = None if event.denominator == 0 else f"{Decimal(event.numerator) / Decimal(event.denominator):f}"
        days = [None if at is None else day_of(at) for at in (event.ts, event.pay)]
        rows.append(plain((event.asset, days[0], event.kind, value, event.other, days[1], event.cash, event.price, event.part, known)))
    return pl.DataFrame(rows, schema=dict.fromkeys(EVENT_COLUMNS, pl.String), orient="row")
