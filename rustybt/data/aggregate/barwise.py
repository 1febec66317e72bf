"""Coarser bars one push at a time, each given out when it is complete."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np
import polars as pl

from rustybt.data.aggregate.columns import How
from rustybt.data.aggregate.rows import Anchor, Outside, Placing, Settings, instant
from rustybt.data.aggregate.spells import Spells
from rustybt.data.calendars import Calendar
from rustybt.data.hours import DAY
from rustybt.errors import ConfigError, DataError

Key = tuple[int, ...]
Done = list[tuple[int, Hashable, list[Any]]]
"""Bars that are complete: their instant, asset, and combined values."""
AHEAD = 400 * DAY
"""How far trading hours are looked up at once."""


@dataclass
class Tally:
    """What is known of one asset.

    Attributes:
        last: instant of its last row.
        key: what tells the open bar from others: its end by the clock, or its spell and number.
        end: when the open bar is complete by the clock or with its spell; None = only by its amount.
        values: what the columns of the open bar hold so far, as they are combined; None = no bar is open.
        given: the key of the bar that was given out last.
        spell, total: the spell of the last row, and the amount traded in it.
    """

    last: int | None = None
    key: Key = ()
    end: int | None = None
    values: list[Any] | None = None
    given: Key = ()
    spell: int | None = None
    total: int = 0


class Resampler:
    """`rustybt.resample` for rows that arrive: the same bars, to the last byte, each as soon as it is complete.

    Args:
        every: length of the bars, as in `rustybt.resample`, like all that follow.
        calendar: sessions of the venue.
        stamp: what ``ts`` says.
        interval: length of the rows, for ``stamp="open"``.
        outside: what becomes of rows outside of trading hours.
        anchor: from where bars within a session are counted.
        extras: further columns and how they are combined.

    Example:
        >>> from datetime import UTC, datetime, timedelta
        >>> hours = Resampler("1h")
        >>> for minute in range(1, 62):
        ...     ts = datetime(2024, 1, 2, tzinfo=UTC) + timedelta(minutes=minute)
        ...     row = {"ts": [ts], "asset": ["A"], "open": [1.0], "high": [1.0], "low": [1.0], "close": [1.0], "volume": [3]}
        ...     done = hours.push(pl.DataFrame(row))
        ...     if done.height:
        ...         print(minute, done["ts"][0].hour, done["volume"][0])
        60 1 180
    """

    def __init__(
        self,
        every: str,
        *,
        calendar: str | Calendar | None = None,
        stamp: Literal["open", "close", "session"] = "close",
        interval: str | None = None,
        outside: Outside = "drop",
        anchor: Anchor = "session",
        extras: Mapping[str, How] | None = None,
    ) -> None:
        self.settings = Settings(every, calendar, stamp, interval, outside, anchor, dict(extras or {}))
        self.now: int | None = None
        self._placing: Placing | None = None
        self._spells: Spells | None = None
        self._spanned = (0, -1)
        self._tallies: dict[Hashable, Tally] = {}
        self._raw: dict[str, pl.DataType] = {}

    def push(self, rows: pl.DataFrame, now: datetime | None = None) -> pl.DataFrame:
        """Take rows that have become known, all of an instant at once.

        Args:
            rows: the columns of `rustybt.resample`, the same in every push, none earlier than a row of its asset in a push before.
            now: the instant up to which all rows are known; default: the last ``ts`` so far.

        Returns:
            The bars that are complete now, by asset and time; no rows where there is none.

        Raises:
            DataError: a row comes after its bar was given out, or after a later row; the columns differ from those before.
        """
        placing, known = self._for(rows), instant(now, "now")
        found = self._placed(placing, rows)
        self._raw = {name: found.schema[name] for name in placing.plan.how}
        done: Done = []
        for mine in found.partition_by("asset", maintain_order=True):
            self._take(mine["asset"][0], mine, placing, done)
        known = placing.latest(rows, self._spells) if known is None else known
        return self._until(known, placing, done)

    def advance(self, now: datetime) -> pl.DataFrame:
        """The bars that are complete when no row up to ``now`` is outstanding.

        Raises:
            ConfigError: the time has no zone, or no row was pushed before.
        """
        if self._placing is None:
            raise ConfigError("no row was pushed, so the columns are not known", where="Resampler.advance", do="push rows first")
        return self._until(instant(now, "now"), self._placing, [])

    def _for(self, rows: pl.DataFrame) -> Placing:
        if self._placing is None:
            self._placing = Placing.of(rows.schema, self.settings)
        elif rows.schema != self._placing.plan.schema:
            raise DataError("the columns differ from those before", where="Resampler.push", do="give the same columns and types each time")
        return self._placing

    def _placed(self, placing: Placing, rows: pl.DataFrame) -> pl.DataFrame:
        if self.settings.code is not None and rows.height:
            first, last = placing.span(rows.lazy())
            begin, end = self._spanned
            if end < begin or first < begin or last > end:
                self._look_up(placing, min(first, begin) if begin <= end else first, last)
        elif self.settings.code is not None and self._spells is None:
            self._look_up(placing, 0, 0)
        return placing.placed(rows.lazy(), self._spells, None).collect()

    def _look_up(self, placing: Placing, first: int, last: int) -> None:
        """The trading hours, for a while to come where the calendar knows them."""
        try:
            self._spells, self._spanned = placing.spells(first, last + AHEAD), (first, last + AHEAD)
        except DataError:
            self._spells, self._spanned = placing.spells(first, last), (first, last)

    def _take(self, asset: Hashable, rows: pl.DataFrame, placing: Placing, done: Done) -> None:
        """The rows of one asset: into its open bar, or past it."""
        stamps, spells, ends = (rows[name].to_list() for name in ("ts", "__spell", "__end"))
        amounts = rows["__amount"].to_list() if placing.every.amount else None
        tally, ways = self._tallies.setdefault(asset, Tally()), list(placing.plan.how.values())
        if tally.last is not None and stamps[0] < tally.last + (amounts is not None):
            raise late(asset, stamps[0], tally.last)
        for number, values in enumerate(rows.select(list(placing.plan.how)).iter_rows()):
            stamp = stamps[number]
            key: Key = (
                (ends[number],) if amounts is None else next_key(tally, spells[number], stamp, amounts[number], placing.plan.threshold)
            )
            if key <= tally.given:
                raise late(asset, stamp, max(tally.given, default=stamp) if amounts is None else stamp)
            if tally.values is not None and tally.key != key:
                close(tally, tally.end, asset, done)
            if tally.values is None:
                tally.key, tally.end, tally.values = key, ends[number], [0 if way == "sum" else None for way in ways]
            tally.values = [combine(way, held, value) for way, held, value in zip(ways, tally.values, values, strict=True)]
            tally.last = stamp
            together = stamps[number + 1 : number + 2] == [stamp]
            if amounts is not None and not together and tally.total >= (key[1] + 1) * placing.plan.threshold:
                close(tally, stamp, asset, done)

    def _until(self, now: int | None, placing: Placing, done: Done) -> pl.DataFrame:
        """What is done, and the bars whose end has come."""
        self.now = now if self.now is None else self.now if now is None else max(self.now, now)
        for asset, tally in self._tallies.items():
            if tally.values is not None and tally.end is not None and self.now is not None and tally.end <= self.now:
                close(tally, tally.end, asset, done)
        at = pl.Series("__at", [end for end, _, _ in done], dtype=pl.Int64)
        assets = pl.Series("asset", [asset for _, asset, _ in done], dtype=placing.plan.schema["asset"])
        columns = [pl.Series(name, [one[i] for _, _, one in done], dtype=dtype) for i, (name, dtype) in enumerate(self._raw.items())]
        return placing.bars(pl.LazyFrame([at, assets, *columns])).sort("asset", "ts").collect()


def next_key(tally: Tally, spell: int, stamp: int, amount: int, threshold: int) -> Key:
    """Spell and number of the bar that a row with an amount belongs to; rows of one instant stay together."""
    together = tally.values is not None and tally.spell == spell and tally.last == stamp
    if tally.spell != spell:
        tally.spell, tally.total = spell, 0
    key = tally.key if together else (spell, tally.total // threshold)
    tally.total += amount
    return key


def close(tally: Tally, at: int | None, asset: Hashable, done: Done) -> None:
    """Give the open bar out."""
    assert tally.values is not None
    assert at is not None
    done.append((at, asset, tally.values))
    tally.given, tally.values = tally.key, None


def late(asset: Hashable, stamp: int, last: int) -> DataError:
    """The error for a row that comes too late."""
    return DataError(
        f"a row of {np.datetime64(stamp, 'us')}Z comes after what is known up to {np.datetime64(last, 'us')}Z",
        where=f"Resampler.push, asset {asset!r}",
        do="push rows in order of time, all of an instant at once, or give now= to wait for the others",
    )


def combine(way: How, so_far: Any, value: Any) -> Any:
    """One more value of a column; null is passed over."""
    if value is None:
        return so_far
    if so_far is None:
        return value
    if way == "sum":
        return so_far + value
    if way == "max":
        return max(so_far, value)
    if way == "min":
        return min(so_far, value)
    return value if way == "last" else so_far
