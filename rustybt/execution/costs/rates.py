"""Rates as users write them: a number, a mapping of symbols, or a frame of dates."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Any

import polars as pl

from rustybt.errors import ConfigError
from rustybt.model.decimals import RATE, to_decimal
from rustybt.model.tables import MOST_RATE

EVERY = "*"
"""In place of a symbol: all assets that have no rate of their own."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SHORT = 20
"""The most rows that a manifest spells out."""


@dataclass(frozen=True)
class RateRow:
    """A rate from a day on.

    Attributes:
        asset: symbol, ``*`` = every one. day: since 1970-01-01, None = always.
        rate: in 1e-8 per year, None = not available, and what was in force before goes on for what is held.
        free: False: not available, at a rate for what is held.
    """

    asset: str
    day: int | None
    rate: int | None
    free: bool = True

    @property
    def available(self) -> bool:
        """Whether there is more to be had."""
        return self.free and self.rate is not None

    def to_list(self) -> list[Any]:
        """Plain values for a manifest."""
        return [self.asset, self.day, self.rate, *([] if self.free or self.rate is None else [False])]


@dataclass(frozen=True)
class RateTable:
    """Rates by asset, each in force from its day to the next one's."""

    rows: tuple[RateRow, ...] = ()

    def of(self, symbol: str) -> list[RateRow]:
        """What holds for one asset, by day; its own rows, or those for every asset."""
        own = [row for row in self.rows if row.asset == symbol] or [row for row in self.rows if row.asset == EVERY]
        return sorted(own, key=lambda row: -(10**9) if row.day is None else row.day)

    def to_list(self) -> Any:
        """Plain values for a manifest."""
        return said([row.to_list() for row in self.rows])


@dataclass(frozen=True)
class FundingRow:
    """A payment: symbol, UTC microseconds, rate in 1e-8 of the value, price that values the position (None = the last one)."""

    asset: str
    ts: int
    rate: int
    mark: Decimal | None = None

    def to_list(self) -> list[Any]:
        """Plain values for a manifest."""
        return [self.asset, self.ts, self.rate, None if self.mark is None else format(self.mark.normalize(), "f")]


def said(rows: list[Any]) -> Any:
    """Rows, or the checksum of many."""
    if len(rows) <= SHORT:
        return rows
    return {"rows": len(rows), "blake2b": hashlib.blake2b(json.dumps(rows).encode(), digest_size=16).hexdigest()}


def rate_of(given: object, where: str, least: int | None = None) -> int:
    """A rate in 1e-8. A float is read to 8 decimals, anything else has to have no more.

    Raises:
        ConfigError: no number, finer than 1e-8, beyond 1000, or below ``least``.

    Example:
        >>> rate_of("0.05", "rate"), rate_of(0.1 + 0.2, "rate")
        (5000000, 30000000)
    """
    number = to_decimal(given, where)
    if abs(number) * RATE > MOST_RATE:
        raise ConfigError(f"rate {given} is beyond 1000", where=where, do="write 5 % as 0.05")
    with localcontext() as context:
        context.prec = 80
        units = (number * RATE).to_integral_value(ROUND_HALF_EVEN)
        if units != number * RATE and not isinstance(given, float):
            raise ConfigError(f"rate {given} is finer than 1e-8", where=where, do="round it to 8 decimals")
    if least is not None and units < least:
        raise ConfigError(f"rate {given} is negative", where=where, do="give zero or more: it is paid, not received")
    return int(units)


def read_rates(given: object, where: str, *, by_asset: bool, least: int | None = None) -> RateTable:
    """A checked table of rates.

    Args:
        given: a number, a mapping of symbols (currencies) to numbers, a frame, or None.
        where: how errors call it.
        by_asset: whether rates may differ by asset; else they may by currency.
        least: the least rate that makes sense.

    Raises:
        ConfigError: naming the row.
    """
    if given is None:
        return RateTable()
    if isinstance(given, Mapping):
        if not given:
            what = ("assets", "asset") if by_asset else ("currencies", "currency")
            raise ConfigError(f"a mapping of 0 {what[0]}", where=where, do=f"name at least one {what[1]}")
        missing = [k for k, v in given.items() if v is None and not by_asset]
        if missing:
            raise ConfigError(f"no rate of {missing[0]!r}", where=where, do="leave the currency out")
        return RateTable(
            tuple(RateRow(str(k), None, None if v is None else rate_of(v, f"{where}, {k!r}", least)) for k, v in given.items())
        )
    frame = frame_of(given)
    if frame is None:
        return RateTable((RateRow(EVERY, None, rate_of(given, where, least)),))
    return RateTable(tuple(_dated(frame, where, "rate", by_asset, least)))


