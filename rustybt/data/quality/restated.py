"""Dividends that a later split was already taken out of, beside prices as they were traded."""

from __future__ import annotations

import math

import polars as pl

from rustybt.data.quality.findings import rows_where
from rustybt.data.quality.payments import ALIKE, DIVIDEND, SPLIT, TWOFOLD

LEAST = 2
"""Dividends on each side of the split: one by itself may have been cut or raised."""
MOST = 8
"""Dividends on each side that are looked at: two years of quarters."""
CLOSE = 1.3
"""How far the yields of the two sides, with the split taken out, may be apart, as a multiple."""


def find_restated(frame: pl.DataFrame) -> list[pl.DataFrame]:
    """Splits that the prices show and the dividends before them do not; one finding for each, at the split.

    A company may raise its dividend with a split, so amounts that stay the same prove nothing: the yield before has to be too small by the
    split, too.

    Args:
        frame: sorted by asset and time.
    """
    dividend, split = (next((name for name in frame.columns if name.lower() in kind), None) for kind in (DIVIDEND, SPLIT))
    if dividend is None or split is None:
        return []
    before = pl.col("close").shift(1).over("asset")
    ratio = pl.col(split).cast(pl.Float64).fill_null(1.0)
    rows = frame.filter(pl.col("close") > 0).select(
        "asset",
        "ts",
        pl.col(dividend).cast(pl.Float64).fill_null(0.0).alias("__paid"),
        pl.when(ratio > 0).then(ratio).otherwise(1.0).alias("__split"),
        before.cast(pl.Float64).alias("__before"),
        (pl.col("open").log() - before.log()).alias("__night"),
    )
    of = pl.col("__split").log()
    # A dividend on the day of the split is of neither side; `_across` of `payments` asks about it.
    rows = rows.filter((pl.col("__paid") > 0) | (of != 0)).with_columns((of != 0).cum_sum().over("asset").alias("__spell"))
    paid = rows.filter((of == 0) & (pl.col("__paid") > 0) & pl.col("__before").is_not_null())
    shown = rows.filter((of.abs() > math.log(TWOFOLD)) & ((pl.col("__night") + of).abs() <= of.abs() / 2))
    sides = shown.join(_typical(paid, last=True), left_on=["asset", pl.col("__spell") - 1], right_on=["asset", "__spell"])
    sides = sides.join(_typical(paid, last=False), on=["asset", "__spell"], suffix="_after")
    same = (pl.col("amount") / pl.col("amount_after")).log().abs() < math.log(ALIKE)
    less = ((pl.col("yield") / pl.col("yield_after")).log() + of).abs() < math.log(CLOSE)
    enough = (pl.col("count") >= LEAST) & (pl.col("count_after") >= LEAST)
    told = "{} dividends of about {} before the split of {} and about {} after it: as paid, and as the prices were, they were larger by it"
    amounts = [pl.col(name).round(6) for name in ("amount", "amount_after")]
    said = pl.format(told, "count", amounts[0], "__split", amounts[1])
    return [rows_where(sides, "dividends already adjusted", enough & same & less, said)]


def _typical(paid: pl.DataFrame, *, last: bool) -> pl.DataFrame:
    """How many dividends each spell between two splits has, and the medians of those at its end or at its beginning."""
    amount, part = pl.col("__paid"), pl.col("__paid") / pl.col("__before")
    near = [(one.tail(MOST) if last else one.head(MOST)).median() for one in (amount, part)]
    return paid.group_by("asset", "__spell", maintain_order=True).agg(
        pl.len().alias("count"), near[0].alias("amount"), near[1].alias("yield")
    )
