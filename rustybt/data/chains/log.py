"""The log of the rolls of a chain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import polars as pl

from rustybt.data.chains.rolls import Roll
from rustybt.data.exact import as_decimals
from rustybt.model import Asset, Panel

OLD_GAP = 5
"""Days between the bar at which a gap is measured and the roll, beyond which a note says so."""


def closes_of(panel: Panel, columns: Sequence[int], roll: Roll) -> tuple[int, int]:
    """Closes of both contracts at the bar at which the gap is measured, in ticks; (0, 0) where there is none."""
    if roll.measured < 0:
        return 0, 0
    return int(panel.close[roll.measured, columns[roll.before]]), int(panel.close[roll.measured, columns[roll.after]])


def log_of(panel: Panel, asset: Asset, names: Sequence[str], rolls: Sequence[Roll], closes: Sequence[tuple[int, int]]) -> pl.DataFrame:
    """The rolls as a frame; see `Continuous.rolls`."""
    stamp = pl.Datetime("us", "UTC")
    bars = np.array([roll.bar for roll in rolls], dtype=np.int64)
    measured = [None if roll.measured < 0 else int(panel.ts[roll.measured]) for roll in rolls]
    before, after = (np.array([pair[side] for pair in closes], dtype=np.int64) for side in (0, 1))
    known = pl.Series([roll.measured >= 0 for roll in rolls], dtype=pl.Boolean)
    frame = pl.DataFrame(
        {
            "ts": pl.Series(panel.ts[bars]).cast(stamp),
            "session": pl.Series(panel.sessions[bars]).cast(pl.Date),
            "before": pl.Series([names[roll.before] for roll in rolls], dtype=pl.String),
            "after": pl.Series([names[roll.after] for roll in rolls], dtype=pl.String),
            "reason": pl.Series([roll.reason for roll in rolls], dtype=pl.String),
            "decided": pl.Series([roll.decided for roll in rolls], dtype=pl.Int32).cast(pl.Date),
            "measured": pl.Series(measured, dtype=pl.Int64).cast(stamp),
            "close_before": as_decimals("close_before", before, asset.tick_size),
            "close_after": as_decimals("close_after", after, asset.tick_size),
            "gap": as_decimals("gap", after - before, asset.tick_size),
            "ratio": pl.Series([after / before if before else 0.0 for before, after in closes], dtype=pl.Float64),
            "votes_before": pl.Series([roll.votes[0] for roll in rolls], dtype=pl.Float64).fill_nan(None),
            "votes_after": pl.Series([roll.votes[1] for roll in rolls], dtype=pl.Float64).fill_nan(None),
            "tradable": pl.Series([roll.tradable for roll in rolls], dtype=pl.Boolean),
        }
    )
    measured_columns = ("close_before", "close_after", "gap", "ratio")
    return frame.with_columns(pl.when(known).then(pl.col(name)).alias(name) for name in measured_columns)


def notes_of(log: pl.DataFrame, names: Sequence[str], panel: Panel) -> list[str]:
    """Sentences about the rolls."""
    notes = []
    old = log.filter((pl.col("ts") - pl.col("measured")) > timedelta(days=OLD_GAP))
    if old.height:
        first = old.row(0, named=True)
        notes.append(f"{old.height} gaps were measured long before the roll (first: {first['before']!r} on {first['measured']:%Y-%m-%d}).")
    left = log.filter(~pl.col("tradable"))
    if left.height:
        notes.append(f"{left.height} rolls have no bar of both contracts: no position can be rolled there (first: {left['before'][0]!r}).")
    unused = [symbol for symbol in panel.symbols if symbol not in names]
    if unused:
        notes.append(f"{len(unused)} assets of the data are no contract of the chain (first: {unused[0]!r}).")
    return notes
