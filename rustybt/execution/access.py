"""When a market lets nobody trade: halts, daily price limits, prices that stand still."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from rustybt.errors import ConfigError
from rustybt.model.decimals import RATE, to_decimal

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Halt:
    """A span in which an asset is not traded. Bars that end after ``start`` and up to ``end`` are halted."""

    asset: str
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Halts:
    """Declared halts.

    Attributes:
        spans: one per halt; the asset ``*`` is every asset.
        cancel: the market cancels the orders that a halt meets; otherwise they wait.
    """

    spans: tuple[Halt, ...]
    cancel: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a manifest."""
        spans = [[span.asset, span.start.isoformat(), span.end.isoformat()] for span in self.spans]
        return {"spans": spans, "cancel": self.cancel}


@dataclass(frozen=True)
class Bands:
    """Price limits around the close of the session before.

    Attributes:
        up, down: fractions; None = no limit on that side.
        by_asset: other limits for single assets.
    """

    up: Decimal | None
    down: Decimal | None
    by_asset: Mapping[str, Bands] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a manifest."""
        own = {name: None if value is None else format(value.normalize(), "f") for name, value in (("up", self.up), ("down", self.down))}
        return {**own, **({"by_asset": {k: v.to_dict() for k, v in sorted(self.by_asset.items())}} if self.by_asset else {})}


@dataclass(frozen=True)
class Stale:
    """Bars in which nobody has traded.

    Attributes:
        repeats: a bar that is the same as so many bars before it is stale; 0 = not looked at.
        zero_volume: a bar without volume is stale.
    """

    repeats: int = 0
    zero_volume: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a manifest."""
        return {"repeats": self.repeats, "zero_volume": self.zero_volume}


def halts(table: Any, *, cancel: bool = False) -> Halts:
    """Spans in which assets are not traded: nothing is filled in them, orders wait and exits do not fire.

    Args:
        table: rows of (asset, start, end): a Polars frame or a CSV or Parquet file with these columns, or a list of triples. The asset
            ``"*"`` is every asset. Times carry their zone; a date is the whole day, UTC. A bar is halted when the instant at which it is
            complete lies after ``start`` and not after ``end``.
        cancel: the market cancels the orders that a halt meets (reason ``barred``); otherwise they wait.

    Raises:
        ConfigError: a span that ends before it starts, a time without a zone, or a table without the columns.

    Example:
        >>> halts([("AAPL", "2004-10-13", "2004-10-14")]).spans[0].end.isoformat()
        '2004-10-15T00:00:00+00:00'
    """
    if isinstance(table, Halts):
        return table
    if not isinstance(cancel, bool):
        raise ConfigError(f"cancel {cancel!r} is not true or false", where="halts, cancel", do="write cancel=True or leave it out")
    return Halts(tuple(_span(number, *row) for number, row in enumerate(_rows(table))), cancel)


def _rows(table: Any) -> Iterable[tuple[Any, Any, Any]]:
    do = "give a list of (asset, start, end), or a frame or file with these columns"
    if isinstance(table, str | Path):
        path = Path(table)
        try:
            table = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise ConfigError(f"the halts cannot be read: {str(error).splitlines()[0]}", where=str(path), do=do) from None
    if isinstance(table, pl.DataFrame):
        missing = [name for name in ("asset", "start", "end") if name not in table.columns]
        if missing:
            raise ConfigError(f"the table of halts has no column {missing[0]!r}", where="halts, table", do=do)
        return list(table.select("asset", "start", "end").iter_rows())
    found: list[Any] = list(table) if isinstance(table, Iterable) else [None]
    if not all(isinstance(row, tuple | list) and len(row) == 3 for row in found):
        raise ConfigError(f"{type(table).__name__} is not a table of halts", where="halts, table", do=do)
    return [(row[0], row[1], row[2]) for row in found]


