"""What the prices before and after a roll are shifted by, exactly, and prices put back as they were traded."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import polars as pl

from rustybt.data.chains.rolls import Roll
from rustybt.data.columns import PRICES
from rustybt.data.exact import as_decimals, as_ticks, scale_exactly
from rustybt.errors import DataError
from rustybt.model import Asset
from rustybt.model.decimals import LIMIT


def levels_of(
    root: str, names: Sequence[str], rolls: Sequence[Roll], closes: Sequence[tuple[int, int]], adjust: str
) -> tuple[list[int], list[Fraction]]:
    """What is added to each piece, in ticks, and what it is multiplied by; the first as traded.

    Raises:
        DataError: a gap is not known, or does not fit.
    """
    shifts, factors = [0], [Fraction(1)]
    for roll, (before, after) in zip(rolls, closes, strict=True):
        if adjust != "none" and roll.measured < 0:
            raise DataError(
                f"{names[roll.before]!r} and {names[roll.after]!r} have no bar in common, so the gap between them is not known",
                where=f"continuous {root!r}",
                do='load more bars of the later one, or take adjust="none"',
            )
        shifts.append(shifts[-1] + (before - after if adjust == "difference" else 0))
        factors.append(factors[-1] * (Fraction(before, after) if adjust == "ratio" else 1))
    if max(map(abs, shifts)) >= LIMIT // 2:
        raise DataError("the gaps add up to more than fits", where=f"continuous {root!r}", do="give a coarser tick_size")
    return shifts, factors


def unadjusted(frame: pl.DataFrame, pieces: pl.DataFrame, asset: Asset, digits: int) -> pl.DataFrame:
    """Adjusted prices as they were traded: the frame of `Continuous.frame`, or a part of it, put back by its `Continuous.pieces`.

    Args:
        frame: the adjusted rows, with ``ts`` and ``contract``.
        pieces: as of the same series.
        asset: what the contracts trade in.
        digits: decimals beyond the tick.

    Returns:
        The same columns; prices Decimal of the asset's scale.
    """
    owner = np.searchsorted(pieces["ts"].to_physical().to_numpy(), frame["ts"].to_physical().to_numpy(), side="right") - 1
    shifts = np.array([int(text) for text in pieces["shift"]], dtype=np.int64)[owner]
    factors = [Fraction(int(up), int(down)) for up, down in pieces.select("numerator", "denominator").rows()]
    back = [1 / (factor * 10**digits) for factor in factors]
    made = []
    for name in PRICES:
        ticks = as_ticks(frame[name], asset.tick_size, digits)
        ticks = ticks - shifts if not digits else scale_exactly(ticks, back, owner.astype(np.int32))
        made.append(as_decimals(name, ticks, asset.tick_size))
    return frame.with_columns(made)
