"""Download what is wanted of a source: from what is kept where that is fresh, the rest page by page, several symbols side by side."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Lock
from typing import Any

import polars as pl

from rustybt.data.cache import Asked, Cache, Freshness, Lack, Request
from rustybt.data.cache.freshness import Reach, may_be_new
from rustybt.data.catalog.files import sole_writer, unwritable
from rustybt.data.download.answering import EPOCH, Asking, Given, fetch, look
from rustybt.data.download.asking import Budget, Patience, Stopped
from rustybt.data.download.merging import merge_events, merge_pages, merge_symbols, moment_text
from rustybt.data.download.pages import Pages
from rustybt.data.download.questions import page_of, terms_of
from rustybt.data.hours import DAY
from rustybt.data.metadata import days_of
from rustybt.data.options import Day
from rustybt.data.stamps import microseconds
from rustybt.data.timing import instant_of
from rustybt.errors import ConfigError, DataError, SourceError
from rustybt.model.source import History, Page, Parallel, Source, Terms

type Progress = Callable[[int, int], None]
type Found = tuple[Given | None, Lack, Reach | None]
MEANWHILE = 1.0
"""Seconds that a download waits for another of the same."""
MOST_WORKERS = 32
DEFAULT = Freshness()
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
        freshness: how long what was downloaded before counts.
        offline: whether the source is not to be asked at all.
        workers: most symbols that are asked for at the same time.
    """

    symbols: tuple[str, ...]
    frequency: str
    start: Day | None
    end: Day | None = None
    resume: bool = True
    freshness: Freshness = DEFAULT
    offline: bool = False
    workers: int = 4


@dataclass(frozen=True)
class Downloaded:
    """What came of it.

    Attributes:
        bars: rows for the door.
        events: corporate actions, or None.
        terms: of each symbol.
        notes: sentences about what was left out.
        about: facts for the record: source, library, span.
        how: where the answer of each symbol came from.
    """

    bars: pl.DataFrame
    events: pl.DataFrame | None
    terms: dict[str, Terms]
    notes: tuple[str, ...]
    about: dict[str, Any]
    how: dict[str, str]


def download(source: Source, wanted: Wanted, root: Path, patience: Patience | None = None, progress: Progress | None = None) -> Downloaded:
    """All the bars that are wanted, or an error; what arrived is kept either way.

    Args:
        source: to be asked.
        wanted: of it.
        root: folder of the catalog, with the cache and the pages in it.
        patience: with a failing source.
        progress: called with the days that are done and all days.

    Raises:
        SourceError: the source refused, failed for too long, or has not what is wanted.
        ConfigError: no symbol, or a frequency, a span or a number of workers that cannot be.
        DataError: another process downloads the same, or ``offline`` is given and the cache lacks something.
    """
    _check(source, wanted)
    cache = Cache(root)
    history = _history(wanted, cache.clock())
    tell = Teller(progress, history, len(wanted.symbols))
    if not source.frequencies:  # files: they are there already
        return _of_files(source, wanted.symbols, history, tell)
    latest = wanted.end is None or history.end >= cache.clock()
    request = Request(wanted.frequency, history.start, history.end, cache.clock(), latest)
    pages, until = root / "downloads", None if wanted.end is None else str(wanted.end)
    budget, stop = Budget(source, pages / "budgets"), Event()
    asking = Asking(source, pages, budget, patience or Patience(), cache, wanted.freshness, wanted.resume, until, stop)
    found = {symbol: look(asking, symbol, request) for symbol in wanted.symbols}
    given = {symbol: item[0] for symbol, item in found.items() if item[0] is not None}
    lacking = tuple(symbol for symbol in wanted.symbols if symbol not in given)
    cache.used([(Asked.of(source, symbol, wanted.frequency), item.how) for symbol, item in given.items()])
    tell.done(len(given))
    if lacking and wanted.offline:
        cache.used([(Asked.of(source, symbol, wanted.frequency), "refused") for symbol in lacking])
        raise _offline(source, found, wanted)
    if lacking:
        with _alone(pages, source, wanted):
            for left in Pages.stale(pages):
                shutil.rmtree(left, ignore_errors=True)
            given |= _side_by_side(asking, lacking, request, tell, wanted.workers)
    answers = {symbol: given[symbol].answer for symbol in wanted.symbols}
    bars, notes = merge_symbols(source, history, {symbol: answer.bars for symbol, answer in answers.items()})
    notes += dict.fromkeys(note for answer in answers.values() for note in answer.notes)
    about = {"frequency": wanted.frequency, "until": history.end.isoformat(), "library": source.version, "address": source.address}
    return Downloaded(
        bars,
        merge_events({symbol: answer.events for symbol, answer in answers.items()}),
        {symbol: answer.terms for symbol, answer in answers.items()},
        (*notes, *_left_out(source, request, given)),
        about,
        {symbol: given[symbol].how for symbol in wanted.symbols},
    )


