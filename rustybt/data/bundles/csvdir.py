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
        ts = frame[names[0]].str.slice(0, 10).str.to_date("%Y-%m-%d") if bundle.kind == "daily" else _moments(frame[names[0]], str(path))
        whole = [_whole(frame[name], digits[sid] if name in PRICES else 0, str(path)) for name in FIELDS]
        part = pl.DataFrame([pl.Series("sid", [sid] * frame.height, dtype=pl.Int64), ts.alias("ts"), *whole])
        there = part.filter(pl.sum_horizontal(pl.col(*PRICES)) > 0)
        frames.append(there)
        empty += part.height - there.height
        events += _events(symbols[sid], frame, ts)
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
    try:
        found = [0 if not text else int(Decimal(text).scaleb(digits)) for text in column.to_list()]
    except (InvalidOperation, ValueError) as error:
        raise DataError(f"column {column.name!r} holds what is no number", where=where, do="repair the file") from error
    return pl.Series(column.name, found, dtype=pl.Int64)


def _moments(column: pl.Series, where: str) -> pl.Series:
    try:
        return column.str.to_datetime(time_unit="us").dt.replace_time_zone("UTC")
    except UNREADABLE as error:
        raise unreadable(where, error) from error


def _events(symbol: str, frame: pl.DataFrame, ts: pl.Series) -> list[dict[str, Any]]:
    """The rows with a dividend other than 0, and with a split other than 1."""
    found = []
    for column, kind, nothing in (("dividend", "dividend", Decimal(0)), ("split", "split", Decimal(1))):
        if column not in frame.columns:
            continue
        for moment, text in zip(ts.cast(pl.Date).to_list(), frame[column].to_list(), strict=True):
            if text and Decimal(text) not in (nothing, Decimal(0)):
                found.append(
                    {"asset": symbol, "ts": moment.isoformat(), "kind": kind, "value": f"{Decimal(text).normalize():f}", "pay": None}
                )
    return found
