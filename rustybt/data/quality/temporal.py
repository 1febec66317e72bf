"""What rows say together: keys, sessions, repeats, and moves that only a corporate action makes."""

from __future__ import annotations

import numpy as np
import polars as pl

from rustybt.data.calendars import sessions
from rustybt.data.columns import PRICES
from rustybt.data.hours import DAY
from rustybt.data.quality.findings import rows_where
from rustybt.data.quality.zones import days_early

RATIOS = (1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 15.0, 20.0, 25.0, 30.0, 50.0, 100.0, 1000.0)
SPLIT_COLUMNS = ("split", "split_ratio", "stock_splits", "splits")
EXPLAINED = "__explained"
"""Column, where events are given: whether one that is no split makes a large move in the row's night no riddle."""
LONG = 120
"""From so many missing sessions on the ticker may be another company's."""
NEAR = 0.06
"""How far, as a logarithm, an overnight move may be from a split's ratio: the market moves too."""
LEAST = 0.36
"""The least overnight log move that is looked at."""
STEADY = 0.15
"""Most log move within the bar of a split: a crash trades wildly, a split does not."""
FAR = 1.1
"""From this overnight log move on (three times the price, or a third of it) hardly anything but a corporate action moves a stock."""


def find_keys(frame: pl.DataFrame) -> list[pl.DataFrame]:
    """Repeated keys and rows that came before an earlier one; ``frame`` in the order it came."""
    late = pl.col("ts") < pl.col("ts").shift(1).over("asset")
    return [
        rows_where(frame, "duplicate key", pl.struct("asset", "ts").is_duplicated(), "the asset has another row at this time"),
        rows_where(frame, "out of order", late, "comes after a later row of its asset"),
    ]


def find_sessions(frame: pl.DataFrame, calendar: str) -> list[pl.DataFrame]:
    """Bars on days that are no session, and sessions between an asset's first and last bar without a bar.

    Where dates are a day off, that is one finding, and sessions are counted as if they were not.
    """
    days = frame["day"].to_physical()
    known = sessions(calendar, int(days.min()), int(days.max())).days  # type: ignore[arg-type]
    by = days_early(days.to_numpy(), lambda some: np.isin(some, known))
    off = []
    if by:
        strays = frame.filter(pl.col("day").to_physical().is_in(known.tolist()).not_())
        side = "early" if by > 0 else "late"
        told = f"{strays.height} of {frame.height} bars are on no session of {calendar}, as if all were a day {side}: a zone?"
        off = [rows_where(strays.head(1), "zone error", pl.lit(value=True), told)]
        frame = frame.with_columns(pl.col("day").dt.offset_by(f"{by}d"))
    names = pl.Series("day", known).cast(pl.Date)
    closed = rows_where(frame, "not a session", pl.col("day").is_in(names.implode()).not_(), f"no session of {calendar}")
    every = pl.DataFrame({"day": names, "at": np.arange(len(known))})
    per = frame.join(every, on="day", how="inner").unique(["asset", "at"]).sort("asset", "at")
    gap = (pl.col("at").shift(-1).over("asset") - pl.col("at") - 1).alias("__gap")
    after = (pl.col("open").shift(-1).over("asset") / pl.col("close")).round(3).alias("__after")
    per = per.with_columns(gap, after)
    said = pl.format("{} sessions without a bar, then {} times the price: another company?", "__gap", "__after")
    return [
        *(off or [closed]),
        rows_where(
            per,
            "missing sessions",
            (pl.col("__gap") > 0) & (pl.col("__gap") < LONG),
            pl.format("{} sessions are missing after it", "__gap"),
        ),
        rows_where(per, "reused ticker", pl.col("__gap") >= LONG, said),
    ]


def find_moves(frame: pl.DataFrame) -> list[pl.DataFrame]:
    """Stale bars, jumps like a split that no column explains, larger moves, and splits that the prices do not show.

    A jump that an event beside the bars explains (`EXPLAINED`) is none.
    """
    before = pl.col("close").shift(1).over("asset")
    flat = pl.all_horizontal(pl.col(name) == before for name in PRICES) & (pl.col("volume") == 0)
    flat &= (pl.col("volume") > 0).any().over("asset")
    column = next((name for name in SPLIT_COLUMNS if name in frame.columns), None)
    ratio = (
        pl.lit(1.0) if column is None else pl.when(pl.col(column) > 0).then(pl.col(column).cast(pl.Float64)).otherwise(1.0).fill_null(1.0)
    )
    moved = frame.with_columns(
        (pl.col("open").log() - before.log()).alias("__night"),
        (pl.col("close") / pl.col("open")).log().abs().alias("__day"),
        ratio.alias("__ratio"),
    )
    near = pl.any_horizontal((pl.col("__night").abs() - pl.lit(one).log()).abs() < NEAR for one in RATIOS)
    looks = near & (pl.col("__night").abs() > LEAST) & (pl.col("__day") < STEADY) & (pl.col("__ratio") == 1)
    if EXPLAINED in frame.columns:
        looks &= ~pl.col(EXPLAINED)
    far = ~looks & (pl.col("__night").abs() > FAR) & (pl.col("__ratio") == 1)
    if EXPLAINED in frame.columns:
        far &= ~pl.col(EXPLAINED)
    absent = (pl.col("__ratio") != 1) & ((pl.col("__night") + pl.col("__ratio").log()).abs() > pl.col("__ratio").log().abs() / 2)
    by = (-pl.col("__night")).exp().round(3)
    return [
        rows_where(frame, "stale bar", flat, "the close before, and no volume"),
        rows_where(moved, "jump like a split", looks, pl.format("the price before is {} times the open", by)),
        rows_where(moved, "large move", far, pl.format("the price before is {} times the open", by)),
        rows_where(moved, "split without a jump", absent, pl.format("split {}, but the price before is {} times the open", "__ratio", by)),
    ]


def days_of(stamps: pl.Series) -> pl.Series:
    """The UTC date of instants."""
    return (stamps.to_physical() // DAY).cast(pl.Int32).cast(pl.Date).alias("day")
