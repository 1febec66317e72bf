"""A file, part by part: what a panel of it would hold and say, with its rows on the disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from rustybt.data.build import say_below_zero, say_gone, say_rounding, unused
from rustybt.data.columns import FIELDS
from rustybt.data.metadata import Listed, listings
from rustybt.data.options import Options
from rustybt.data.plain import Plain
from rustybt.data.rows import say_dirty
from rustybt.data.spill.leaps import warn_of_leaps
from rustybt.data.spill.part import First, Part, Span, check_part
from rustybt.data.spill.rows import Rows, Spill
from rustybt.data.stamps import utc
from rustybt.data.text.parts import Parts, Piece
from rustybt.data.timing import unstamped
from rustybt.errors import ConfigError, DataError
from rustybt.model import Asset
from rustybt.model.panel import Ints

THREADS = 4
MANY = 2**15
"""Runs of rows of one asset in one part: more take longer to be found one by one than a panel takes to be made."""
LEAST, LARGEST = 2**10, 16
"""Rows of a run at least, for which parts are made so many times larger at most."""


@dataclass(frozen=True)
class Gathered:
    """All that a panel would be made of.

    Attributes:
        assets: in byte order of their symbols.
        offsets: (assets + 1,) Int64, rows of each.
        rows: in order of asset and time.
        firsts, lasts: instants of the first and the last row of each asset.
        largest: by column, the ticks farthest from zero.
        said: what was set aside, rounded or assumed.
        quarantine: rows that were set aside.
    """

    assets: tuple[Asset, ...]
    offsets: Ints
    rows: Rows
    firsts: tuple[int, ...]
    lasts: tuple[int, ...]
    largest: dict[str, int]
    said: tuple[str, ...]
    quarantine: pl.DataFrame

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What a panel says: also of moves that look like splits, for which every row is looked at."""
        return (*self.said, *warn_of_leaps(self.rows, self.offsets, self.assets))


def gather(plain: Plain, options: Options, spill: Spill, tell: Callable[[int], None] | None = None) -> Gathered | None:
    """Check all parts; None where that takes all rows at once, or something is wrong: the door then says what and where.

    Args:
        plain: the source.
        options: with which it is plain.
        spill: where the rows go.
        tell: called with the bytes of each part that is checked, by several threads.

    Raises:
        OSError: the disk is full.
    """
    assets: dict[str, Listed] = {}
    parts = plain.parts

    def known(symbols: Sequence[str]) -> list[Listed]:
        for symbol in symbols:
            if symbol not in assets:
                assets[symbol] = listings([symbol], options)[0]
        return [assets[symbol] for symbol in symbols]

    def one(piece: Piece) -> Part | None:
        frame = parts.frame(piece)
        part = None if frame is None else check_part(frame, options, plain.where, known, spill)
        if tell is not None:
            tell(piece.stop - piece.start)
        return part

    try:
        found = _all(parts, one)
        _, said, dated = utc(parts.times, options, plain.where)
    except (DataError, ConfigError, pl.exceptions.PolarsError):  # the door says what is wrong, and where
        return None
    if not found or not sum(part.kept.height for part in found) or (options.dirty == "refuse" and any(part.first for part in found)):
        return None
    stamped = [unstamped(midnight=all(part.midnight for part in found))] if options.stamp is None and not dated else []
    return _joined(found, options, spill, [assets[symbol] for symbol in sorted(assets)], [*plain.notes, *said, *stamped])


def _all(parts: Parts, one: Callable[[Piece], Part | None]) -> list[Part] | None:
    """Every part, in pieces that are larger where the rows of many assets are mixed; None as soon as there is none of one."""
    pieces = parts.cut()
    first = one(pieces[0]) if pieces else None
    if first is None:
        return None
    runs, times = len(first.spans) * len(pieces), 1
    if runs > MANY:
        times = min(-(-LEAST * len(first.spans) // max(first.rows, 1)), LARGEST)
        pieces = parts.cut(times)
    if runs > MANY * times:
        return None
    found = [first] if times == 1 else []
    with ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1)) as pool:
        try:
            for part in pool.map(one, pieces[len(found) :]):
                if part is None:
                    return None
                found.append(part)
        finally:
            pool.shutdown(cancel_futures=True)
    return found


def _joined(found: Sequence[Part], options: Options, spill: Spill, listed: Sequence[Listed], notes: Sequence[str]) -> Gathered | None:
    held = _in_order(found, [item.asset.symbol for item in listed])
    if held is None:
        return None
    runs, counts = held
    left = np.flatnonzero(counts)
    assets = tuple(listed[i].asset for i in left.tolist())
    symbols = [item.asset.symbol for item in listed]
    offsets = np.concatenate([[0], np.cumsum(counts[left])])
    rows = Rows(spill, [part.kept for part in found], runs)
    said = [*notes, *_sentences(found, options, listed), *say_gone([symbols[i] for i in np.flatnonzero(counts == 0).tolist()])]
    spans = {asset.symbol: [span.clean for part in found if (span := part.spans.get(asset.symbol)) and span.clean] for asset in assets}
    aside = [part.aside for part in found if part.aside is not None]
    return Gathered(
        assets=assets,
        offsets=offsets,
        rows=rows,
        firsts=tuple(spans[asset.symbol][0][0] for asset in assets),
        lasts=tuple(spans[asset.symbol][-1][1] for asset in assets),
        largest={name: max(part.largest[name] for part in found) for name in FIELDS},
        said=tuple(said),
        quarantine=pl.concat(aside).sort("asset", maintain_order=True) if aside else pl.DataFrame(),
    )


def _in_order(found: Sequence[Part], symbols: Sequence[str]) -> tuple[Ints, Ints] | None:
    """Runs of rows in order of asset and time, and rows of each asset; None where an asset's parts are not in order, or too many."""
    number = {symbol: i for i, symbol in enumerate(symbols)}
    last: dict[str, Span] = {}
    runs = []
    for i, part in enumerate(found):
        for symbol, span in part.spans.items():
            before = last.get(symbol)
            if before is not None and (span.stamps[0] < before.stamps[1] or span.ts[0] <= before.ts[1]):
                return None
            last[symbol] = span
            if span.count:
                runs.append((number[symbol], i, span.first, span.count))
    table = np.array(sorted(runs), dtype=np.int64)
    if len(table) > MANY:
        return None
    return table[:, 1:], np.bincount(table[:, 0], weights=table[:, 3], minlength=len(symbols)).astype(np.int64)


def _sentences(found: Sequence[Part], options: Options, listed: Sequence[Listed]) -> list[str]:
    """What the door says of settings, increments and rows that are set aside, in its order."""
    moved = {name: (sum(part.moved[name][0] for part in found), max(part.moved[name][1] for part in found)) for name in FIELDS}
    notes = [*unused(options, [item.asset.symbol for item in listed]), *say_rounding(moved, sum(part.rows for part in found), listed)]
    first = _first(part.first for part in found)
    if first is not None:
        notes.append(f"{say_dirty(np.sum([part.dirty for part in found], axis=0), *first)}; they were set aside.")
    below = _first(part.first_below for part in found)
    return notes if below is None else [*notes, *say_below_zero(sum(part.below for part in found), *below)]


def _first(named: Iterable[First | None]) -> First | None:
    """The first in order of assets; of one asset's the parts are in order of time."""
    return min((one for one in named if one is not None), key=lambda one: one[0], default=None)
