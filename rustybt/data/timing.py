"""Rows in order, each with the instant at which it is known and the session it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from rustybt.data.blocks import blocks, compact
from rustybt.data.calendars import code_of, sessions
from rustybt.data.hours import DAY, Days
from rustybt.data.metadata import days_of
from rustybt.data.options import Options
from rustybt.data.rows import Keyed, Mask, check_unique, key_rows, moment
from rustybt.data.spans import Sessions, end_of
from rustybt.data.stamps import complete, in_range, utc
from rustybt.errors import ConfigError, DataError
from rustybt.model.panel import Ints


@dataclass(frozen=True)
class Timed:
    """Sorted rows with the times at which they count.

    Attributes:
        keyed: the rows.
        ts: (rows,) Int64 UTC microseconds: instants at which bars are complete.
        days: (rows,) Int32 days since 1970-01-01: their sessions.
        calendar: sessions of the exchange, or None.
        notes: sentences about what was assumed.
    """

    keyed: Keyed
    ts: Ints
    days: Days
    calendar: Sessions | None
    notes: tuple[str, ...]

    @cached_property
    def offsets(self) -> Ints:
        """(assets + 1,) first row of each asset."""
        edges = np.arange(len(self.keyed.symbols) + 1, dtype=self.keyed.codes.dtype)  # of another type the codes would be copied
        return np.searchsorted(self.keyed.codes, edges).astype(np.int64)


def time_rows(frame: pl.DataFrame, options: Options, where: str) -> Timed:
    """Sorts rows and gives them their instants and sessions.

    Args:
        frame: ``ts`` as it came, ``asset`` text, other columns.
        options: stamp, calendar, interval, timezone, start and end.
        where: what to name in an error.

    Raises:
        DataError: times without a zone, null or repeated keys, an interval or a calendar that cannot be known, or no rows
            between start and end.
    """
    stamps, notes, dated = utc(frame["ts"], options, where)
    came = frame.with_columns(stamps.alias("ts"))
    keyed = key_rows(came, where)
    in_range(keyed.stamps, where)
    ts, more = complete(keyed.stamps, keyed.codes, keyed.symbols, options)
    notes += [*keyed.notes, *more]
    if options.stamp is None and not dated:
        notes.append(unstamped(midnight=not (ts % DAY).any()))
    calendar = _calendar(ts, options)
    ts, days, outside = _place(ts, calendar, options, dated)
    check_unique(keyed, ts, where, dated, came if options.selection is None else None)
    if calendar is not None and len(outside):
        row = int(outside[0])
        first = f"asset {keyed.symbols[keyed.codes[row]]!r}, {moment(int(keyed.stamps[row]))}"
        notes.append(f"{len(outside)} bars lie outside the sessions of {calendar.name} (first: {first}); they were kept.")
    timed = Timed(keyed, ts, days, calendar, tuple(notes))
    keep = wanted(timed, options)
    if keep is None or keep.all():
        return timed
    if not keep.any():
        span = f"{np.datetime64(int(days.min()), 'D')} to {np.datetime64(int(days.max()), 'D')}"
        first = "the first bar" if options.start is None else f"start {options.start}"
        last = "the last bar" if options.end is None else f"end {options.end}"
        raise DataError(f"no bar lies between {first} and {last}", where=where, do=f"the source covers {span}")
    return narrow(timed, keep)


def unstamped(*, midnight: bool) -> str:
    """What is assumed of times of which the user said nothing.

    Args:
        midnight: whether all are at 00:00.
    """
    look = " All are at 00:00, so they look like sessions." if midnight else ""
    said = f"No stamp was given: ts is taken as the instant at which each bar is complete.{look}"
    return f'{said} Say stamp="open", "close" or "session".'


def narrow(timed: Timed, keep: Mask, *, owned: bool = False) -> Timed:
    """The rows of a mask; assets without a row leave.

    Args:
        timed: the rows.
        keep: (rows,).
        owned: nobody else has the arrays, so that rows are taken out in place; the frame they came from is then not to be read.
    """
    old = timed.keyed
    codes = compact(old.codes, keep, owned=owned)
    left = np.flatnonzero(np.bincount(codes, minlength=len(old.symbols)))
    symbols = tuple(old.symbols[i] for i in left.tolist())
    frame = old.frame.filter(pl.Series(keep))
    if len(symbols) < len(old.symbols):
        frame = frame.with_columns(pl.col("asset").cast(pl.String).cast(pl.Enum(symbols)))
        codes = np.searchsorted(left, codes).astype(np.uint32)
    stamps = compact(old.stamps, keep, owned=owned)
    ts = stamps if timed.ts is old.stamps else compact(timed.ts, keep, owned=owned)
    keyed = Keyed(frame, symbols, codes, stamps, old.notes)
    return Timed(keyed, ts, compact(timed.days, keep, owned=owned), timed.calendar, timed.notes)


def _calendar(ts: Ints, options: Options) -> Sessions | None:
    code = code_of(options.calendar)
    if code is None:
        return None
    return sessions(code, int(ts.min() // DAY), int(ts.max() // DAY))


def _place(ts: Ints, calendar: Sessions | None, options: Options, dated: bool) -> tuple[Ints, Days, Ints]:
    """Instants, sessions, and the rows that the calendar does not know."""
    if dated:
        days: Days = (ts // DAY).astype(np.int32)
        if calendar is None:
            return end_of(days), days, np.zeros(0, dtype=np.int64)
        closes, known = calendar.close_of(days)
        return closes, days, np.flatnonzero(~known)
    if calendar is None:
        days = np.empty(len(ts), dtype=np.int32)
        for part in blocks(len(ts)):
            days[part] = (ts[part] - (options.stamp is not None)) // DAY
        return ts, days, np.zeros(0, dtype=np.int64)
    days, inside = calendar.session_of(ts)
    return ts, days, np.flatnonzero(~inside)


def wanted(timed: Timed, options: Options) -> Mask | None:
    """Rows between start and end: by session for a date, by instant for a time; both ends belong."""
    keep: Mask | None = None
    for name, sign in (("start", 1), ("end", -1)):
        bound = getattr(options, name)
        if bound is None:
            continue
        instant = instant_of(bound, name)
        inside = sign * timed.ts >= sign * instant if instant is not None else sign * timed.days >= sign * days_of(bound, name)
        keep = inside if keep is None else keep & inside
    return keep


def instant_of(bound: Any, name: str) -> int | None:
    """UTC microseconds of a time with its zone; None for a date.

    Raises:
        ConfigError: it is neither.
    """
    if isinstance(bound, str) and len(bound) > len("2005-02-28"):
        try:
            bound = datetime.fromisoformat(bound)
        except ValueError:
            raise ConfigError(
                f"{name} {bound!r} is not a time", where=name, do='write it like "2005-02-28" or "2005-02-28T14:30:00Z"'
            ) from None
    if not isinstance(bound, datetime):
        return None
    if bound.tzinfo is None:
        raise ConfigError(
            f"{name} {bound} is naive: it has no time zone", where=name, do='add its zone, or give a date such as "2005-02-28"'
        )
    return round(bound.timestamp() * 1_000_000)
