"""Download what is wanted of a source: page by page, resumable, and never half."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from rustybt.data.catalog.files import sole_writer, unwritable
from rustybt.data.download.asking import Budget, Patience, ask
from rustybt.data.download.merging import merge_bars, merge_events
from rustybt.data.download.pages import Pages
from rustybt.data.hours import DAY
from rustybt.data.metadata import days_of
from rustybt.data.options import Day
from rustybt.data.stamps import microseconds
from rustybt.data.timing import instant_of
from rustybt.errors import ConfigError, DataError, SourceError
from rustybt.model.source import History, Page, Source, Terms

type Progress = Callable[[int, int], None]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MEANWHILE = 1.0
"""Seconds that a download waits for another of the same."""
INCREMENTS = ("tick_size", "lot_size", "volume_step", "multiplier", "min_notional")


@dataclass(frozen=True)
class Wanted:
    """What the user wants of a source.

    Args:
        symbols: as the source writes them.
        frequency: length of the bars; empty for files.
        start: first session (a date) or instant; None: all that files hold.
        end: last session or instant; None: what is complete now.
        resume: whether pages of an interrupted download count.
    """

    symbols: tuple[str, ...]
    frequency: str
    start: Day | None
    end: Day | None = None
    resume: bool = True


@dataclass(frozen=True)
class Downloaded:
    """What came of it.

    Attributes:
        bars: rows for the door.
        events: corporate actions, or None.
        terms: of each symbol.
        notes: sentences about what was left out.
        about: facts for the record: source, library, span.
        pages: on the disk, to be dropped when all is published.
    """

    bars: pl.DataFrame
    events: pl.DataFrame | None
    terms: dict[str, Terms]
    notes: tuple[str, ...]
    about: dict[str, Any]
    pages: Pages


def download(source: Source, wanted: Wanted, root: Path, patience: Patience | None = None, progress: Progress | None = None) -> Downloaded:
    """All the bars that are wanted, or an error; pages that arrived are kept either way.

    Args:
        source: to be asked.
        wanted: of it.
        root: folder for pages.
        patience: with a failing source.
        progress: called with the days that are done and all days.

    Raises:
        SourceError: the source refused, failed for too long, or has not what is wanted.
        ConfigError: no symbol, or a frequency or span that cannot be.
        DataError: another process downloads the same.
    """
    patience = patience or Patience()
    _check(source, wanted)
    pages = Pages(root, source, {"frequency": wanted.frequency, "start": _text(wanted.start), "end": _text(wanted.end)})
    history, got = _history(wanted), dict[str, list[Page]]()
    tell = [_teller(progress, history, number, len(wanted.symbols)) for number in range(len(wanted.symbols))]
    if not source.frequencies:  # files: they are there already
        terms = {symbol: source.terms(symbol) for symbol in wanted.symbols}
        got = {symbol: _read(source, symbol, history, tell[number]) for number, symbol in enumerate(wanted.symbols)}
    else:
        with _alone(root, pages):
            for left in [*Pages.stale(root), *([] if wanted.resume else [pages.folder])]:
                shutil.rmtree(left, ignore_errors=True)
            history = pages.pin(history)
            asking = Asking(source, pages, Budget(source, root / "budgets"), patience)
            terms = {symbol: _terms(asking, symbol) for symbol in wanted.symbols}
            for number, symbol in enumerate(wanted.symbols):
                got[symbol] = _fetch(asking, symbol, history, tell[number])
    bars, notes = merge_bars(source, history, got, {symbol: item.calendar for symbol, item in terms.items()})
    about = {"frequency": wanted.frequency, "until": history.end.isoformat(), "library": source.version, "address": source.address}
    return Downloaded(bars, merge_events(got), terms, tuple(notes), about, pages)


@contextmanager
def _alone(root: Path, pages: Pages) -> Iterator[None]:
    """No other process downloads the same meanwhile."""
    locks = root / "locks" / pages.folder.name
    try:
        locks.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(locks, error) from error
    with ExitStack() as held:
        try:
            held.enter_context(sole_writer(locks, wait=MEANWHILE))
        except DataError:
            where, do = str(pages.folder), "wait until it has finished: then there is nothing left to download"
            raise DataError("another process is downloading the same", where=where, do=do) from None
        yield


def _read(source: Source, symbol: str, history: History, tell: Callable[[Page], None]) -> list[Page]:
    """The pages of a symbol whose source is on this machine."""
    got = [source.fetch(symbol, history, None)]
    while got[-1].cursor is not None:
        got.append(source.fetch(symbol, history, got[-1].cursor))
    tell(got[-1])
    return got


@dataclass(frozen=True)
class Asking:
    """Who is asked, how politely, and where the answers are kept."""

    source: Source
    pages: Pages
    budget: Budget
    patience: Patience


def _terms(asking: Asking, symbol: str) -> Terms:
    """What is known of a symbol, asked for once a download."""
    known = asking.pages.terms_of(symbol)
    if known is None:
        known = ask(asking.budget, asking.patience, lambda: asking.source.terms(symbol))
        asking.pages.keep_terms(symbol, known)
    return known


def _fetch(asking: Asking, symbol: str, history: History, tell: Callable[[Page], None]) -> list[Page]:
    """The pages of a symbol: those on the disk, then the rest from the source."""
    source, pages, got = asking.source, asking.pages, asking.pages.of(symbol)
    seen = {page.cursor for page in got}
    cursor = got[-1].cursor if got else None
    while not got or cursor is not None:
        page = ask(asking.budget, asking.patience, lambda cursor=cursor: source.fetch(symbol, history, cursor))  # type: ignore[misc]
        if page.cursor is not None and page.cursor in seen:
            raise SourceError(
                "the source names the same page again and again", where=f"{source.name}, {symbol!r}", do="report it to the vendor"
            )
        pages.keep(symbol, len(got), page)
        got.append(page)
        cursor = page.cursor
        seen.add(cursor)
        tell(page)
    return got


def _check(source: Source, wanted: Wanted) -> None:
    if not wanted.symbols:
        raise ConfigError("no symbol is named", where=source.name, do=f'write them after a colon: "{source.name}:SYMBOL,SYMBOL"')
    if not source.frequencies:
        return
    if wanted.frequency not in source.frequencies:
        have = ", ".join(source.frequencies)
        raise ConfigError(f"{source.name} has no bars of {wanted.frequency!r}", where="frequency", do=f"use one of {have}")
    if wanted.start is None:
        raise ConfigError("a download needs a start", where="start", do='say from when: start="2020-01-01"')


def _history(wanted: Wanted) -> History:
    """The span in instants. Sessions of an exchange reach over midnight UTC, so intraday bars are asked for a day more on both sides."""
    margin = timedelta(days=1 if wanted.frequency and microseconds(wanted.frequency) < DAY else 0)
    now = datetime.now(UTC)
    start = EPOCH if wanted.start is None else _moment(wanted.start, "start", 0) - margin
    end = now if wanted.end is None else min(now, _moment(wanted.end, "end", 1) + margin)
    if start >= end:
        until = "now" if wanted.end is None else str(wanted.end)
        raise ConfigError(f"nothing lies between {wanted.start} and {until}", where="start, end", do="give an earlier start")
    return History(wanted.frequency, start, end)


def _moment(day: Day, name: str, more: int) -> datetime:
    instant = instant_of(day, name)
    if instant is not None:
        return EPOCH + timedelta(microseconds=instant)
    return EPOCH + timedelta(days=days_of(day, name) + more)


def _text(day: Day | None) -> str | None:
    return None if day is None else str(day)


def _teller(progress: Progress | None, history: History, number: int, symbols: int) -> Callable[[Page], None]:
    """Progress in days: what lies before the last bar of a page counts as done."""
    days = max((history.end - history.start).days, 1)

    def tell(page: Page) -> None:
        if progress is None:
            return
        done = days
        if page.cursor is not None:
            reached = [day for day in page.bars["ts"].cast(pl.Date).to_list() if day is not None]
            done = min(max((max(reached, default=history.start.date()) - history.start.date()).days, 0), days)
        progress(number * days + done, symbols * days)

    return tell


def settings_of(terms: Mapping[str, Terms], given: Collection[str]) -> dict[str, dict[str, Any]]:
    """What the door is told of each asset, without what the user says himself."""
    found = {}
    for symbol, item in terms.items():
        told = {"asset_class": item.asset_class, **item.settings}
        found[symbol] = {name: _plain(name, value) for name, value in told.items() if name not in given}
    return found


def _plain(name: str, value: Any) -> Any:
    """An increment without the zeros at its end: 0.01000000 and 0.01 are one, and have to give one snapshot."""
    return f"{Decimal(str(value)).normalize():f}" if name in INCREMENTS else value
