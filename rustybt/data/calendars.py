"""Calendars: of exchange_calendars, the ones of `OWN`, and those that a user writes, all behind `sessions`."""

from __future__ import annotations

import json
import threading
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from rustybt.data.hours import read_hours, read_week
from rustybt.data.spans import Sessions, joined, weekly
from rustybt.errors import ConfigError, DataError

Dates = Sequence[date | str]
OWN = {
    "24/7": ("UTC", {"mon-sun": "00:00-24:00"}),
    "24/5": ("UTC", {"mon-fri": "00:00-24:00"}),
    "FX": ("America/New_York", {"mon-fri": "17:00-17:00"}),
}
"""Calendars made here: zone and hours by weekday."""
QUARTER = 91
FIRST_DAY, LAST_DAY = -719_000, 2_932_000
"""Days from 0001 to 9997, that a zone can be looked up for."""


@dataclass(frozen=True)
class Calendar:
    """Sessions of a venue. Build it with `rustybt.calendar`, give it as ``calendar=``.

    Attributes:
        name: a code that is known, or the name of one that a user wrote.
        base: code of the calendar that it changes, or None.
        zone: time zone of its hours.
        week: hours by weekday: ``{"mon-fri": "09:30-16:00"}``.
        closed: dates without a session, ISO.
        special: hours of single dates: early closes, late opens, sessions at week-ends.
        first, last: dates that it covers; None = no end.
    """

    name: str
    base: str | None = None
    zone: str | None = None
    week: Mapping[str, str] = field(default_factory=dict)
    closed: tuple[str, ...] = ()
    special: Mapping[str, str] = field(default_factory=dict)
    first: str | None = None
    last: str | None = None

    @property
    def code(self) -> str:
        """What a panel and a dataset keep: the name of a known calendar, the whole definition of a written one, as JSON."""
        if self.base is None and not self.week:
            return self.name
        said = {one.name: getattr(self, one.name) for one in fields(self)}
        return json.dumps({key: value for key, value in said.items() if value}, sort_keys=True, separators=(",", ":"))

    @classmethod
    @lru_cache(maxsize=256)
    def read(cls, code: str) -> Calendar:
        """The calendar of a `code`."""
        return _made(json.loads(code), "calendar") if code.startswith("{") else cls(code)

    def sessions(self, start: date | str, end: date | str) -> pl.DataFrame:
        """The sessions from one date to another, both included.

        Returns:
            ``session`` Date; ``open, close, break_start, break_end`` Datetime(us, UTC), breaks null where there is none; ``early`` Boolean:
            closes earlier than usual.

        Raises:
            DataError: the calendar is unknown, or does not cover the dates.

        Example:
            >>> import rustybt as rbt
            >>> week = rbt.calendar("XNYS").sessions("2024-11-28", "2024-12-02")
            >>> week.select("session", "close", "early").rows()[0]
            (datetime.date(2024, 11, 29), datetime.datetime(2024, 11, 29, 18, 0, tzinfo=zoneinfo.ZoneInfo(key='UTC')), True)
        """
        first, last = _date(start, "start"), _date(end, "end")
        if last < first:
            raise ConfigError(f"start {first} is after end {last}", where=f"calendar {self.name!r}", do="give the earlier date first")
        days = [int(np.datetime64(day, "D").astype(np.int64)) for day in (first, last)]
        return sessions(self.code, *days).frame.filter(pl.col("session").is_between(pl.lit(first), pl.lit(last)))

    def __str__(self) -> str:
        return self.name


