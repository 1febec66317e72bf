"""Rows that an ingest set aside: of a dataset's source, but not among the bars that are checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Any

import polars as pl

SCHEMA: dict[str, Any] = {"reason": pl.String, "rows": pl.UInt32, "asset": pl.String, "ts": pl.Datetime("us", "UTC")}


def reasons_of(rows: pl.DataFrame) -> pl.DataFrame:
    """``reason, rows`` and the first of them, ``asset, ts``; the most frequent reason first.

    Example:
        >>> from datetime import datetime, UTC
        >>> day = datetime(2009, 4, 17, tzinfo=UTC)
        >>> reasons_of(pl.DataFrame({"reason": ["null open"], "asset": ["HD"], "ts": [day]})).row(0)[:3]
        ('null open', 1, 'HD')
    """
    if not rows.height:
        return pl.DataFrame(schema=SCHEMA)
    plain = rows.select("reason", pl.col("asset").cast(pl.String), _instants(rows["ts"]))
    counted = pl.len().alias("rows"), pl.col("asset").first(), pl.col("ts").first()
    return plain.group_by("reason", maintain_order=True).agg(*counted).sort("rows", "reason", descending=[True, False]).cast(SCHEMA)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Aside:
    """What an ingest set aside.

    Attributes:
        reasons: ``reason, rows, asset, ts``: how many rows for which reason, and the first of each.
        source: where the bars came from, and the rows are still.
    """

    reasons: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SCHEMA))
    source: str = ""

    @property
    def rows(self) -> int:
        """How many there are."""
        return int(self.reasons["rows"].sum())

    def lines(self) -> list[str]:
        """For a terminal; none where there is nothing."""
        if not self.rows:
            return []
        told = [
            f"{'aside':8}{'ingest':10}{n:6}  {reason} (first: {asset} {_moment(ts)})" for reason, n, asset, ts in self.reasons.iter_rows()
        ]
        return [f"{self.rows} rows were set aside when it was ingested: they are not among the rows above", *told, self.advice]

    @property
    def advice(self) -> str:
        """How they can be repaired, though a snapshot does not have them any more."""
        return f"a snapshot cannot be mended of them: mend its source ({self.source}) with rustybt catalog mend, and ingest the result"

    def section(self) -> str:
        """For a page; empty where there is nothing."""
        if not self.rows:
            return ""
        cells = "".join(
            f"<tr><td>{escape(reason)}</td><td class=n>{n:,}</td><td>{escape(asset or '')}</td><td class=d>{_moment(ts)}</td></tr>"
            for reason, n, asset, ts in self.reasons.iter_rows()
        )
        heads = "<th scope=col>reason</th><th scope=col class=n>rows</th><th scope=col>first asset</th><th scope=col>time (UTC)</th>"
        return (
            f"<h2>Set aside at ingest</h2><p>{self.rows:,} rows of the source could not be used and are in quarantine, outside of the "
            f"checks below: {escape(self.advice)}.</p><div class=wide><table><thead><tr>{heads}</tr></thead>"
            f"<tbody>{cells}</tbody></table></div>"
        )


def _instants(stamps: pl.Series) -> pl.Series:
    """Times as they came, in UTC: those without a zone as they stand, none where they are no times."""
    kind = SCHEMA["ts"]
    if isinstance(stamps.dtype, pl.Datetime) and stamps.dtype.time_zone is not None:
        return stamps.dt.convert_time_zone("UTC").cast(kind)
    if stamps.dtype.is_temporal():
        return stamps.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return pl.Series("ts", [None] * len(stamps), dtype=kind)


def _moment(ts: object) -> str:
    return "" if ts is None else f"{ts:%Y-%m-%d %H:%M}"
