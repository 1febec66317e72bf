"""Integers of the kernel as Decimal columns, without a float on the way."""

from __future__ import annotations

import sys
from decimal import Decimal

import numpy as np
import polars as pl

from rustybt.model import Asset
from rustybt.model.panel import Ints

PRECISION = 38
LARGE = 2**17
"""Rows from which loading pyarrow pays."""


def decimal_column(name: str, units: Ints, scale: int) -> pl.Series:
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
    wide = pl.Series(name, units, dtype=pl.Int64).cast(pl.Int128)
    return wide.reinterpret(dtype=pl.Decimal(PRECISION, scale))


def _shared(name: str, units: Ints, scale: int) -> pl.Series:
    """The same through Arrow: both halves of each number written once, into the memory that the column keeps."""
    import pyarrow as pa

    halves = np.empty((len(units), 2), dtype=np.int64)
    halves[:, 0] = units
    np.right_shift(units, 63, out=halves[:, 1])
    array = pa.Array.from_buffers(pa.decimal128(PRECISION, scale), len(units), [None, pa.py_buffer(halves)])
    return pl.Series(name, array)


def steps_column(name: str, units: Ints, steps: tuple[Decimal, ...], column: Ints | None) -> pl.Series:
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
    if (factors == factors[0]).all():
        scaled = units if factors[0] == 1 else units * factors[0]
    else:
        scaled = units * factors[0 if column is None else column]
    return decimal_column(name, scaled, scale)


def tick_sizes(assets: tuple[Asset, ...]) -> tuple[Decimal, ...]:
    """Tick size of each asset."""
    return tuple(asset.tick_size for asset in assets)


def lot_sizes(assets: tuple[Asset, ...]) -> tuple[Decimal, ...]:
    """Lot size of each asset."""
    return tuple(asset.lot_size for asset in assets)
