"""Corporate actions that are given beside the bars, laid on the rows at which they take effect, for the checks that ask about them."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from rustybt.data.hours import DAY
from rustybt.data.quality.payments import DIVIDEND, LARGE
from rustybt.data.quality.temporal import EXPLAINED, SPLIT_COLUMNS
from rustybt.model import Event

KINDS = {"split": SPLIT_COLUMNS, "dividend": DIVIDEND}


def lay_events(frame: pl.DataFrame, events: Sequence[Event]) -> pl.DataFrame:
    """The bars with the events as columns, each at its asset's first row on or after its date, as a run books it.

    The columns are ``split`` (new units for an old one) and ``dividend`` (cash a unit). Of a kind that is among the events, columns of the
    source are taken out: what is given counts. Spin-offs, and dividends of a tenth of the close before, are said to explain a jump.
    Events before the first and after the last row of their asset are at no row.

    Args:
        frame: sorted by asset and time, with ``day``.
        events: of any kind.

    Example:
        >>> from datetime import date
        >>> bars = pl.DataFrame({"asset": "KO", "day": [date(2012, 8, 10), date(2012, 8, 13)], "close": [79.2, 39.7]})
        >>> lay_events(bars, [Event("KO", 15564 * DAY, "split", 2, 1)])["split"].to_list()
        [1.0, 2.0]
    """
    if not events:
        return frame
    rows = frame.select("asset", "day").with_row_index("__at").unique(["asset", "day"], keep="first", maintain_order=True)
    said = [(event.asset, event.ts // DAY, event.kind, _value(event)) for event in events]
    listed = pl.DataFrame(said, schema={"asset": pl.String, "day": pl.Int32, "kind": pl.String, "value": pl.Float64}, orient="row")
    listed = listed.with_columns(pl.col("day").cast(pl.Date)).join(
        rows.group_by("asset").agg(pl.col("day").min().alias("first")), on="asset"
    )
    listed = listed.filter(pl.col("day") >= pl.col("first")).sort("day")
    placed = listed.join_asof(rows.sort("day"), on="day", by="asset", strategy="forward", check_sortedness=False).drop_nulls("__at")
    of = {kind: pl.col("value").filter(pl.col("kind") == kind) for kind in KINDS}
    per = placed.group_by("__at").agg(
        of["split"].product().alias("split"), of["dividend"].sum().alias("dividend"), (pl.col("kind") == "spinoff").any().alias(EXPLAINED)
    )
    kinds = {event.kind for event in events}
    stale = [name for name in frame.columns for kind, names in KINDS.items() if kind in kinds and name.lower() in names]
    per = per.drop(kind for kind in KINDS if kind not in kinds)
    laid = frame.drop(stale).with_row_index("__at").join(per, on="__at", how="left", maintain_order="left").drop("__at")
    filled = {"split": 1.0, "dividend": 0.0, EXPLAINED: False}
    laid = laid.with_columns(pl.col(name).fill_null(value) for name, value in filled.items() if name in per.columns)
    if "dividend" not in per.columns:
        return laid
    large = pl.col("dividend") >= pl.col("close").shift(1).over("asset") * LARGE
    return laid.with_columns(pl.col(EXPLAINED) | ((pl.col("dividend") > 0) & large.fill_null(value=False)))


def _value(event: Event) -> float:
    return event.numerator / event.denominator if event.denominator else 0.0
