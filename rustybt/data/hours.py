"""Trading hours written as text, and the sessions that they make."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.errors import ConfigError
from rustybt.model.panel import Ints

Days = npt.NDArray[np.int32]
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTE, HOUR, DAY = 60_000_000, 3_600_000_000, 86_400_000_000
SPELL = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")
DO = 'write "09:30-16:00", with a break "09:00-11:30 12:30-15:00", the whole day "00:00-24:00"'


@dataclass(frozen=True)
class Hours:
    """The hours of one session, in microseconds from 00:00 of its date in the zone of the venue.

    Attributes:
        open: below 0 where it opens on the day before.
        close: at most a day.
        break_start, break_end: both equal to ``close`` where there is no break.
    """

    open: int
    close: int
    break_start: int
    break_end: int


def read_hours(text: str, where: str) -> Hours:
    """Hours from text: one spell, or two with a break between.

    A session has the date on which it closes: one that opens at the hour at which it closes, or later, opens on the day before.

    Raises:
        ConfigError: the text is not understood.

    Example:
        >>> read_hours("17:00-17:00", "calendar").open // 3_600_000_000
        -7
    """
    parts = text.replace(",", " ").split()
    found = [SPELL.fullmatch(part) for part in parts]
    spells = [[int(number) for number in match.groups()] for match in found if match is not None]
    if len(spells) != len(parts) or len(spells) not in (1, 2):
        raise ConfigError(f"hours {text!r} are not understood", where=where, do=DO)
    edges = [hour * HOUR + minute * MINUTE for spell in spells for hour, minute in (spell[:2], spell[2:])]
    minutes = [minute for spell in spells for minute in spell[1::2]]
    if max(minutes) > 59 or max(edges) > DAY:
        raise ConfigError(f"hours {text!r} name no time of day", where=where, do=DO)
    if edges[0] >= edges[-1]:
        # The day before: every edge down to the one at which the clock starts again.
        turn = next(i for i in range(len(edges)) if i == len(edges) - 1 or edges[i + 1] <= edges[i])
        edges = [edge - DAY if i <= turn else edge for i, edge in enumerate(edges)]
    if any(b <= a for a, b in pairwise(edges)):
        raise ConfigError(f"hours {text!r} do not go forward", where=where, do=DO)
    first, last = edges[0], edges[-1]
    return Hours(first, last, *(edges[1:3] if len(edges) == 4 else (last, last)))


def read_week(week: Mapping[str, str], where: str) -> tuple[Hours | None, ...]:
    """Hours by weekday, Monday first, from ``{"mon-thu": "09:30-16:00", "fri": "09:30-13:00"}``.

    Raises:
        ConfigError: a day or its hours are not understood.
    """
    found: list[Hours | None] = [None] * 7
    for days, text in week.items():
        first, _, last = days.lower().partition("-")
        if first not in WEEK or (last or first) not in WEEK or WEEK.index(first) > WEEK.index(last or first):
            raise ConfigError(f"days {days!r} are not understood", where=where, do='write "mon", or from one to a later one: "mon-fri"')
        for number in range(WEEK.index(first), WEEK.index(last or first) + 1):
            if found[number] is not None:
                raise ConfigError(f"{WEEK[number]} has hours twice", where=where, do="name each day once")
            found[number] = read_hours(text, where)
    return tuple(found)


def lay_days(days: Days, hours: list[Hours], zone: str, where: str) -> Ints:
    """(4, days) opens, closes, starts and ends of breaks, UTC microseconds.

    A time that the clock skips in spring counts as the instant of the skip; one that it shows twice in autumn as the first.

    Raises:
        ConfigError: the zone is unknown.
    """
    starts = days.astype(np.int64) * DAY
    parts = ("open", "close", "break_start", "break_end")
    return np.stack([_instants(starts + np.array([getattr(one, part) for one in hours], dtype=np.int64), zone, where) for part in parts])


def _instants(local: Ints, zone: str, where: str) -> Ints:
    naive = pl.Series("local", local).cast(pl.Datetime("us"))
    try:
        placed = naive.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        # An hour on, the clock shows a time again, and that is the same instant.
        later = naive.dt.offset_by("1h").dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    except pl.exceptions.PolarsError:
        raise ConfigError(f"unknown time zone {zone!r}", where=where, do='use a name such as "Europe/London"') from None
    found: Ints = placed.fill_null(later).to_physical().to_numpy()
    return found
