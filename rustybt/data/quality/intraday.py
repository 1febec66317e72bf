"""Bars within a day against the sessions of a calendar: outside of trading hours, and missing inside of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.data.calendars import sessions
from rustybt.data.hours import DAY
from rustybt.data.quality.findings import rows_where
from rustybt.data.quality.zones import likely_clock
from rustybt.data.spans import Sessions
from rustybt.data.stamps import microseconds
from rustybt.model.panel import Ints


def is_intraday(frame: pl.DataFrame) -> bool:
    """Whether most bars share their date with another bar of their asset: one stray time does not make daily bars finer."""
    again = (pl.col("day") == pl.col("day").shift(1).over("asset")) & (pl.col("ts") != pl.col("ts").shift(1).over("asset"))
    return bool(frame.select(again.fill_null(value=False).mean() > 0.5).item())


def find_intraday(frame: pl.DataFrame, calendar: str, stamp: str | None, interval: str | None) -> list[pl.DataFrame]:
    """Bars outside of trading hours, sessions without a bar, and sessions with fewer bars than they have room for.

    Where another clock puts bars inside, that is one finding, and what is missing is counted with it.

    Args:
        frame: sorted by asset and time.
        calendar: its code.
        stamp: ``"open"`` or ``"close"``; None: a bar at either edge of the trading hours is inside.
        interval: length of a bar; None: the usual spacing of bars.
    """
    ts = frame["ts"].to_physical().to_numpy()
    found = sessions(calendar, int(ts.min() // DAY) - 1, int(ts.max() // DAY) + 1)
    length = usual_spacing(frame) if interval is None else microseconds(interval)
    clock = likely_clock(ts, found.zone, lambda stamps: _place(stamps, found, length, stamp)[1])
    at, inside = _place(ts if clock is None else clock.read(ts), found, length, stamp)
    spaces = pl.Series("room", room(found, length)[at])
    placed = frame.select("asset", "ts").with_columns(pl.Series("at", at), pl.Series("inside", inside), spaces)
    outside = rows_where(placed, "outside trading hours", ~pl.col("inside"), f"no trading hours of {found.name}")
    if clock is not None:
        before = ~_place(ts, found, length, stamp)[1]
        told = f"{before.sum()} of {len(ts)} bars are outside of the trading hours of {found.name}, {clock.said} (leaves {outside.height})"
        outside = rows_where(placed.filter(before).head(1), "zone error", pl.lit(value=True), told)
    counted = pl.col("ts").first(), pl.col("ts").n_unique().cast(pl.Int64).alias("have"), pl.col("room").first()
    per = placed.filter("inside").group_by("asset", "at", maintain_order=True).agg(*counted)
    gap = pl.col("at").shift(-1).over("asset") - pl.col("at") - 1
    number = pl.int_range(pl.len()).over("asset")
    whole = (number > 0) & (number < pl.len().over("asset") - 1)  # the first and the last session may be a part
    per = per.with_columns(gap.alias("gap"), whole.alias("whole"))
    fewer = pl.col("whole") & (pl.col("have") < pl.col("room"))
    said = pl.format("{} of {} bars of the session", pl.col("room") - pl.col("have"), "room")
    return [
        outside,
        rows_where(per, "missing sessions", pl.col("gap") > 0, pl.format("{} sessions are missing after it", "gap")),
        rows_where(per, "missing bars", fewer, said),
    ]


def _place(stamps: Ints, found: Sessions, length: int, stamp: str | None) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """The place of the session of each bar among all, and whether the bar is within its trading hours."""
    ends = stamps + (length if stamp == "open" else 0)
    if stamp is None:
        ends = ends + np.isin(ends, np.concatenate([found.opens, found.break_ends]))
    days, inside = found.session_of(ends)
    at: Ints = np.minimum(np.searchsorted(found.days, days), len(found.days) - 1)
    paused = (ends - length >= found.break_starts[at]) & (ends <= found.break_ends[at]) & (found.break_ends > found.break_starts)[at]
    return at, inside & ~paused


def usual_spacing(frame: pl.DataFrame) -> int:
    """The most frequent spacing of the bars of an asset, in microseconds; the smaller of two that are as frequent."""
    steps = frame.select(pl.col("ts").to_physical().diff().over("asset").alias("step")).filter(pl.col("step") > 0)
    counts = steps.group_by("step").len().sort(["len", "step"], descending=[True, False])
    return int(counts["step"][0]) if counts.height else DAY


def room(found: Sessions, length: int) -> Ints:
    """How many bars of a length each session has room for, on both sides of its break."""
    before = found.break_starts - found.opens
    after = found.closes - found.break_ends
    bars: Ints = -(-before // length) - (-after // length)
    return bars
