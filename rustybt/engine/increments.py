"""Dated ticks, lots and least notionals as users write them, and the rows of the kernel that they become."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl

from rustybt.engine.flows import when_of
from rustybt.errors import ConfigError
from rustybt.model import INCREMENT_FIELDS, NO_INCREMENTS, Asset, Panel
from rustybt.model.decimals import LIMIT, to_decimal
from rustybt.model.panel import Ints
from rustybt.model.tables import MOST_STEP

SIZES = ("tick", "lot", "min_notional")
DO = "give a frame, or a list of dicts, with asset, from_ts and any of tick, lot, min_notional"
START = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Change:
    """What an asset trades in from a day or an instant on.

    Attributes:
        asset: symbol.
        when: a session, an instant in UTC, or None: from the start.
        tick, lot: price and quantity step; None = as before.
        min_notional: least value of an order, account currency; None = as before.
    """

    asset: str
    when: date | datetime | None
    tick: Decimal | None
    lot: Decimal | None
    min_notional: Decimal | None

    def to_list(self) -> list[str | None]:
        """Plain values for the manifest and the run id."""
        sizes = (getattr(self, name) for name in SIZES)
        return [
            self.asset,
            None if self.when is None else self.when.isoformat(),
            *(None if s is None else f"{s.normalize():f}" for s in sizes),
        ]


def read_changes(given: object) -> tuple[Change, ...]:
    """Checked changes, by asset and date.

    Args:
        given: a frame, or dicts, with ``asset``, ``from_ts`` (session, or instant with a zone; null = from the start) and any of
            ``tick``, ``lot``, ``min_notional`` (null = as before); None = none.

    Raises:
        ConfigError: naming the row and the field.

    Example:
        >>> read_changes([{"asset": "A", "from_ts": "2001-04-09", "tick": "0.01"}])[0].tick
        Decimal('0.01')
    """
    changes = [
        Change(asset, when, **{name: _size(row.get(name), name, where) for name in SIZES})
        for where, asset, when, row in rows_by_date(given, "increments", SIZES, (DO, "neither tick nor lot nor min_notional"))
    ]
    return tuple(sorted(changes, key=lambda change: (change.asset, instant(change.when))))


def rows_by_date(
    given: object, term: str, names: Sequence[str], words: tuple[str, str]
) -> Iterator[tuple[str, str, date | datetime | None, Mapping[str, Any]]]:
    """Rows of what changes from a date on: where each stands, its asset, when, and its fields, one row for an asset and a date.

    Args:
        given: a frame, or dicts.
        term: of the run, for messages.
        names: of the fields that a row may have.
        words: what to do about a bad row, and how to say that a row has none of the fields.

    Raises:
        ConfigError: naming the row and the field.
    """
    do, none = words
    seen = set()
    for number, row in enumerate(rows_given(given, term, do)):
        where = f"run, {term}, row {number}"
        unknown = [name for name in row if name not in ("asset", "from_ts", *names)]
        if unknown:
            raise ConfigError(f"unknown field {unknown[0]!r}", where=where, do=do)
        if not isinstance(row.get("asset"), str):
            raise ConfigError(f"asset {row.get('asset')!r} is not a symbol", where=f"{where}, asset", do=do)
        when = None if row.get("from_ts") is None else when_of(row["from_ts"], f"{where}, from_ts")
        if all(row.get(name) is None for name in names):
            raise ConfigError(f"{none} is given", where=where, do="give at least one, or leave the row out")
        if (row["asset"], when) in seen:
            raise ConfigError(f"{row['asset']!r} changes twice at {when}", where=where, do="give one row for an asset and a date")
        seen.add((row["asset"], when))
        yield where, row["asset"], when, row


def instant(when: date | datetime | None) -> datetime:
    """When a change is given as from, to sort by: a session begins at midnight UTC."""
    if when is None:
        return START
    return when if isinstance(when, datetime) else datetime(when.year, when.month, when.day, tzinfo=UTC)


def increments_at(changes: tuple[Change, ...], panel: Panel, money_scale: int) -> Ints:
    """The rows of `rustybt.model.Tables.increments`: what assets declare from the first bar, then each change at its bar.

    A session holds from its first bar on, an instant from the first bar that is complete after it.

    Raises:
        ConfigError: a size is not a whole number of the asset's own.
    """
    if not changes and not any(asset.min_notional for asset in panel.assets):
        return NO_INCREMENTS
    rows = []
    for column, asset in enumerate(panel.assets):
        own = [change for change in changes if change.asset == asset.symbol]
        steps, least = [1, 1], _money(asset.min_notional, money_scale, asset)
        if least:
            rows.append((0, column, *steps, least))
        for change in own:
            for place, (name, size) in enumerate((("tick", asset.tick_size), ("lot", asset.lot_size))):
                given = getattr(change, name)
                steps[place] = steps[place] if given is None else _steps(given, size, name, asset)
            least = least if change.min_notional is None else _money(change.min_notional, money_scale, asset)
            bar = first_bar(change.when, panel)
            if bar < panel.bars:
                rows.append((bar, column, *steps, least))
    if not rows:
        return NO_INCREMENTS
    found: Ints = np.array(sorted(rows, key=lambda row: row[0]), dtype=np.int64).reshape(-1, len(INCREMENT_FIELDS))
    found.flags.writeable = False
    return found


def unused(changes: tuple[Change, ...], panel: Panel) -> tuple[str, ...]:
    """One sentence when changes name assets that the data do not have."""
    strangers = sorted({change.asset for change in changes} - set(panel.symbols))
    if not strangers:
        return ()
    return (f"increments name {len(strangers)} assets that are not in the data (first: {strangers[0]!r}).",)


def rows_given(given: object, name: str, do: str) -> Iterable[Mapping[str, Any]]:
    """The rows of a frame, or of dicts, that is given as the setting of a name; ``do`` says what it should be."""
    if given is None:
        return ()
    if isinstance(given, pl.LazyFrame):
        given = given.collect()
    if hasattr(given, "__arrow_c_stream__"):
        columns: Any = given
        return pl.DataFrame(columns).iter_rows(named=True)
    if isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable):
        raise ConfigError(f"{name} {given!r} are not rows", where=f"run, {name}", do=do)
    rows = list(given)
    wrong = [row for row in rows if not isinstance(row, Mapping)]
    if wrong:
        raise ConfigError(f"{wrong[0]!r} is not a row of {name}", where=f"run, {name}", do=do)
    return rows


def _size(given: object, name: str, where: str) -> Decimal | None:
    if given is None:
        return None
    size = to_decimal(given, f"{where}, {name}")
    if size < 0 or (size == 0 and name != "min_notional"):
        raise ConfigError(f"{name} {given} is not positive", where=f"{where}, {name}", do="give a positive number")
    return size


def _steps(size: Decimal, own: Decimal, name: str, asset: Asset) -> int:
    """How many of an asset's own steps a size is."""
    steps = Fraction(size) / Fraction(own)
    if steps.denominator != 1 or steps >= MOST_STEP:
        raise ConfigError(
            f"{name} {size} is not a whole number of the asset's {name}_size {own}, or too large",
            where=f"run, increments, asset {asset.symbol!r}, {name}",
            do=f"load the data with a finer {name}_size: all that were ever in force must be multiples of it",
        )
    return int(steps)


def _money(amount: Decimal, money_scale: int, asset: Asset) -> int:
    units = Fraction(amount) * 10**money_scale
    if units.denominator != 1 or units >= LIMIT:
        raise ConfigError(
            f"min_notional {amount} is no whole number of money units of {money_scale} decimals, or too large",
            where=f"run, increments, asset {asset.symbol!r}, min_notional",
            do="round it, or raise money_scale",
        )
    return int(units)


def first_bar(when: date | datetime | None, panel: Panel) -> int:
    """The first bar for which a change holds."""
    if when is None:
        return 0
    if isinstance(when, datetime):
        return int(np.searchsorted(panel.ts, int(np.datetime64(when.replace(tzinfo=None), "us").astype(np.int64)), side="right"))
    return int(np.searchsorted(panel.sessions, (when - date(1970, 1, 1)).days))
