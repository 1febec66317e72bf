"""Exact arithmetic on columns of integers, and the doubles nearest to its results."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.model.panel import Ints

Floats = npt.NDArray[np.float64]
CHUNK = 2**16
"""Rows that are worked on at a time, so that they stay in the processor's cache."""
TRUSTED = 1e-15
"""Relative error that a product of doubles stays under here; a result nearer than that to a half is computed exactly."""


def nearest_doubles(ticks: Ints, step: Decimal) -> Floats:
    """The doubles nearest to ``ticks * step``.

    Example:
        >>> nearest_doubles(np.array([1, 3]), Decimal("0.1")).tolist()
        [0.1, 0.3]
    """
    worth = Fraction(step)
    up, down = worth.numerator, worth.denominator
    with np.errstate(over="ignore"):
        floats: Floats = ticks.astype(np.float64)
        if up != 1:
            floats *= up
        if down != 1:
            floats /= down
    limit = 2**53 // up
    large = np.flatnonzero((ticks > limit) | (ticks < -limit))
    if len(large):
        floats[large] = [int(t) * up / down for t in ticks[large]]
    return floats


def mul_div(values: pl.Series, up: pl.Series | int, down: pl.Series | int) -> pl.Series:
    """``round_half_even(values * up / down)`` in 128 bits, for values of at least 0.

    Args:
        values: integers.
        up: positive integer, one for all rows or one per row; ``values * up`` must fit in 127 bits.
        down: the same, what to divide by.

    Returns:
        Int128.

    Example:
        >>> mul_div(pl.Series([1, 3, 5]), 1, 2).to_list()
        [0, 2, 2]
    """
    columns = {"v": values.cast(pl.Int128), "u": _wide(up), "d": _wide(down)}
    frame = pl.DataFrame({name: column for name, column in columns.items() if len(column) == len(values)})
    v, u, d = (pl.col(name) if name in frame.columns else pl.lit(columns[name][0], dtype=pl.Int128) for name in "vud")
    p, q, r = pl.col("p"), pl.col("q"), pl.col("p") - pl.col("q") * d
    goes_up = (2 * r > d) | ((2 * r == d) & (q % 2 == 1))
    return frame.with_columns((v * u).alias("p")).with_columns((p // d).alias("q")).select(q + goes_up.cast(pl.Int128)).to_series()


def scale_by(values: Ints, up: Ints, down: Ints, piece: npt.NDArray[np.int32]) -> Ints:
    """``round_half_even(values * up[piece] / down[piece])``: doubles decide where they can, 128 bits where they cannot.

    Args:
        values: (rows,) below 2^61, at least 0.
        up: (pieces,) at most 2^62.
        down: (pieces,) positive, at most 2^62.
        piece: (rows,) which factor belongs to each row.

    Returns:
        (rows,) Int64; where a result is 2^61 or more, 2^61.

    Example:
        >>> scale_by(np.array([3, 10]), np.array([1, 2]), np.array([2, 3]), np.array([0, 1], dtype=np.int32)).tolist()
        [2, 7]
    """
    out = np.empty(len(values), dtype=np.int64)
    ratios = np.array([u / d for u, d in zip(up.tolist(), down.tolist(), strict=True)], dtype=np.float64)
    for start in range(0, len(values), CHUNK):
        rows = slice(start, min(start + CHUNK, len(values)))
        product = values[rows] * ratios[piece[rows]]
        whole = np.floor(product)
        rest = product - whole
        unsure = np.flatnonzero(np.abs(rest - 0.5) <= product * TRUSTED)
        with np.errstate(invalid="ignore"):
            found = (whole + (rest > 0.5)).astype(np.int64)
        if len(unsure):
            at = piece[rows][unsure]
            wide = mul_div(pl.Series(values[rows][unsure]), pl.Series(up[at]), pl.Series(down[at]))
            found[unsure] = wide.clip(upper_bound=2**61).cast(pl.Int64).to_numpy()
        out[rows] = found
    return out


def _wide(number: pl.Series | int) -> pl.Series:
    return pl.Series([number], dtype=pl.Int128) if isinstance(number, int) else number.cast(pl.Int128)
