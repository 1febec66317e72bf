"""Where history comes from: the one narrow protocol that every source of bars speaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, runtime_checkable

import polars as pl


@dataclass(frozen=True)
class Rate:
    """A budget of requests.

    Args:
        requests: how many are allowed within the span.
        seconds: length of the span.
    """

    requests: int
    seconds: float


@dataclass(frozen=True)
class History:
    """Which bars are wanted: always as traded, adjusted for nothing.

    Args:
        frequency: length of the bars: ``"1m"``, ``"1h"``, ``"1d"``.
        start: first instant that the bars cover, UTC.
        end: instant at which the last of them is complete at the latest, UTC; never in the future.
    """

    frequency: str
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Terms:
    """What a source knows of one of its symbols.

    Args:
        asset_class: preset of increments, as in `rustybt.load`.
        settings: of the asset (``tick_size``, ``lot_size``, ``volume_step``, ``currency``, ...), exact.
        calendar: code of the exchange calendar, or None when the source does not know it.
    """

    asset_class: str = "equity"
    settings: Mapping[str, Any] = field(default_factory=dict)
    calendar: str | None = None


@dataclass(frozen=True)
class Page:
    """One answer of a source.

    Args:
        bars: ``ts`` (Datetime in UTC, or Date for session stamps), ``open``, ``high``, ``low``, ``close``, ``volume``; further columns are
            kept. Numbers as exact as the source gives them: text as it came, Decimal or integers; Float64 only where there is nothing
            better. Any order; rows may repeat those of another page.
        events: corporate actions, each a mapping with ``ts`` (the ex-date, ISO), ``kind`` and ``value`` (text) as in `rustybt.load`; of
            a dividend also ``pay``, where it is known.
        cursor: what to ask for next, or None: this was the last page.
        notes: sentences for the user about what was left out.
    """

    bars: pl.DataFrame
    events: Sequence[Mapping[str, Any]] = ()
    cursor: str | None = None
    notes: Sequence[str] = ()


@runtime_checkable
class Source(Protocol):
    """A source of bars: a vendor, a venue or a folder of files.

    It is asked page by page and keeps nothing between the pages, so that a download can be interrupted anywhere. Waiting, trying again,
    budgets, order, duplicates, unfinished bars and exactness are the business of whoever asks. A failure is a `rustybt.SourceError`, which
    tells whether trying again can help.
    """

    @property
    def name(self) -> str:
        """Of the vendor, and of the venue where there are several: ``"ccxt:binance"``."""
        ...

    @property
    def address(self) -> str:
        """Where it is reached, without any key; one budget is shared by all who ask the same address."""
        ...

    @property
    def options(self) -> Mapping[str, str]:
        """Settings that change what it answers, such as a feed; no key. Bars of one setting are never taken for those of another."""
        ...

    @property
    def stamp(self) -> Literal["open", "close", "session"] | None:
        """What ``ts`` says, as in `rustybt.load`."""
        ...

    @property
    def frequencies(self) -> Sequence[str]:
        """Lengths of bars that it has; none for files, which hold what they hold and are not asked for a span."""
        ...

    @property
    def rates(self) -> Sequence[Rate]:
        """Requests that the vendor allows."""
        ...

    @property
    def version(self) -> str:
        """Of the library that speaks to it, for the record."""
        ...

    def terms(self, symbol: str) -> Terms:
        """What is known of a symbol.

        Raises:
            SourceError: there is no such symbol, or the source fails.
        """
        ...

    def fetch(self, symbol: str, history: History, cursor: str | None) -> Page:
        """One page of a symbol's bars: the first, or the one that a page before it named.

        Raises:
            SourceError: the source fails; ``retryable`` tells whether the same request may succeed later.
        """
        ...


@runtime_checkable
class Parallel(Source, Protocol):
    """A source that can be asked by several threads at once, each through one of its own; others are asked for one symbol after another."""

    def another(self) -> Source:
        """One like this one, which shares nothing that changes with it."""
        ...
