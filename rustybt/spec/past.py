"""How far back one operation reaches along time, read off its options."""

from __future__ import annotations

import re
from typing import Any

from rustybt.spec.paths import SESSION, Step
from rustybt.spec.tree import Node, body, call, integer, is_column, kind

type Reach = Step | None
"""One step back, or None for every earlier bar."""

DAY = 86_400_000_000
LOCAL = 2 * 3_600_000_000
"""A local day is at most this much longer than 24 hours (a double daylight-saving change)."""
AHEAD = "reads {} ahead of the bar it is labelled with"
WHOLE = "reads every bar of the asset, later ones too"
_UNITS = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": DAY,
    "w": 7 * DAY,
    "mo": 31 * DAY,
    "q": 92 * DAY,
    "y": 366 * DAY,
}
_ROLLING_FROM = {"FillNullWithStrategy.Forward", "CumSum", "CumProd", "CumMin", "CumMax", "CumCount", "RLEID"}


def behind(node: Node, name: str) -> Reach | str:
    """How far back an operation reads on the time axis; a text says why it is not past-only.

    Example:
        >>> import polars as pl
        >>> from rustybt.spec.tree import parse
        >>> behind(parse(pl.col("close").rolling_mean(20)), "RollingExpr"), behind(parse(pl.col("close").shift(-2)), "Shift")
        (('rows', 19), 'reads 2 bars ahead of the bar it is labelled with')
    """
    held, options = body(node), call(node)[1]
    if name in ("Shift", "ShiftAndFill", "Diff", "PctChange"):
        return _shifted(held["input"][1], name, options)
    if name == "RollingExpr":
        size = options["options"]["window_size"]
        if options["options"]["center"]:
            return "centres its window, so half of it lies in the future"
        return ("rows", max(size - 1, 0))
    if name in ("RollingExprBy", "EwmMeanBy", "EwmSumBy"):
        return _by_time(held["input"][1], name, options)
    if name == "Rolling":
        return _rolling(held)
    if name == "FillNullWithStrategy.Forward":
        return None if options is None else ("rows", options)
    if name in _ROLLING_FROM:
        return "accumulates from the last bar backwards" if isinstance(options, dict) and options.get("reverse") else None
    if name in ("EwmMean", "EwmStd", "EwmVar", "EwmSum", "Boolean.IsFirstDistinct", "Agg.First"):
        return None
    return _whole(held, name, options)


def is_empty(node: Node, name: str) -> bool:
    """Whether a rolling operation has a window in which there is never a bar.

    Example:
        >>> import polars as pl
        >>> from rustybt.spec.tree import parse
        >>> is_empty(parse(pl.col("close").rolling_mean(0)), "RollingExpr")
        True
    """
    if name == "Rolling":
        return longest(body(node)["period"]) == 0
    if name not in ("RollingExpr", "RollingExprBy"):
        return False
    size = call(node)[1]["options"]["window_size"]
    return size == 0 if name == "RollingExpr" else longest(size) == 0


def _whole(held: Any, name: str, options: Any) -> Reach | str:
    """Operations that read a whole group, and the few of their uses that are past-only."""
    if name == "Gather" and held.get("returns_scalar") and integer(held["idx"]) == 0:
        return None
    if name == "Range.IntRange" and held["input"][1] == "Len" and integer(held["input"][0]) is not None and options["step"] == 1:
        return None
    special = {
        "FillNullWithStrategy.Backward": "fills from later bars",
        "Interpolate": "draws a line to a later bar",
        "InterpolateBy": "draws a line to a later bar",
        "PeakMax": "compares with the next bar",
        "PeakMin": "compares with the next bar",
        "Reverse": "turns the order of the bars around",
        "Sort": "puts the bars in another order",
        "SortBy": "puts the bars in another order",
        "Filter": "drops bars, so that rows no longer match their ts",
        "Explode": "adds bars, so that rows no longer match their ts",
        "Slice": "picks bars by their place in the whole column",
        "Gather": "picks bars by their place in the whole column",
    }
    return special.get(name, WHOLE)


def _shifted(amount: Node, name: str, options: Any) -> Reach | str:
    rows = integer(amount)
    if rows is None:
        return "moves by a number of bars that is not a constant"
    if rows < 0:
        return AHEAD.format(f"{-rows} bar{'s' if rows < -1 else ''}")
    if name == "Diff" and options != "Ignore":
        return "drops bars, so that rows no longer match their ts"
    return ("rows", rows)


