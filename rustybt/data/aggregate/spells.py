"""Trading hours as spells, and the instant at which the bar that a row belongs to is complete."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.data.aggregate.every import MONDAY, Every
from rustybt.data.calendars import sessions
from rustybt.data.hours import DAY
from rustybt.data.spans import Sessions
from rustybt.model.panel import Ints

FAR = 2**62
STAMP = pl.Datetime("us", "UTC")


@dataclass(frozen=True)
class Spells:
    """Stretches of time that no bar reaches over.

    Attributes:
        starts, ends: (spells,) Int64 UTC microseconds, in order; the last two are beyond all time.
        origins: from where bars within the spell are counted.
        limits: when the bar of the whole spell is complete: its end, or the close of the last session of its week or month.
        closing: whether a trade at the very end belongs to the spell, because trading does not go on at that instant.
        sessions: what they were made from.
    """

    starts: Ints
    ends: Ints
    origins: Ints
    limits: Ints
    closing: npt.NDArray[np.bool_]
    sessions: Sessions


def spells_of(code: str, first: int, last: int, every: Every, *, keep: bool, clock: bool) -> Spells:
    """The spells of a calendar around a span.

    Args:
        code: of the calendar.
        first: UTC microseconds of the first row.
        last: the same of the last.
        every: length of the bars.
        keep: whether the time outside of trading hours makes spells of its own.
        clock: whether bars within a spell are counted from the venue's midnight, not from the start of the spell.

    Raises:
        DataError: the calendar does not cover the span, to the end of its last week or month.
    """
    found = sessions(code, *_reach(first, last, every))
    final = _period_closes(found, every)
    starts = np.stack([found.opens, found.break_ends], axis=1).ravel()
    ends = np.stack([found.break_starts, found.closes], axis=1).ravel()
    limits = ends if final is None else np.repeat(final, 2)
    there = starts < ends
    starts, ends, limits = starts[there], ends[there], limits[there]
    trading = np.ones(len(starts), dtype=np.bool_)
    if keep:
        gap = ends[:-1] < starts[1:]
        order = np.argsort(np.concatenate([starts, ends[:-1][gap]]), kind="stable")
        between = starts[1:] if final is None else limits[1:]
        parts = ((starts, ends[:-1]), (ends, starts[1:]), (limits, between), (trading, ~trading[1:]))
        starts, ends, limits, trading = (np.concatenate([mine, other[gap]])[order] for mine, other in parts)
    goes_on = np.append((starts[1:] == ends[:-1]) & trading[1:], False)
    origins = starts - _since_midnight(starts, found.zone) % every.length if clock and every.kind == "clock" else starts
    beyond = np.full(2, FAR, dtype=np.int64)
    starts, ends, origins, limits = (np.concatenate([part, beyond]) for part in (starts, ends, origins, limits))
    return Spells(starts, ends, origins, limits, np.concatenate([trading & ~goes_on, [False, False]]), found)


def _reach(first: int, last: int, every: Every) -> tuple[int, int]:
    """First and last day that the calendar must know."""
    begin, end = first // DAY - 1, last // DAY + 1
    if every.kind == "weeks":
        end += 7
    if every.kind == "months":
        month = np.datetime64(end, "D").astype("datetime64[M]").astype(np.int64)
        size = every.length
        end = int(np.datetime64(int((month // size + 1) * size), "M").astype("datetime64[D]").astype(np.int64)) - 1
    return begin, end


def _period_closes(found: Sessions, every: Every) -> Ints | None:
    """When the week or month of each session closes; None for bars within a session."""
    if every.kind == "days":
        return found.closes
    if every.kind == "weeks":
        period = (found.days.astype(np.int64) * DAY - MONDAY) // (7 * DAY)
    elif every.kind == "months":
        period = found.days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) // every.length
    else:
        return None
    last = np.append(np.flatnonzero(np.diff(period)), len(period) - 1)
    closes: Ints = found.closes[last[np.searchsorted(last, np.arange(len(period)))]]
    return closes


def _since_midnight(instants: Ints, zone: str) -> Ints:
    local = pl.Series(instants).cast(STAMP).dt.convert_time_zone(zone).dt.replace_time_zone(None)
    found: Ints = local.to_physical().to_numpy() % DAY
    return found


def place(ts: pl.Expr, spells: Spells, left: bool) -> pl.Expr:
    """Number of the spell of each row, null outside of all; ``left``: a row at the start of a spell belongs to it (a trade, not a bar)."""
    starts, ends = pl.lit(pl.Series(spells.starts)), pl.lit(pl.Series(spells.ends))
    first = ends.search_sorted(ts, side="left")
    if not left:
        return pl.when(ts > starts.gather(first)).then(first)
    at_close = (ends.gather(first) == ts) & pl.lit(pl.Series(spells.closing)).gather(first)
    number = pl.when(at_close).then(first).otherwise(ends.search_sorted(ts, side="right"))
    return pl.when(ts >= starts.gather(number)).then(number)


def end_in_spell(ts: pl.Expr, number: pl.Expr, spells: Spells, every: Every, left: bool) -> pl.Expr:
    """When the bar of each row is complete, in UTC microseconds, by its spell."""
    limit = pl.lit(pl.Series(spells.limits)).gather(number)
    if every.kind != "clock":
        return limit
    origin = pl.lit(pl.Series(spells.origins)).gather(number)
    return pl.min_horizontal(next_edge(ts, origin, every.length, left), limit)


def end_by_clock(ts: pl.Expr, every: Every, left: bool) -> pl.Expr:
    """When the bar of each row is complete, in UTC microseconds, without a calendar: days, weeks and months of UTC."""
    if every.kind == "months":
        inside = (ts if left else ts - 1).cast(STAMP)
        return inside.dt.truncate(f"{every.length}mo").dt.offset_by(f"{every.length}mo").to_physical()
    unit = {"clock": 1, "days": DAY, "weeks": 7 * DAY}[every.kind]
    return next_edge(ts, pl.lit(MONDAY if every.kind == "weeks" else 0, dtype=pl.Int64), every.length * unit, left)


def next_edge(ts: pl.Expr, origin: pl.Expr, length: int, left: bool) -> pl.Expr:
    """The first edge at or after each instant, or with ``left`` the first after it."""
    return origin + ((ts - origin) // length + 1) * length if left else origin - ((origin - ts) // length) * length


def session_closes(days: pl.Expr, found: Sessions | None) -> pl.Expr:
    """The instants at which the bars of dates are complete, in UTC microseconds; ``days`` since 1970-01-01."""
    ends = (days.cast(pl.Int64) + 1) * DAY - 1
    if found is None:
        return ends
    known = pl.lit(pl.Series(found.days))
    at = pl.min_horizontal(known.search_sorted(days, side="left"), pl.lit(len(found.days) - 1, dtype=pl.UInt32))
    return pl.when(known.gather(at) == days).then(pl.lit(pl.Series(found.closes)).gather(at)).otherwise(ends)
