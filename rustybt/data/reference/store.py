"""Reference data in SQLite: written whole or not at all, found by symbol as of a day, never lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import polars as pl

from rustybt._sqlite import opened, writing
from rustybt.data.metadata import days_of
from rustybt.data.reference import frames
from rustybt.data.reference.changes import Change, Revision, check_actions, check_symbols, swap_events, swap_rates
from rustybt.data.reference.kept import HOLDS, asset_row, entries_of, event_of, owners_of, parts, spell_rows
from rustybt.data.reference.listing import EPOCH, EVER, NEVER, Entry, Listing, day_of, ordinal, span_text
from rustybt.data.reference.rows import read_actions, read_entries, read_rates
from rustybt.data.reference.schema import REFERENCE
from rustybt.errors import DataError
from rustybt.model import Event

FILE = "reference.db"
LATEST = 2**62
Day = str | date | datetime


class Reference:
    """Reference data of a folder, as of now or of an earlier revision.

    Args:
        root: the folder of the catalog; `rustybt.Catalog.reference` is the usual way to one.
        revision: None = the newest.

    Example:
        >>> import tempfile
        >>> listed = Reference(tempfile.mkdtemp())
        >>> made = listed.add(
        ...     [
        ...         {"asset": "FB.1", "symbol": "FB", "listed": "1998-01-02", "delisted": "2003-04-15"},
        ...         {"asset": "META", "symbol": "FB", "listed": "2012-05-18", "tick_size": "0.01"},
        ...         {"asset": "META", "from_ts": "2022-06-09", "symbol": "META"},
        ...     ]
        ... )
        >>> listed.find("FB", on="2015-01-02").id, listed.find("FB", on="2001-01-02").id
        ('META', 'FB.1')
        >>> listed.find("META", on="2024-01-02").asset.tick_size
        Decimal('0.01')
    """

    def __init__(self, root: str | Path, revision: int | None = None) -> None:
        self.root, self.revision = Path(root).absolute(), revision

    def __repr__(self) -> str:
        number = self.revision or (self.revisions()[-1].number if self.exists and self.revisions() else 0)
        return f"Reference({str(self.root)!r}, revision={number})"

    @property
    def exists(self) -> bool:
        """Whether anything was ever added."""
        return (self.root / FILE).is_file()

    def at(self, revision: int) -> Reference:
        """The data as they were after a revision.

        Raises:
            DataError: there is no such revision.
        """
        known = [one.number for one in self.revisions()]
        if revision not in known:
            do = f"use one of {known[0]} to {known[-1]}" if known else "add rows first"
            raise DataError(f"there is no revision {revision}", where=self._where, do=do)
        return Reference(self.root, revision)

    def revisions(self) -> list[Revision]:
        """Every change, oldest first, up to this revision."""
        if not self.exists:
            return []
        with self.reading() as connection:
            rows = connection.execute("SELECT number, created, source, added, dropped FROM revisions ORDER BY number").fetchall()
        return [Revision(*row) for row in rows if row[0] <= self._number]

    def add(self, assets: Any = None, *, events: Any = None, rates: Any = None, source: str | None = None) -> Revision:
        """Take rows in: all of them, or with one wrong row none.

        An asset that is given replaces what was known of it, and events replace all events of the assets that they name; a rate replaces
        that of its pair and time. What is replaced is kept: `at` goes back to it. The same rows again change nothing.

        Args:
            assets: a frame, dicts, or a file, one row for what is true of an asset from a session on (docs/how-to/reference-data.md):
                ``asset`` (id; default the symbol), ``from_ts`` (null = from the start), ``symbol, venue, currency, tick_size, lot_size,
                volume_step, multiplier, min_notional`` (null = as before), ``kind, name, root, underlying, expiry, listed, delisted``
                (once for an asset), ``known`` (the day on which the row was known, null = on its first day).
            events: corporate actions as of `rustybt.load`, and ``known``; ``asset`` and ``other`` are ids.
            rates: ``pair`` ("EUR/USD": what one EUR costs in USD), ``ts`` (a session, or an instant with its zone), ``rate``, ``known``.
            source: what to write down as where they came from; default the names of the files.

        Raises:
            DataError: a row is wrong, or two assets have one symbol on the same day; the message names the file and row, or the symbol.
        """
        entries, actions, given = ([] if rows is None else read(rows) for rows, read in _readers(assets, events, rates))
        said = source or ", ".join(
            str(one) if isinstance(one, str | Path) else "a frame" for one in (assets, events, rates) if one is not None
        )
        with opened(self.root / FILE, REFERENCE) as connection, writing(connection):
            given_ids = {entry.id: entry for entry in entries}
            names = {name for entry in entries for _, _, name, _ in entry.names()}
            have = entries_of(connection, [*given_ids, *owners_of(connection, sorted(names), LATEST)], LATEST)
            check_symbols(have | given_ids, set(given_ids))
            check_actions(actions, {row[0] for row in connection.execute("SELECT id FROM assets WHERE dropped IS NULL")} | given_ids.keys())
            change = Change(connection, datetime.now(UTC).isoformat(timespec="seconds"), said)
            for entry in entries:
                old = have.get(entry.id)
                change.swap("assets", "id", entry.id, [] if old is None else [asset_row(old)], [asset_row(entry)])
                change.swap("spells", "asset", entry.id, [] if old is None else spell_rows(old), spell_rows(entry))
            swap_events(change, actions)
            swap_rates(change, given)
            return change.finish()

    def find(self, symbol: str, on: Day | None = None, *, venue: str | None = None, known: Day | None = None) -> Listing:
        """The asset that a symbol meant on a day.

        Args:
            symbol: as it was traded under; not the id.
            on: the day; None only where one asset alone ever had the symbol: then as of its last day, or now.
            venue: where, for symbols that mean different assets at different venues.
            known: a day: nothing that became known later is seen, neither a change nor an end. None = all that is known by now.

        Raises:
            DataError: no asset had the symbol then, or more than one.
        """
        day, as_known = _day(on, "on"), _day(known, "known")
        entries = self._having(symbol, as_known)
        spans = [
            (first, last, entry)
            for entry in entries
            for first, last, name, where in entry.names()
            if name == symbol and (venue is None or where == venue)
        ]
        if not spans:
            raise self._unknown(symbol, venue)
        if day is None and len({entry.id for _, _, entry in spans}) == 1:
            first, last, entry = max(spans, key=lambda span: span[0])
            day = max(first, min(last, entry.newest))
        met = {entry.id: entry for first, last, entry in spans if day is None or first <= day <= last}
        found = next(iter(met.values())).on(day) if len(met) == 1 and day is not None else None
        if found is not None:
            return found
        told = ", ".join(f"{entry.id} {span_text(first, last)}" for first, last, entry in sorted(spans, key=lambda span: span[:2]))
        if not met:
            raise DataError(f"{symbol!r} named no asset on {day}", where=self._where, do=f"it named {told}")
        do = "say the day: on=" if day is None else "say the venue: venue="
        raise DataError(f"{symbol!r} named {len(met)} assets: {told}", where=self._where, do=do)

    def get(self, asset: str, on: Day | None = None, *, known: Day | None = None) -> Listing:
        """The asset of an id, as of a day; None = its last day, or now.

        Raises:
            DataError: there is no such asset, or it was not listed then.
        """
        day, as_known = _day(on, "on"), _day(known, "known")
        entry = self.entry(asset).seen(as_known)
        if entry is not None:
            found = entry.on(day or entry.newest)
            if found is not None:
                return found
            raise DataError(
                f"{asset!r} was not listed on {day}", where=self._where, do=f"it is {span_text(entry.listed or EVER, entry.end)}"
            )
        raise DataError(f"nothing was known of {asset!r} on {as_known}", where=self._where, do="give a later day")

    def entry(self, asset: str) -> Entry:
        """An asset with all its spells.

        Raises:
            DataError: there is no such asset.
        """
        found = self.entries([asset])
        if asset not in found:
            like = get_close_matches(asset, list(self.entries()), n=3, cutoff=0.5)
            do = f"did you mean {', '.join(map(repr, like))}?" if like else "rustybt assets list shows them"
            raise DataError(f"there is no asset {asset!r}", where=self._where, do=do)
        return found[asset]

    def entries(self, assets: Sequence[str] | None = None) -> dict[str, Entry]:
        """The entries of some ids, or all, by id."""
        if not self.exists:
            return {}
        with self.reading() as connection:
            return entries_of(connection, assets, self._number)

    def chain(self, root: str, *, known: Day | None = None) -> dict[str, date]:
        """The contracts of a root and their last trading days, nearest first.

        Raises:
            DataError: there is none, or one has no expiry.
        """
        as_known = _day(known, "known")
        found = [entry for entry in self.entries().values() if entry.root == root and entry.seen(as_known) is not None]
        if not found:
            roots = sorted({entry.root for entry in self.entries().values() if entry.root is not None})
            raise DataError(f"no contract has the root {root!r}", where=self._where, do=f"the roots are {', '.join(roots[:20]) or 'none'}")
        bare = [entry.id for entry in found if entry.expiry is None]
        if bare:
            raise DataError(f"{bare[0]!r} has no expiry", where=self._where, do="add one: its last trading day")
        return {entry.id: entry.expiry for entry in sorted(found, key=lambda entry: (entry.expiry or NEVER, entry.id)) if entry.expiry}

    def events(self, assets: Sequence[str] | None = None, *, known: Day | None = None) -> list[Event]:
        """Corporate actions by ex-date, as `rustybt.load` takes them; with ``known`` those alone that were known on that day."""
        as_known, rows = _day(known, "known"), self._rows("events", "asset", assets)
        found = [event_of(row[:-2]) for row in rows]
        seen = [event for event, at in found if as_known is None or (at or day_of(event.ts)) <= as_known]
        return sorted(seen, key=lambda event: (event.ts, event.asset, event.kind))

    def rates(self, pairs: Sequence[str] | None = None, *, known: Day | None = None) -> pl.DataFrame:
        """Rates of currencies by pair and time, as `rustybt.run` takes them: ``pair, ts, rate``, all text, exact."""
        as_known = _day(known, "known")
        rows = [row for row in self._rows("rates", "pair", pairs) if as_known is None or _date_of(row[3] or row[1]) <= as_known]
        return pl.DataFrame(sorted(row[:3] for row in rows), schema=dict.fromkeys(("pair", "ts", "rate"), pl.String), orient="row")

    def increments(self, assets: Sequence[str] | None = None, *, known: Day | None = None) -> pl.DataFrame:
        """Ticks, lots and least notionals that changed, as `rustybt.run` takes them in ``increments=``; see `frames.increments`."""
        return frames.increments(self._seen(assets, known))

    def assets(self, on: Day | None = None, *, kind: str | None = None, known: Day | None = None) -> pl.DataFrame:
        """The assets that were listed on a day, or all that ever were, one row for an asset with the terms of that day or its last."""
        day = _day(on, "on")
        return frames.assets([entry for entry in self._seen(None, known) if kind in (None, entry.kind)], day)

    def table(self, name: str) -> pl.DataFrame:
        """What holds, in the form that `add` takes: ``assets``, ``events`` or ``rates``; for a file, or for another program."""
        if name == "assets":
            return frames.spells(list(self.entries().values()))
        if name == "events":
            return frames.events([event_of(row[:-2]) for row in self._rows("events", "asset", None)])
        rows = sorted(row[:4] for row in self._rows("rates", "pair", None))
        return pl.DataFrame(rows, schema=dict.fromkeys(("pair", "ts", "rate", "known"), pl.String), orient="row")

    def spans(self, symbols: Sequence[str]) -> dict[str, list[tuple[int, int, str]]]:
        """Days since 1970-01-01 of the first and last session on which each symbol named an asset, and its id; an unknown symbol has none.

        A text that is no symbol at all but the id of an asset names that.
        """
        found: dict[str, list[tuple[int, int, str]]] = {symbol: [] for symbol in symbols}
        if not self.exists:
            return found
        with self.reading() as connection:
            entries = entries_of(connection, owners_of(connection, symbols, self._number), self._number)
        for entry in entries.values():
            for first, last, name, _ in entry.names():
                if name in found:
                    found[name].append((ordinal(first), ordinal(last), entry.id))
        for name, spans in found.items():
            if not spans and name in entries:
                spans.append((ordinal(entries[name].listed or EVER), ordinal(entries[name].end), name))
        return found

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The tables, to be read."""
        with opened(self.root / FILE, REFERENCE) as connection:
            yield connection

    @property
    def _number(self) -> int:
        return LATEST if self.revision is None else self.revision

    @property
    def _where(self) -> str:
        return f"reference data, {self.root / FILE}"

    def _seen(self, assets: Sequence[str] | None, known: Day | None) -> list[Entry]:
        as_known = _day(known, "known")
        return [seen for entry in self.entries(assets).values() if (seen := entry.seen(as_known)) is not None]

    def _rows(self, table: str, key: str, names: Sequence[str] | None) -> list[tuple[Any, ...]]:
        if not self.exists:
            return []
        rows: list[tuple[Any, ...]] = []
        with self.reading() as connection:
            for some in parts(names):
                chosen = "" if some is None else f" AND {key} IN ({', '.join('?' * len(some))})"
                rows += connection.execute(f"SELECT * FROM {table} WHERE {HOLDS}{chosen}", (self._number, self._number, *(some or ())))
        return rows

    def _having(self, symbol: str, known: date | None) -> list[Entry]:
        """The entries that ever had a symbol."""
        if not self.exists:
            return []
        with self.reading() as connection:
            entries = entries_of(connection, owners_of(connection, [symbol], self._number), self._number)
        return [seen for entry in entries.values() if (seen := entry.seen(known)) is not None]

    def _unknown(self, symbol: str, venue: str | None) -> DataError:
        said = f" at venue {venue!r}" if venue is not None else ""
        names = sorted({name for entry in self.entries().values() for _, _, name, _ in entry.names()})
        like = get_close_matches(symbol, names, n=3, cutoff=0.5)
        do = f"did you mean {', '.join(map(repr, like))}?" if like else "add it: rustybt assets add FILE"
        return DataError(f"no asset had the symbol {symbol!r}{said}", where=self._where, do=do)


def _readers(assets: Any, events: Any, rates: Any) -> list[tuple[Any, Any]]:
    return [(assets, read_entries), (events, read_actions), (rates, read_rates)]


def _day(given: Day | None, name: str) -> date | None:
    return None if given is None else EPOCH + timedelta(days=days_of(given, name))


def _date_of(text: str) -> date:
    return date.fromisoformat(text[:10])