def _by_time(by: Node, name: str, options: Any) -> Reach | str:
    if not is_column(by, "ts"):
        return 'measures its window along a column other than "ts"'
    if name != "RollingExprBy":
        return None
    window = longest(options["options"]["window_size"])
    return "counts its window in index units" if window is None or window < 0 else ("span", window)


def _rolling(held: Any) -> Reach | str:
    """Window ``(t + offset, t + offset + period]`` of `Expr.rolling`."""
    if not is_column(held["index_column"], "ts"):
        return 'measures its window along a column other than "ts"'
    offset, period = held["offset"], held["period"]
    back = longest({**offset, "negative": False})
    length = longest(period)
    if back is None or length is None or length < 0:
        return "counts its window in index units"
    units = ("months", "weeks", "days", "nsecs")
    mirrored = offset["negative"] and all(offset[unit] == period[unit] for unit in units)
    if not mirrored and (not offset["negative"] or length > shortest(offset)):
        return "moves its window into the future"
    return ("span", back)


def longest(duration: Any) -> int | None:
    """The most microseconds that a Polars duration can last in UTC, None for index counts.

    Example:
        >>> longest({"months": 1, "weeks": 0, "days": 0, "nsecs": 0, "negative": False, "parsed_int": False}) // DAY
        31
    """
    if duration["parsed_int"]:
        return None
    size = duration["months"] * 31 * DAY + duration["weeks"] * 7 * DAY + duration["days"] * DAY + -(-duration["nsecs"] // 1000)
    return -size if duration["negative"] else int(size)


def shortest(duration: Any) -> int:
    """The fewest microseconds that a Polars duration can last, its sign left out."""
    return int(duration["months"] * 28 * DAY + duration["weeks"] * 7 * DAY + duration["days"] * DAY + duration["nsecs"] // 1000)


def bucket(key: Node) -> Step | None:
    """The step back to the first bar of a session or calendar bucket, None when a partition key is not one.

    Example:
        >>> import polars as pl
        >>> from rustybt.spec.tree import parse
        >>> bucket(parse(pl.col("ts").dt.date())), bucket(parse(pl.col("sector")))
        (('span', 86400000000), None)
    """
    if is_column(key, "session"):
        return SESSION
    if kind(key) in ("Alias", "KeepName"):
        return bucket(body(key)[0] if kind(key) == "Alias" else body(key))
    name, _ = call(key)
    if not name.startswith("TemporalExpr."):
        return None
    inputs = body(key)["input"]
    source, extra = inputs[0], 0
    if call(source)[0] == "TemporalExpr.ConvertTimeZone":
        source, extra = body(source)["input"][0], LOCAL
    if not is_column(source, "ts"):
        return None
    if name == "TemporalExpr.Truncate":
        length = _length(inputs[1])
        return None if length is None else ("span", length + extra)
    days = {"Date": 1, "MonthStart": 31, "Year": 366}.get(name.removeprefix("TemporalExpr."))
    return None if days is None else ("span", days * DAY + extra)


def _length(node: Node) -> int | None:
    scalar = body(node).get("Scalar") if kind(node) == "Literal" else None
    text = scalar.get("String") if isinstance(scalar, dict) else None
    parts = re.findall(r"(\d+)(us|ms|mo|s|m|h|d|w|q|y)", text or "")
    whole = parts and "".join(number + unit for number, unit in parts) == text
    return sum(int(number) * _UNITS[unit] for number, unit in parts) if whole else None


_CONSTANT: dict[str, tuple[int, int]] = {
    "Boolean.IsIn": (1, 2),
    "Replace": (1, 3),
    "ReplaceStrict": (1, 3),
    "SearchSorted": (0, 1),
    "StringExpr.ContainsAny": (1, 9),
    "StringExpr.ExtractMany": (1, 9),
    "StringExpr.FindMany": (1, 9),
    "StringExpr.ReplaceMany": (1, 9),
    "Business.AddBusinessDay": (2, 9),
    "Business.BusinessDayCount": (2, 9),
    "Business.IsBusinessDay": (1, 9),
}


def arguments(name: str, count: int) -> tuple[int, int]:
    """The range of inputs that a row-by-row function looks through as a whole, so that a column there would be read from end to end.

    Example:
        >>> arguments("Boolean.IsIn", 2), arguments("Clip", 3)
        ((1, 2), (3, 3))
    """
    first, last = _CONSTANT.get(name, (count, count))
    return first, min(last, count)
