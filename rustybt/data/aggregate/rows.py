"""The rows of a source, in order, each with the bar that it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import polars as pl

from rustybt.data.aggregate.columns import How, Plan, plan_of
from rustybt.data.aggregate.every import Every, read_every
from rustybt.data.aggregate.spells import STAMP, Spells, end_by_clock, end_in_spell, place, session_closes, spells_of
from rustybt.data.calendars import Calendar, code_of
from rustybt.data.spans import Sessions
from rustybt.data.stamps import microseconds
from rustybt.errors import ConfigError, DataError

STAMPS, OUTSIDE, ANCHORS = ("open", "close", "session"), ("drop", "keep"), ("session", "clock")
Outside = Literal["drop", "keep"]
Anchor = Literal["session", "clock"]


@dataclass(frozen=True)
class Settings:
    """Every option of `rustybt.resample`, where each is explained."""

    every: str
    calendar: str | Calendar | None = None
    stamp: Literal["open", "close", "session"] = "close"
    interval: str | None = None
    outside: Outside = "drop"
    anchor: Anchor = "session"
    extras: Mapping[str, How] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "calendar", code_of(self.calendar))
        for name, known in (("stamp", STAMPS), ("outside", OUTSIDE), ("anchor", ANCHORS)):
            if (value := getattr(self, name)) not in known:
                raise ConfigError(f"unknown {name} {value!r}", where="resample", do=f"use {' or '.join(map(repr, known))}")
        if (self.stamp == "open") != (self.interval is not None):
            said = (
                "bars stamped at their start need their length" if self.stamp == "open" else "interval is for bars stamped at their start"
            )
            raise ConfigError(said, where="resample", do='give stamp="open" and interval="1m" together, or neither')
        if self.interval is not None:
            microseconds(self.interval)
        self.length  # noqa: B018 -- read once, so that a mistake is told here

    @property
    def code(self) -> str | None:
        """The code of the calendar."""
        return code_of(self.calendar)

    @property
    def length(self) -> Every:
        """How long the bars are."""
        return read_every(self.every, self.code is not None)


@dataclass(frozen=True)
class Placing:
    """How the rows of one source become rows with ``ts`` (Int64 UTC microseconds), ``asset``, raw columns and the keys of their bar.

    Attributes:
        settings: what was asked for.
        plan: what is done to the columns.
        every: length of the bars.
    """

    settings: Settings
    plan: Plan
    every: Every

    @classmethod
    def of(cls, schema: pl.Schema, settings: Settings) -> Placing:
        """The placing for a schema.

        Raises:
            DataError: the columns are not those of bars or trades, or ``ts`` names no instant.
            ConfigError: an option does not go with them.
        """
        if "ts" not in schema:
            raise DataError("column 'ts' is missing", where="resample", do="rename the column of times to ts")
        plan, dtype = plan_of(schema, settings.length, settings.extras), schema["ts"]
        dated = dtype == pl.Date or settings.stamp == "session"
        if dtype != pl.Date and not isinstance(dtype, pl.Datetime):
            raise DataError(f"ts holds {dtype}, which names no instant", where="resample", do="convert it to a Datetime in UTC first")
        if dtype == pl.Date and settings.stamp != "session":
            raise DataError("ts holds dates", where="resample", do='use stamp="session": a date is the close of its session')
        if not dated and getattr(dtype, "time_zone", None) is None:
            raise DataError(
                "ts is naive: it has no time zone", where="resample", do='pl.col("ts").dt.replace_time_zone("UTC"), if it is UTC'
            )
        if plan.ticks and settings.stamp != "close":
            raise ConfigError("trades have no length", where="resample, stamp", do="leave stamp out")
        return cls(settings, plan, settings.length)

    def span(self, frame: pl.LazyFrame) -> tuple[int, int]:
        """First and last instant of the rows, a day wider where they are dates; of no rows 0."""
        found = frame.select(self._stamp(None).min().alias("first"), self._stamp(None).max().alias("last")).collect()
        return tuple(value or 0 for value in found.row(0))  # type: ignore[return-value]

    def spells(self, first: int, last: int) -> Spells | None:
        """The trading hours around a span; None without a calendar."""
        code, asked = self.settings.code, self.settings
        if code is None:
            return None
        return spells_of(code, first, last, self.every, keep=asked.outside == "keep", clock=asked.anchor == "clock")

    def placed(self, frame: pl.LazyFrame, spells: Spells | None, until: int | None) -> pl.LazyFrame:
        """The rows in order of asset and time.

        Columns: ``ts``, ``asset``, those of the plan, ``__until`` (up to when rows are known: those without a price, and outside of trading
        hours, tell the time too), ``__spell``, ``__end`` (of the bar, by the clock), ``__amount``.
        """
        left, ts = self.plan.ticks, pl.col("ts")
        raw = [expr.alias(name) for name, expr in self.plan.raw.items()]
        amount = [] if self.plan.amount is None else [self.plan.amount.alias("__amount")]
        stamp = self._stamp(None if spells is None else spells.sessions)
        known = stamp.max() if until is None else pl.lit(until, dtype=pl.Int64)
        rows = frame.with_columns(stamp.alias("__ts"), known.alias("__until"))
        rows = rows.filter(self.plan.rows & (pl.col("__ts") <= pl.col("__until")) & pl.col("asset").is_not_null())
        rows = rows.select(pl.col("__ts").alias("ts"), "asset", "__until", *raw, *amount)
        if spells is None:
            end = pl.lit(None, dtype=pl.Int64) if self.every.amount else end_by_clock(ts, self.every, left)
            rows = rows.with_columns(pl.lit(0, dtype=pl.Int64).alias("__spell"), end.alias("__end"))
        else:
            number = pl.col("__number")
            rows = rows.with_columns(place(ts, spells, left).alias("__number")).filter(number.is_not_null())
            start = pl.lit(pl.Series(spells.starts)).gather(number)
            end = end_in_spell(ts, number, spells, self.every, left)
            rows = rows.with_columns(start.alias("__spell"), end.alias("__end")).drop("__number")
        return rows.sort("asset", "ts", maintain_order=True)

    def latest(self, frame: pl.DataFrame, spells: Spells | None) -> int | None:
        """The last instant of rows, those that do not count too."""
        found: int | None = frame.select(self._stamp(None if spells is None else spells.sessions).max()).item()
        return found

    def _stamp(self, sessions: Sessions | None) -> pl.Expr:
        ts, dtype = pl.col("ts"), self.plan.schema["ts"]
        if dtype == pl.Date or self.settings.stamp == "session":
            days = (ts if dtype == pl.Date else ts.dt.replace_time_zone(None).dt.date()).to_physical()
            return session_closes(days, sessions)
        at = ts.dt.convert_time_zone("UTC").dt.cast_time_unit("us").to_physical()
        return at if self.settings.interval is None else at + microseconds(self.settings.interval)

    def bars(self, combined: pl.LazyFrame) -> pl.LazyFrame:
        """The bars from ``__at``, ``asset`` and combined columns."""
        return combined.select(pl.col("__at").cast(STAMP).alias("ts"), "asset", *self.plan.final)


def instant(given: datetime | None, name: str) -> int | None:
    """A time as UTC microseconds.

    Raises:
        ConfigError: it has no zone.
    """
    if given is None:
        return None
    if not isinstance(given, datetime) or given.tzinfo is None:
        raise ConfigError(f"{name} {given!r} names no instant", where="resample", do="give a datetime with its zone")
    return round(given.timestamp() * 1_000_000)
