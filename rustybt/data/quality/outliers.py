"""Values far from their neighbours: measured by medians, which one wrong value does not move."""

from __future__ import annotations

import math

import polars as pl

from rustybt.data.columns import PRICES
from rustybt.data.hours import DAY
from rustybt.data.quality.findings import rows_where

SLIPS = (0.001, 0.01, 0.1, 10.0, 100.0, 1000.0)
NEAR = 0.18
"""How far, as a logarithm, a slipped value may be from the power of ten it slipped by."""
SPIKES = {"equity": 0.1, "crypto": 0.25, "fx": 0.03, "future": 0.1, "index": 0.08}
"""The least log move of a daily bar away and back again that is called a spike, by asset class."""
MOVES = {"equity": 0.7, "crypto": 1.0, "fx": 0.1, "future": 0.5, "index": 0.3}
"""The same of a move within a bar that stays: news makes such moves, and no bar takes them back."""
SHARE = 0.2
"""The least share of these that counts for shorter bars, however short: a minute of panic moves farther than the root of time says."""
WIDTHS, AWAY = 16.0, 12.0
"""The same of a spike, and of a move that stays, as multiples of the usual move: the median over ``WINDOW`` bars of those that moved."""
WINDOW = 61
BACK = 0.5
"""How much of the move may be left after the bar that takes it back."""
TIMES = 50.0
"""A volume so many times the median of ``BESIDE`` bars, or so many times less, may have slipped by a factor of 100 or 1000."""
BESIDE = 21
SPREADS = 12.0
"""The same as a multiple of the usual distance from that median, as logarithms: thin markets trade wildly."""


def find_outliers(frame: pl.DataFrame, asset_class: str) -> list[pl.DataFrame]:
    """Layer three: prices that slipped by a decimal place, closes that leave and come back or stay away, volumes out of scale.

    Args:
        frame: sorted by asset and time.
        asset_class: chooses what is a large move.
    """
    positive = frame.filter(pl.all_horizontal((pl.col(name).is_not_null()) & (pl.col(name) > 0) for name in PRICES))
    return [*_slips(positive), *_moves(positive, asset_class), *_volumes(frame)]


def _slips(positive: pl.DataFrame) -> list[pl.DataFrame]:
    around = [pl.col(name).log().rolling_median(5, center=True, min_samples=3).over("asset") for name in PRICES]
    placed = positive.with_columns(pl.mean_horizontal(*around).alias("__middle"))
    found = []
    for name in PRICES:
        away = pl.col(name).log() - pl.col("__middle")
        slipped = pl.any_horizontal((away - pl.lit(factor).log()).abs() < NEAR for factor in SLIPS)
        found.append(
            rows_where(placed, "decimal slip", slipped, pl.format(f"{name} {{}} beside {{}}", name, pl.col("__middle").exp().round(4)))
        )
    return found


def _moves(positive: pl.DataFrame, asset_class: str) -> list[pl.DataFrame]:
    """Spikes and sudden moves; what is large follows the square root of the time since the bar before."""
    close, ts = pl.col("close").log(), pl.col("ts").to_physical()
    moved = positive.select("asset", "ts", close.alias("__log"), pl.col("open").log().alias("__open"), ts.alias("__at")).with_columns(
        (pl.col("__log") - pl.col("__log").shift(1).over("asset")).alias("__in"),
        ((pl.col("__at") - pl.col("__at").shift(1).over("asset")) / DAY).alias("__days"),
    )
    some = pl.when(pl.col("__in") != 0).then(pl.col("__in").abs())
    moved = moved.with_columns(
        pl.col("__in").shift(-1).over("asset").alias("__out"),
        some.rolling_median(WINDOW, center=True, min_samples=5).over("asset").alias("__usual"),
        pl.col("__days").sqrt().clip(SHARE, 1.0).fill_null(1.0).alias("__scale"),
    )
    scale = pl.max_horizontal("__scale", pl.col("__scale").shift(-1).over("asset"))
    least = pl.max_horizontal(SPIKES[asset_class] * scale, WIDTHS * pl.col("__usual"))
    leaves = (pl.col("__in").abs() > least) & (pl.col("__out").abs() > least) & (pl.col("__in") * pl.col("__out") < 0)
    leaves &= (pl.col("__in") + pl.col("__out")).abs() < BACK * pl.col("__in").abs()
    # A night belongs to the checks of jumps: of daily bars only what happens within one counts here.
    within = pl.when(pl.col("__days") < 1).then("__in").otherwise(pl.col("__log") - pl.col("__open"))
    moved = moved.with_columns(leaves.fill_null(value=False).alias("__leaves"), within.alias("__within"))
    least = pl.max_horizontal(MOVES[asset_class] * pl.col("__scale"), AWAY * pl.col("__usual"))
    back = pl.col("__leaves").shift(1, fill_value=False).over("asset")
    stays = ~pl.col("__leaves") & ~back & (pl.col("__within").abs() > least)
    return [
        rows_where(moved, "spike", pl.col("__leaves"), pl.format("close moves by {} and back", (pl.col("__in").exp() - 1).round(4))),
        rows_where(moved, "sudden move", stays, pl.format("price moves by {} in one bar", (pl.col("__within").exp() - 1).round(4))),
    ]


def _volumes(frame: pl.DataFrame) -> list[pl.DataFrame]:
    traded = frame.filter(pl.col("volume") > 0).select("asset", "ts", "volume", pl.col("volume").cast(pl.Float64).log().alias("__log"))
    middle = pl.col("__log").rolling_median(BESIDE, center=True, min_samples=9).over("asset")
    placed = traded.with_columns(middle.alias("__middle")).with_columns((pl.col("__log") - pl.col("__middle")).alias("__away"))
    spread = pl.col("__away").abs().rolling_median(WINDOW, center=True, min_samples=9).over("asset")
    far = pl.col("__away").abs() > pl.max_horizontal(math.log(TIMES), SPREADS * spread)
    said = pl.format("volume {} beside {}", "volume", pl.col("__middle").exp().round(2))
    return [rows_where(placed, "volume slip", far, said)]
