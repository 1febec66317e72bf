"""Rows under the symbols of their day become rows of assets, on the terms of the reference data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from math import gcd, lcm
from typing import Any

import numpy as np
import polars as pl

from rustybt.data.metadata import Listed, check_known
from rustybt.data.options import Options
from rustybt.data.reference.listing import EPOCH, NEVER, Entry, ordinal
from rustybt.data.reference.store import Reference
from rustybt.data.rows import Keyed, check_unique, moment
from rustybt.data.timing import Timed
from rustybt.errors import DataError
from rustybt.model import Asset, Event
from rustybt.model.decimals import to_decimal
from rustybt.model.panel import Ints

NOBODY = "no asset had the symbol"
STEPS = ("tick_size", "lot_size", "volume_step")


@dataclass(frozen=True)
class Identified:
    """Rows of assets.

    Attributes:
        timed: the rows under the ids of the reference data.
        aside: rows whose symbol named no asset on their session, with the reason.
        notes: sentences about them.
    """

    timed: Timed
    aside: pl.DataFrame
    notes: list[str]


def identify(timed: Timed, reference: Reference, options: Options, where: str) -> Identified:
    """The rows under the ids of the assets that their symbols named on their sessions.

    Raises:
        DataError: a symbol that no asset ever had, one that names two assets, or with ``dirty="refuse"`` one that named none on a day.
    """
    spans = reference.spans(timed.keyed.symbols)
    check_known(timed.keyed.symbols, [symbol for symbol, found in spans.items() if found], f"reference data, for {where}")
    ids = sorted({owner for found in spans.values() for _, _, owner in found})
    owners = _owners(timed, spans, {name: number for number, name in enumerate(ids)}, where)
    lost = owners < 0
    aside, notes = pl.DataFrame(), []
    if lost.any():
        row = int(lost.argmax())
        symbol, day = timed.keyed.symbols[timed.keyed.codes[row]], moment(int(timed.keyed.stamps[row]))
        sentence = f"{int(lost.sum())} rows have a symbol that named no asset on their session (first: {symbol!r}, {day})"
        if options.dirty == "refuse":
            raise DataError(sentence, where=where, do='complete the reference data, or set them aside with dirty="quarantine"')
        if lost.all():
            raise DataError(f"no row can be used: {sentence}", where=where, do="complete the reference data")
        notes.append(f"{sentence}; they were set aside.")
        aside = timed.keyed.frame.filter(pl.Series(lost)).with_columns(pl.col("asset").cast(pl.String), pl.lit(NOBODY).alias("reason"))
    keep = ~lost
    if options.selection is not None:
        present = [ids[number] for number in np.unique(owners[keep]).tolist()]
        check_known(options.selection, present, where)
        chosen = {ids.index(name) for name in options.selection}
        keep &= np.isin(owners, sorted(chosen))
    found = _regroup(timed, owners, keep, ids)
    check_unique(found.keyed, found.ts, where, session=False)
    return Identified(found, aside, notes)


def listed_of(timed: Timed, reference: Reference, options: Options) -> list[Listed]:
    """The assets of rows, with increments of which all that were ever in force are multiples.

    Raises:
        DataError: a multiplier or a currency that changes among the bars: an asset has one.
    """
    entries = reference.entries(timed.keyed.symbols)
    given: dict[str, Any] = {name: size for name in STEPS if (size := getattr(options, name)) is not None}
    found, offsets = [], timed.offsets.tolist()
    for column, symbol in enumerate(timed.keyed.symbols):
        entry, rows = entries[symbol], slice(offsets[column], offsets[column + 1])
        first, last = (EPOCH + timedelta(days=int(day)) for day in (timed.days[rows].min(), timed.days[rows].max()))
        asset = replace(asset_among(entry, first, last), **{name: to_decimal(size, name) for name, size in given.items()})  # type: ignore[arg-type]
        ends = None if entry.end == NEVER else ordinal(entry.end)
        found.append(Listed(asset, None if entry.listed is None else ordinal(entry.listed), ends))
    return found


def asset_among(entry: Entry, first: date, last: date) -> Asset:
    """The asset of an entry from a first to a last session, with the largest steps of which all that were ever in force are multiples.

    Raises:
        DataError: its multiplier or its currency changes between them.
    """
    through = entry.through
    steps = {name: _common([getattr(entry.asset_of(spell), name) for _, spell in through]) for name in STEPS}
    ends = [start for start, _ in through[1:]] + [NEVER]
    held = [entry.asset_of(spell) for (start, spell), end in zip(through, ends, strict=True) if start <= last and end > first]
    for name in ("multiplier", "currency"):
        values = list(dict.fromkeys(getattr(asset, name) for asset in held))
        if len(values) > 1:
            what = f"the {name} changes from {values[0]} to {values[1]} among the bars"
            raise DataError(what, where=f"asset {entry.id!r}", do="load what lies before and after apart: start=, end=")
    return replace(held[-1], **steps)


def actions_of(timed: Timed, reference: Reference) -> list[Event]:
    """The corporate actions of the assets of rows; what they are called when is known already."""
    return [event for event in reference.events(timed.keyed.symbols) if event.kind != "rename"]


def _common(sizes: Sequence[Any]) -> Any:
    """The greatest common divisor of exact steps.

    Example:
        >>> _common([to_decimal("0.0625"), to_decimal("0.01")])
        Decimal('0.0025')
    """
    if len(set(sizes)) == 1:
        return sizes[0]
    parts = [Fraction(size) for size in sizes]
    down = lcm(*(part.denominator for part in parts))
    up = gcd(*(int(part * down) for part in parts))
    return to_decimal(up) / to_decimal(down)


def _owners(timed: Timed, spans: dict[str, list[tuple[int, int, str]]], number: dict[str, int], where: str) -> Ints:
    """(rows,) number of the asset that each row is of, -1 = none."""
    owners, offsets = np.full(len(timed.ts), -1, dtype=np.int64), timed.offsets.tolist()
    for column, symbol in enumerate(timed.keyed.symbols):
        rows = slice(offsets[column], offsets[column + 1])
        mine, days = owners[rows], timed.days[rows]
        for first, last, owner in spans[symbol]:
            inside = (days >= first) & (days <= last)
            if (twice := inside & (mine >= 0) & (mine != number[owner])).any():
                day = np.datetime64(int(days[int(twice.argmax())]), "D")
                what = f"{symbol!r} names more than one asset on {day}, at different venues"
                raise DataError(what, where=where, do="give the ids of the reference data in the column asset")
            mine[inside] = number[owner]
    return owners


def _regroup(timed: Timed, owners: Ints, keep: np.ndarray[Any, np.dtype[np.bool_]], ids: Sequence[str]) -> Timed:
    """The rows that are kept, under ids, in order of asset and time."""
    rows = np.flatnonzero(keep)
    order = rows[np.lexsort((timed.ts[rows], owners[rows]))]
    left, codes = np.unique(owners[order], return_inverse=True)
    symbols = tuple(ids[number] for number in left.tolist())
    frame = timed.keyed.frame
    if len(order) < len(owners) or (np.diff(order) != 1).any():
        frame = frame[order]
    named = pl.Series("asset", symbols, dtype=pl.Enum(symbols)).gather(pl.Series(codes).cast(pl.UInt32))
    frame = frame.with_columns(named)
    keyed = Keyed(frame, symbols, codes.astype(np.uint32), timed.keyed.stamps[order], timed.keyed.notes)
    return Timed(keyed, timed.ts[order], timed.days[order], timed.calendar, timed.notes)
