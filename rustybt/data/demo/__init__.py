"""The embedded set: files and where they come from (PROVENANCE.md)."""

from __future__ import annotations

from pathlib import Path

import polars as pl

BARS = Path(__file__).with_name("bars.parquet")
"""Daily bars of five assets, stamped with their session."""
EVENTS = Path(__file__).with_name("events.parquet")
"""Their splits and dividends, by ex-date."""


def demo_events() -> pl.DataFrame:
    """Splits and cash dividends of the embedded set: ``asset, ts, kind, value``.

    Example:
        >>> demo_events().filter(pl.col("kind") == "split").height
        3
    """
    return pl.read_parquet(EVENTS)
