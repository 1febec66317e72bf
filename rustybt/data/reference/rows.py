"""Rows of reference data as users write them, read exactly and checked one by one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from rustybt.data.actions import read_events
from rustybt.data.reference.listing import KINDS, SIZES, Entry, Spell
from rustybt.data.sources import UNREADABLE, collect, open_source, unreadable
from rustybt.errors import DataError, RustyBTError
from rustybt.model import Event
from rustybt.model.decimals import LIMIT, to_decimal

LASTING = ("kind", "name", "root", "underlying", "expiry", "listed", "delisted")
"""What is true of an asset for good: rows of one asset may repeat it, not contradict it."""
DAYS = ("expiry", "listed", "delisted", "known", "from_ts")
FIELDS = ("asset", "from_ts", "symbol", "venue", "currency", *SIZES, *LASTING, "known")
"""Columns of a table of assets."""
PAIR = re.compile(r"[^\s/]+/[^\s/]+")
Rate = tuple[str, str, str, str | None]
"""Pair, time, rate and when it was known, as texts."""


def read_entries(source: Any) -> list[Entry]:
    """Assets from a frame or a file, in the order in which they come first.

    Raises:
        DataError: naming the file, the row and the field.
    """
    where, frame = _opened(source, "assets")
    unknown = [name for name in frame.columns if name not in FIELDS]
    if unknown:
        raise DataError(f"unknown column {unknown[0]!r}", where=where, do=f"use some of {', '.join(FIELDS)}")
    if not {"asset", "symbol"} & set(frame.columns):
        raise DataError("neither a column asset nor symbol", where=where, do="name each asset")
    rows: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
    for number, row in enumerate(frame.iter_rows(named=True)):
        place = _place(where, number)
        plain = {name: _value(row[name], name, place) for name in frame.columns}
        owner = plain.get("asset") or plain.get("symbol")
        if owner is None:
            raise DataError("the row names no asset", where=place, do="give asset or symbol, or drop the row")
        rows.setdefault(owner, []).append((place, plain))
    return [_entry(owner, given) for owner, given in rows.items()]


def read_actions(source: Any) -> list[tuple[Event, date | None]]:
    """Corporate actions, and when each was known where that is said.

    Raises:
        DataError: naming the row.
    """
    if isinstance(source, list | tuple) and all(isinstance(item, Event) for item in source):
        return [(event, None) for event in read_events(list(source))]
    where, frame = _opened(source, "events")
    known: list[Any] = [None] * frame.height
    if "known" in frame.columns:
        known = [_value(value, "known", _place(where, number)) for number, value in enumerate(frame["known"].to_list())]
    try:
        return list(zip(read_events(frame), known, strict=True))
    except DataError as error:
        told = re.sub(r"^events, row (\d+)", lambda found: _place(where, int(found[1])), error.where)
        raise DataError(error.what, where=told, do=error.do) from None


def read_rates(source: Any) -> list[Rate]:
    """Rates of currencies, exact.

    Raises:
        DataError: naming the row.
    """
    where, frame = _opened(source, "rates")
    if missing := [name for name in ("pair", "ts", "rate") if name not in frame.columns]:
        raise DataError(f"column {missing[0]!r} is missing", where=where, do="give pair, ts and rate")
    found: dict[tuple[str, str], Rate] = {}
    for number, row in enumerate(frame.iter_rows(named=True)):
        place = _place(where, number)
        pair = str(row["pair"])
        if not PAIR.fullmatch(pair) or len(set(pair.split("/"))) < 2:
            raise DataError(f"pair {row['pair']!r} does not name two currencies", where=place, do='write "EUR/USD"')
        when, rate = _instant(row["ts"], place), _number(row["rate"], "rate", place)
        if not 0 < rate < LIMIT:
            raise DataError(f"rate {rate} of {pair!r} is not between 0 and {LIMIT}", where=place, do="repair or drop the row")
        if (pair, when) in found:
            raise DataError(f"{pair!r} has two rates at {when}", where=place, do="keep one")
        known = _value(row.get("known"), "known", place)
        found[pair, when] = pair, when, f"{rate.normalize():f}", None if known is None else known.isoformat()
    return list(found.values())


def _opened(source: Any, what: str) -> tuple[str, pl.DataFrame]:
    """How to call a source in a message, and its rows; those of a CSV file as texts, since ``0700`` is a symbol and ``0.10`` a tick."""
    if isinstance(source, str | Path) and str(source).lower().endswith((".csv", ".csv.gz")):
        if not Path(source).is_file():
            raise DataError("no such file", where=str(source), do="check the path")
        try:
            return str(source), pl.read_csv(source, infer_schema=False, glob=False)
        except UNREADABLE as error:
            raise unreadable(str(source), error) from error
    where = str(source) if isinstance(source, str | Path) else what
    if isinstance(source, list | tuple) and all(isinstance(row, Mapping) for row in source):
        source = pl.DataFrame(list(source), infer_schema_length=None)
    return where, collect(open_source(source))


def _place(where: str, number: int) -> str:
    """Where a row is: by the line of a CSV file, which has a header, else by its number from 0."""
    csv = where.lower().endswith((".csv", ".csv.gz"))
    return f"{where}, line {number + 2}" if csv else f"{where}, row {number}"


def _entry(owner: str, given: list[tuple[str, Mapping[str, Any]]]) -> Entry:
    lasting: dict[str, Any] = {}
    spells: dict[date | None, Spell] = {}
    for place, row in given:
        for name in LASTING:
            value = row.get(name)
            if value is not None and lasting.setdefault(name, value) != value:
                raise DataError(
                    f"{name} of {owner!r} is {value} here and {lasting[name]} before",
                    where=place,
                    do="correct one; of two companies with one symbol give each its own asset",
                )
        first = row.get("from_ts")
        if first in spells:
            raise DataError(
                f"{owner!r} has two rows from {first or 'the start'} on",
                where=place,
                do="keep one, or date them with from_ts; of two companies with one symbol give each its own asset",
            )
        terms = {name: row.get(name) for name in ("symbol", "venue", "currency", *SIZES)}
        spells[first] = Spell(first, **terms, known=row.get("known"))
    ordered = tuple(spells[first] for first in sorted(spells, key=lambda first: first or date.min))
    entry = Entry(owner, lasting.pop("kind", "equity"), **lasting, known=ordered[0].known, spells=ordered)
    _check(entry, given[0][0])
    return entry


def _check(entry: Entry, place: str) -> None:
    """Refuses an entry that cannot be."""
    if entry.kind not in KINDS:
        raise DataError(f"unknown kind {entry.kind!r}", where=f"{place}, asset {entry.id!r}", do=f"use one of {', '.join(KINDS)}")
    place = f"{place}, asset {entry.id!r}"
    if entry.listed is not None and entry.end < entry.listed:
        raise DataError(f"it ends on {entry.end}, before its listing on {entry.listed}", where=place, do="correct a date")
    for first, spell in entry.through:
        if not (entry.listed or date.min) <= first <= entry.end and first != date.min:
            what = f"terms from {first} on, and it is listed {entry.listed or 'from ever'} to {entry.end}"
            raise DataError(what, where=place, do="correct from_ts, listed or delisted")
        try:
            entry.asset_of(spell)
        except DataError as error:
            raise DataError(error.what, where=place, do=error.do) from None


def _value(value: Any, name: str, place: str) -> Any:
    """A value as a date, a decimal or a text; None for nothing."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if name in DAYS:
        return _day(value, name, place)
    if name in SIZES:
        size = _number(value, name, place)
        if size < 0 or (size == 0 and name != "min_notional"):
            raise DataError(f"{name} {value} is not positive", where=place, do="give a positive number")
        return size
    return str(value).strip()


def _number(value: Any, name: str, place: str) -> Decimal:
    try:
        return to_decimal(value.strip() if isinstance(value, str) else value, name)
    except RustyBTError as error:
        raise DataError(error.what, where=place, do=error.do) from None


def _day(value: Any, name: str, place: str) -> date:
    try:
        if isinstance(value, datetime):
            return value.date()
        if isinstance(value, date):
            return value
        return date.fromisoformat(str(value).strip())
    except ValueError:
        raise DataError(f"{name} {value!r} is not a date", where=place, do='write it like "2012-05-18"') from None


def _instant(value: Any, place: str) -> str:
    """A session, or an instant with its zone, as ISO text."""
    if isinstance(value, str) and len(value.strip()) > len("2005-02-28"):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise DataError(f"ts {value!r} is not a time", where=place, do='write "2005-02-28" or "2005-02-28T14:30:00Z"') from None
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise DataError(f"ts {value} has no time zone", where=place, do='add its zone, or give a date such as "2005-02-28"')
        return value.isoformat()
    if value is None:
        raise DataError("ts is null", where=place, do="repair or drop the row")
    return _day(value, "ts", place).isoformat()
