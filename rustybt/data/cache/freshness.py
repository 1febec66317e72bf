"""When bars that were downloaded before still count, by the calendar of their market.

An answer is stale where bars may be complete that it lacks: then its end is asked for. Under ``ttl`` and ``never`` it is stale as a whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import numpy as np

from rustybt.data.calendars import covering
from rustybt.data.hours import DAY, HOUR, MINUTE
from rustybt.data.stamps import microseconds
from rustybt.errors import ConfigError, DataError

type Kind = Literal["session", "hybrid", "ttl", "always", "never"]
type Lack = Literal["nothing", "start", "end", "whole"]
"""What has to be asked for; where the start is lacking, the end may be so too."""

WRITTEN = re.compile(r"(session|always|never)|(ttl|hybrid):(\d+(?:\.\d+)?)([smhd])")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
BEFORE, BEHIND = 14 * HOUR, 6 * HOUR
"""Bars within a day may also come so long before a session and after it: trading outside hours and over night."""
SKEW = timedelta(minutes=1)
"""Clocks of two machines may differ by so much; an answer from later than that is of a clock that was wrong."""


@dataclass(frozen=True)
class Reach:
    """How far an answer reaches, in time and in age.

    Args:
        start: first instant that it covers.
        until: instant up to which no bar is lacking: every one that was complete by then was there.
        wanted: end that the source was asked for.
        asked: when the source was asked about the end.
        oldest: when it was asked about the oldest part.
    """

    start: datetime
    until: datetime
    wanted: datetime
    asked: datetime
    oldest: datetime


@dataclass(frozen=True)
class Request:
    """What is wanted now.

    Args:
        frequency: length of the bars.
        start: first instant.
        end: last instant, at most now.
        now: of the clock.
        latest: whether the end is whatever is complete now, rather than an instant in the past.
    """

    frequency: str
    start: datetime
    end: datetime
    now: datetime
    latest: bool


@dataclass(frozen=True)
class Freshness:
    """How long downloaded bars count.

    Args:
        kind: ``session``: until the market may have made another bar, by its calendar; ``hybrid``: the same, but asked again only after
            ``seconds``; ``ttl``: for ``seconds``, then all is asked for again; ``always``: what was downloaded once counts for good;
            ``never``: all is asked for each time.
        seconds: of ``ttl`` and ``hybrid``.

    Example:
        >>> Freshness.read("hybrid:15m")
        Freshness(kind='hybrid', seconds=900.0)
    """

    kind: Kind = "session"
    seconds: float = 0.0

    @classmethod
    def read(cls, text: str | Freshness) -> Freshness:
        """From text: ``session``, ``always``, ``never``, or ``ttl`` and ``hybrid`` with a time, such as ``ttl:12h``.

        Raises:
            ConfigError: it is none of these.
        """
        if isinstance(text, Freshness):
            return text
        found = WRITTEN.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            do = 'use "session", "always", "never", "ttl:12h" or "hybrid:15m"'
            raise ConfigError(f"freshness {text!r} is not understood", where="freshness", do=do)
        plain, timed, number, unit = found.groups()
        kind: Any = plain or timed
        return cls(kind, float(number) * SECONDS[unit] if timed else 0.0)

    def __str__(self) -> str:
        return f"{self.kind}:{self.seconds:g}s" if self.kind in ("ttl", "hybrid") else self.kind

    def resumes(self, longest: timedelta) -> timedelta:
        """How old pages of an interrupted download may be."""
        if self.kind == "never":
            return timedelta(0)
        return min(longest, timedelta(seconds=self.seconds)) if self.kind == "ttl" else longest

    def lacks(self, kept: Reach | None, request: Request, calendar: str | None) -> Lack:
        """What has to be asked for before an answer may be given.

        Args:
            kept: what there is, or None.
            request: what is wanted.
            calendar: code of the calendar that the symbol trades on, or None where it is not known: then a bar may come at any time.
        """
        now = request.now
        if kept is None or self.kind == "never" or kept.asked > now + SKEW or kept.until > now + SKEW:
            return "whole"
        if self.kind == "ttl" and now - kept.oldest > timedelta(seconds=self.seconds):
            return "whole"
        if kept.start > request.start:
            return "start"
        frequency = request.frequency
        # What nobody ever asked for is lacking under every policy; time that has passed since is what they differ about.
        never_asked = kept.wanted < (kept.asked - SKEW if request.latest else request.end)
        if never_asked and may_be_new(frequency, calendar, kept.wanted, request.end):
            return "end"
        if self.kind in ("ttl", "always"):
            return "nothing"
        if self.kind == "hybrid" and now - kept.asked <= timedelta(seconds=self.seconds):
            return "nothing"
        return "end" if may_be_new(frequency, calendar, kept.until, request.end) else "nothing"


def may_be_new(frequency: str, calendar: str | None, after: datetime, until: datetime) -> bool:
    """Whether a bar can have become complete after one instant and by another.

    Bars of a day or longer: whether a session closed; without a calendar, whether an hour passed, since nobody knows when its day ends.
    Bars within a day: whether a minute passed on a day on which the market trades, hours before the open and after the close included.

    Example:
        >>> friday, sunday = datetime(2024, 3, 1, 21, tzinfo=UTC), datetime(2024, 3, 3, 12, tzinfo=UTC)
        >>> may_be_new("1d", "XNYS", friday, sunday), may_be_new("1d", None, friday, sunday)
        (False, True)
    """
    first, last = _micros(after), _micros(until)
    length = microseconds(frequency)
    unit = min(length, MINUTE) if length < DAY else HOUR if calendar is None else 1
    if last // unit <= first // unit:
        return False
    if calendar is None:
        return True
    try:
        found = covering(calendar, first // DAY - 3, last // DAY + 3)
    except DataError:  # the calendar does not reach so far: nobody knows
        return True
    if not len(found.days) or found.closes[-1] < last - 30 * DAY:
        return True
    if length >= DAY:
        return bool(((found.closes > first) & (found.closes <= last)).any())
    return bool(((found.opens - BEFORE < last) & (found.closes + BEHIND > first)).any())


def _micros(moment: datetime) -> int:
    return int(np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us").astype(np.int64))
