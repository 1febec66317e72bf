"""Values far from their neighbours: measured by medians, which one wrong value does not move."""

from __future__ import annotations

import polars as pl

from rustybt.data.columns import PRICES
from rustybt.data.quality.findings import rows_where

SLIPS = (0.001, 0.01, 0.1, 10.0, 100.0, 1000.0)
NEAR = 0.18
"""How far, as a logarithm, a slipped value may be from the power of ten it slipped by."""
SPIKES = {"equity": 0.35, "crypto": 0.5, "fx": 0.05, "future": 0.25, "index": 0.15}
"""The least log move away and back again within one bar that is called a spike, by asset class."""
WIDTHS = 12.0
"""The same as a multiple of the usual move: the median of absolute moves over ``WINDOW`` bars."""
WINDOW = 61


def find_outliers(frame: pl.DataFrame, asset_class: str) -> list[pl.DataFrame]:
    """Layer three: prices that slipped by a decimal place, and closes that leave and come back.

    Args:
        frame: sorted by asset and time.
        asset_class: chooses what is a large move.
    """
    positive = frame.filter(pl.all_horizontal((pl.col(name).is_not_null()) & (pl.col(name) > 0) for name in PRICES))
    around = [pl.col(name).log().rolling_median(5, center=True, min_samples=3).over("asset") for name in PRICES]
    middle = pl.mean_horizontal(*around)
    placed = positive.with_columns(middle.alias("__middle"), pl.col("close").log().alias("__log"))
    slips = []
    for name in PRICES:
        away = pl.col(name).log() - pl.col("__middle")
        slipped = pl.any_horizontal((away - pl.lit(factor).log()).abs() < NEAR for factor in SLIPS)
        slips.append(
            rows_where(placed, "decimal slip", slipped, pl.format(f"{name} {{}} beside {{}}", name, pl.col("__middle").exp().round(4)))
        )
    back = placed.with_columns(
        (pl.col("__log") - pl.col("__log").shift(1).over("asset")).alias("__in"),
        (pl.col("__log").shift(-1).over("asset") - pl.col("__log")).alias("__out"),
    ).with_columns(pl.col("__in").abs().rolling_median(WINDOW, center=True, min_samples=5).over("asset").alias("__usual"))
    least = pl.max_horizontal(pl.lit(SPIKES[asset_class]), WIDTHS * pl.col("__usual"))
    leaves = (pl.col("__in").abs() > least) & (pl.col("__out").abs() > least) & (pl.col("__in") * pl.col("__out") < 0)
    spikes = rows_where(back, "spike", leaves, pl.format("close moves by {} and back", (pl.col("__in").exp() - 1).round(4)))
    return [*slips, spikes]
