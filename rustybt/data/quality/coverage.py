"""Where there are bars and where they are missing: assets by stretches of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from rustybt.data.calendars import sessions
from rustybt.data.hours import DAY
from rustybt.data.quality.intraday import is_intraday, room, usual_spacing
from rustybt.data.stamps import microseconds

MOST = 120
"""Stretches that the span is cut into, at most."""


@dataclass(frozen=True)
class Coverage:
    """How much of what could be there is there.

    Attributes:
        edges: (stretches + 1,) UTC: where each stretch of time begins, and the end of the last.
        cells: ``asset, stretch, have, could``: bars that are there, and bars that there could be; without a calendar as many as there are
            different times among all assets. A row for every asset and stretch.
        assets: one row per asset: ``asset, first, last, bars, missing`` (between its first and last bar).
    """

    edges: tuple[datetime, ...]
    cells: pl.DataFrame
    assets: pl.DataFrame


def coverage_of(ordered: pl.DataFrame, calendar: str | None, interval: str | None = None) -> Coverage:
    """The coverage of bars.

    Args:
        ordered: ``asset, ts, day``, sorted by asset and time.
        calendar: its code, or None.
        interval: length of bars within a day; None: their usual spacing.
    """
    times = _times(ordered, calendar, interval)
    first, last = int(times["at"][0]), int(times["at"][-1])
    count = max(1, min(MOST, len(times)))
    width = max(1, -(-(last - first + 1) // count))
    count = -(-(last - first + 1) // width)
    stretch = ((pl.col("at") - first) // width).cast(pl.Int32).alias("stretch")
    could = times.group_by(stretch).agg(pl.col("could").sum()).sort("stretch")
    at = (pl.col("day").to_physical().cast(pl.Int64) * DAY if calendar is not None else pl.col("ts").to_physical()).alias("at")
    placed = ordered.select("asset", at, "ts").unique(["asset", "ts"], maintain_order=True)
    have = placed.group_by("asset", stretch).agg(pl.len().cast(pl.Int64).alias("have"))
    names = ordered.select(pl.col("asset").unique(maintain_order=True))
    grid = names.join(pl.DataFrame({"stretch": pl.Series(range(count), dtype=pl.Int32)}), how="cross")
    cells = grid.join(have, on=["asset", "stretch"], how="left").join(could, on="stretch", how="left")
    cells = cells.with_columns(pl.col("have", "could").fill_null(0)).sort("asset", "stretch")
    edges = tuple(datetime.fromisoformat(f"{np.datetime64(first + i * width, 'us')}+00:00") for i in range(count + 1))
    return Coverage(edges, cells, _by_asset(placed, times))


def _times(ordered: pl.DataFrame, calendar: str | None, interval: str | None) -> pl.DataFrame:
    """``at`` (us) of each session, or of each time there is, with how many bars there could be."""
    if calendar is None:
        at = ordered["ts"].to_physical().unique().sort()
        return pl.DataFrame({"at": at, "could": pl.Series([1] * len(at), dtype=pl.Int64)})
    days = ordered["day"].to_physical().to_numpy()
    first, last = int(days.min()), int(days.max())
    found = sessions(calendar, first, last)
    inside = (found.days >= first) & (found.days <= last)
    many = np.ones(len(found.days), dtype=np.int64)
    if is_intraday(ordered):
        many = room(found, usual_spacing(ordered) if interval is None else microseconds(interval))
    begins = found.days[inside].astype(np.int64) * DAY
    if not len(begins):  # no session at all: bars on closed days only
        return pl.DataFrame({"at": [first * DAY], "could": pl.Series([0], dtype=pl.Int64)})
    return pl.DataFrame({"at": begins, "could": many[inside]})


def _by_asset(placed: pl.DataFrame, times: pl.DataFrame) -> pl.DataFrame:
    ts, at_of = pl.col("ts"), pl.col("at")
    spans = ts.min().alias("first"), ts.max().alias("last"), at_of.min().alias("low"), at_of.max().alias("high")
    per = placed.group_by("asset", maintain_order=True).agg(*spans, pl.len().cast(pl.Int64).alias("bars"))
    at = times["at"].to_numpy()
    total = np.concatenate([[0], np.cumsum(times["could"].to_numpy())])
    low, high = (per[name].to_numpy() for name in ("low", "high"))
    could = total[np.searchsorted(at, high, side="right")] - total[np.searchsorted(at, low)]
    missing = pl.Series("missing", np.maximum(could - per["bars"].to_numpy(), 0))
    return per.drop("low", "high").with_columns(missing)
