"""The sessions of a span of time: their dates, opens, breaks and closes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.data.hours import DAY, Days, Hours, lay_days
from rustybt.errors import ConfigError, DataError
from rustybt.model.panel import Ints


@dataclass(frozen=True)
class Sessions:
    """The sessions of one calendar over a span.

    Attributes:
        code: of the calendar; of one that a user wrote, its definition.
        zone: time zone of the venue.
        days: (sessions,) Int32 days since 1970-01-01.
        opens, closes: (sessions,) Int64 UTC microseconds.
        break_starts, break_ends: (sessions,) Int64 UTC microseconds; both equal to the close where there is no break.
        early: (sessions,) whether it closes earlier than usual.
    """

    code: str
    zone: str
    days: Days
    opens: Ints
    closes: Ints
    break_starts: Ints
    break_ends: Ints
    early: npt.NDArray[np.bool_]

    @property
    def name(self) -> str:
        """What to call the calendar in a message."""
        return name_of(self.code)

    def close_of(self, days: Days) -> tuple[Ints, npt.NDArray[np.bool_]]:
        """The close of each day and whether it is a session; other days end at their last microsecond UTC."""
        at = np.minimum(np.searchsorted(self.days, days), len(self.days) - 1)
        known = self.days[at] == days
        return np.where(known, self.closes[at], end_of(days)), known

    def session_of(self, instants: Ints) -> tuple[Days, npt.NDArray[np.bool_]]:
        """The session of each instant and whether it lies between its open and its close.

        Outside of them it is the session of the venue's date, and on other dates the next session.
        """
        at = np.minimum(np.searchsorted(self.closes, instants), len(self.closes) - 1)
        inside = (instants > self.opens[at]) & (instants <= self.closes[at])
        days = self.days[at].copy()
        outside = np.flatnonzero(~inside)
        if len(outside):
            local = pl.Series(instants[outside] - 1).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(self.zone).dt.date()
            dates = local.to_physical().to_numpy()
            days[outside] = self.days[np.minimum(np.searchsorted(self.days, dates), len(self.days) - 1)]
        return days, inside

    def after(self, days: Days) -> Days:
        """The session after each day."""
        return self.days[np.minimum(np.searchsorted(self.days, days, side="right"), len(self.days) - 1)]

    def only(self, kept: npt.NDArray[np.bool_]) -> Sessions:
        """The sessions of a mask."""
        times = (self.opens[kept], self.closes[kept], self.break_starts[kept], self.break_ends[kept])
        return Sessions(self.code, self.zone, self.days[kept], *times, self.early[kept])

    @cached_property
    def frame(self) -> pl.DataFrame:
        """One row per session: ``session, open, close, break_start, break_end, early``; breaks are null where there is none."""
        stamp = pl.Datetime("us", "UTC")
        paused = pl.Series(self.break_ends > self.break_starts)
        times = {"open": self.opens, "close": self.closes, "break_start": self.break_starts, "break_end": self.break_ends}
        frame = pl.DataFrame({"session": pl.Series(self.days).cast(pl.Date), **times, "early": self.early, "paused": paused})
        breaks = [pl.when("paused").then(pl.col(name)) for name in ("break_start", "break_end")]
        return frame.with_columns(*breaks).with_columns(pl.col(*times).cast(stamp)).drop("paused")


def end_of(days: Days) -> Ints:
    """The last microsecond of days, UTC."""
    ends: Ints = (days.astype(np.int64) + 1) * DAY - 1
    return ends


def name_of(code: str) -> str:
    """What to call a calendar: its code, or the name in the definition that a user wrote.

    Example:
        >>> name_of("XNYS")
        'XNYS'
    """
    return str(json.loads(code)["name"]) if code.startswith("{") else code


def weekly(code: str, zone: str, week: tuple[Hours | None, ...], days: Days) -> Sessions:
    """The sessions of days by their hours of the week, Monday first."""
    weekday = (days + 3) % 7  # 1970-01-01 was a Thursday
    kept = np.array([hours is not None for hours in week], dtype=np.bool_)[weekday]
    hours = [one for day in weekday[kept].tolist() if (one := week[day]) is not None]
    opens, closes, starts, ends = lay_days(days[kept], hours, zone, "calendar")
    return Sessions(code, zone, days[kept], opens, closes, starts, ends, np.zeros(len(opens), dtype=np.bool_))


def joined(found: Sessions, days: Days, hours: list[Hours], where: str) -> Sessions:
    """Sessions with those of single days among them.

    Raises:
        ConfigError: two of them overlap.
        DataError: there is none.
    """
    opens, closes, starts, ends = lay_days(days, hours, found.zone, where)
    usual = np.array([_usual_close(found, day) for day in days.tolist()], dtype=np.int64)
    early = (closes - days.astype(np.int64) * DAY) < usual
    all_days = np.concatenate([found.days, days])
    if not len(all_days):
        raise DataError("the calendar has no session in the span", where=where, do="check its week, closed and base")
    order = np.argsort(all_days, kind="stable")
    pairs = ((found.opens, opens), (found.closes, closes), (found.break_starts, starts), (found.break_ends, ends))
    opens, closes, starts, ends = (np.concatenate(pair)[order] for pair in pairs)
    all_days = all_days[order]
    if (opens[1:] < closes[:-1]).any():
        day = np.datetime64(int(all_days[int(np.argmax(opens[1:] < closes[:-1])) + 1]), "D")
        raise ConfigError(f"the session of {day} opens before the one before it closes", where=where, do="correct special or week")
    return Sessions(found.code, found.zone, all_days, opens, closes, starts, ends, np.concatenate([found.early, early])[order])


def _usual_close(found: Sessions, day: int) -> int:
    """When the session nearest to a day closes, from 00:00 UTC of its date; 0, so that none is early, where there is none."""
    if not len(found.days):
        return 0
    near = int(np.argmin(np.abs(found.days.astype(np.int64) - day)))
    return int(found.closes[near]) - int(found.days[near]) * DAY
