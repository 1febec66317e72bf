"""Corporate actions: check them, make their numbers exact, and find the bar at which each takes effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl

from rustybt.data.calendars import Days
from rustybt.data.grid import Grid
from rustybt.data.sources import collect, open_source
from rustybt.data.stamps import DAY
from rustybt.errors import DataError
from rustybt.model import Event
from rustybt.model.decimals import LIMIT
from rustybt.model.panel import Ints

KINDS = {"split": 0, "dividend": 1}
REPAIR = "repair or drop the event"
COLUMNS = ("asset", "ts", "kind", "value")


def read_events(source: Any) -> list[Event]:
    """Events from a frame, a file or a sequence of `Event`, checked, in the order given.

    Args:
        source: columns ``asset``, ``ts`` (ex-date), ``kind`` (``split`` or ``dividend``) and ``value`` (new quantity per old, or cash per
            unit of quantity); further columns are ignored.

    Raises:
        DataError: a column is missing, a kind is unknown, or a value is not a positive number.
    """
    if isinstance(source, (list, tuple)) and all(isinstance(item, Event) for item in source):
        return [_checked(event) for event in source]
    if isinstance(source, (list, tuple)):
        raise DataError("events is a list of something else than Event", where="events", do="give a frame, a path, or a list of Event")
    frame = collect(open_source(source))
    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        raise DataError(f"column {missing[0]!r} is missing", where="events", do=f"give the columns {', '.join(COLUMNS)}")
    if not frame["value"].dtype.is_numeric() and frame["value"].dtype != pl.String:
        raise DataError(f"value holds {frame['value'].dtype}", where="events", do="give numbers")
    days = _dates(frame["ts"])
    rows = zip(frame["asset"].cast(pl.String), days, frame["kind"].cast(pl.String), frame["value"].cast(pl.String), strict=True)
    return [_event(*row, where=f"events, row {i}") for i, row in enumerate(rows)]


def resolve_events(events: Sequence[Event], symbols: Mapping[str, int], days: Days, grid: Grid) -> tuple[Ints, Ints, list[str]]:
    """The bar and the frame row at which each event takes effect: its asset's first bar whose session is on or after its date.

    Args:
        events: checked events of known assets.
        symbols: column by symbol.
        days: (rows,) session of each row.
        grid: where the rows lie.

    Returns:
        (events, 5) Int64 (bar, column, kind, numerator, denominator) sorted by bar, column, kind, order given; the row of each;
        sentences about the events that take no effect.
    """
    resolved: list[tuple[int, int, int, int, int, int, int]] = []
    early: list[Event] = []
    late: list[Event] = []
    for order, event in enumerate(events):
        column, day = symbols[event.asset], event.ts // DAY
        first, stop = int(grid.offsets[column]), int(grid.offsets[column + 1])
        if day < days[first]:
            early.append(event)
            continue
        row = first + int(np.searchsorted(days[first:stop], day))
        if row == stop:
            late.append(event)
            continue
        resolved.append((int(grid.row_bar[row]), column, KINDS[event.kind], order, event.numerator, event.denominator, row))
    resolved.sort()
    table = np.array([(bar, column, kind, up, down) for bar, column, kind, _, up, down, _ in resolved], dtype=np.int64).reshape(-1, 5)
    notes = [_ignored(group, when) for group, when in ((early, "before the first"), (late, "after the last")) if group]
    return table, np.array([row[-1] for row in resolved], dtype=np.int64), notes


def _ignored(group: Sequence[Event], when: str) -> str:
    first = f"{group[0].kind} of {group[0].asset!r}, {_day(group[0])}"
    return f"{len(group)} events {when} bar of their asset take no effect (first: {first})."


def _day(event: Event) -> np.datetime64:
    return np.datetime64(event.ts // DAY, "D")


def _dates(column: pl.Series) -> Sequence[int | None]:
    """Days since 1970-01-01 of the ex-dates."""
    dtype = column.dtype
    if isinstance(dtype, pl.Datetime):
        column = column.dt.replace_time_zone(None).dt.date()
    elif dtype == pl.String:
        try:
            column = column.str.to_date("%Y-%m-%d")
        except pl.exceptions.PolarsError as error:
            raise DataError("ts holds text that is not a date", where="events", do='write dates like "2005-02-28"') from error
    elif dtype != pl.Date:
        raise DataError(f"ts holds {dtype}, not dates", where="events", do="give the ex-date as a Date")
    return column.to_physical().to_list()


def _event(asset: str | None, day: int | None, kind: str | None, value: str | None, where: str) -> Event:
    if asset is None or day is None or kind is None:
        raise DataError("an event has a null key", where=where, do=REPAIR)
    try:
        up, down = _number(value or "nan", kind == "split")
    except (InvalidOperation, ValueError, OverflowError):
        what = f"the value {value} of the {kind} is not a finite number"
        raise DataError(what, where=f"{where}, asset {asset!r}", do=REPAIR) from None
    return _checked(Event(asset, day * DAY, kind, up, down), where)


@lru_cache(maxsize=65536)
def _number(text: str, ratio: bool) -> tuple[int, int]:
    """The fraction that a number means: as printed, or for a ratio the nearest with a denominator up to a million."""
    number = Fraction(Decimal(text))
    return (number.limit_denominator(10**6) if ratio else number).as_integer_ratio()


def _checked(event: Event, where: str = "events") -> Event:
    fits = 0 < event.numerator < LIMIT and 0 < event.denominator < LIMIT
    if event.kind in KINDS and fits:
        return event
    place = f"{where}, asset {event.asset!r}, {_day(event)}"
    if event.kind not in KINDS:
        raise DataError(f"unknown kind of event {event.kind!r}", where=place, do=f"use {' or '.join(KINDS)}")
    what = "ratio" if event.kind == "split" else "amount"
    if event.numerator <= 0 or event.denominator <= 0:
        raise DataError(f"{what} {event.numerator}/{event.denominator} of the {event.kind} is not positive", where=place, do=REPAIR)
    raise DataError(f"the {what} of the {event.kind} does not fit", where=place, do="write it with fewer digits")
