"""Corporate actions as a user gives them: read, made exact, and checked one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from rustybt.data.hours import DAY
from rustybt.data.metadata import Listed, check_known
from rustybt.data.sources import collect, open_source
from rustybt.errors import DataError
from rustybt.model import Event
from rustybt.model.decimals import LIMIT

REPAIR = "repair or drop the event"
COLUMNS = ("asset", "ts", "kind", "value")
OTHER, PAY, CASH, PRICE, PART = "other", "pay", "cash", "price", "part"
TAKES: dict[str, tuple[str, ...]] = {
    "split": (),
    "dividend": (PAY,),
    "spinoff": (OTHER, PRICE, PART),
    "merger": (OTHER, CASH, PRICE),
    "delisting": (),
    "expiry": (),
    "roll": (OTHER,),
    "rename": (OTHER,),
}
"""What each kind of event may say beside its value."""
RATIOS = ("split", "spinoff", "merger", "roll")
UNSAID = {"merger": "0", "roll": "1", "rename": "1"}
"""What an absent value means."""
ENDINGS = ("merger", "delisting", "expiry")
"""Events after which an asset does not trade any more."""


def read_events(source: Any) -> list[Event]:
    """Events from a frame, a file or a sequence of `Event`, checked, in the order given.

    Args:
        source: columns ``asset``, ``ts`` (the date), ``kind`` and ``value``; where a kind takes them, ``other``, ``pay``, ``cash``,
            ``price`` and ``part``; see docs/how-to/corporate-actions.md. Further columns are ignored.

    Raises:
        DataError: a column is missing, a kind is unknown, an event says too much or too little, or says it twice.
    """
    if isinstance(source, (list, tuple)) and all(isinstance(item, Event) for item in source):
        return _once([(_checked(event), "events") for event in source])
    if isinstance(source, (list, tuple)):
        raise DataError("events is a list of something else than Event", where="events", do="give a frame, a path, or a list of Event")
    try:
        frame = collect(open_source(source))
    except DataError as error:
        what = error.what.replace("bars cannot be read", "events cannot be read")
        raise DataError(what, where=error.where or "events", do=error.do) from None
    where, row_of = _place_in(source)
    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        raise DataError(f"column {missing[0]!r} is missing", where=where, do=f"give the columns {', '.join(COLUMNS)}")
    for name in ("value", CASH, PRICE, PART):
        if name in frame.columns and not (frame[name].dtype.is_numeric() or frame[name].dtype in (pl.String, pl.Null)):
            raise DataError(f"{name} holds {frame[name].dtype}", where=where, do="give numbers")
    more = {name: frame[name].cast(pl.String).to_list() for name in (OTHER, CASH, PRICE, PART) if name in frame.columns}
    if PAY in frame.columns and frame[PAY].dtype != pl.Null:
        more[PAY] = list(_dates(frame[PAY], where))
    keys = (frame["asset"].cast(pl.String), _dates(frame["ts"], where), frame["kind"].cast(pl.String), frame["value"].cast(pl.String))
    rows = []
    for i, key in enumerate(zip(*keys, strict=True)):
        place = f"{where}, {row_of(i)}"
        rows.append((_event(key, {name: column[i] for name, column in more.items()}, place), place))
    return _once(rows)


def _place_in(source: Any) -> tuple[str, Callable[[int], str]]:
    """What to call the events in an error, and one of their rows by its number."""
    if not isinstance(source, (str, Path)):
        return "events", lambda row: f"row {row}"
    text = str(source).lower().endswith((".csv", ".csv.gz"))
    return f"events {source}", lambda row: f"line {row + 2}" if text else f"row {row}"


def place_of(event: Event, where: str = "events") -> str:
    """Where an event is, in an error."""
    return f"{where}, asset {event.asset!r}, {np.datetime64(event.ts // DAY, 'D')}"


def check_listed(events: Sequence[Event], listed: Sequence[Listed]) -> None:
    """Refuses events before the day on which their asset is listed, where that is declared.

    Raises:
        DataError: naming the first.
    """
    days = {item.asset.symbol: item.first for item in listed if item.first is not None}
    for event in events:
        if event.ts // DAY < days.get(event.asset, event.ts // DAY):
            since = np.datetime64(days[event.asset], "D")
            raise DataError(f"the {event.kind} is before the listing on {since}", where=place_of(event), do=REPAIR)


def check_named(events: Sequence[Event], known: Sequence[str]) -> None:
    """Refuses events of assets, or into assets, that the source does not have.

    Args:
        events: in any order.
        known: every symbol of the source.

    Raises:
        DataError: naming the first, and how many there are.

    Example:
        >>> check_named([Event("KO", 15564 * DAY, "split", 2, 1)], ["KO", "IBM"])
    """
    have = set(known)
    strange = [(event, name) for event in events for name in (event.asset, event.other) if name is not None and name not in have]
    if not strange:
        return
    event, name = strange[0]
    many = len({id(one) for one, _ in strange})
    try:
        check_known([name], known, place_of(event))
    except DataError as error:
        more = f"; {many} events name assets that are not" if many > 1 else ""
        raise DataError(f"{error.what}, but a {event.kind} names it{more}", where=error.where, do=error.do) from None


def _once(rows: Sequence[tuple[Event, str]]) -> list[Event]:
    """Refuses what is said twice, and a second end of an asset."""
    seen: set[Any] = set()
    ended: set[str] = set()
    for event, where in rows:
        key = event if event.kind == "dividend" else (event.asset, event.ts, event.kind, event.other)
        if key in seen:
            raise DataError(f"the {event.kind} is given twice", where=place_of(event, where), do="drop one")
        if event.kind in ENDINGS and event.asset in ended:
            raise DataError(
                f"a {event.kind} of an asset that ends already", where=place_of(event, where), do="keep one merger, delisting or expiry"
            )
        seen.add(key)
        ended |= {event.asset} if event.kind in ENDINGS else set()
    return [event for event, _ in rows]


def _dates(column: pl.Series, where: str) -> Sequence[int | None]:
    """Days since 1970-01-01 of the ex-dates."""
    dtype = column.dtype
    if isinstance(dtype, pl.Datetime):
        column = column.dt.replace_time_zone(None).dt.date()
    elif dtype == pl.String:
        try:
            column = column.str.to_date("%Y-%m-%d")
        except pl.exceptions.PolarsError as error:
            wrong = column.filter(column.is_not_null() & column.str.to_date("%Y-%m-%d", strict=False).is_null())
            what = f"{column.name} holds the text {wrong[0]!r}, which is no date"
            raise DataError(what, where=where, do='write dates like "2005-02-28"') from error
    elif dtype != pl.Date:
        raise DataError(f"{column.name} holds {dtype}, not dates", where=where, do="give the ex-date as a Date")
    return column.to_physical().to_list()


def _event(key: tuple[str | None, int | None, str | None, str | None], more: dict[str, Any], where: str) -> Event:
    """One row of a frame."""
    asset, day, kind, value = key
    if asset is None or day is None or kind is None:
        raise DataError("an event has a null key", where=where, do=REPAIR)
    value = UNSAID.get(kind, value) if value is None else value
    what = "value"
    try:
        if kind == "stock_dividend":
            up, down = _number(value or "nan", ratio=True)
            kind, up = "split", up + down if up > 0 else up
        elif value is None and kind in ENDINGS:
            up, down = 0, 0
        else:
            up, down = _number(value or "nan", kind in RATIOS)
        numbers = {}
        for name in (CASH, PRICE, PART):
            if (text := more.get(name)) is not None:
                what, value = name, text
                numbers[name] = Decimal(text)
                Fraction(numbers[name])
    except (InvalidOperation, ValueError, OverflowError):
        said = f"the {what} {value} of the {kind} is not a finite number"
        raise DataError(said, where=f"{where}, asset {asset!r}", do=REPAIR) from None
    pay = None if more.get(PAY) is None else more[PAY] * DAY
    return _checked(Event(asset, day * DAY, kind, up, down, more.get(OTHER), pay, **numbers), where)


@lru_cache(maxsize=65536)
def _number(text: str, ratio: bool) -> tuple[int, int]:
    """The fraction that a number means: as printed, or for a ratio the nearest with a denominator up to a million."""
    number = Fraction(Decimal(text))
    return (number.limit_denominator(10**6) if ratio else number).as_integer_ratio()


def _checked(event: Event, where: str = "events") -> Event:
    """The event, if it says what its kind needs, and no more."""
    place, kind = place_of(event, where), event.kind
    if kind not in TAKES:
        raise DataError(f"unknown kind of event {kind!r}", where=place, do=f"use {', '.join(TAKES)} or stock_dividend")
    for name in (OTHER, PAY, CASH, PRICE, PART):
        if getattr(event, name) is not None and name not in TAKES[kind]:
            raise DataError(f"a {kind} takes no {name} ({getattr(event, name)})", where=place, do=f"leave {name} empty")
    _check_value(event, place)
    shares = kind != "merger" or event.numerator != 0
    if OTHER in TAKES[kind] and shares and (event.other is None or event.other == event.asset):
        raise DataError(f"a {kind} into {event.other!r}", where=place, do="name the other asset in the column other")
    if kind == "merger" and not shares and (event.other is not None or event.cash is None):
        raise DataError(
            "a merger that gives no shares and no cash, or shares without a ratio", where=place, do="give value, or cash, or both"
        )
    for name, low, high in ((CASH, 0, LIMIT), (PRICE, 0, LIMIT), (PART, 0, 1)):
        number = getattr(event, name)
        if number is not None and not low < number < high:
            raise DataError(f"{name} {number} of the {kind} is not between {low} and {high}", where=place, do=REPAIR)
    if event.pay is not None and event.pay < event.ts:
        raise DataError(f"the pay date {np.datetime64(event.pay // DAY, 'D')} is before the ex-date", where=place, do=REPAIR)
    return event


def _check_value(event: Event, place: str) -> None:
    """The number of an event is one that its kind can have."""
    what, least = "ratio" if event.kind in RATIOS else "amount", 0 if event.kind in ENDINGS else 1
    if event.kind in ("delisting", "expiry") and event.denominator == 0:
        return
    if event.numerator < least or event.denominator <= 0:
        raise DataError(f"{what} {event.numerator}/{event.denominator} of the {event.kind} is not positive", where=place, do=REPAIR)
    if event.numerator >= LIMIT or event.denominator >= LIMIT:
        raise DataError(f"the {what} of the {event.kind} does not fit", where=place, do="write it with fewer digits")
