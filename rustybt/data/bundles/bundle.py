"""What is in the folder of a bundle: which bars, what its assets are called, what happened to them."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from rustybt.errors import DataError

type Kind = Literal["daily", "minute"]

DAILY, MINUTE, ADJUSTMENTS = "daily_equities.bcolz", "minute_equities.bcolz", "adjustments.sqlite"
ASSETS = re.compile(r"assets-(\d+)\.(?:sqlite|db)")
LARGEST = 10_000
"""Largest denominator of a split that is believed: Zipline kept its reciprocal as a double."""


@dataclass(frozen=True)
class Bundle:
    """The files of a bundle.

    Attributes:
        folder: of one ingestion.
        bars: folder of the table of bars, an HDF5 file, or a folder of CSV files.
        stored: how they are stored: ``bcolz``, ``hdf5`` or ``csvdir``.
        kind: ``daily`` or ``minute``.
        assets: database of the assets, or None.
        adjustments: database of splits and dividends, or None.
    """

    folder: Path
    bars: Path
    stored: Literal["bcolz", "hdf5", "csvdir"]
    kind: Kind
    assets: Path | None
    adjustments: Path | None


@dataclass(frozen=True)
class Named:
    """The assets of a bundle.

    Attributes:
        symbols: by number.
        notes: sentences about what was assumed.
    """

    symbols: dict[int, str]
    notes: tuple[str, ...]


def find_bundle(folder: Path, kind: Kind) -> Bundle:
    """The newest ingestion of a folder that has bars of a kind: the folder itself, or one of those in it.

    Raises:
        DataError: there is none.
    """
    if not folder.exists():
        raise DataError("there is no such folder", where=str(folder), do="give the folder of a bundle: ~/.zipline/data/NAME")
    if folder.is_file():
        return _of(folder.parent, folder, "hdf5", kind)
    table = DAILY if kind == "daily" else MINUTE
    for place in [folder, *sorted((one for one in folder.iterdir() if one.is_dir()), reverse=True)]:
        if place.name == table:
            return _of(place.parent, place, "bcolz", kind)
        if (place / table).is_dir():
            return _of(place, place / table, "bcolz", kind)
        stores = sorted([*place.glob("*.h5"), *place.glob("*.hdf5")]) if kind == "daily" else []
        if stores:
            return _of(place, stores[0], "hdf5", kind)
    for place in (folder / kind, folder):
        if place.is_dir() and any(one.name.lower().endswith((".csv", ".csv.gz")) for one in place.iterdir()):
            return Bundle(folder, place, "csvdir", kind, None, None)
    do = f"give the folder that holds {table}, an HDF5 file of daily bars, or {kind}/ with CSV files"
    raise DataError(f"there are no {kind} bars of a bundle", where=str(folder), do=do)


def _of(folder: Path, bars: Path, stored: Literal["bcolz", "hdf5"], kind: Kind) -> Bundle:
    databases = {int(found[1]): place for place in folder.iterdir() if (found := ASSETS.fullmatch(place.name))}
    adjustments = folder / ADJUSTMENTS
    return Bundle(
        folder, bars, stored, kind, databases[max(databases)] if databases else None, adjustments if adjustments.is_file() else None
    )


def name_assets(place: Path | None, numbers: Sequence[int]) -> Named:
    """What the assets are called: by the last symbol that each had; two of one symbol by symbol and number.

    Raises:
        DataError: the database cannot be read, or lacks an asset.
    """
    if place is None:
        return Named({one: f"sid-{one}" for one in numbers}, ("The bundle has no database of assets: they are called sid-NUMBER.",))
    with _reading(place) as database:
        tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "equity_symbol_mappings" in tables:
            rows = database.execute("SELECT sid, symbol, end_date FROM equity_symbol_mappings ORDER BY end_date, sid").fetchall()
        else:  # versions before 6
            rows = database.execute("SELECT sid, symbol, end_date FROM equities ORDER BY end_date, sid").fetchall()
        if "futures_contracts" in tables:
            rows += database.execute("SELECT sid, symbol, end_date FROM futures_contracts WHERE symbol IS NOT NULL").fetchall()
    latest = {int(sid): (str(symbol), int(end)) for sid, symbol, end in rows}
    if lacking := sorted(set(numbers) - latest.keys()):
        raise DataError(f"{len(lacking)} assets have no symbol (first: {lacking[0]})", where=str(place), do="repair the database")
    owners: dict[str, int] = {}
    for sid in sorted(numbers, key=lambda one: latest[one][1]):
        owners[latest[sid][0]] = sid
    found = {sid: symbol if owners[symbol := latest[sid][0]] == sid else f"{symbol}#{sid}" for sid in numbers}
    shared = sorted(name for name in found.values() if "#" in name)
    notes = [f"{len(shared)} assets share a symbol with a later one: {', '.join(shared[:5])}."] if shared else []
    return Named(found, tuple(notes))


def read_actions(place: Path | None, symbols: Mapping[int, str]) -> tuple[list[dict[str, Any]], list[str]]:
    """Splits and dividends as the door reads them, and sentences about what was left out.

    Raises:
        DataError: the database cannot be read.
    """
    if place is None:
        return [], []
    events, left = [], dict[str, int]()
    with _reading(place) as database:
        tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for table, query in QUERIES.items():
            if table not in tables:
                continue
            for sid, moment, value, pay in database.execute(query):
                event = _event(table, symbols.get(int(sid)), int(moment), float(value), pay)
                if event is None:
                    left[table] = left.get(table, 0) + 1
                else:
                    events.append(event)
    notes = [f"{number} rows of {table} were left out: {WHY[table]}." for table, number in left.items()]
    return sorted(events, key=lambda event: (event["asset"], event["ts"], event["kind"])), notes


QUERIES = {
    "splits": "SELECT sid, effective_date, ratio, NULL FROM splits",
    "dividend_payouts": "SELECT sid, ex_date, amount, pay_date FROM dividend_payouts",
    "stock_dividend_payouts": "SELECT sid, ex_date, ratio, pay_date FROM stock_dividend_payouts",
    "mergers": "SELECT sid, effective_date, ratio, NULL FROM mergers",
}
UNPRICED = "their assets have no bars"
WHY = {
    "splits": UNPRICED,
    "dividend_payouts": UNPRICED,
    "stock_dividend_payouts": "what a holder gets may be shares of another company; declare them with events=",
    "mergers": "a factor on prices does not say what a holder gets; declare them with events=",
}


def _event(table: str, symbol: str | None, moment: int, value: float, pay: Any) -> dict[str, Any] | None:
    if symbol is None or table in ("stock_dividend_payouts", "mergers"):
        return None
    when = day_of(moment).isoformat()
    if table == "splits":
        return {"asset": symbol, "ts": when, "kind": "split", "value": split_text(value), "pay": None}
    paid = day_of(int(pay)).isoformat() if pay is not None and int(pay) > 0 else None
    return {"asset": symbol, "ts": when, "kind": "dividend", "value": repr(value), "pay": paid}


def split_text(ratio: float) -> str:
    """New shares for one old, of Zipline's factor on earlier prices.

    Example:
        >>> split_text(0.14285714285714285), split_text(10.0)
        ('7', '0.1')
    """
    share = Fraction(1) / Fraction(ratio).limit_denominator(LARGEST) if ratio > 1 else Fraction(1 / ratio).limit_denominator(LARGEST)
    return fraction_text(share)


def fraction_text(share: Fraction) -> str:
    """A fraction as a decimal with enough digits to be known again."""
    from decimal import Decimal

    return f"{(Decimal(share.numerator) / Decimal(share.denominator)).normalize():f}"


def day_of(moment: int) -> date:
    """The date of seconds, or of nanoseconds, since 1970."""
    seconds = moment / 1e9 if abs(moment) > 10**12 else moment
    return datetime.fromtimestamp(seconds, UTC).date()


@contextmanager
def _reading(place: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(f"file:{place.absolute()}?mode=ro", uri=True)) as database:
            yield database
    except (sqlite3.Error, TypeError, ValueError) as error:
        raise DataError(f"the database cannot be read: {error}", where=str(place), do="copy the bundle again") from error