def _of_files(source: Source, symbols: Sequence[str], history: History, tell: Teller) -> Downloaded:
    """The bars of a source that is on this machine."""
    terms, rows, notes, events = dict[str, Terms](), dict[str, pl.DataFrame](), dict[str, None](), dict[str, list[Any]]()
    repeated, first = 0, ""
    for symbol in symbols:
        terms[symbol] = terms_of(source, symbol)
        got = [page_of(source, symbol, history, None)]
        while got[-1].cursor is not None:
            got.append(page_of(source, symbol, history, got[-1].cursor))
        try:
            made = merge_pages(source, symbol, history, got, terms[symbol].calendar)
        except SourceError as error:
            if (place := _places(source, symbol, error.facts.get("twice"))) is None:
                raise
            raise SourceError(error.what, where=place, do=error.do) from error
        if made.repeated and not repeated:
            first = _places(source, symbol, made.again) or f"{symbol!r}, {made.again}"
        rows[symbol], repeated = made.bars, repeated + made.repeated
        notes |= dict.fromkeys(made.notes)
        events[symbol] = [event for page in got for event in page.events]
        tell.done(1)
    bars, more = merge_symbols(source, history, rows)
    about = {"frequency": history.frequency, "until": history.end.isoformat(), "library": source.version, "address": source.address}
    said = [f"{repeated} rows that repeat another in every number were taken once (first: {first})."] if repeated else []
    return Downloaded(bars, merge_events(events), terms, (*more, *notes, *said), about, dict.fromkeys(symbols, "files"))


def _places(source: Source, symbol: str, ts: Any) -> str | None:
    """The lines of a symbol's rows at a time, where the source knows them."""
    find = getattr(source, "places_of_time", None)
    found: str | None = None if find is None or ts is None else find(symbol, ts)
    return found


def _side_by_side(asking: Asking, symbols: Sequence[str], request: Request, tell: Teller, workers: int) -> dict[str, Given]:
    """Answers of several symbols, asked for by a few threads at once, each through a source of its own; the budget is one.

    The first failure in the order of the symbols is raised; the other threads finish the page that they are at, which is kept.
    """
    source, crew = asking.source, SimpleQueue[Source]()
    crew.put(source)
    number = min(workers, len(symbols)) if isinstance(source, Parallel) else 1
    if isinstance(source, Parallel):
        for _ in range(1, number):
            crew.put(source.another())

    def one(symbol: str) -> Given:
        mine = crew.get()
        try:
            if asking.stop.is_set():
                raise Stopped
            given = fetch(replace(asking, source=mine), symbol, request, tell.of(symbol))
        except BaseException:
            asking.stop.set()
            raise
        finally:
            crew.put(mine)
        tell.finished(symbol)
        return given

    with ThreadPoolExecutor(max_workers=number, thread_name_prefix="download") as pool:
        made = [pool.submit(one, symbol) for symbol in symbols]
        try:
            wait(made)
        except BaseException:  # Ctrl-C: the threads end with the page that they are at
            asking.stop.set()
            raise
    failed = [error for future in made if (error := future.exception()) is not None and not isinstance(error, Stopped)]
    if failed:
        raise failed[0]
    return {symbol: future.result() for symbol, future in zip(symbols, made, strict=True)}


def _offline(source: Source, found: Mapping[str, Found], wanted: Wanted) -> DataError:
    """One message for all that is lacking."""
    said = []
    for symbol, (given, lack, reach) in found.items():
        if given is not None:
            continue
        kept = "nothing is kept" if reach is None else f"kept from {reach.start:%Y-%m-%d} to {moment_text(reach.until)}"
        said.append(f"{symbol} ({kept}{'' if reach is None or lack in ('start', 'end') else ', which does not count'})")
    more = f" and {len(said) - 10} more" if len(said) > 10 else ""
    return DataError(
        f"offline, and the cache lacks bars of {len(said)} of {len(wanted.symbols)} symbols: {', '.join(said[:10])}{more}",
        where=f"{source.name}, {wanted.frequency}, freshness {wanted.freshness}",
        do='ask for a span that is kept (rustybt cache stats), allow older bars with freshness "always", or go without offline',
        missing=[symbol for symbol, item in found.items() if item[0] is None],
    )


