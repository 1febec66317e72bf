"""What an asset's bars say as a whole: traded bars that are repeated, and assets with hardly any bar."""

from __future__ import annotations

import polars as pl

from rustybt.data.columns import FIELDS, PRICES
from rustybt.data.quality.findings import rows_where

LONG = 10
"""So many bars that repeat one before are no chance, even of a volume that the asset often has, where they span a range."""
FLAT = 20
"""The same where a bar has one price."""
FEW, MANY = 10, 100
"""Bars of an asset that are few where the assets usually have many."""


def find_repeats(frame: pl.DataFrame) -> list[pl.DataFrame]:
    """Runs of traded bars that repeat the one before in prices and volume; one finding for each run, at its first repeat.

    Quiet minutes repeat by chance: one trade of one lot at one price, and the next. A volume that the asset has nowhere else does not,
    where the bar spans a range.

    Args:
        frame: sorted by asset and time.
    """
    same = [pl.col(name) == pl.col(name).shift(1) for name in ("asset", *FIELDS)]
    again = (pl.all_horizontal(same) & (pl.col("volume") > 0) & (pl.col("ts") != pl.col("ts").shift(1))).fill_null(value=False)
    rows = frame.select("asset", "ts", *FIELDS, again.alias("__again"))
    if not rows["__again"].any():
        return []
    number = (pl.col("__again") & ~pl.col("__again").shift(1, fill_value=False)).cum_sum().alias("__run")
    runs = (
        rows.with_columns(number)
        .filter("__again")
        .group_by("__run", maintain_order=True)
        .agg(pl.col("asset", "ts", *FIELDS).first(), pl.len().alias("__times"))
    )
    shared = rows.join(runs.select("asset", "volume").unique(), on=["asset", "volume"]).group_by("asset", "volume").len("__shared")
    runs = runs.join(shared, on=["asset", "volume"], how="left", maintain_order="left")
    alone, flat = pl.col("__shared") == pl.col("__times") + 1, pl.col("high") == pl.col("low")
    wrong = pl.when(flat).then(pl.col("__times") >= FLAT).otherwise(alone | (pl.col("__times") >= LONG))
    said = pl.format("the bar before with its volume of {}, {} times again", "volume", "__times")
    return [rows_where(runs, "repeated bar", wrong, said)]


def find_few(frame: pl.DataFrame) -> list[pl.DataFrame]:
    """Assets with a handful of bars among others that have many, at their first bar.

    Args:
        frame: sorted by asset and time.
    """
    per = frame.filter(pl.all_horizontal(pl.col(name).is_not_null() for name in PRICES))
    per = per.group_by("asset", maintain_order=True).agg(pl.col("ts").first(), pl.len().alias("__bars"))
    usual = per["__bars"].median()
    if not isinstance(usual, float) or usual < MANY:
        return []
    return [rows_where(per, "few bars", pl.col("__bars") < FEW, pl.format("{} bars, others have {}", "__bars", pl.lit(round(usual))))]
