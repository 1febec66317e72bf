"""Repair bars, only as asked, and write down what was done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from rustybt.data.catalog.repairs import LOG
from rustybt.data.columns import PRICES
from rustybt.data.options import Options
from rustybt.data.quality.check import Quality, check_bars, read_bars
from rustybt.data.quality.outliers import NEAR, SLIPS
from rustybt.errors import ConfigError

DROPPED = (
    "null price", "null volume", "not a finite number", "zero or negative price", "high below low", "negative volume", "not a session",
    "outside trading hours", "stale bar",
)  # fmt: skip
"""Checks whose rows are taken out."""
WIDENED = ("open outside low..high", "close outside low..high")
"""Checks whose rows get a high and a low that hold their open and close."""
CHANGES = (*DROPPED, *WIDENED, "decimal slip", "duplicate key", "out of order")
"""Every check that can be repaired; of the others only a person can tell what is true."""


@dataclass(frozen=True)
class Mended:
    """Repaired bars.

    Attributes:
        frame: the bars, with the columns of the source by our names; ingest them for a snapshot of their own.
        log: what was done: ``check, asset, ts, action, column, before, after``; a row for each value or row that was changed.
        quality: what is wrong still.
    """

    frame: pl.DataFrame
    log: pl.DataFrame
    quality: Quality


def mend(source: Any, fix: Sequence[str], **options: Any) -> Mended:
    """Repair the defects of the checks that are named, and no others; the source stays as it is.

    Rows that were set aside when a dataset was ingested are not in its snapshot: they can only be repaired in its source (`Quality.aside`).

    Rows are taken out (bars without a price, on days without a session, stale ones), of rows with the same key the last stays, rows are put
    in order, a high and a low are widened to hold the open and the close, and a price that slipped by a decimal place is moved back.

    Args:
        source: anything `check_bars` takes.
        fix: names of checks, of `CHANGES`.
        options: of `check_bars`.

    Raises:
        ConfigError: a check cannot be repaired.
        DataError: the source cannot be read.

    Example:
        >>> rows = {"ts": ["2024-01-02T00:00Z"] * 2, "asset": "A", "open": 1.0, "high": 1.0, "low": 1.0, "close": [1.0, 2.0], "volume": 5}
        >>> bars = pl.DataFrame(rows).with_columns(pl.col("ts").str.to_datetime(time_zone="UTC"))
        >>> done = mend(bars, ["duplicate key", "close outside low..high"])
        >>> done.frame["high"].to_list(), done.log["action"].to_list()
        ([2.0], ['taken out', 'widened'])
    """
    if unknown := [check for check in fix if check not in CHANGES]:
        do = f"use some of {', '.join(map(repr, CHANGES))}"
        raise ConfigError(f"{unknown[0]!r} cannot be repaired", where="mend, fix", do=do)
    quality, read = check_bars(source, **options), read_bars(source, Options(**options))
    frame = read.frame.drop("day").with_row_index("__row")
    found = quality.findings.filter(pl.col("check").is_in(list(fix)))
    log: list[pl.DataFrame] = []
    for step in (_once, _slipped, _widened, _dropped, _ordered):
        frame = step(frame, found, set(fix), log)
    rows = [part.select(pl.col(name).cast(dtype) for name, dtype in LOG.items()) for part in log]
    done = pl.concat([pl.DataFrame(schema=LOG), *rows])
    left = frame.drop("__row")
    again = {**options, "columns": None, "calendar": read.calendar, "events": read.events}
    return Mended(left, done, replace(check_bars(left, **again), aside=quality.aside))


def _rows_of(frame: pl.DataFrame, found: pl.DataFrame, checks: Sequence[str]) -> pl.DataFrame:
    """The rows that a finding names, with the first check that does."""
    named = found.filter(pl.col("check").is_in(list(checks))).unique(["asset", "ts"], keep="first", maintain_order=True)
    return frame.join(named.select("asset", "ts", "check"), on=["asset", "ts"], how="inner", maintain_order="left")


def _noted(rows: pl.DataFrame, action: str, column: str = "", before: pl.Expr | None = None, after: pl.Expr | None = None) -> pl.DataFrame:
    nothing = pl.lit(None, dtype=pl.Float64)
    said = pl.lit(action).alias("action"), pl.lit(column).alias("column")
    old, new = (nothing if value is None else value.cast(pl.Float64) for value in (before, after))
    return rows.select("check", "asset", "ts", *said, old.alias("before"), new.alias("after"))


def _once(frame: pl.DataFrame, _found: pl.DataFrame, fix: set[str], log: list[pl.DataFrame]) -> pl.DataFrame:
    if "duplicate key" not in fix:
        return frame
    kept = frame.unique(["asset", "ts"], keep="last", maintain_order=True)
    gone = frame.join(kept.select("__row"), on="__row", how="anti")
    log.append(_noted(gone.with_columns(pl.lit("duplicate key").alias("check")), "taken out"))
    return kept


def _slipped(frame: pl.DataFrame, found: pl.DataFrame, _fix: set[str], log: list[pl.DataFrame]) -> pl.DataFrame:
    """Prices that are a power of ten away from the median of the prices around them, moved back."""
    rows = _rows_of(frame, found, ["decimal slip"])
    if not rows.height:
        return frame
    ordered = frame.sort("asset", "ts")
    around = [pl.col(name).log().rolling_median(5, center=True, min_samples=3).over("asset") for name in PRICES]
    middle = ordered.select("__row", pl.mean_horizontal(*around).alias("__middle"))
    rows = rows.join(middle, on="__row", how="left")
    for name in PRICES:
        away = pl.col(name).log() - pl.col("__middle")
        right = pl.coalesce(*(pl.when((away - pl.lit(slip).log()).abs() < NEAR).then(_moved(pl.col(name), slip)) for slip in SLIPS))
        wrong = rows.with_columns(right.alias("__right")).filter(pl.col("__right").is_not_null())
        log.append(_noted(wrong, "moved", name, pl.col(name), pl.col("__right")))
        frame = frame.join(wrong.select("__row", "__right"), on="__row", how="left", maintain_order="left")
        frame = frame.with_columns(pl.coalesce(pl.col("__right").cast(frame.schema[name]), name).alias(name)).drop("__right")
    return frame


def _moved(column: pl.Expr, slip: float) -> pl.Expr:
    """A price without its slip, to the decimals that a price has."""
    return (column / slip if slip > 1 else column * round(1 / slip)).round(8)


def _widened(frame: pl.DataFrame, found: pl.DataFrame, fix: set[str], log: list[pl.DataFrame]) -> pl.DataFrame:
    checks = [check for check in WIDENED if check in fix]
    rows = _rows_of(frame, found, checks)
    for name, wide in (("high", pl.max_horizontal(*PRICES)), ("low", pl.min_horizontal("open", "low", "close"))):
        changed = rows.filter(wide != pl.col(name))
        log.append(_noted(changed, "widened", name, pl.col(name), wide))
        frame = frame.with_columns(pl.when(pl.col("__row").is_in(changed["__row"].implode())).then(wide).otherwise(name).alias(name))
    return frame


def _dropped(frame: pl.DataFrame, found: pl.DataFrame, fix: set[str], log: list[pl.DataFrame]) -> pl.DataFrame:
    rows = _rows_of(frame, found, [check for check in DROPPED if check in fix])
    log.append(_noted(rows, "taken out"))
    return frame.join(rows.select("__row"), on="__row", how="anti", maintain_order="left")


def _ordered(frame: pl.DataFrame, found: pl.DataFrame, fix: set[str], log: list[pl.DataFrame]) -> pl.DataFrame:
    if "out of order" not in fix:
        return frame
    rows = _rows_of(frame, found, ["out of order"])
    log.append(_noted(rows, "put in order"))
    return frame.sort("asset", "ts", maintain_order=True)