def calendar(
    name: str,
    *,
    base: str | None = None,
    zone: str | None = None,
    week: Mapping[str, str] | None = None,
    closed: Dates = (),
    special: Mapping[Any, str] | None = None,
    first: date | str | None = None,
    last: date | str | None = None,
) -> Calendar:
    """A calendar by its code, or one of your own.

    Args:
        name: with nothing else a code: of exchange_calendars (``"XNYS"``, ``"XTKS"``, ``"CMES"``), ``"24/7"``, ``"24/5"`` (Monday to
            Friday, UTC) or ``"FX"`` (Sunday 17:00 to Friday 17:00 New York; a session ends at 17:00). Else what to call your own.
        base: code of a calendar to change.
        zone: time zone of the hours; default: that of the base, else UTC.
        week: hours by weekday, without a base: ``{"mon-thu": "09:00-17:30", "fri": "09:00-14:00"}``. A break makes two spells:
            ``"09:00-11:30 12:30-15:00"``. A session has the date on which it closes, so ``"17:00-16:00"`` opens on the day before.
        closed: dates without a session.
        special: hours of single dates, whatever else is said of them: ``{"2024-12-24": "09:00-13:00"}``.
        first: the first date that it covers.
        last: the last date that it covers; data beyond are refused.

    Raises:
        ConfigError: hours, days, dates or the zone are not understood; there is neither a base nor a week.

    Example:
        >>> desk = calendar("desk", zone="Europe/London", week={"mon-fri": "08:00-16:30"}, special={"2024-12-24": "08:00-12:30"})
        >>> desk.sessions("2024-12-23", "2024-12-24")["early"].to_list()
        [False, True]
    """
    said: dict[str, Any] = {"name": name, "base": base, "zone": zone, "week": week, "closed": closed, "special": special}
    return _made({**said, "first": first, "last": last}, "calendar")


def code_of(given: str | Calendar | None) -> str | None:
    """The code of a calendar: as it is, of a `Calendar`, or of a TOML file that holds the arguments of `calendar`.

    Raises:
        ConfigError: it is none of these, or the file cannot be used.
    """
    if given is None or (isinstance(given, str) and not given.endswith(".toml")):
        return given
    if isinstance(given, Calendar):
        return given.code
    if not isinstance(given, str):
        raise ConfigError(f"calendar {given!r} is no calendar", where="calendar", do='give a code such as "XNYS", or rbt.calendar(...)')
    import tomllib

    try:
        said = tomllib.loads(Path(given).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"the calendar cannot be read: {error}", where=given, do="write it as the how-to on calendars shows") from error
    return _made({"name": Path(given).stem, **said}, given).code


def _made(said: Mapping[str, Any], where: str) -> Calendar:
    known = {one.name for one in fields(Calendar)}
    if unknown := sorted(set(said) - known):
        raise ConfigError(f"unknown setting {unknown[0]!r}", where=where, do=f"use {', '.join(sorted(known))}")
    name, base, week = said["name"], said.get("base"), dict(said.get("week") or {})
    if not isinstance(name, str) or not name:
        raise ConfigError(f"name {name!r} is no name", where=where, do="give a text")
    rest = {key for key, value in said.items() if value and key not in ("name", "base", "week")}
    if base is None and not week and rest:
        raise ConfigError(f"calendar {name!r} has no sessions", where=where, do='give week={"mon-fri": "09:30-16:00"}, or base="XNYS"')
    if base is not None and week:
        raise ConfigError("a base and a week were given", where=f"calendar {name!r}", do="leave one out; special changes single dates")
    place = f"calendar {name!r}"
    read_week(week, place)
    special = {_date(day, place).isoformat(): hours for day, hours in dict(said.get("special") or {}).items()}
    for hours in special.values():
        read_hours(hours, place)
    closed = tuple(sorted(_date(day, place).isoformat() for day in said.get("closed") or ()))
    if both := sorted(set(closed) & set(special)):
        raise ConfigError(f"{both[0]} is closed and has hours", where=place, do="leave one out")
    edges = [None if said.get(edge) is None else _date(said[edge], place).isoformat() for edge in ("first", "last")]
    zone = said.get("zone")
    if zone is not None:
        _check_zone(zone, place)
    return Calendar(name, base, zone, dict(sorted(week.items())), closed, dict(sorted(special.items())), *edges)


def _check_zone(zone: Any, where: str) -> None:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, TypeError, OSError):
        raise ConfigError(f"unknown time zone {zone!r}", where=where, do='use a name such as "Europe/London"') from None


def _date(given: Any, where: str) -> date:
    try:
        return given if isinstance(given, date) else date.fromisoformat(given)
    except (TypeError, ValueError):
        raise ConfigError(f"{given!r} is no date", where=where, do='write it like "2024-12-24"') from None