def _left_out(source: Source, request: Request, given: Mapping[str, Given]) -> list[str]:
    """Sentences about rows that were not taken, and about bars that may be lacking as the user allowed."""
    notes = []
    if repeated := sum(item.repeated for item in given.values()):
        notes.append(f"{repeated} rows that {source.name} sent twice were taken once.")
    if unfinished := sum(item.unfinished for item in given.values()):
        notes.append(f"{unfinished} bars that were not complete by {moment_text(request.end)} were left out.")
    old = {
        symbol: item.answer.reach
        for symbol, item in given.items()
        if item.how in ("memory", "disk")
        and may_be_new(request.frequency, item.answer.terms.calendar, item.answer.reach.until, request.end)
    }
    if old:
        symbol, reach = min(old.items(), key=lambda item: item[1].until)
        asked = f"{symbol} was asked for at {moment_text(reach.asked)}"
        notes.append(f"Bars of {len(old)} symbols come from the cache, and {source.name} may have newer ones by now ({asked}).")
    return notes


@contextmanager
def _alone(root: Path, source: Source, wanted: Wanted) -> Iterator[None]:
    """No other process downloads the same meanwhile."""
    same = [source.name, source.address, dict(source.options), wanted.symbols, wanted.frequency, str(wanted.start), str(wanted.end)]
    locks = root / "locks" / hashlib.sha256(json.dumps(same).encode()).hexdigest()[:32]
    try:
        locks.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(locks, error) from error
    with ExitStack() as held:
        try:
            held.enter_context(sole_writer(locks, wait=MEANWHILE))
        except DataError:
            where, do = str(root), "wait until it has finished: then there is nothing left to download"
            raise DataError("another process is downloading the same", where=where, do=do) from None
        yield


def _check(source: Source, wanted: Wanted) -> None:
    if not wanted.symbols:
        raise ConfigError("no symbol is named", where=source.name, do=f'write them after a colon: "{source.name}:SYMBOL,SYMBOL"')
    if not source.frequencies:
        return
    if wanted.frequency not in source.frequencies:
        have = ", ".join(source.frequencies)
        raise ConfigError(f"{source.name} has no bars of {wanted.frequency!r}", where="frequency", do=f"use one of {have}")
    if not 1 <= wanted.workers <= MOST_WORKERS:
        raise ConfigError(f"{wanted.workers} workers cannot be", where="workers", do=f"give a number from 1 to {MOST_WORKERS}")
    if wanted.start is None:
        raise ConfigError("a download needs a start", where="start", do='say from when: start="2020-01-01"')


def _history(wanted: Wanted, now: datetime) -> History:
    """The span in instants. Sessions of an exchange reach over midnight UTC, so intraday bars are asked for a day more on both sides."""
    margin = timedelta(days=1 if wanted.frequency and microseconds(wanted.frequency) < DAY else 0)
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


class Teller:
    """Progress in days: what lies before the last bar of a page counts as done.

    Args:
        progress: called with days done and all days, or None.
        history: the span.
        symbols: how many.
    """

    def __init__(self, progress: Progress | None, history: History, symbols: int) -> None:
        self._progress, self._history, self._symbols = progress, history, symbols
        self._days = max((history.end - history.start).days, 1)
        self._finished, self._under_way, self._lock = 0, dict[str, int](), Lock()

    def done(self, symbols: int) -> None:
        """So many more symbols are finished."""
        with self._lock:
            self._finished += symbols
            self._say()

    def finished(self, symbol: str) -> None:
        """A symbol is finished."""
        with self._lock:
            self._under_way.pop(symbol, None)
            self._finished += 1
            self._say()

    def of(self, symbol: str) -> Callable[[Page], None]:
        """What to call with each page of a symbol."""

        def tell(page: Page) -> None:
            reached = [day for day in page.bars["ts"].cast(pl.Date).to_list() if day is not None] if page.bars.height else []
            if reached:
                days = min(max((max(reached) - self._history.start.date()).days, 0), self._days)
                with self._lock:
                    self._under_way[symbol] = max(days, self._under_way.get(symbol, 0))
                    self._say()

        return tell

    def _say(self) -> None:
        if self._progress is not None:
            self._progress(self._finished * self._days + sum(self._under_way.values()), self._symbols * self._days)


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
