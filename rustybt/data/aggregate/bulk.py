"""All coarser bars at once, as one lazy query."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import polars as pl

from rustybt.data.aggregate.columns import How, wide
from rustybt.data.aggregate.rows import Anchor, Outside, Placing, Settings, instant
from rustybt.data.calendars import Calendar
from rustybt.errors import ConfigError, DataError
from rustybt.model import Panel


def resample[Frame: (pl.DataFrame, pl.LazyFrame)](
    frame: Frame | Panel,
    every: str,
    *,
    calendar: str | Calendar | None = None,
    stamp: Literal["open", "close", "session"] = "close",
    interval: str | None = None,
    outside: Outside = "drop",
    anchor: Anchor = "session",
    until: datetime | None = None,
    extras: Mapping[str, How] | None = None,
) -> Frame:
    """Coarser bars from finer ones or from trades, exact, and stamped when they are complete.

    Prices are picked (first, highest, lowest, last), never computed. Volumes are summed as whole numbers: integers and decimals as they
    are, doubles in steps of 0.00000001. The bar that is still open at ``until`` is left out, whatever it holds so far.
    Rows with a price or a volume that is null or not finite do not count.

    Args:
        frame: ``ts, asset, open, high, low, close, volume``, or trades ``ts, asset, price, size`` (those of one instant in the order in
            which they come); Polars, eager or lazy, or a `Panel`. Of a lazy frame only the first and last ``ts`` are read at once, and
            only with a calendar.
        every: length of the bars: ``"100ms"``, ``"5m"``, ``"1h"``, ``"1d"``, ``"1w"``, ``"1mo"``, ``"1q"``, ``"1y"``; or an amount after
            which a bar ends: ``"500 ticks"`` (rows), ``"10000 volume"``, ``"1000000 value"`` (price x volume; of bars, at the close). What
            a row brings beyond an amount counts for the next bar; rows of one instant stay together.
        calendar: a code or a `rustybt.calendar`. A day is then a session, no bar reaches over a close or a break, and the last one of a
            spell ends with it, at an early close too. Without it days, weeks (from Monday) and months are those of UTC.
        stamp: what ``ts`` says: ``"close"``, ``"open"`` (then give ``interval``), or ``"session"``, the date of the session.
        interval: length of the rows, for ``stamp="open"``.
        outside: rows outside of trading hours: ``"drop"`` them, or ``"keep"`` them in bars of their own (by the day: in the session that
            closes next).
        anchor: whether bars within a session are counted from its open (09:30, 10:30, ...) or from the venue's midnight, ``"clock"``.
        until: the instant up to which rows are known; default: the last ``ts``. Later rows are left out.
        extras: further columns by how they are combined: ``{"open_interest": "last"}``, of ``first, last, max, min, sum``; nulls are
            passed over.

    Returns:
        Of the kind that was given, DataFrame of a panel: ``ts`` Datetime(us, UTC), ``asset``, prices as they came, ``volume`` (Int64,
        Decimal or Float64), ``vwap`` Float64 where the rows are trades or have one (sum of price x volume over volume, to 16 decimals
        before the division), and the extras. Sorted by asset and time.

    Raises:
        DataError: columns are missing or hold no numbers, ``ts`` has no zone, the calendar does not reach far enough, a volume overflows.
        ConfigError: an option is not understood.

    Example:
        >>> import rustybt as rbt
        >>> months = rbt.resample(rbt.load("demo", assets=["IBM"]), "1mo")
        >>> months.select("ts", "open", "close").row(0)
        (datetime.datetime(2000, 3, 31, 21, 0, tzinfo=zoneinfo.ZoneInfo(key='UTC')), 102.0, 118.37)
    """
    if isinstance(frame, Panel):
        calendar = frame.calendar if calendar is None else calendar
        own = {"calendar": calendar, "outside": outside, "anchor": anchor, "until": until, "extras": extras}
        bars: Any = resample(frame.frame.drop("session"), every, **own)  # type: ignore[arg-type]
        return bars  # type: ignore[no-any-return]
    if not isinstance(frame, (pl.DataFrame, pl.LazyFrame)):
        raise ConfigError(f"a {type(frame).__name__} cannot be resampled", where="resample", do="give a Polars frame, or a Panel")
    settings = Settings(every, calendar, stamp, interval, outside, anchor, dict(extras or {}))
    lazy = frame.lazy()
    placing = Placing.of(lazy.collect_schema(), settings)
    made = _bars(lazy, placing, instant(until, "until"))
    if isinstance(frame, pl.LazyFrame):
        return made
    try:
        return made.collect()
    except (pl.exceptions.InvalidOperationError, pl.exceptions.ComputeError) as error:
        raise DataError(f"the bars cannot be summed: {str(error).splitlines()[0]}", where="resample", do="repair the volumes") from error


def _bars(frame: pl.LazyFrame, placing: Placing, until: int | None) -> pl.LazyFrame:
    spells = None if placing.settings.code is None else placing.spells(*placing.span(frame))
    rows = placing.placed(frame, spells, until)
    combined = placing.plan.combined
    if not placing.every.amount:
        found = rows.group_by("asset", "__end", maintain_order=True).agg(*combined, pl.col("__until").first())
        return placing.bars(found.filter(pl.col("__end") <= pl.col("__until")).rename({"__end": "__at"}))
    return placing.bars(_by_amount(rows, placing, combined))


def _by_amount(rows: pl.LazyFrame, placing: Placing, combined: list[pl.Expr]) -> pl.LazyFrame:
    """Bars that end with the row that fills them, or with their spell."""
    total, most = pl.col("__amount").cum_sum().over("asset", "__spell"), wide(placing.plan.threshold)
    rows = rows.with_columns(total.alias("__total"))
    before = (pl.col("__total") - pl.col("__amount")).first().over("asset", "__spell", "ts")
    rows = rows.with_columns((before // most).alias("__bar"))
    told = pl.col("__total").last(), pl.col("ts").last(), pl.col("__end", "__until").first()
    found = rows.group_by("asset", "__spell", "__bar", maintain_order=True).agg(*combined, *told)
    full = pl.col("__total") >= (pl.col("__bar") + 1) * most
    at = pl.when(full).then("ts").otherwise("__end")
    return found.with_columns(at.alias("__at")).filter(pl.col("__at") <= pl.col("__until"))
