"""Answer for one symbol: with what is kept, where that is fresh, else with what the source says now; and keep it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Literal

import polars as pl

from rustybt.data.cache import Answer, Asked, Cache, Freshness, Lack, Request
from rustybt.data.cache.freshness import Reach
from rustybt.data.cache.store import merged
from rustybt.data.download.asking import Budget, Patience, Stopped, ask
from rustybt.data.download.merging import Rows, completed, merge_pages, micros
from rustybt.data.download.pages import KEPT, Pages
from rustybt.data.download.questions import checked, page_of, terms_of
from rustybt.data.hours import DAY
from rustybt.data.stamps import microseconds
from rustybt.errors import DataError, SourceError
from rustybt.model.source import History, Page, Source, Terms

type How = Literal["memory", "disk", "start", "end", "whole"]
type Tell = Callable[[Page], None]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ANCHORS = 5
"""Bars at the edge of what is kept that are asked for again: they must be what they were."""
SETTLED = {"day": timedelta(days=2), "within": timedelta(hours=1)}
"""Age from which a vendor is believed not to correct a bar any more: of days, and of bars within a day."""
LATE = {"day": timedelta(days=1), "within": timedelta(hours=1)}
"""Time after which a bar that did not come is believed not to exist."""
BUSY = 900.0
"""Seconds to wait for another process that asks for the same symbol."""


@dataclass(frozen=True)
class Asking:
    """Who is asked, how politely, and what is done with the answers.

    Attributes:
        source: of the bars.
        root: folder for pages.
        budget: of requests.
        patience: with a failing source.
        cache: of answers.
        freshness: of what is kept.
        resume: whether pages of an interrupted download count.
        until: the end as the user wrote it, or None.
        stop: set when another thread failed.
    """

    source: Source
    root: Path
    budget: Budget
    patience: Patience
    cache: Cache
    freshness: Freshness
    resume: bool
    until: str | None
    stop: Event


@dataclass(frozen=True)
class Given:
    """An answer for one symbol.

    Attributes:
        answer: bars and events of the span that was wanted.
        how: where it comes from.
        repeated, unfinished: rows that the source sent too often, or too early.
    """

    answer: Answer
    how: How
    repeated: int = 0
    unfinished: int = 0


def look(asking: Asking, symbol: str, request: Request) -> tuple[Given | None, Lack, Reach | None]:
    """The answer from what is kept alone, or what it lacks, and how far it reaches."""
    asked = Asked.of(asking.source, symbol, request.frequency)
    kept = asking.cache.read(asked)
    if kept is None:
        return None, "whole", None
    answer, tier = kept
    lack = asking.freshness.lacks(answer.reach, request, answer.terms.calendar)
    if lack != "nothing":
        return None, lack, answer.reach
    return Given(_cut(answer, asking.source, request), tier), lack, answer.reach


def fetch(asking: Asking, symbol: str, request: Request, tell: Tell) -> Given:
    """The answer with what the source says of what is lacking; it is kept.

    Raises:
        SourceError: the source fails.
        DataError: another process asks for the same symbol, and does not end.
        Stopped: another thread failed.
    """
    asked = Asked.of(asking.source, symbol, request.frequency)
    with _alone(asking, asked):
        given, lack, _ = look(asking, symbol, request)  # another process may have asked meanwhile
        if given is not None:
            asking.cache.used([(asked, given.how)])
            return given
        one = _One(asking, asked, request, tell)
        answer, rows = one.whole() if lack == "whole" else one.beside_kept(lack)
        asking.cache.used([(asked, one.how)])
        return Given(_cut(answer, asking.source, request), one.how, rows.repeated, rows.unfinished)


class _One:
    """The download of one symbol.

    Args:
        asking: who is asked.
        asked: for what.
        request: the span.
        tell: of each page.
    """

    def __init__(self, asking: Asking, asked: Asked, request: Request, tell: Tell) -> None:
        self._asking, self._asked, self._request, self._tell = asking, asked, request, tell
        kind = "day" if microseconds(request.frequency) >= DAY else "within"
        self._settled, self._late = SETTLED[kind], LATE[kind]
        self.how: How = "whole"

    def whole(self) -> tuple[Answer, Rows]:
        """All that is wanted."""
        kept = self._asking.cache.find(self._asked)
        end = self._request.end
        if kept is not None and kept.reach.start > self._request.start:  # what is kept reaches further: it is not to be lost
            end = max(end, min(kept.reach.wanted, self._request.now))
        return self._current(*self._download(History(self._request.frequency, _day(self._request.start), end)))

    def _current(self, answer: Answer, rows: Rows) -> tuple[Answer, Rows]:
        """With what came after an interrupted download began, where it was gone on with."""
        resumed = answer.reach.asked < self._request.now and answer.bars.height
        if resumed and self._asking.freshness.lacks(answer.reach, self._request, answer.terms.calendar) == "end":
            further = self._extended(answer)
            return self.whole() if further is None else further
        return answer, rows

    def beside_kept(self, lack: Lack) -> tuple[Answer, Rows]:
        """What is kept, and what lies before or behind it; all anew where they do not fit together."""
        kept = self._asking.cache.read(self._asked)
        found = None if kept is None else self._earlier(kept[0]) if lack == "start" else self._extended(kept[0])
        if found is None:
            return self._anew()
        self.how = "start" if lack == "start" else "end"
        if lack == "start" and self._asking.freshness.lacks(found[0].reach, self._request, found[0].terms.calendar) == "end":
            found = self._extended(found[0])
            if found is None:
                return self._anew()
        return self._current(*found)

    def _anew(self) -> tuple[Answer, Rows]:
        self._asking.cache.used([(self._asked, "revised")])
        self.how = "whole"
        return self.whole()

    def _earlier(self, old: Answer) -> tuple[Answer, Rows] | None:
        """An answer with what lies before it, asked for up to a few bars after its first; None as for `_extended`."""
        settled = old.bars.filter(self._known(old))[:ANCHORS]
        if not settled.height:
            return None
        frequency, source, first = self._request.frequency, self._asking.source, settled["ts"][0]
        last = completed(settled["ts"], source, frequency, old.terms.calendar).to_numpy().max()
        history = History(frequency, _day(self._request.start), EPOCH + timedelta(microseconds=int(last)))
        new, rows = self._download(history, keep=False, until=history.end.isoformat())
        again = new.bars.filter(pl.col("ts").is_between(first, settled["ts"][-1])) if new.bars.columns == old.bars.columns else new.bars
        if new.bars.schema != old.bars.schema or not settled.equals(again):
            return None
        day = old.reach.start.date().isoformat()
        answer = Answer(
            pl.concat([new.bars.filter(pl.col("ts") < first), old.bars]),
            replace(old.reach, start=new.reach.start, oldest=min(old.reach.oldest, new.reach.oldest)),
            new.terms,
            (*(event for event in new.events if event["ts"] < day), *old.events),
            tuple(dict.fromkeys((*new.notes, *old.notes))),
        )
        self._asking.cache.put(self._asked, answer)
        return answer, rows

    def _known(self, answer: Answer) -> pl.Series:
        """Bars that no vendor corrects any more."""
        ends = completed(answer.bars["ts"], self._asking.source, self._request.frequency, answer.terms.calendar)
        return ends <= micros(answer.reach.asked - self._settled)

    def _extended(self, old: Answer) -> tuple[Answer, Rows] | None:
        """An answer with its end asked for anew, from a few bars before the last that no vendor corrects any more.

        Those have to be what they were: else the vendor changed its history, and None says that all has to be asked for again.
        """
        settled = old.bars.filter(self._known(old))
        if not settled.height:
            return None
        first = _day(_moment(settled["ts"][max(settled.height - ANCHORS, 0)]))
        end = max(self._request.end, min(old.reach.wanted, self._request.now))
        new, rows = self._download(History(self._request.frequency, first, end), keep=False)
        same = old.bars.columns == new.bars.columns and old.bars.schema == new.bars.schema
        if not same or not settled.filter(_from(settled, first)).equals(new.bars.filter(pl.col("ts") <= settled["ts"][-1])):
            return None
        bars = pl.concat([old.bars.filter(~_from(old.bars, first)), new.bars])
        day = first.date().isoformat()
        events = [event for event in old.events if event["ts"] < day] + [event for event in new.events if event["ts"] >= day]
        answer = replace(merged(old, new), bars=bars, events=tuple(events))
        self._asking.cache.put(self._asked, answer)
        return answer, rows

    def _download(self, history: History, *, keep: bool = True, until: str | None = None) -> tuple[Answer, Rows]:
        """One span, page by page; the pages leave when the answer is kept. Pages up to another end are of another download."""
        asking, request = self._asking, self._request
        about = {
            "symbol": self._asked.symbol,
            "frequency": history.frequency,
            "start": history.start.isoformat(),
            "end": until or asking.until,
        }
        pages = Pages(asking.root, asking.source, about)
        oldest = asking.freshness.resumes(KEPT) if asking.resume else timedelta(0)
        history, made = pages.pin(history, request.now, oldest)
        terms = self._terms(pages)
        got = self._pages(pages, history)
        rows = merge_pages(asking.source, self._asked.symbol, history, got, terms.calendar)
        reach = Reach(history.start, self._until(rows, history, made, terms), history.end, made, made)
        events = {tuple(sorted(event.items())): event for page in got for event in page.events}
        answer = Answer(rows.bars, reach, terms, tuple(events.values()), rows.notes)
        if keep and rows.bars.height:
            asking.cache.put(self._asked, answer)
        pages.drop()
        return answer, rows

    def _until(self, rows: Rows, history: History, made: datetime, terms: Terms) -> datetime:
        """Up to when no bar is lacking. Vendors are late: a bar that should be there by now may come yet."""
        believed = min(history.end, made - self._late)
        if not rows.bars.height:
            return believed
        ends = completed(rows.bars["ts"], self._asking.source, history.frequency, terms.calendar).to_numpy()
        return max(believed, EPOCH + timedelta(microseconds=int(ends.max())))

    def _terms(self, pages: Pages) -> Terms:
        """What is known of the symbol, asked for once a download."""
        asking, known = self._asking, pages.terms()
        if known is None:
            known = ask(asking.budget, asking.patience, lambda: terms_of(asking.source, self._asked.symbol), asking.stop)
            pages.keep_terms(known)
        return known

    def _pages(self, pages: Pages, history: History) -> list[Page]:
        """Those on the disk, then the rest from the source."""
        asking, symbol, source = self._asking, self._asked.symbol, self._asking.source
        got = [checked(source, symbol, page) for page in pages.whole()]
        seen = {page.cursor for page in got}
        cursor = got[-1].cursor if got else None
        while not got or cursor is not None:
            page = ask(asking.budget, asking.patience, lambda cursor=cursor: page_of(source, symbol, history, cursor), asking.stop)  # type: ignore[misc]
            if page.cursor is not None and page.cursor in seen:
                raise SourceError(
                    "the source names the same page again and again", where=f"{source.name}, {symbol!r}", do="report it to the vendor"
                )
            pages.keep(len(got), page)
            got.append(page)
            cursor = page.cursor
            seen.add(cursor)
            self._tell(page)
        return got


@contextmanager
def _alone(asking: Asking, asked: Asked) -> Iterator[None]:
    """Nobody else asks for the same symbol meanwhile; who waited finds the answer kept."""
    until = time.monotonic() + BUSY
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(asking.cache.alone(asked, wait=1.0))
                break
            except DataError as error:
                if asking.stop.is_set():
                    raise Stopped from None
                if "another process" not in error.what:
                    raise
                if time.monotonic() >= until:
                    what, where = (
                        f"another process has been asking for {asked.symbol!r} for {BUSY:g} s",
                        f"{asked.source}, {asked.symbol!r}",
                    )
                    raise DataError(what, where=where, do="wait until it has finished") from None
        yield


def _cut(answer: Answer, source: Source, request: Request) -> Answer:
    """The part of an answer that is wanted: what begins in the span and is complete by its end."""
    bars = answer.bars
    if bars.height:
        whole = completed(bars["ts"], source, request.frequency, answer.terms.calendar) <= micros(request.end)
        bars = bars.filter(whole & bars.select(_from(bars, request.start)).to_series())
    first, last = request.start.date().isoformat(), request.end.date().isoformat()
    events = [event for event in answer.events if first <= event["ts"] <= last]
    return replace(answer, bars=bars, events=tuple(events))


def _from(bars: pl.DataFrame, first: datetime) -> pl.Expr:
    """Rows that begin at an instant or later."""
    return pl.col("ts") >= (first.date() if bars.schema["ts"] == pl.Date else first)


def _day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _moment(ts: object) -> datetime:
    if isinstance(ts, datetime):
        return ts.astimezone(UTC)
    return datetime.fromisoformat(f"{ts}T00:00:00+00:00")