def _span(number: int, asset: Any, start: Any, end: Any) -> Halt:
    where = f"halts, row {number}"
    if not isinstance(asset, str) or not asset:
        raise ConfigError(f"asset {asset!r} is not a symbol", where=where, do='name an asset, or "*" for all')
    first, last = _instant(start, where, "start", timedelta(0)), _instant(end, where, "end", DAY)
    if last <= first:
        raise ConfigError(
            f"the halt ends at {last.isoformat()}, not after its start {first.isoformat()}", where=where, do="correct the span"
        )
    return Halt(asset, first, last)


def _instant(value: Any, where: str, name: str, whole_day: timedelta) -> datetime:
    """A time with its zone; a date stands for its first instant, or for its last with ``whole_day``."""
    try:
        if isinstance(value, str):
            value = date.fromisoformat(value) if len(value) <= len("2004-10-13") else datetime.fromisoformat(value)
    except ValueError:
        raise ConfigError(f"{name} {value!r} is not a time", where=where, do='write it like "2004-10-13" or "2004-10-13T14:30Z"') from None
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ConfigError(f"{name} {value} has no time zone", where=where, do="add its zone, or give a date")
        return value.astimezone(UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC) + whole_day
    raise ConfigError(f"{name} {value!r} is not a time", where=where, do='write it like "2004-10-13" or "2004-10-13T14:30Z"')


def bands(up: object = None, down: object = None, *, by_asset: Mapping[str, Bands] | None = None) -> Bands:
    """Daily price limits. A bar that stands at its upper limit from open to low cannot be bought, one at its lower limit cannot be sold.

    Args:
        up: how far above the close of the session before, as a fraction; None = no limit. Given alone it holds for both sides.
        down: how far below it; None = as ``up``.
        by_asset: other limits for single assets, by symbol.

    Raises:
        ConfigError: a limit outside 0..1 or finer than 1e-8, or none at all.

    Example:
        >>> bands("0.10").down
        Decimal('0.10')
    """
    above = None if up is None else _limit(up, "up")
    below = above if down is None else _limit(down, "down")
    if above is None and below is None and not by_asset:
        raise ConfigError("no limit is given", where="bands", do='write rbt.bands("0.10")')
    if not isinstance(by_asset or {}, Mapping):
        raise ConfigError(f"{by_asset!r} is not a table of symbols", where="bands, by_asset", do='write {"A": rbt.bands("0.05")}')
    strange = [name for name, own in (by_asset or {}).items() if not isinstance(own, Bands)]
    if strange:
        raise ConfigError(f"the limits of {strange[0]!r} are no bands", where="bands, by_asset", do='write {"A": rbt.bands("0.05")}')
    nested = [name for name, own in (by_asset or {}).items() if own.by_asset]
    if nested:
        raise ConfigError(f"the bands of {nested[0]!r} name other assets", where="bands, by_asset", do="give by_asset once, on the outside")
    return Bands(above, below, dict(by_asset or {}))


def _limit(value: object, name: str) -> Decimal:
    limit = to_decimal(value, name)
    if not 0 < limit < 1 or limit * RATE != (limit * RATE).to_integral_value():
        raise ConfigError(f"{name} {value} is not a fraction between 0 and 1", where=f"bands, {name}", do="give one such as 0.10")
    return limit


def stale(repeats: int = 0, *, zero_volume: bool = False) -> Stale:
    """Which bars count as not traded: nothing is filled in them.

    Args:
        repeats: a bar with the same four prices as each of so many bars before it is stale; 0 = not looked at.
        zero_volume: a bar whose volume is 0 is stale; refused for data whose volume is 0 everywhere.

    Raises:
        ConfigError: neither is given, or repeats is not a whole number from 0.

    Example:
        >>> stale(3).repeats
        3
    """
    if isinstance(repeats, bool) or not isinstance(repeats, int) or repeats < 0:
        raise ConfigError(f"repeats {repeats!r} is not a whole number >= 0", where="stale, repeats", do="give a number of bars")
    if not isinstance(zero_volume, bool):
        raise ConfigError(f"zero_volume {zero_volume!r} is not true or false", where="stale, zero_volume", do="write zero_volume=True")
    if not repeats and not zero_volume:
        raise ConfigError("nothing makes a bar stale", where="stale", do="write rbt.stale(3) or rbt.stale(zero_volume=True)")
    return Stale(repeats, zero_volume)
