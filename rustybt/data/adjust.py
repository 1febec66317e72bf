"""Adjusted columns as known at each bar: prices restated forward from the first row, so no later event ever changes them.

The factor of an asset starts at 1. At a split of n new for d old it is multiplied by ``n / d``; at a dividend ``a`` after a raw close ``c``
(in units after a split of the same bar) by ``c / (c - a)``. Returns of adjusted prices equal those of the usual backward adjustment; only
the level differs. Volume is divided by the split factor alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import gcd

import numpy as np
import numpy.typing as npt

from rustybt.data.exact import Floats, nearest_doubles, scale_by
from rustybt.data.ticks import Scaled
from rustybt.errors import DataError
from rustybt.model import Asset
from rustybt.model.decimals import LIMIT
from rustybt.model.panel import Ints

Ratio = tuple[int, int]
ADJ_DIGITS = 4
"""Extra decimals of adjusted ticks when there are events."""
SHORT = 512
WIDE = 2**62
"""Factors are exact while both parts stay below this; a longer fraction is rounded once to a binary one with 62 bits behind the point."""


@dataclass(frozen=True)
class Factors:
    """The factors of the pieces between events, and the rows that they hold for; other rows have the factor 1.

    Attributes:
        rows: (n,) Int64 frame rows, increasing.
        piece: (n,) Int32 piece of each of them.
        up: (pieces,) Int64 numerators of the price factor.
        down: (pieces,) Int64 denominators.
        split_up: (pieces,) Int64 numerators of the split factor.
        split_down: (pieces,) Int64 denominators.
    """

    rows: Ints
    piece: npt.NDArray[np.int32]
    up: Ints
    down: Ints
    split_up: Ints
    split_down: Ints


def factors(events: Ints, rows: Ints, offsets: Ints, close: Ints, assets: tuple[Asset, ...]) -> Factors:
    """The factor of every row that follows an event.

    Args:
        events: (events, 5) as in `Panel.events`.
        rows: (events,) frame row of each event.
        offsets: rows of each asset.
        close: (rows,) raw close, ticks.
        assets: in column order.

    Raises:
        DataError: a dividend is not below the close before it, or the factors do not fit.
    """
    order = np.lexsort((np.arange(len(events)), events[:, 1]))
    edges = np.searchsorted(events[order, 1], np.arange(len(assets) + 1)).tolist()
    pieces: list[tuple[int, int, int, int, int, int]] = []
    for column, asset in enumerate(assets):
        mine = order[edges[column] : edges[column + 1]]
        if len(mine):
            pieces += _pieces(
                events[mine, 2:].tolist(), rows[mine].tolist(), (int(offsets[column]), int(offsets[column + 1])), close, asset
            )
    table = np.array(pieces, dtype=np.int64).reshape(-1, 6)
    counts = table[:, 1] - table[:, 0]
    piece = np.repeat(np.arange(len(table), dtype=np.int32), counts)
    first = np.cumsum(counts) - counts
    where = np.arange(len(piece), dtype=np.int64) + (table[:, 0] - first)[piece]
    return Factors(where, piece, table[:, 2], table[:, 3], table[:, 4], table[:, 5])


def adjust(column: Scaled, name: str, found: Factors, offsets: Ints, assets: tuple[Asset, ...]) -> tuple[Ints, Floats]:
    """Adjusted ticks, in units of a tick / 10^ADJ_DIGITS, and their nearest doubles.

    Args:
        column: raw ticks and doubles.
        name: of the column; ``volume`` takes the split factor alone, upside down.
        found: the factors.
        offsets: rows of each asset.
        assets: in column order.

    Raises:
        DataError: an adjusted value does not fit below 2^61.
    """
    unit = 10**ADJ_DIGITS
    _check_fits(np.flatnonzero(column.ticks >= LIMIT // unit), name, offsets, assets)
    ticks = column.ticks * unit
    floats = column.floats.copy()
    up, down = (found.split_down, found.split_up) if name == "volume" else (found.up, found.down)
    ticks[found.rows] = scale_by(ticks[found.rows], up, down, found.piece)
    _check_fits(found.rows[ticks[found.rows] >= LIMIT], name, offsets, assets)
    for at, step in _by_step(found.rows, name, offsets, assets):
        floats[at] = nearest_doubles(ticks[at], step / unit)
    return ticks, floats


def growth(
    events: list[list[int]], rows: list[int], span: tuple[int, int], close: Ints, asset: Asset, *, before: bool = True
) -> Iterator[tuple[int, int, Ratio, Ratio]]:
    """Rows between the events of one asset: start, stop, and the exact price and split factor, in terms that are lowest while short.

    Args:
        events: kind, numerator, denominator of each.
        rows: frame row of each.
        span: first row of the asset, and the row behind its last.
        close: (rows,) raw close, ticks.
        asset: the asset.
        before: a dividend is taken out at the close before it, ``c / (c - a)``; else it buys shares at the close of its own day,
            ``1 + a / c``.

    Raises:
        DataError: a dividend is not below the close before it, or the factors do not fit.
    """
    tick_up, tick_down = Fraction(asset.tick_size).as_integer_ratio()
    price, split, here = (1, 1), (1, 1), (1, 1)
    for i, ((kind, up, down), row) in enumerate(zip(events, rows, strict=True)):
        if row == span[0]:
            continue
        if i == 0 or row != rows[i - 1]:
            here = (1, 1)
        if kind == 0:
            here, split = _times(here, up, down), _times(split, up, down)
            price = _times(price, up, down)
        else:
            worth = int(close[row - 1]) * tick_up * here[1] * down if before else int(close[row]) * tick_up * down
            paid = up * tick_down * (here[0] if before else 1)
            if before and paid >= worth:
                raise DataError(
                    f"a dividend of {up / down:g} is not below the close before it",
                    where=f"events, asset {asset.symbol!r}",
                    do="repair or drop the event",
                )
            price = _times(price, worth, worth - paid) if before else _times(price, worth + paid, worth)
        if max(price[0] // price[1], split[0] // split[1], split[1] // split[0]) >= LIMIT:
            raise DataError("the events multiply to a factor that does not fit", where=f"asset {asset.symbol!r}", do="check the ratios")
        stop = rows[i + 1] if i + 1 < len(rows) else span[1]
        if stop > row:
            yield row, stop, price, split


def _pieces(
    events: list[list[int]], rows: list[int], span: tuple[int, int], close: Ints, asset: Asset
) -> list[tuple[int, int, int, int, int, int]]:
    """Rows between the events of one asset: start, stop, price factor, split factor, as two numbers each."""
    found = growth(events, rows, span, close, asset)
    return [(row, stop, *_narrow(*price), *_narrow(*split)) for row, stop, price, split in found]


def _times(factor: tuple[int, int], up: int, down: int) -> tuple[int, int]:
    """The product, in lowest terms while it is short."""
    up, down = factor[0] * up, factor[1] * down
    shared = gcd(up, down) if up.bit_length() < SHORT else 1
    return up // shared, down // shared


def _narrow(up: int, down: int) -> tuple[int, int]:
    """The factor as two numbers of at most 2^62: itself, or rounded half-even to a binary fraction."""
    if up < WIDE and down < WIDE:
        return up, down
    shift = max(0, min(61, 61 - (up.bit_length() - down.bit_length())))
    whole, rest = divmod(up << shift, down)
    return whole + (2 * rest > down or (2 * rest == down and whole % 2 == 1)), 1 << shift


def _by_step(rows: Ints, name: str, offsets: Ints, assets: tuple[Asset, ...]) -> list[tuple[Ints, Decimal]]:
    steps = [asset.volume_step if name == "volume" else asset.tick_size for asset in assets]
    if len(set(steps)) == 1:
        return [(rows, steps[0])]
    owner = np.searchsorted(offsets, rows, side="right") - 1
    kinds = {step: i for i, step in enumerate(dict.fromkeys(steps))}
    kind = np.array([kinds[step] for step in steps])[owner]
    return [(rows[kind == i], step) for step, i in kinds.items()]


def _check_fits(rows: Ints, name: str, offsets: Ints, assets: tuple[Asset, ...]) -> None:
    if len(rows):
        asset = assets[int(np.searchsorted(offsets, rows[0], side="right")) - 1]
        setting = "volume_step" if name == "volume" else "tick_size"
        raise DataError(
            f"the adjusted {name} is beyond the scale",
            where=f"asset {asset.symbol!r}, {len(rows)} rows",
            do=f"give a coarser {setting}, or drop the events",
        )
