"""Bring the times of a source to the one meaning they have inside: the instant at which the bar is complete."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.data.hours import DAY
from rustybt.data.options import Options
from rustybt.errors import ConfigError, DataError
from rustybt.model.panel import Ints

Codes = npt.NDArray[np.uint32]
FIRST, LAST = (int(np.datetime64(day, "us").astype(np.int64)) for day in ("0002-01-01", "9999-01-01"))
UNITS = {"s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": DAY, "w": 7 * DAY}
LENGTHS = (
    "1s", "5s", "10s", "15s", "30s", "1m", "2m", "3m", "5m", "10m", "15m", "20m", "30m",
    "1h", "2h", "3h", "4h", "6h", "8h", "12h", "1d", "1w",
)  # fmt: skip
"""Bar lengths that are believed when they are inferred from the spacing of bars."""


def check_words(interval: str | None, timezone: str | None) -> None:
    """Refuse an interval or a zone that there is none of, whether the bars need one or not.

    Raises:
        ConfigError: naming it.

    Example:
        >>> check_words("5m", "America/New_York")
    """
    if interval is not None:
        microseconds(interval)
    if timezone is not None:
        try:
            pl.Series([0]).cast(pl.Datetime("us")).dt.replace_time_zone(timezone)
        except (pl.exceptions.PolarsError, TypeError):
            do = 'name it like "UTC" or "America/New_York"'
            raise ConfigError(f"there is no time zone {timezone!r}", where="timezone", do=do) from None


def microseconds(interval: str) -> int:
    """Length of an interval such as ``"5m"``, ``"1h"`` or ``"1d"``.

    Raises:
        ConfigError: it is not a whole number with a unit.

    Example:
        >>> microseconds("5m")
        300000000
    """
    number, unit = (interval[:-1], interval[-1:]) if isinstance(interval, str) else ("", "")
    if not number.isdigit() or int(number) < 1 or unit not in UNITS:
        raise ConfigError(f"interval {interval!r} is not understood", where="interval", do='write it like "1m", "5m", "1h" or "1d"')
    return int(number) * UNITS[unit]


def in_range(stamps: Ints, where: str) -> None:
    """Refuse stamps that no date can hold.

    Raises:
        DataError: a stamp before the year 2 or after the year 9998.
    """
    if len(stamps) and (stamps.min() < FIRST or stamps.max() > LAST):
        outside = (stamps < FIRST) | (stamps > LAST)
        first = str(np.datetime64(int(stamps[outside][0]), "us"))
        do = "check the unit that it was written in: seconds, milli-, micro- or nanoseconds"
        raise DataError(f"ts {first} is no date that bars can have ({int(outside.sum())} rows)", where=where, do=do)


def utc(column: pl.Series, options: Options, where: str) -> tuple[pl.Series, list[str], bool]:
    """The stamps as UTC microseconds, or as dates at 00:00 where they name a session.

    Args:
        column: the stamps as they came.
        options: ``stamp`` and ``timezone``.
        where: what to name in an error.

    Returns:
        Datetime(us, UTC) stamps, sentences about what was assumed, and whether they are session dates.

    Raises:
        ConfigError: an interval or a zone that there is none of.
        DataError: a naive time, a text, or a number: the instant cannot be known.
    """
    check_words(options.interval, options.timezone)
    dtype = column.dtype
    if dtype == pl.Date:
        if options.stamp in ("open", "close"):
            raise DataError(f"ts holds dates, and a date has no {options.stamp}", where=where, do='use stamp="session"')
        notes = [] if options.stamp == "session" else ["ts holds dates; they are read as session stamps."]
        return column.cast(pl.Datetime("us")).dt.replace_time_zone("UTC"), notes, True
    if not isinstance(dtype, pl.Datetime):
        raise DataError(f"ts holds {dtype}, which names no instant", where=where, do="convert it to a Datetime in UTC before loading")
    session = options.stamp == "session"
    if dtype.time_zone is None:
        return _zoned(column, options, where), [], session
    if session:
        return column.dt.replace_time_zone(None).dt.truncate("1d").dt.cast_time_unit("us").dt.replace_time_zone("UTC"), [], True
    known = dtype.time_zone in ("UTC", "Etc/UTC", "GMT", "+00:00")
    notes = [] if known else [f"Times in {dtype.time_zone} were converted to UTC."]
    return column.dt.convert_time_zone("UTC").dt.cast_time_unit("us"), notes, False


def _zoned(column: pl.Series, options: Options, where: str) -> pl.Series:
    if options.stamp == "session":
        midnight = column.drop_nulls().dt.truncate("1d") == column.drop_nulls()
        if midnight.all():
            return column.dt.cast_time_unit("us").dt.replace_time_zone("UTC")
    elif options.timezone is not None:
        try:
            return column.dt.replace_time_zone(options.timezone).dt.convert_time_zone("UTC").dt.cast_time_unit("us")
        except pl.exceptions.PolarsError as error:
            raise unplaced(column, options.timezone, where) from error
    fix = 'if they are UTC, pass timezone="UTC"; else name their zone, such as timezone="America/New_York"'
    raise DataError("ts is naive: it has no time zone", where=where, do=fix if options.stamp != "session" else "stamp sessions with dates")


def unplaced(times: pl.Series, zone: str, where: str) -> DataError:
    """The one message for a time that its zone does not have, or has twice, as clocks are changed.

    Args:
        times: without a zone.
        zone: that they should be in.
        where: what to name in an error.

    Example:
        >>> from datetime import datetime
        >>> print(unplaced(pl.Series([datetime(2024, 3, 10, 2, 30)]), "America/New_York", "a.csv").what)
        2024-03-10 02:30:00 cannot be placed in 'America/New_York': clocks were put forward over it
    """
    known = times.drop_nulls()
    try:
        missing = known.filter(known.dt.replace_time_zone(zone, non_existent="null", ambiguous="earliest").is_null())
        twice = known.filter(known.dt.replace_time_zone(zone, non_existent="null", ambiguous="null").is_null())
    except pl.exceptions.PolarsError:
        what = f"times cannot be placed in {zone!r}: there is no such zone"
        return DataError(what, where=where, do='name it like "America/New_York", or give times in UTC')
    first, why = (missing[0], "clocks were put forward over it") if missing.len() else (twice[0], "it came twice, clocks were put back")
    return DataError(f"{first} cannot be placed in {zone!r}: {why}", where=where, do="give times in UTC")


def complete(stamps: Ints, codes: Codes, symbols: tuple[str, ...], options: Options) -> tuple[Ints, list[str]]:
    """Shifts bars stamped at their start by their interval.

    Args:
        stamps: (rows,) UTC microseconds, sorted within each asset.
        codes: (rows,) asset numbers, sorted.
        symbols: names of the assets.
        options: ``stamp`` and ``interval``.

    Returns:
        Instants at which the bars are complete, and sentences about what was assumed.

    Raises:
        DataError: the interval of an asset cannot be known.
    """
    if options.stamp != "open":
        return stamps, []
    if options.interval is not None:
        return stamps + microseconds(options.interval), []
    length = np.full(len(symbols), np.iinfo(np.int64).max, dtype=np.int64)
    inside = codes[1:] == codes[:-1]
    np.minimum.at(length, codes[1:][inside], np.diff(stamps)[inside])
    believed = {microseconds(text): text for text in LENGTHS}
    for code, micros in enumerate(length.tolist()):
        if micros not in believed:
            place = f"asset {symbols[code]!r}"
            seen = "it has a single bar" if micros == np.iinfo(np.int64).max else f"its smallest spacing is {micros / 1e6:g} s"
            raise DataError(f"the bar interval cannot be known: {seen}", where=place, do='pass interval="1m" or what it is')
    kinds = ", ".join(sorted({believed[m] for m in length.tolist()}, key=microseconds))
    return stamps + length[codes], [f"Bars stamped at their start were taken to last {kinds} (the smallest spacing of each asset)."]
