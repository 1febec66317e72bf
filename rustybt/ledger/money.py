"""Integers of the kernel as Decimal columns, without a float on the way."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import polars as pl

from rustybt.model import Asset
from rustybt.model.lent import room_for
from rustybt.model.panel import Ints

PRECISION = 38
LARGE = 2**17
"""Rows from which loading pyarrow pays."""
BLOCK = 2**14
"""Rows that are made at a time: they stay near the processor until both halves are written."""


@dataclass(frozen=True)
class Made:
    """Units that are computed while they are written: a long column needs no memory for what it is made of.

    Attributes:
        rows: how many.
        at: (rows,) Int64 of a part of the rows.
    """

    rows: int
    at: Callable[[slice], Ints]

    def __len__(self) -> int:
        return self.rows


def decimal_column(name: str, units: Ints | Made, scale: int) -> pl.Series:
    """Whole units of 10^-scale as a Decimal column.

    Args:
        name: of the column.
        units: (rows,) Int64.
        scale: digits after the point.

    Example:
        >>> decimal_column("x", np.array([12345]), 2).to_list()
        [Decimal('123.45')]
    """
    if len(units) >= LARGE and sys.byteorder == "little":
        return _shared(name, units, scale)
    whole = units.at(slice(None)) if isinstance(units, Made) else units
    return pl.Series(name, whole, dtype=pl.Int64).cast(pl.Int128).reinterpret(dtype=pl.Decimal(PRECISION, scale))


def _shared(name: str, units: Ints | Made, scale: int) -> pl.Series:
    """The same through Arrow: both halves of each number written once, into the memory that the column keeps."""
    import pyarrow as pa

    rows, at = len(units), units.at if isinstance(units, Made) else units.__getitem__
    halves = room_for(2 * rows, np.int64).reshape(rows, 2)
    for first in range(0, rows, BLOCK):
        part = slice(first, first + BLOCK)
        low, out = at(part), halves[part]
        out[:, 0] = low
        np.right_shift(low, 63, out=out[:, 1])
    array = pa.Array.from_buffers(pa.decimal128(PRECISION, scale), rows, [None, pa.py_buffer(halves)])
    return pl.Series(name, array)


def magnitudes(units: Ints) -> Made:
    """Units without their sign."""
    return Made(len(units), lambda part: np.abs(units[part]))


def steps_column(name: str, units: Ints | Made, steps: tuple[Decimal, ...], column: Ints | None) -> pl.Series:
    """Whole steps that may differ per asset (ticks, lots) as one Decimal column.

    Args:
        name: of the column.
        units: (rows,) Int64 number of steps.
        steps: step size of each asset.
        column: (rows,) asset of each row; None = all of asset 0.

    Returns:
        Decimal with the fewest digits that hold every asset's step.
    """
    digits = [max(0, -int(step.normalize().as_tuple().exponent)) for step in steps]
    scale = max(digits)
    factors = np.array([int(step.scaleb(scale)) for step in steps], dtype=np.int64)
    at = units.at if isinstance(units, Made) else units.__getitem__
    if not (factors == factors[0]).all() and column is not None:
        return decimal_column(name, Made(len(units), lambda part: at(part) * factors[column[part]]), scale)
    scaled = units if factors[0] == 1 else Made(len(units), lambda part: at(part) * factors[0])
    return decimal_column(name, scaled, scale)


def tick_sizes(assets: tuple[Asset, ...]) -> tuple[Decimal, ...]:
    """Tick size of each asset."""
    return tuple(asset.tick_size for asset in assets)


def lot_sizes(assets: tuple[Asset, ...]) -> tuple[Decimal, ...]:
    """Lot size of each asset."""
    return tuple(asset.lot_size for asset in assets)
