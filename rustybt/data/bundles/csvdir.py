"""The folders of CSV files that Zipline's csvdir bundles are made of: a file an asset, with its dividends and splits in columns."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import polars as pl

from rustybt.data.bundles.bundle import Bundle
from rustybt.data.bundles.stored import Stored
from rustybt.data.columns import FIELDS, PRICES
from rustybt.data.sources import UNREADABLE, stem_of, unreadable
from rustybt.errors import DataError

MOST_DIGITS = 9


@dataclass(frozen=True)
class Folder:
    """The files of a folder.

    Attributes:
        stored: their bars.
        symbols: by number, in the order of the file names.
        events: corporate actions.
    """

    stored: Stored
    symbols: dict[int, str]
    events: list[dict[str, Any]]


def read_csvdir(bundle: Bundle) -> Folder:
    """Every file of the folder; numbers are read as the texts that they are.

    Raises:
        DataError: a file cannot be read, lacks a column, or holds a number that is none.
    """
    paths = sorted(one for one in bundle.bars.iterdir() if one.name.lower().endswith((".csv", ".csv.gz")))
    frames, symbols, events, digits, empty = [], dict[int, str](), list[dict[str, Any]](), dict[int, int](), 0
    for sid, path in enumerate(paths):
        try:
            frame = pl.read_csv(path, infer_schema=False, glob=False)
        except UNREADABLE as error:
            raise unreadable(str(path), error) from error
        frame = frame.rename({name: name.strip().lower() for name in frame.columns})
        names = [frame.columns[0], *FIELDS]  # the first column is the date, whatever it is called
        if lacking := [name for name in FIELDS if name not in frame.columns]:
            raise DataError(f"the file has no column {lacking[0]!r}", where=str(path), do=f"a csvdir file has date, {', '.join(FIELDS)}")
        symbols[sid] = stem_of(str(path))
        digits[sid] = _digits(frame, str(path))
        ts = _days(frame[names[0]], str(path)) if bundle.kind == "daily" else _moments(frame[names[0]], str(path))
        whole = [_whole(frame[name], digits[sid] if name in PRICES else 0, str(path)) for name in FIELDS]
        part = pl.DataFrame([pl.Series("sid", [sid] * frame.height, dtype=pl.Int64), ts.alias("ts"), *whole])
        there = part.filter(pl.sum_horizontal(pl.col(*PRICES)) > 0)
        frames.append(there)
        empty += part.height - there.height
        events += _events(symbols[sid], frame, ts, str(path))
    rows = pl.concat(frames).sort("sid", "ts")
    return Folder(Stored(rows, digits, empty, None), symbols, events)


def _digits(frame: pl.DataFrame, where: str) -> int:
    """Decimals of the price that has the most."""
    longest = max(int(frame[name].str.extract(r"\.(\d*?)0*$").str.len_chars().max() or 0) for name in PRICES)  # type: ignore[call-overload, arg-type, unused-ignore]
    if longest > MOST_DIGITS:
        raise DataError(f"prices have {longest} decimals", where=where, do=f"round them to {MOST_DIGITS}, or use rustybt ingest csv:")
    return longest


def _whole(column: pl.Series, digits: int, where: str) -> pl.Series:
    """A column of texts as whole numbers of steps; a missing one is 0, as Zipline keeps it."""
    found = [int(_number(text or "0", row, column.name, where).scaleb(digits)) for row, text in enumerate(column.to_list())]
    return pl.Series(column.name, found, dtype=pl.Int64)


def _number(text: str, row: int, name: str, where: str) -> Decimal:
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite():
        raise DataError(f"column {name!r} holds {text!r}, which is no number", where=f"{where}, line {row + 2}", do="repair the file")
    return found


def _days(column: pl.Series, where: str) -> pl.Series:
    return _read(column, column.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False), where)


def _moments(column: pl.Series, where: str) -> pl.Series:
    try:
        found = column.str.to_datetime(time_unit="us", strict=False)
    except UNREADABLE as error:
        raise unreadable(where, error) from error
    return _read(column, found, where).dt.replace_time_zone("UTC")


def _read(column: pl.Series, found: pl.Series, where: str) -> pl.Series:
    """Times, none of which is missing."""
    if found.null_count():
        row = int(found.is_null().arg_max() or 0)
        what = f"column {column.name!r} holds {column[row] or ''!r}, which is no date or time"
        raise DataError(what, where=f"{where}, line {row + 2}", do="repair or drop the line")
    return found


def _events(symbol: str, frame: pl.DataFrame, ts: pl.Series, where: str) -> list[dict[str, Any]]:
    """The rows with a dividend other than 0, and with a split other than 1."""
    found = []
    for column, kind, nothing in (("dividend", "dividend", Decimal(0)), ("split", "split", Decimal(1))):
        if column not in frame.columns:
            continue
        for row, (moment, text) in enumerate(zip(ts.cast(pl.Date).to_list(), frame[column].to_list(), strict=True)):
            value = _number(text, row, column, where) if text else nothing
            if value not in (nothing, Decimal(0)):
                found.append({"asset": symbol, "ts": moment.isoformat(), "kind": kind, "value": f"{value.normalize():f}", "pay": None})
    return found
