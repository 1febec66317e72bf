"""One defect is one row; its check says the layer and how bad it is."""

from __future__ import annotations

import polars as pl

SEVERITY: dict[str, tuple[str, str]] = {
    # check: layer, severity. An error cannot be true; a warning is likely wrong; a note is unusual.
    "null price": ("schema", "error"),
    "null volume": ("schema", "error"),
    "not a finite number": ("schema", "error"),
    "beyond the scale": ("schema", "error"),
    "unfinished last line": ("schema", "note"),
    "zero or negative price": ("relations", "error"),
    "high below low": ("relations", "error"),
    "open outside low..high": ("relations", "error"),
    "close outside low..high": ("relations", "error"),
    "negative volume": ("relations", "error"),
    "zero volume": ("relations", "note"),
    "decimal slip": ("outliers", "warning"),
    "spike": ("outliers", "warning"),
    "sudden move": ("outliers", "note"),
    "volume slip": ("outliers", "note"),
    "duplicate key": ("temporal", "error"),
    "out of order": ("temporal", "note"),
    "not a session": ("temporal", "warning"),
    "zone error": ("temporal", "warning"),
    "outside trading hours": ("temporal", "warning"),
    "missing sessions": ("temporal", "warning"),
    "missing bars": ("temporal", "note"),
    "stale bar": ("temporal", "warning"),
    "repeated bar": ("temporal", "warning"),
    "few bars": ("temporal", "note"),
    "jump like a split": ("temporal", "warning"),
    "large move": ("temporal", "warning"),
    "split without a jump": ("temporal", "warning"),
    "reused ticker": ("temporal", "warning"),
    "dividend out of scale": ("temporal", "warning"),
    "dividends of next to nothing": ("temporal", "note"),
    "dividends already adjusted": ("temporal", "warning"),
    "dividend paid twice": ("temporal", "warning"),
    "dividend not adjusted for": ("temporal", "warning"),
    "dividend adjusted wrongly": ("temporal", "warning"),
    "gain counted twice": ("temporal", "warning"),
}
"""Every check, in the order of the layers."""

SCHEMA = {"check": pl.String, "asset": pl.String, "ts": pl.Datetime("us", "UTC"), "detail": pl.String}


def rows_where(frame: pl.DataFrame, check: str, mask: pl.Expr, detail: pl.Expr | str) -> pl.DataFrame:
    """A finding for each row of a mask."""
    said = pl.lit(detail) if isinstance(detail, str) else detail
    return frame.filter(mask).select(
        pl.lit(check).alias("check"), pl.col("asset").cast(pl.String), "ts", said.cast(pl.String).alias("detail")
    )
