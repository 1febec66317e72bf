"""Exact arithmetic on columns of integers, and the doubles nearest to its results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.model.decimals import decimals_of
from rustybt.model.panel import Ints

Floats = npt.NDArray[np.float64]
CHUNK = 2**16
"""Rows that are worked on at a time, so that they stay in the processor's cache."""
TRUSTED = 1e-15
"""Relative error that a product of doubles stays under here; a result nearer than that to a half is computed exactly."""

HALF, MOST = 0.5, 2.0**61


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


def scale_exactly(values: Ints, factors: Sequence[Fraction], piece: npt.NDArray[np.int32]) -> Ints:
    """``round_half_even(values * factors[piece])`` for factors of any length; doubles decide where they can.

    Args:
        values: (rows,) at least 0.
        factors: (pieces,) positive.
        piece: (rows,) which factor belongs to each row.

    Raises:
        OverflowError: a result is 2^61 or more.

    Example:
        >>> scale_exactly(np.array([1, 3]), [Fraction(1, 2)], np.array([0, 0], dtype=np.int32)).tolist()
        [0, 2]
    """
    out = np.empty(len(values), dtype=np.int64)
    ratios = np.array([float(factor) for factor in factors], dtype=np.float64)
    for start in range(0, len(values), CHUNK):
        rows = slice(start, min(start + CHUNK, len(values)))
        product = values[rows] * ratios[piece[rows]]
        if len(product) and product.max() >= MOST:
            raise OverflowError("a scaled value does not fit below 2^61")
        whole = np.floor(product)
        rest = product - whole
        found = (whole + (rest > HALF)).astype(np.int64)
        for row in np.flatnonzero(np.abs(rest - HALF) <= product * TRUSTED).tolist():
            found[row] = round(int(values[rows][row]) * factors[piece[rows][row]])
        out[rows] = found
    return out


def digits_to_return(factors: Iterable[Fraction], least: int = 0) -> int:
    """How many more digits scaled values need, so that scaling back and rounding gives the values they came from, always.

    A value is off by half a unit at most, which scaled back is half of ``unit / factor``: less than half a step when the unit is smaller
    than every factor.

    Example:
        >>> digits_to_return([Fraction(1, 7), Fraction(1)]), digits_to_return([Fraction(1, 10)])
        (1, 2)
    """
    digits, smallest = least, min(factors, default=Fraction(1))
    while Fraction(1, 10**digits) >= smallest:
        digits += 1
    return digits


def as_decimals(name: str, ticks: Ints, step: Decimal, digits: int = 0) -> pl.Series:
    """Whole steps, or 10^-digits of one, as a column of exact decimals.

    Example:
        >>> as_decimals("close", np.array([3]), Decimal("0.25")).to_list()
        [Decimal('0.75')]
    """
    scale = decimals_of(step)
    units = pl.Series(ticks).cast(pl.Int128) * pl.Series([int(step.scaleb(scale))], dtype=pl.Int128)
    return units.reinterpret(dtype=pl.Decimal(38, scale + digits)).alias(name)


def as_ticks(column: pl.Series, step: Decimal, digits: int = 0) -> Ints:
    """The whole steps, or 10^-digits of one, of a column that `as_decimals` made.

    Example:
        >>> as_ticks(pl.Series([Decimal("0.75")]), Decimal("0.25")).tolist()
        [3]
    """
    scale = decimals_of(step)
    whole = column.cast(pl.Decimal(38, scale + digits)).reinterpret(dtype=pl.Int128)
    ticks: Ints = (whole // pl.Series([int(step.scaleb(scale))], dtype=pl.Int128)).cast(pl.Int64).to_numpy()
    return ticks


def _wide(number: pl.Series | int) -> pl.Series:
    return pl.Series([number], dtype=pl.Int128) if isinstance(number, int) else number.cast(pl.Int128)
