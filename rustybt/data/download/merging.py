"""Make rows for the door of pages: exact numbers, one row a bar, none that was not complete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl

from rustybt.data.calendars import covering
from rustybt.data.columns import FIELDS
from rustybt.data.spans import end_of
from rustybt.data.stamps import microseconds
from rustybt.errors import SourceError
from rustybt.model.source import History, Page, Source

MOST_DECIMALS = 18
BELIEVED = 10
"""Days that holidays explain where bars begin later or end earlier than was asked."""
EVENT_COLUMNS = dict.fromkeys(("asset", "ts", "kind", "value", "pay"), pl.String)


@dataclass(frozen=True)
class Rows:
    """The bars of one symbol.

    Attributes:
        bars: complete ones in order, each once; numbers as the source wrote them.
        notes: sentences of the source.
        repeated: rows that came more than once.
        unfinished: bars that were not complete.
        again: time of the first row that came more than once.
    """

    bars: pl.DataFrame
    notes: tuple[str, ...]
    repeated: int = 0
    unfinished: int = 0
    again: Any = None


def merge_pages(source: Source, symbol: str, history: History, pages: Sequence[Page], calendar: str | None) -> Rows:
    """The rows of one symbol, and what was left out.

    Args:
        source: whose pages they are.
        symbol: as the source writes it.
        history: what was wanted.
        pages: of the symbol.
        calendar: code of the exchange's calendar where it is known.

    Raises:
        SourceError: a bar has no time, or came twice with different numbers.
    """
    where = f"{source.name}, {symbol!r}"
    rows = pl.concat([_texts(page.bars) for page in pages if page.bars.height] or [pl.DataFrame()], how="diagonal_relaxed")
    if rows.height and rows["ts"].null_count():
        raise SourceError(f"{rows['ts'].null_count()} bars have no time", where=where, do="report it to the vendor")
    once = rows.unique(maintain_order=True)
    whole = once.filter(completed(once["ts"], source, history.frequency, calendar) <= micros(history.end)) if once.height else once
    if whole.height:
        _check_once(source, whole, where)
        whole = whole.sort("ts")
    notes = tuple(dict.fromkeys(note for page in pages for note in page.notes))
    again = rows["ts"][int(rows.is_duplicated().arg_max() or 0)] if rows.height > once.height else None
    return Rows(whole, notes, rows.height - once.height, once.height - whole.height, again)


def merge_symbols(source: Source, history: History, rows: Mapping[str, pl.DataFrame]) -> tuple[pl.DataFrame, list[str]]:
    """The rows of all symbols as exact numbers, and sentences about those that do not reach as far as was asked.

    Raises:
        SourceError: a symbol has no bar, or a number is none.
    """
    for symbol, bars in rows.items():
        if not bars.height:
            span = f"{history.start:%Y-%m-%d} and {history.end:%Y-%m-%d}"
            do = "check start, end and frequency, or leave the symbol out"
            raise SourceError(f"there are no bars between {span}", where=f"{source.name}, {symbol!r}", do=do)
    frames = [bars.with_columns(pl.lit(symbol).alias("asset")) for symbol, bars in rows.items()]
    bars = pl.concat(frames, how="diagonal_relaxed")
    bars = bars.with_columns(
        _exact(bars[name], bars["asset"], source) for name in bars.columns if bars[name].dtype == pl.String and name in FIELDS
    )
    return bars, _short(source, history, frames) if source.frequencies else []


def merge_events(events: Mapping[str, Sequence[Mapping[str, Any]]]) -> pl.DataFrame | None:
    """Corporate actions of all symbols, each once; None where there is none."""
    found = {
        (symbol, event["ts"], event["kind"], event["value"]): {"asset": symbol, **event} for symbol, got in events.items() for event in got
    }
    rows = sorted(found.values(), key=lambda event: (event["asset"], event["ts"], event["kind"]))
    return pl.DataFrame(rows, schema=EVENT_COLUMNS) if rows else None


def _short(source: Source, history: History, frames: Sequence[pl.DataFrame]) -> list[str]:
    """Symbols whose bars do not reach as far as was asked: the vendor may keep no more, or there is no more."""
    notes = []
    for edge, asked, word, late in ((0, history.start, "begins", 1), (-1, history.end, "ends", -1)):
        found = []
        for frame in frames:
            day = frame["ts"].cast(pl.Date)[edge]
            if late * (day - asked.date()).days > BELIEVED:
                found.append(f"{frame['asset'][0]} {word} {day}")
        if found:
            more = f" and {len(found) - 5} more" if len(found) > 5 else ""
            notes.append(f"Less than was asked of {source.name}: {', '.join(found[:5])}{more}.")
    return notes


def moment_text(moment: datetime) -> str:
    """An instant for a sentence.

    Example:
        >>> moment_text(datetime(2024, 3, 1, 21, 0))
        '2024-03-01 21:00 UTC'
    """
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _texts(bars: pl.DataFrame) -> pl.DataFrame:
    """Decimals of several scales as texts, so that pages fit together without a change."""
    return bars.with_columns(pl.col(name).cast(pl.String) for name, dtype in bars.schema.items() if isinstance(dtype, pl.Decimal))


def completed(ts: pl.Series, source: Source, frequency: str, calendar: str | None) -> pl.Series:
    """Microseconds UTC at which bars are complete; files hold what they hold, so theirs always were.

    Args:
        ts: as the source stamps them.
        source: whose they are.
        frequency: their length.
        calendar: code of the exchange's calendar where it is known.
    """
    if not source.frequencies:
        return pl.repeat(0, len(ts), eager=True, dtype=pl.Int64)
    if source.stamp == "session" or ts.dtype == pl.Date:
        days = ts.cast(pl.Date).to_physical().to_numpy()
        return pl.Series(end_of(days) if calendar is None else covering(calendar, int(days.min()), int(days.max())).close_of(days)[0])
    length = microseconds(frequency) if source.stamp == "open" else 0
    return ts.dt.cast_time_unit("us").to_physical() + length


def micros(moment: datetime) -> int:
    """An instant in microseconds since 1970, UTC."""
    return int(np.datetime64(moment.replace(tzinfo=None), "us").astype(np.int64))


def _check_once(source: Source, rows: pl.DataFrame, where: str) -> None:
    twice = rows.filter(rows["ts"].is_duplicated())
    if twice.height:
        do = "download it again: resume=False" if source.frequencies else "keep one row per asset and time"
        said = f"{twice['ts'].n_unique()} bars came twice with different numbers"
        raise SourceError(said, where=f"{where}, {twice['ts'].min()!s}", do=do, twice=twice["ts"].min())


def _exact(column: pl.Series, assets: pl.Series, source: Source) -> pl.Series:
    """Texts as exact decimals, with as many digits as the longest needs."""
    plain = not column.str.contains("[eE]").any()
    digits = column.str.extract(r"\.(\d*)").str.len_chars() if plain else pl.Series([MOST_DECIMALS], dtype=pl.UInt32)
    longest = max(digits.drop_nulls().to_list(), default=0)
    made = column.cast(pl.Decimal(38, min(longest, MOST_DECIMALS)), strict=False)
    wrong = made.is_null() & column.is_not_null()
    if wrong.any():
        row = int(wrong.arg_max() or 0)
        where = f"{source.name}, {assets[row]!r}, column {column.name!r}"
        do = "report it to the vendor" if source.frequencies else "repair the files"
        raise SourceError(f"{column.name} holds {column[row]!r}, which is no number that fits", where=where, do=do)
    return made
