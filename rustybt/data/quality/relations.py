"""What one row says by itself: numbers that are there, and that fit together."""

from __future__ import annotations

import polars as pl

from rustybt.data.columns import FIELDS, PRICES
from rustybt.data.quality.findings import rows_where

TEXT = pl.format("open {} high {} low {} close {} volume {}", *(pl.col(name).cast(pl.String).fill_null("null") for name in FIELDS))


def find_relations(frame: pl.DataFrame) -> list[pl.DataFrame]:
    """Layers one and two, row by row."""
    low, high = pl.col("low"), pl.col("high")
    finite = pl.any_horizontal(pl.col(name).cast(pl.Float64).is_finite().not_() for name in FIELDS)
    return [
        rows_where(frame, "null price", pl.any_horizontal(pl.col(name).is_null() for name in PRICES), TEXT),
        rows_where(frame, "null volume", pl.col("volume").is_null(), TEXT),
        rows_where(frame, "not a finite number", finite, TEXT),
        rows_where(frame, "zero or negative price", pl.any_horizontal(pl.col(name) <= 0 for name in PRICES), TEXT),
        rows_where(frame, "high below low", high < low, TEXT),
        rows_where(frame, "open outside low..high", (pl.col("open") < low) | (pl.col("open") > high), TEXT),
        rows_where(frame, "close outside low..high", (pl.col("close") < low) | (pl.col("close") > high), TEXT),
        rows_where(frame, "negative volume", pl.col("volume") < 0, TEXT),
        rows_where(frame, "zero volume", pl.col("volume") == 0, TEXT) if (frame["volume"] > 0).any() else frame.clear().select(),
    ]
