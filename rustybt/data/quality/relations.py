"""What one row says by itself: numbers that are there, and that fit together."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import polars as pl

from rustybt.data.columns import FIELDS, PRICES
from rustybt.data.placing import place_of_row
from rustybt.data.quality.findings import rows_where
from rustybt.model import Asset
from rustybt.model.decimals import LIMIT

TEXT = pl.format("open {} high {} low {} close {} volume {}", *(pl.col(name).cast(pl.String).fill_null("null") for name in FIELDS))

MOST_PLACED = 20
"""Values whose lines are looked for; a source with more of them is wrong as a whole."""


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


def find_beyond(frame: pl.DataFrame, named: Sequence[tuple[str, pl.LazyFrame]], asset_class: str) -> list[pl.DataFrame]:
    """Values that no number of steps reaches to, as `rustybt.load` counts them unless it is told of other increments.

    Args:
        frame: the rows in the order of the source.
        named: the files of the source.
        asset_class: chooses the increments.
    """
    asset, found = Asset.of("A", asset_class), list[pl.DataFrame]()
    rows = frame.select("asset", "ts", *FIELDS).with_row_index("__row")
    for name in FIELDS:
        setting = "volume_step" if name == "volume" else "tick_size"
        step = getattr(asset, setting)
        most = float(LIMIT * Fraction(step))
        size = pl.col(name).cast(pl.Float64).abs()
        wrong = rows.filter((size >= most) & size.is_finite())
        places = [f" ({place_of_row(named, row)})" for row in wrong["__row"].head(MOST_PLACED)] if named[0][0] else []
        wrong = wrong.with_columns(pl.Series("__place", [*places, *[""] * (wrong.height - len(places))], dtype=pl.String))
        said = pl.format(
            "{} {}: a {} of {} reaches to {}{}", pl.lit(name), name, pl.lit(setting), pl.lit(str(step)), pl.lit(f"{most:.4g}"), "__place"
        )
        found.append(rows_where(wrong, "beyond the scale", pl.lit(value=True), said))
    return found
