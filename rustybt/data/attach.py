"""Columns of slower frames beside the bars: at each bar the newest row that was known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from rustybt.data.calendars import Calendar, code_of, sessions
from rustybt.data.columns import ALIASES, FIELDS, RESERVED
from rustybt.data.hours import DAY
from rustybt.data.options import Options, Stamp
from rustybt.data.sources import collect, open_source
from rustybt.data.spans import Sessions, end_of
from rustybt.data.stamps import in_range, microseconds, utc
from rustybt.data.timing import Timed
from rustybt.errors import ConfigError, DataError
from rustybt.model import Panel
from rustybt.model.panel import Ints

KNOWN, PERIOD = "available_at", "period"


@dataclass(frozen=True)
class Attached:
    """A slower frame to join. Build it with `rustybt.attached`.

    Attributes:
        source: a frame or file of bars (``ts``) or of values known from an instant on (``available_at``); or a `Panel`.
        columns: which of its columns; None = all, of a panel the prices and volume.
        max_age: how old a row may be; None = as old as it is.
        stamp, calendar, interval, timezone: what its ``ts`` says, as in `rustybt.load`.
    """

    source: Any
    columns: tuple[str, ...] | None = None
    max_age: timedelta | None = None
    stamp: Stamp | None = None
    calendar: str | Calendar | None = None
    interval: str | None = None
    timezone: str | None = None

    def __post_init__(self) -> None:
        where = "attached"
        if (self.stamp == "open") != (self.interval is not None):
            raise ConfigError(
                "bars stamped at their start need their length", where=where, do='give stamp="open" and interval="1d" together'
            )
        if self.interval is not None:
            microseconds(self.interval)
        if self.max_age is not None and self.max_age <= timedelta(0):
            raise ConfigError(f"max_age {self.max_age} is not positive", where=where, do='write it like "5d"')


@dataclass(frozen=True)
class Known:
    """Rows in order, each with the instant from which it is known.

    Attributes:
        at: (rows,) Int64 UTC microseconds.
        asset: of each row; None = the rows are of no asset and go to all.
        values: the columns.
    """

    at: pl.Series
    asset: pl.Series | None
    values: pl.DataFrame


def attach_to(timed: Timed, attach: Mapping[str, Any], calendar: str | None, taken: Sequence[str]) -> tuple[Timed, list[str], list[str]]:
    """The rows of a panel with the columns of slower frames.

    Args:
        timed: the rows of the panel.
        attach: frames by name.
        calendar: of the panel; dates of frames without their own are its sessions.
        taken: names that the panel's extra columns have already.

    Returns:
        The rows, the names of the new columns, and sentences for the user. Of a frame ``x`` the columns are ``x_<column>``, and ``x_ts``:
        since when the row is known.

    Raises:
        DataError: a frame cannot be used.
        ConfigError: a name or an option is wrong.
    """
    frame = timed.keyed.frame
    names: list[str] = []
    notes: list[str] = []
    for name, given in attach.items():
        if not name.isidentifier():
            raise ConfigError(
                f"attach has the name {name!r}", where="load, attach", do='use letters, digits and _: attach={"daily": frame}'
            )
        asked = given if isinstance(given, Attached) else Attached(given)
        known = read_known(name, asked, calendar)
        columns = as_of(frame["asset"].cast(pl.String), timed.ts, name, known, asked.max_age)
        if clash := sorted({column.name for column in columns} & {*RESERVED, *taken, *names}):
            raise ConfigError(f"attach makes a column {clash[0]!r}, which is there already", where="load, attach", do="use another name")
        frame, names = frame.hstack(columns), [*names, *(column.name for column in columns)]
        never = columns[-1].null_count()
        told = f" {never} of {frame.height} bars have none yet." if never else ""
        notes.append(f"Columns {name}_* are joined as of the instant at which they were known.{told}")
    return replace(timed, keyed=replace(timed.keyed, frame=frame)), names, notes


def read_known(name: str, asked: Attached, calendar: str | None) -> Known:
    """The rows of a slower frame in order of asset and time.

    Raises:
        DataError: it cannot be read, its times name no instants, or two rows of an asset are known from the same instant.
        ConfigError: a chosen column is not there.
    """
    where, panel = f"load, attach, {name!r}", asked.source if isinstance(asked.source, Panel) else None
    frame = panel.frame.with_columns(pl.col("asset").cast(pl.String)) if panel is not None else _opened(asked.source)
    if not frame.height:
        raise DataError("the frame has no rows", where=where, do="check the file, or the filter that made it")
    when = KNOWN if KNOWN in frame.columns else _find(frame, "ts", where)
    asset = _find(frame, "asset", where, needed=False)
    at = _instants(frame, when, asked, code_of(asked.calendar) or calendar, where)
    chosen = asked.columns
    if chosen is None and panel is not None:
        chosen = FIELDS
    values = [column for column in frame.columns if column not in (when, asset, "ts")] if chosen is None else list(chosen)
    if missing := [column for column in values if column not in frame.columns]:
        raise ConfigError(
            f"column {missing[0]!r} is missing; the frame has {', '.join(frame.columns[:20])}", where=where, do="correct columns"
        )
    values = [column for column in values if not (frame[column].dtype.is_nested() or frame[column].dtype == pl.Object)]
    if not values:
        raise DataError(
            "the frame has no column to join", where=where, do="give columns beside ts and asset; lists and structs are left out"
        )
    if asset is not None and (nulls := frame[asset].null_count()):
        raise DataError(f"{nulls} rows have a null asset", where=where, do="repair or drop them")
    owner = pl.lit("") if asset is None else pl.col(asset).cast(pl.String)
    table = frame.select(*values, owner.alias("__asset")).with_columns(at.alias("__at"))
    period = frame[PERIOD] if when == KNOWN and PERIOD in frame.columns else None
    table = _newest(table, period, where)
    return Known(table["__at"], None if asset is None else table["__asset"], table.drop("__at", "__asset"))


def as_of(assets: pl.Series, ts: Ints, name: str, known: Known, max_age: timedelta | None) -> list[pl.Series]:
    """The columns at each bar: those of the last row that was known at ``ts`` and is not too old; null where there is none.

    Args:
        assets: (rows,) of each bar.
        ts: (rows,) UTC microseconds at which it is complete.
        name: what the columns begin with.
        known: sorted by asset and time.
        max_age: how old a row may be.
    """
    row = np.full(len(ts), -1, dtype=np.int64)
    at = known.at.to_numpy()
    if known.asset is None:
        row = np.searchsorted(at, ts, side="right") - 1
    else:
        spans = _runs(known.asset)
        for asset, (start, stop) in _runs(assets).items():
            if asset in spans:
                first, last = spans[asset]
                found = np.searchsorted(at[first:last], ts[start:stop], side="right") - 1
                row[start:stop] = np.where(found < 0, -1, found + first)
    there = row >= 0
    if max_age is not None:
        there &= ts - at[np.maximum(row, 0)] <= max_age // timedelta(microseconds=1)
    taken = pl.Series(np.where(there, row, 0)).cast(pl.UInt32)
    whole = known.values.with_columns(known.at.cast(pl.Datetime("us", "UTC")).alias("ts"))[taken]
    mask = pl.Series(there)
    return whole.select(pl.when(mask).then(pl.col(column)).alias(f"{name}_{column}") for column in whole.columns).get_columns()


def _runs(assets: pl.Series) -> dict[str, tuple[int, int]]:
    """First row of each asset and the row behind its last, of rows that are sorted by asset."""
    if not len(assets):
        return {}
    edges = [0, *(np.flatnonzero((assets != assets.shift(1)).fill_null(value=False).to_numpy())).tolist(), len(assets)]
    return {assets[first]: (first, last) for first, last in pairwise(edges) if first < last}


def _opened(source: Any) -> pl.DataFrame:
    return collect(open_source(source))


def _find(frame: pl.DataFrame, field: str, where: str, *, needed: bool = True) -> str | None:
    wanted = (field, *ALIASES[field])
    like = [column for column in frame.columns if column.lower() in wanted]
    if field in like:
        return field
    if len(like) > 1 or (needed and not like):
        do = f'rename one column to {field!r}, or to "available_at" when rows are known from an instant on'
        raise DataError(f"the frame has no column {field!r}" if not like else f"columns {like} could all be {field!r}", where=where, do=do)
    return like[0] if like else None


def _instants(frame: pl.DataFrame, when: str | None, asked: Attached, calendar: str | None, where: str) -> pl.Series:
    """From when each row is known, UTC microseconds."""
    assert when is not None
    column = frame[when]
    if nulls := column.null_count():
        raise DataError(f"{nulls} rows have a null {when}", where=where, do="repair or drop them")
    stamps, _, dated = utc(column.alias("ts"), Options(stamp=asked.stamp, timezone=asked.timezone), where)
    at: Ints = stamps.to_physical().to_numpy()
    in_range(at, where)
    if not dated:
        return pl.Series(at + (0 if asked.interval is None else microseconds(asked.interval)))
    days = (at // DAY).astype(np.int32)
    found = None if calendar is None else sessions(calendar, int(days.min()), int(days.max()))
    if when == KNOWN:
        return pl.Series(_midnights(days, found))
    return pl.Series(end_of(days) if found is None else found.close_of(days)[0])


def _midnights(days: np.ndarray[tuple[int], np.dtype[np.int32]], found: Sessions | None) -> Ints:
    """The end of dates where the venue is: what is known on a date without a time may be known at its very end only."""
    ends = end_of(days)
    if found is None:
        return ends
    local = pl.Series(ends + 1).cast(pl.Datetime("us")).dt.replace_time_zone(found.zone, ambiguous="latest", non_existent="null")
    placed: Ints = (local.to_physical() - 1).fill_null(pl.Series(ends + DAY)).to_numpy()
    return placed


def _newest(table: pl.DataFrame, period: pl.Series | None, where: str) -> pl.DataFrame:
    """The rows by asset and instant; where they have a period, without those about a period before the newest that was known by then."""
    if period is not None:
        table = table.with_columns(period.alias("__period"))
        table = table.sort("__asset", "__at", "__period", maintain_order=True, nulls_last=False)
        table = table.filter((pl.col("__period") >= pl.col("__period").cum_max().over("__asset")).fill_null(value=False))
        return table.drop("__period").unique(["__asset", "__at"], keep="last", maintain_order=True)
    table = table.sort("__asset", "__at", maintain_order=True)
    twice = table.select(pl.struct("__asset", "__at").is_duplicated()).to_series()
    if twice.any():
        first = table.filter(twice).row(0, named=True)
        said = f"{first['__asset']!r}, " if first["__asset"] else ""
        do = f'keep one; of rows that revise others give a column "{PERIOD}": the newest period counts, in its last version'
        raise DataError(f"{int(twice.sum())} rows are known from the same instant", where=f"{where}, {said}{first['__at']} us", do=do)
    return table
