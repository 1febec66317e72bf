"""Sessions of an exchange: which day a bar belongs to, and when that day closes."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.data.stamps import DAY
from rustybt.errors import DataError
from rustybt.model.panel import Ints

Days = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Sessions:
    """The sessions of one calendar over a span.

    Attributes:
        code: exchange calendar code.
        zone: time zone of the exchange.
        days: (sessions,) Int32 days since 1970-01-01.
        opens, closes: (sessions,) Int64 UTC microseconds.
    """

    code: str
    zone: str
    days: Days
    opens: Ints
    closes: Ints

    def close_of(self, days: Days) -> tuple[Ints, npt.NDArray[np.bool_]]:
        """The close of each day and whether it is a session; other days end at their last microsecond UTC."""
        at = np.minimum(np.searchsorted(self.days, days), len(self.days) - 1)
        known = self.days[at] == days
        return np.where(known, self.closes[at], end_of(days)), known

    def session_of(self, instants: Ints) -> tuple[Days, npt.NDArray[np.bool_]]:
        """The session of each instant and whether it lies in trading hours.

        Outside of them it is the session of the exchange's date, and on other dates the next session.
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


def end_of(days: Days) -> Ints:
    """The last microsecond of days, UTC."""
    ends: Ints = (days.astype(np.int64) + 1) * DAY - 1
    return ends


@cache
def sessions(code: str, first: int, last: int) -> Sessions:
    """The sessions of an exchange calendar.

    Args:
        code: as in exchange_calendars, such as ``XNYS``, ``XLON``, ``CMES`` or ``24/7``.
        first: days since 1970-01-01 of the first day that must be covered.
        last: the same of the last; the sessions reach a few days further where the calendar is known.

    Raises:
        DataError: the code is unknown, or the calendar does not cover the span.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import exchange_calendars

        if code not in (names := exchange_calendars.get_calendar_names(include_aliases=True)):
            like = [name for name in names if code.upper() in name.upper() or name.upper() in code.upper()]
            hint = f"did you mean {', '.join(like[:3])}?" if like else "use a code of exchange_calendars, such as XNYS, XLON, CMES or 24/7"
            raise DataError(f"unknown calendar {code!r}", where="calendar", do=hint)
        reason = ""
        for before, behind in ((10, 30), (0, 30), (10, 1), (0, 1), (0, 0)):
            start, end = np.datetime64(first - before, "D"), np.datetime64(last + behind, "D")
            try:
                found = exchange_calendars.get_calendar(code, start=str(start), end=str(end))
                break
            except ValueError as error:
                reason = str(error)
        else:
            raise DataError(
                f"calendar {code!r} does not cover the data: {reason.splitlines()[0]}",
                where="calendar",
                do="use start= and end=, or no calendar",
            )
        return Sessions(
            code,
            str(found.tz),
            found.sessions.to_numpy().astype("datetime64[D]").astype(np.int32),
            found.opens_nanos // 1000,
            found.closes_nanos // 1000,
        )