@cache
def sessions(code: str, first: int, last: int) -> Sessions:
    """The sessions of a calendar.

    Args:
        code: as in exchange_calendars, such as ``XNYS``, ``XLON`` or ``CMES``; ``24/7``, ``24/5`` or ``FX``; or a definition in JSON, as
            `rustybt.calendar` makes it.
        first: days since 1970-01-01 of the first day that must be covered.
        last: the same of the last; the sessions reach a few days further where the calendar is known.

    Raises:
        DataError: the code is unknown, or the calendar does not cover the span.
    """
    if code in OWN:
        zone, week = OWN[code]
        first, last = max(first - 10, FIRST_DAY), min(last + 30, LAST_DAY)
        return weekly(code, zone, read_week(week, "calendar"), np.arange(first, last + 1, dtype=np.int32))
    if code.startswith("{"):
        return own_sessions(code, Calendar.read(code), first, last)
    return _venue(code, first, last)


def covering(code: str, first: int, last: int) -> Sessions:
    """The sessions of whole quarters around a span where the calendar has them, so that many spans share what is slow to make.

    Raises:
        DataError: as `sessions`.
    """
    try:
        return sessions(code, first // QUARTER * QUARTER, (last // QUARTER + 1) * QUARTER)
    except DataError:
        return sessions(code, first, last)


def own_sessions(code: str, calendar: Calendar, first: int, last: int) -> Sessions:
    """The sessions of a calendar that a user wrote.

    Raises:
        DataError: it does not cover the span.
    """
    where = f"calendar {calendar.name!r}"
    begin, end = (None if day is None else int(np.datetime64(day, "D").astype(np.int64)) for day in (calendar.first, calendar.last))
    if (begin is not None and first < begin) or (
        end is not None and last > end + 1
    ):  # a bar of the last day may be complete after midnight UTC
        span = f"{calendar.first or 'ever'} to {calendar.last or 'ever'}"
        told = " to ".join(str(np.datetime64(day, "D")) for day in (first, last))
        raise DataError(f"the calendar covers {span}, and {told} is asked for", where=where, do="extend it, or use start= and end=")
    low, high = FIRST_DAY if begin is None else begin, LAST_DAY if end is None else end
    special = {int(np.datetime64(day, "D").astype(np.int64)): read_hours(text, where) for day, text in calendar.special.items()}
    gone = np.array([int(np.datetime64(day, "D").astype(np.int64)) for day in calendar.closed] + list(special), dtype=np.int32)
    if calendar.base is not None:
        found = sessions(calendar.base, first, last)
        kept = ~np.isin(found.days, gone) & (found.days >= low) & (found.days <= high)
        found = replace(found.only(kept), code=code)
    else:
        days = np.arange(max(first - 10, low), min(last + 30, high) + 1, dtype=np.int32)
        found = weekly(code, calendar.zone or "UTC", read_week(calendar.week, where), days[~np.isin(days, gone)])
    chosen = sorted(day for day in special if max(first - 10, low) <= day <= min(last + 30, high))
    zone = calendar.zone or found.zone
    return joined(replace(found, zone=zone), np.array(chosen, dtype=np.int32), [special[day] for day in chosen], where)


_ONE_AT_A_TIME = threading.Lock()
"""Threads share the filters of warnings: what one silences another would bring back."""


def _venue(code: str, first: int, last: int) -> Sessions:
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import exchange_calendars

        if code not in (names := exchange_calendars.get_calendar_names(include_aliases=True)):
            raise DataError(f"unknown calendar {code!r}", where="calendar", do=_meant(code, names))
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
        days = found.sessions.to_numpy().astype("datetime64[D]").astype(np.int32)
        early = np.isin(days, found.early_closes.to_numpy().astype("datetime64[D]").astype(np.int32))
        nanos = (found.opens_nanos, found.closes_nanos, found.break_starts_nanos, found.break_ends_nanos)
        opens, closes, starts, ends = (part // 1000 for part in nanos)
        paused = found.break_starts_nanos != np.iinfo(np.int64).min
        starts, ends = np.where(paused, starts, closes), np.where(paused, ends, closes)
        return Sessions(code, str(found.tz), days, opens, closes, starts, ends, early)


def _meant(code: str, names: list[str]) -> str:
    like = [name for name in [*OWN, *names] if code.upper() in name.upper() or name.upper() in code.upper()]
    if like:
        return f"did you mean {', '.join(dict.fromkeys(like[:3]))}?"
    return "use a code of exchange_calendars, such as XNYS, XLON or CMES, or 24/7, 24/5 or FX, or write one: rbt.calendar(...)"
