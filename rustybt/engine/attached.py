"""Slower frames for `rustybt.load`, with signals that are computed on their own bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal

import polars as pl

from rustybt.data import Calendar, load
from rustybt.data.attach import Attached
from rustybt.data.stamps import microseconds
from rustybt.errors import ConfigError
from rustybt.model import Panel
from rustybt.spec import Strategy, quantity
from rustybt.spec.planner import plan


def attached(
    source: Any,
    *,
    columns: Sequence[str] | None = None,
    signals: Mapping[str, pl.Expr] | None = None,
    max_age: str | timedelta | None = None,
    stamp: Literal["open", "close", "session"] | None = None,
    calendar: str | Calendar | None = None,
    interval: str | None = None,
    timezone: str | None = None,
) -> Attached:
    """A slower frame whose columns stand beside faster bars, for ``attach=`` of `rustybt.load`.

    At each bar the columns hold the last row that was known at its ``ts``: a bar from the instant at which it is complete, a row with
    ``available_at`` from then on. A window over such a column counts the faster bars; what is to count the slower ones is a signal here.

    Args:
        source: bars of another length, or values with ``available_at`` (fundamentals, events): a path, a frame, or a `Panel`. Without an
            asset column its rows stand beside every asset. With a column ``period`` (such as the end of the quarter) a row about an earlier
            period than one known before counts no more, so that a late correction does not hide the newest quarter.
        columns: which columns; default all, of a panel or beside signals the prices and volume of a panel.
        signals: expressions over the bars of the source, by name; proven past-only by the guard, evaluated on its own bars.
        max_age: how old a row may be, such as ``"5d"``; older ones are null.
        stamp: what ``ts`` of the source says, as in `rustybt.load`. A date without a time is the close of its session; a date in
            ``available_at`` is the end of that date where the venue is.
        calendar: of the source; default that of the bars it is attached to.
        interval: length of its bars, for ``stamp="open"``.
        timezone: zone of times that carry none.

    Raises:
        ConfigError: an option is wrong.
        LookaheadError: a signal may see the future.
        DataError: the bars for the signals cannot be used.

    Example:
        >>> import rustybt as rbt
        >>> days = rbt.load("demo", assets=["IBM"])
        >>> weeks = rbt.load(rbt.resample(days, "1w"), stamp="close", calendar="XNYS")
        >>> trend = rbt.attached(weeks, signals={"trend": pl.col("close") > pl.col("close").rolling_mean(10)})
        >>> panel = rbt.load("demo", assets=["IBM"], attach={"week": trend})
        >>> panel.frame["week_trend"].value_counts().sort("week_trend").rows()
        [(None, 46), (False, 1396), (True, 1828)]
    """
    age = timedelta(microseconds=microseconds(max_age)) if isinstance(max_age, str) else max_age
    wanted = None if columns is None else tuple(columns)
    if isinstance(columns, str):
        raise ConfigError(f"columns is the text {columns!r}", where="attached", do=f"give a list: columns=[{columns!r}]")
    options: dict[str, Any] = {"stamp": stamp, "calendar": calendar, "interval": interval, "timezone": timezone}
    if not signals:
        return Attached(source, wanted, age, **options)
    panel = source if isinstance(source, Panel) else load(source, **options)
    carrier = Strategy("attached", target=quantity(0), signals=dict(signals))
    found = plan(carrier).evaluate(panel.frame, panel).select(*signals)
    frame = panel.frame.select("ts", pl.col("asset").cast(pl.String), *(wanted or ())).hstack(found)
    return Attached(frame, (*(wanted or ()), *signals), age)