def with_pairs(given: object, where: str) -> tuple[RateTable, RateTable]:
    """Tables for longs and for shorts, from a rate for both, a pair, a mapping to either, or a frame with ``long`` and ``short``."""
    if given is None:
        return RateTable(), RateTable()
    frame = frame_of(given)
    if frame is not None:
        long, short = (RateTable(tuple(_dated(frame, where, side, True, None))) for side in ("long", "short"))
        return long, short
    pairs = {str(k): v for k, v in given.items()} if isinstance(given, Mapping) else {EVERY: given}
    found: tuple[list[RateRow], list[RateRow]] = ([], [])
    for name, value in pairs.items():
        both = value if isinstance(value, tuple | list) else (value, value)
        if len(both) != 2:
            raise ConfigError(f"{value!r} is not a pair (long, short)", where=where, do='write ("0.06", "-0.03")')
        for side, rate in zip(found, both, strict=True):
            side.append(RateRow(name, None, rate_of(rate, where if name == EVERY else f"{where}, {name!r}")))
    return RateTable(tuple(found[0])), RateTable(tuple(found[1]))


def frame_of(given: object) -> pl.DataFrame | None:
    """A table as a frame; None where it is none."""
    if isinstance(given, pl.LazyFrame):
        return given.collect()
    if isinstance(given, pl.DataFrame):
        return given
    return pl.DataFrame(given) if hasattr(given, "__arrow_c_stream__") else None


def _dated(frame: pl.DataFrame, where: str, column: str, by_asset: bool, least: int | None) -> Iterable[RateRow]:
    """The rows of a frame."""
    when = next((name for name in ("session", "ts") if name in frame.columns), None)
    missing = [name for name in (["asset"] if by_asset else []) + [column] if name not in frame.columns]
    if missing or when is None:
        wanted = f"{'asset, ' if by_asset else ''}session or ts, {column}"
        raise ConfigError(f"columns {', '.join(frame.columns)}", where=where, do=f"give {wanted}")
    told = "available" in frame.columns and by_asset
    if told and frame.schema["available"] not in (pl.Boolean, pl.Null):
        what = f"available is {frame.schema['available']}, not true or false"
        raise ConfigError(what, where=f"{where}, available", do="give a column of true and false")
    available = frame["available"].to_list() if told else [True] * frame.height
    names = "asset" if by_asset else "currency"
    assets = [str(name) for name in frame[names]] if names in frame.columns else [EVERY] * frame.height
    seen: set[tuple[str, int]] = set()
    for number, (name, at, rate, free) in enumerate(zip(assets, frame[when], frame[column], available, strict=True)):
        place = f"{where}, row {number}"
        day = _day(at, place)
        if (name, day) in seen:
            raise ConfigError(f"a second rate of {name!r} for {EPOCH.date() + timedelta(days=day)}", where=place, do="give one")
        seen.add((name, day))
        if rate is None and not (by_asset and column == "rate"):
            raise ConfigError("no rate", where=place, do="give a number")
        yield RateRow(name, day, None if rate is None else rate_of(rate, place, least), free is True)


def _day(given: object, where: str) -> int:
    when = given
    if isinstance(when, str):
        try:
            when = date.fromisoformat(when[:10])
        except ValueError:
            when = None
    if isinstance(when, datetime):
        when = when.astimezone(UTC).date() if when.tzinfo is not None else when.date()
    if not isinstance(when, date):
        raise ConfigError(f"{given!r} is not a date", where=where, do='give a date such as "2024-01-31"')
    return (when - EPOCH.date()).days


def read_funding(given: object) -> tuple[FundingRow, ...]:
    """Checked funding payments, by instant.

    Raises:
        ConfigError: naming the row: no asset, an instant without a zone, no rate, a mark that is not positive.
    """
    if given is None:
        return ()
    frame, where = frame_of(given), "carry, funding"
    missing = [name for name in ("asset", "ts", "rate") if frame is None or name not in frame.columns]
    if frame is None or missing:
        raise ConfigError(f"funding without {', '.join(missing)}", where=where, do="give a frame with asset, ts and rate (and mark)")
    zone = frame.schema["ts"]
    if not isinstance(zone, pl.Datetime) or zone.time_zone is None:
        raise ConfigError(f"ts is {zone}", where=where, do='give instants with a zone: .dt.replace_time_zone("UTC")')
    instants = frame["ts"].dt.cast_time_unit("us").to_physical().to_list()
    marks = frame["mark"].to_list() if "mark" in frame.columns else [None] * frame.height
    rows, seen = [], set[tuple[str, int]]()
    for number, (name, ts, rate, mark) in enumerate(zip(frame["asset"], instants, frame["rate"], marks, strict=True)):
        place = f"{where}, row {number}"
        if name is None or ts is None:
            raise ConfigError("a row without asset or ts", where=place, do="leave it out")
        price = None if mark is None else to_decimal(mark, place)
        if price is not None and price <= 0:
            raise ConfigError(f"mark {mark} is not positive", where=place, do="give a price, or null for the last one")
        if (name, ts) in seen:
            when = EPOCH + timedelta(microseconds=ts)
            raise ConfigError(f"a second payment of {name!r} at {when.isoformat()}", where=place, do="give one")
        seen.add((name, ts))
        rows.append(FundingRow(str(name), ts, rate_of(rate, place), price))
    return tuple(sorted(rows, key=lambda row: row.ts))
