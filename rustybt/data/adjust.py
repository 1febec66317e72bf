"""Adjusted columns as known at each bar: prices restated forward from the first row, so no later event ever changes them.

The factor of an asset starts at 1. At a split of n new for d old it is multiplied by ``n / d``; at a dividend ``a`` after a raw close ``c``
(in units after a split of the same bar) by ``c / (c - a)``. Returns of adjusted prices equal those of the usual backward adjustment; only
the level differs. Volume is divided by the split factor alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np
import polars as pl

from rustybt.data.ticks import Scaled, mul_div, nearest_doubles
from rustybt.errors import DataError
from rustybt.model import Asset
from rustybt.model.decimals import LIMIT
from rustybt.model.panel import Ints

ADJ_DIGITS = 4
"""Extra decimals of adjusted ticks when there are events."""
WIDE = 2**62
"""Factors are exact while both parts stay below this; a longer fraction is rounded once to a binary one with 62 bits behind the point."""


@dataclass(frozen=True)
class Factors:
    """Rows whose factor is not 1, and the factors there.

    Attributes:
        rows: (n,) Int64 frame rows.
        up, down: (n,) Int64: price factor as a fraction.
        split_up, split_down: (n,) Int64: split factor as a fraction.
    """

    rows: Ints
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
        DataError: a dividend is not below the close before it.
    """
    pieces: list[tuple[int, int, Fraction, Fraction]] = []
    for column in np.unique(events[:, 1]).tolist():
        mine = np.flatnonzero(events[:, 1] == column)
        pieces += _pieces(events[mine], rows[mine], (int(offsets[column]), int(offsets[column + 1])), close, assets[column])
    counts = np.array([stop - start for start, stop, _, _ in pieces], dtype=np.int64)
    starts = np.array([start for start, _, _, _ in pieces], dtype=np.int64)
    where = np.repeat(starts - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts) + np.arange(counts.sum()) if pieces else starts
    price = np.array([_narrow(p) for _, _, p, _ in pieces], dtype=np.int64).reshape(-1, 2)
    split = np.array([_narrow(s) for _, _, _, s in pieces], dtype=np.int64).reshape(-1, 2)
    return Factors(where, *(np.repeat(part, counts) for part in (price[:, 0], price[:, 1], split[:, 0], split[:, 1])))


def adjust(column: Scaled, name: str, found: Factors, offsets: Ints, assets: tuple[Asset, ...]) -> tuple[Ints, pl.Series]:
    """Adjusted ticks (in units of a tick / 10^ADJ_DIGITS) and their nearest doubles.

    Raises:
        DataError: an adjusted value does not fit below 2^61.
    """
    unit = 10**ADJ_DIGITS
    _check_fits(np.flatnonzero(column.ticks >= LIMIT // unit), name, offsets, assets)
    ticks = column.ticks * unit
    up, down = (found.split_down, found.split_up) if name == "volume" else (found.up, found.down)
    floats = column.floats.copy()
    if len(found.rows):
        wide = mul_div(pl.Series(ticks[found.rows]), pl.Series(up), pl.Series(down))
        _check_fits(found.rows[(wide >= LIMIT).to_numpy()], name, offsets, assets)
        ticks[found.rows] = wide.cast(pl.Int64).to_numpy()
        for at, step in _by_step(found.rows, name, offsets, assets):
            floats[at] = nearest_doubles(ticks[at], step / unit)
    return ticks, pl.Series(f"adj_{name}", floats)


def _pieces(events: Ints, rows: Ints, span: tuple[int, int], close: Ints, asset: Asset) -> list[tuple[int, int, Fraction, Fraction]]:
    """Rows between the events of one asset: start, stop, price factor, split factor."""
    price, split, here = Fraction(1), Fraction(1), Fraction(1)
    pieces: list[tuple[int, int, Fraction, Fraction]] = []
    for i, ((_, _, kind, up, down), row) in enumerate(zip(events.tolist(), rows.tolist(), strict=True)):
        if row == span[0]:
            continue
        here = Fraction(1) if i == 0 or row != rows[i - 1] else here
        if kind == 0:
            here *= Fraction(up, down)
            price, split = price * Fraction(up, down), split * Fraction(up, down)
        else:
            before = int(close[row - 1]) * Fraction(asset.tick_size) / here
            amount = Fraction(up, down)
            if amount >= before:
                raise DataError(
                    f"a dividend of {float(amount):g} is not below the close of {float(before):g} before it",
                    where=f"events, asset {asset.symbol!r}",
                    do="repair or drop the event",
                )
            price *= before / (before - amount)
        if max(price, split) >= LIMIT:
            raise DataError("the events multiply to a factor that does not fit", where=f"asset {asset.symbol!r}", do="check the ratios")
        stop = int(rows[i + 1]) if i + 1 < len(rows) else span[1]
        if stop > row:
            pieces.append((row, stop, price, split))
    return pieces


def _narrow(factor: Fraction) -> tuple[int, int]:
    """The factor as two numbers below 2^62: itself, or rounded half-even to a binary fraction."""
    if factor.numerator < WIDE and factor.denominator < WIDE:
        return factor.numerator, factor.denominator
    shift = max(0, min(61, 61 - (factor.numerator.bit_length() - factor.denominator.bit_length())))
    return round(factor * 2**shift), 2**shift


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
