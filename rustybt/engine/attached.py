"""Slower frames for `rustybt.load`, with signals that are computed on their own bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal

import polars as pl

from rustybt.data import Calendar, load
from rustybt.data.attach import Attached
from rustybt.data.columns import FIELDS
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
    beside: Literal["own", "all"] = "own",
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
        source: bars of another length, or values with ``available_at`` (fundamentals, events): a path, a frame, a dataset, or a `Panel`.
            Without an asset column its rows stand beside every asset. With a column ``period`` (such as the end of the quarter) a row
            about an earlier period than one known before counts no more, so that a late correction does not hide the newest quarter.
        columns: which columns; default all, of a panel or beside signals the prices and volume of a panel.
        signals: expressions over the bars of the source, by name; proven past-only by the guard, evaluated on its own bars.
        beside: ``"own"``: rows stand beside the bars of their own asset; ``"all"``: beside those of every asset, and the source holds one
            alone: a benchmark, an index, the series of `rustybt.continuous` beside its contracts.
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
    if beside not in ("own", "all"):
        raise ConfigError(f"unknown beside {beside!r}", where="attached", do='use "own" or "all"')
    if not signals and beside == "own":
        return Attached(source, wanted, age, **options)
    panel = source if isinstance(source, Panel) else load(source, **options)
    if beside == "all" and len(panel.assets) > 1:
        what = f"{len(panel.assets)} assets to stand beside every bar"
        raise ConfigError(what, where="attached, beside", do="give a source that holds one asset")
    if wanted is None and not signals:
        wanted = FIELDS
    if missing := [name for name in wanted or () if name not in panel.frame.columns]:
        do = f"the bars have {', '.join(panel.frame.columns[:20])}"
        raise ConfigError(f"column {missing[0]!r} is missing", where="attached, columns", do=do)
    owner = [pl.col("asset").cast(pl.String)] if beside == "own" else []
    frame = panel.frame.select("ts", *owner, *(wanted or ()))
    if signals:
        carrier = Strategy("attached", target=quantity(0), signals=dict(signals))
        frame = frame.hstack(plan(carrier).evaluate(panel.frame, panel).select(*signals))
    return Attached(frame, (*(wanted or ()), *(signals or ())), age)
