"""A vendor whose clock the test turns: it gives the bar that is not complete yet too, is late if told so, and may correct its history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import numpy as np
import polars as pl

from rustybt.data.cache import Cache, Freshness
from rustybt.data.calendars import sessions
from rustybt.data.download import Downloaded, Patience, Wanted, download
from rustybt.data.stamps import microseconds
from rustybt.errors import SourceError
from rustybt.model.source import History, Page, Rate, Source, Terms

FIRST, LAST = 18_000, 20_500
"""Days of 2019 to 2026: one calendar serves all tests."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SCHEMA = dict.fromkeys(("open", "high", "low", "close", "volume"), pl.String)


class Clock:
    """What time it is."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **more: float) -> None:
        self.now += timedelta(**more)


class Clockwork:
    """Bars around the clock, or one a session of New York; their numbers follow from their instant.

    Args:
        clock: what time it is.
        daily: one bar a session.
        page: bars of a page.
    """

    name, address, version = "clockwork", "https://clockwork.example", "1"
    rates: Sequence[Rate] = ()

    def __init__(self, clock: Clock, *, daily: bool = False, page: int = 500) -> None:
        self.clock, self.daily, self.page = clock, daily, page
        self.options: Mapping[str, str] = {}
        self.stamp: Literal["open", "session"] = "session" if daily else "open"
        self.frequencies: Sequence[str] = ("1d",) if daily else ("1m", "1h")
        self.late = timedelta(0)
        self.corrected: dict[tuple[str, Any], str] = {}
        self.events: list[dict[str, str]] = []
        self.asked: list[tuple[str, History, str | None]] = []
        self.down: set[str] = set()
        self.lock = Lock()

    def terms(self, symbol: str) -> Terms:
        return Terms("equity", {"tick_size": "0.01"}, "XNYS") if self.daily else Terms("crypto", {"tick_size": "0.01"})

    def fetch(self, symbol: str, history: History, cursor: str | None) -> Page:
        with self.lock:
            self.asked.append((symbol, history, cursor))
        if symbol in self.down:
            raise SourceError(f"{self.name} is down", where=symbol, retryable=True)
        starts = self.starts(history)
        first = int(cursor or 0)
        stop = first + self.page
        bars = pl.DataFrame([self.bar(symbol, at, history.frequency) for at in starts[first:stop]], schema=["ts", *SCHEMA], orient="row")
        bars = bars.with_columns(pl.col("ts").cast(pl.Date if self.daily else pl.Datetime("us", "UTC")))
        mine = [event for event in self.events if f"{history.start:%Y-%m-%d}" <= event["ts"] <= f"{history.end:%Y-%m-%d}"]
        return Page(
            bars.with_columns(pl.col(*SCHEMA).cast(pl.String)), mine if first == 0 else (), str(stop) if stop < len(starts) else None
        )

    def starts(self, history: History) -> list[Any]:
        """Of the bars that it gives: also that which is not complete, unless it is late."""
        seen = min(history.end, self.clock.now - self.late)
        if not self.daily:
            length = timedelta(microseconds=microseconds(history.frequency))
            at = EPOCH + -(-(history.start - EPOCH) // length) * length
            return [at + i * length for i in range(max(-((at - seen) // length), 0)) if at + i * length < seen]
        found = sessions("XNYS", FIRST, LAST)
        opens = [EPOCH + timedelta(microseconds=int(at)) for at in found.opens]
        days = [EPOCH.date() + timedelta(days=int(day)) for day in found.days]
        return [day for day, opened in zip(days, opens, strict=True) if history.start.date() <= day <= history.end.date() and opened < seen]

    def bar(self, symbol: str, at: Any, frequency: str) -> tuple[Any, ...]:
        """Its numbers, which are others before it is complete."""
        if isinstance(at, date) and not isinstance(at, datetime):
            day = (at - EPOCH.date()).days
            ends = EPOCH + timedelta(microseconds=int(sessions("XNYS", FIRST, LAST).close_of(np.array([day], dtype=np.int32))[0][0]))
        else:
            ends = at + timedelta(microseconds=microseconds(frequency))
        seed = hash((symbol, at.isoformat())) % 1000 if ends > self.clock.now else sum(map(ord, f"{symbol}{at.isoformat()}")) % 1000 + 1000
        close = self.corrected.get((symbol, at), f"{10 + seed / 100:.2f}")
        return at, close, close, close, close, str(seed if ends <= self.clock.now else 7)

    def truth(self, symbol: str, start: datetime, end: datetime, frequency: str) -> list[tuple[Any, ...]]:
        """Every complete bar of a span."""
        rows = [self.bar(symbol, at, frequency) for at in self.starts(History(frequency, start, end))]
        if self.daily:
            days = np.array([(row[0] - EPOCH.date()).days for row in rows], dtype=np.int32)
            closes = sessions("XNYS", FIRST, LAST).close_of(days)[0]
            return [row for row, close in zip(rows, closes, strict=True) if EPOCH + timedelta(microseconds=int(close)) <= end]
        length = timedelta(microseconds=microseconds(frequency))
        return [row for row in rows if row[0] + length <= end]


class Crowd(Clockwork):
    """The same for several threads."""

    def another(self) -> Source:
        return self


def got(source: Clockwork, root: Path, **more: Any) -> Downloaded:
    """A download with the clock of its source."""
    given: dict[str, Any] = {"symbols": ("A",), "frequency": "1d" if source.daily else "1h", "start": "2024-03-01", **more}
    given["freshness"] = Freshness.read(given.get("freshness", "session"))
    return download(source, Wanted(**given), root, Patience(attempts=1))


def kept(root: Path) -> Cache:
    """The cache that those downloads use."""
    return Cache(root)


def numbers(found: Downloaded, symbol: str = "A") -> list[tuple[Any, ...]]:
    """Rows as the source wrote them, by instant."""
    bars = found.bars.filter(pl.col("asset") == symbol).select("ts", "close", "volume")
    return [(at, f"{close:.2f}", str(int(volume))) for at, close, volume in bars.iter_rows()]
