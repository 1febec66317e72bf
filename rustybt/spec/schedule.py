"""Schedules: at which bars a target is decided anew, as data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from rustybt.errors import ConfigError, SpecError

type Ints = npt.NDArray[np.int64]
type Days = npt.NDArray[np.int32]
type Flags = npt.NDArray[np.bool_]

KINDS = ("every", "month_start", "month_end", "week_start", "week_end", "session_open", "session_close", "cron")
NEED_CLOSE = frozenset({"session_close", "month_end", "week_end"})
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Moment:
    """One bar as a schedule sees it.

    Attributes:
        index: number of the bar, counted from the first of the data.
        ts: UTC microseconds at which the bar is complete.
        session: its session date, days since 1970-01-01.
        next_session: the session after it by the calendar, or None without one.
        session_close: UTC microseconds at which its session closes, or None without a calendar.
    """

    index: int
    ts: int
    session: int
    next_session: int | None = None
    session_close: int | None = None


@dataclass(frozen=True)
class Schedule:
    """When to decide. Build it with `every`, `month_start`, `month_end`, `week_start`, `week_end`, `session_open`, `session_close`, `cron`.

    A schedule answers from the current bar, the one before it and the calendar, never from later bars: `resolve` for all bars
    and `fires` for one give the same answer.

    Attributes:
        kind: name of the constructor.
        bars, offset: of ``every``.
        expression, zone: of ``cron``.
    """

    kind: str
    bars: int = 1
    offset: int = 0
    expression: str = ""
    zone: str = "UTC"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise SpecError(f"schedule {self.kind!r} is unknown", where="term 'schedule'", do="use one of " + ", ".join(KINDS))
        for name, least in (("bars", 1), ("offset", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise SpecError(f"{name} {value!r} is not a whole number from {least}", where="term 'schedule'", do=f"give {least} or more")
        if self.kind == "cron":
            _check_cron(self.expression, self.zone)

    @property
    def needs_calendar(self) -> bool:
        """Whether it asks when a session closes or which one is next."""
        return self.kind in NEED_CLOSE

    def resolve(self, ts: Ints, sessions: Days, next_session: Days | None = None, session_close: Ints | None = None) -> Flags:
        """Which bars it fires at.

        Args:
            ts: (bars,) UTC microseconds, strictly increasing.
            sessions: (bars,) session date of each bar, days since 1970-01-01.
            next_session: (bars,) the session after it, by the calendar.
            session_close: (bars,) UTC microseconds at which its session closes, by the calendar.

        Returns:
            (bars,) bool.

        Raises:
            ConfigError: the schedule needs a calendar and there is none.

        Example:
            >>> days = np.array([30, 31, 32], dtype=np.int32)  # 31 January, 1 and 2 February 1970
            >>> month_start().resolve(days.astype(np.int64) * 86_400_000_000, days).tolist()
            [True, True, False]
        """
        if self.kind == "every":
            fires = np.zeros(len(ts), dtype=np.bool_)
            fires[self.offset :: self.bars] = True
            return fires
        if self.kind == "cron":
            return self._resolve_cron(ts)
        if self.kind in NEED_CLOSE:
            return self._resolve_closes(ts, sessions, next_session, session_close)
        period = _period(self.kind, sessions)
        return np.concatenate([[True], period[1:] != period[:-1]])[: len(ts)]

    def fires(self, previous: Moment | None, current: Moment) -> bool:
        """Whether it fires at one bar, given the bar before it (None at the first bar of the data).

        Raises:
            ConfigError: the schedule needs a calendar and there is none.

        Example:
            >>> friday, monday = Moment(0, 0, 1), Moment(1, 3 * 86_400_000_000, 4)
            >>> week_start().fires(friday, monday)
            True
        """
        if self.kind == "every":
            return current.index >= self.offset and (current.index - self.offset) % self.bars == 0
        if self.kind == "cron":
            return self._next(current.ts - 1 if previous is None else previous.ts) <= current.ts
        if self.kind in NEED_CLOSE:
            if current.session_close is None or current.next_session is None:
                raise self._no_calendar()
            same = previous is not None and previous.session == current.session and previous.ts >= current.session_close
            if current.ts < current.session_close or same:
                return False
            return self.kind == "session_close" or self._period(current.next_session) != self._period(current.session)
        return previous is None or self._period(current.session) != self._period(previous.session)

    def _resolve_closes(self, ts: Ints, sessions: Days, next_session: Days | None, session_close: Ints | None) -> Flags:
        if next_session is None or session_close is None:
            raise self._no_calendar()
        closed = ts >= session_close
        already = np.zeros(len(ts), dtype=np.bool_)
        already[1:] = (sessions[1:] == sessions[:-1]) & (ts[:-1] >= session_close[1:])
        fires: Flags = closed & ~already
        if self.kind != "session_close":
            fires &= _period(self.kind, next_session) != _period(self.kind, sessions)
        return fires

    def _resolve_cron(self, ts: Ints) -> Flags:
        fires = np.zeros(len(ts), dtype=np.bool_)
        after, bar = (int(ts[0]) - 1 if len(ts) else 0), 0
        while bar < len(ts):
            # Jump from one firing to the next: instants between two bars cost nothing.
            bar = int(np.searchsorted(ts, self._next(after), side="left"))
            if bar < len(ts):
                fires[bar], after = True, int(ts[bar])
        return fires

    def _next(self, after: int) -> int:
        """First instant of the cron expression later than ``after``, UTC microseconds."""
        from cronsim import CronSim

        start = (EPOCH + after * MICROSECOND).astimezone(_zone(self.zone))
        found: datetime = next(CronSim(self.expression.upper(), start))
        return (found.astimezone(UTC) - EPOCH) // MICROSECOND

    def _period(self, session: int) -> int:
        return int(_period(self.kind, np.array([session], dtype=np.int32))[0])

    def _no_calendar(self) -> ConfigError:
        instead = {"month_end": "month_start()", "week_end": "week_start()", "session_close": "session_open()"}[self.kind]
        return ConfigError(
            f"schedule {self.kind}() needs to know when sessions close, and the data have no calendar",
            where="term 'schedule'",
            do=f"give calendar= (such as 'XNYS') with the data, or use {instead}",
        )

    def __repr__(self) -> str:
        if self.kind == "every":
            return f"every(bars={self.bars}" + (f", offset={self.offset})" if self.offset else ")")
        return f"cron({self.expression!r}, zone={self.zone!r})" if self.kind == "cron" else f"{self.kind}()"


def every(bars: int = 1, offset: int = 0) -> Schedule:
    """Every so many bars, counted from the first bar of the data.

    Args:
        bars: distance between two firings, 1 or more.
        offset: number of the first bar that fires, from 0.

    Example:
        >>> every(bars=21)
        every(bars=21)
    """
    return Schedule("every", bars=bars, offset=offset)


def month_start() -> Schedule:
    """The first bar of each month of session dates; the first bar of the data counts.

    Example:
        >>> month_start()
        month_start()
    """
    return Schedule("month_start")


def month_end() -> Schedule:
    """The close of the last session of each month, by the calendar (a month whose last session has no closing bar does not fire).

    Example:
        >>> month_end()
        month_end()
    """
    return Schedule("month_end")


def week_start() -> Schedule:
    """The first bar of each week (Monday to Sunday) of session dates; the first bar of the data counts.

    Example:
        >>> week_start()
        week_start()
    """
    return Schedule("week_start")


def week_end() -> Schedule:
    """The close of the last session of each week, by the calendar.

    Example:
        >>> week_end()
        week_end()
    """
    return Schedule("week_end")


def session_open() -> Schedule:
    """The first bar of each session.

    Example:
        >>> session_open()
        session_open()
    """
    return Schedule("session_open")


def session_close() -> Schedule:
    """The first bar at or after the close of each session, by the calendar.

    Example:
        >>> session_close()
        session_close()
    """
    return Schedule("session_close")


def cron(expression: str, zone: str = "UTC") -> Schedule:
    """The first bar at or after each instant of a cron expression; instants without bars between them fire once, at the next bar.

    Args:
        expression: minute, hour, day of month, month, day of week; names, ranges, lists, steps, ``L`` and ``#`` are understood.
        zone: time zone of the expression. A time skipped by daylight saving fires when the clock has moved on, as Debian's cron does.

    Raises:
        SpecError: the expression or the zone is not understood, or no instant ever matches.

    Example:
        >>> cron("30 15 * * mon-fri", zone="America/New_York")
        cron('30 15 * * mon-fri', zone='America/New_York')
    """
    return Schedule("cron", expression=expression, zone=zone)


def _period(kind: str, sessions: Days) -> npt.NDArray[np.int64]:
    days = sessions.astype(np.int64)
    if kind.startswith("month"):
        return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return (days + 3) // 7 if kind.startswith("week") else days  # day 0 was a Thursday


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _check_cron(expression: str, zone: str) -> None:
    from cronsim import CronSim, CronSimError

    try:
        place = _zone(zone)
    except (KeyError, ValueError, TypeError, OSError):
        raise SpecError(
            f"time zone {zone!r} is unknown", where="term 'schedule', cron", do='use a name such as "America/New_York"'
        ) from None
    do = "give minute hour day month weekday, such as '30 15 * * mon-fri'"
    if len(str(expression).split()) != 5:
        raise SpecError(f"cron expression {expression!r} does not have five fields", where="term 'schedule', cron", do=do)
    try:
        next(CronSim(str(expression).upper(), datetime(2000, 1, 1, tzinfo=place)))
    except CronSimError as error:
        raise SpecError(f"cron expression {expression!r} is not understood: {error}", where="term 'schedule', cron", do=do) from None
    except StopIteration:
        raise SpecError(f"cron expression {expression!r} never fires", where="term 'schedule', cron", do=do) from None
