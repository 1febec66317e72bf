"""Make rows for the door of pages: exact numbers, one row a bar, none that was not complete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
import polars as pl

from rustybt.data.calendars import sessions
from rustybt.data.columns import FIELDS
from rustybt.data.spans import end_of
from rustybt.data.stamps import microseconds
from rustybt.errors import SourceError
from rustybt.model.source import History, Page, Source

MOST_DECIMALS = 18
BELIEVED = 10
"""Days that holidays explain where bars begin later or end earlier than was asked."""
EVENT_COLUMNS = dict.fromkeys(("asset", "ts", "kind", "value", "pay"), pl.String)


def merge_bars(
    source: Source, history: History, pages: Mapping[str, Sequence[Page]], calendars: Mapping[str, str | None]
) -> tuple[pl.DataFrame, list[str]]:
    """The rows of all symbols, and sentences about what was left out.

    Args:
        source: whose pages they are.
        history: what was wanted.
        pages: by symbol.
        calendars: by symbol, codes of exchange calendars where they are known.

    Raises:
        SourceError: a symbol has no bar, a number is none, or a bar came twice with different numbers.
    """
    frames, repeated, unfinished = [], 0, 0
    for symbol, got in pages.items():
        where = f"{source.name}, {symbol!r}"
        rows = pl.concat([_texts(page.bars) for page in got if page.bars.height] or [pl.DataFrame()], how="diagonal_relaxed")
        if rows.height and rows["ts"].null_count():
            raise SourceError(f"{rows['ts'].null_count()} bars have no time", where=where, do="report it to the vendor")
        once = rows.unique(maintain_order=True)
        whole = once.filter(_complete(once["ts"], source, history, calendars[symbol])) if once.height else once
        if not whole.height:
            span = f"{history.start:%Y-%m-%d} and {history.end:%Y-%m-%d}"
            raise SourceError(
                f"there are no bars between {span}", where=where, do="check start, end and frequency, or leave the symbol out"
            )
        _check_once(source, whole, where)
        repeated, unfinished = repeated + rows.height - once.height, unfinished + once.height - whole.height
        frames.append(whole.sort("ts").with_columns(pl.lit(symbol).alias("asset")))
    bars = pl.concat(frames, how="diagonal_relaxed")
    bars = bars.with_columns(_exact(bars[name], source.name) for name in bars.columns if bars[name].dtype == pl.String and name in FIELDS)
    notes = _short(source, history, frames) if source.frequencies else []
    notes += list(dict.fromkeys(note for got in pages.values() for page in got for note in page.notes))
    if repeated:
        notes.append(f"{repeated} rows that {source.name} sent twice were taken once.")
    if unfinished:
        notes.append(f"{unfinished} bars that were not complete by {_said(history.end)} were left out.")
    return bars, notes


def merge_events(pages: Mapping[str, Sequence[Page]]) -> pl.DataFrame | None:
    """Corporate actions of all symbols, each once; None where there is none."""
    found = {
        (symbol, event["ts"], event["kind"], event["value"]): {"asset": symbol, **event}
        for symbol, got in pages.items()
        for page in got
        for event in page.events
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


def _said(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _texts(bars: pl.DataFrame) -> pl.DataFrame:
    """Decimals of several scales as texts, so that pages fit together without a change."""
    return bars.with_columns(pl.col(name).cast(pl.String) for name, dtype in bars.schema.items() if isinstance(dtype, pl.Decimal))


def _complete(ts: pl.Series, source: Source, history: History, calendar: str | None) -> pl.Series:
    """Which bars were complete when the download began; files hold what they hold."""
    if not source.frequencies:
        return pl.repeat(True, len(ts), eager=True)
    if source.stamp == "session" or ts.dtype == pl.Date:
        days = ts.cast(pl.Date).to_physical().to_numpy()
        closes = end_of(days) if calendar is None else sessions(calendar, int(days.min()), int(days.max())).close_of(days)[0]
        return pl.Series(closes <= _micros(history.end))
    length = microseconds(history.frequency) if source.stamp == "open" else 0
    return ts.dt.cast_time_unit("us").to_physical() + length <= _micros(history.end)


def _micros(moment: datetime) -> int:
    return int(np.datetime64(moment.replace(tzinfo=None), "us").astype(np.int64))


def _check_once(source: Source, rows: pl.DataFrame, where: str) -> None:
    twice = rows.filter(rows["ts"].is_duplicated())
    if twice.height:
        do = "download it again: resume=False" if source.frequencies else "keep one row per asset and time"
        said = f"{twice['ts'].n_unique()} bars came twice with different numbers"
        raise SourceError(said, where=f"{where}, {twice['ts'].min()!s}", do=do)


def _exact(column: pl.Series, name: str) -> pl.Series:
    """Texts as exact decimals, with as many digits as the longest needs."""
    plain = not column.str.contains("[eE]").any()
    digits = column.str.extract(r"\.(\d*)").str.len_chars() if plain else pl.Series([MOST_DECIMALS], dtype=pl.UInt32)
    longest = max(digits.drop_nulls().to_list(), default=0)
    made = column.cast(pl.Decimal(38, min(longest, MOST_DECIMALS)), strict=False)
    wrong = column.filter(made.is_null() & column.is_not_null())
    if wrong.len():
        raise SourceError(f"{column.name} holds {wrong[0]!r}, which is no number", where=name, do="report it to the vendor")
    return made
