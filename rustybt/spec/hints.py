"""What the guard says: for each refusal what the sub-expression does, and what to write instead."""

from __future__ import annotations

from rustybt.spec.tree import Node, body, integer
from rustybt.spec.vocabulary import ROW_BY_ROW

KINDS = frozenset({"Agg", "Len", "Sort", "SortBy", "Gather", "Filter", "Slice", "Explode"})
"""Kinds of node that read a whole group."""
STATES = ("Ewm", "Random")
EVALS = frozenset({"Eval.List", "Eval.ListAgg", "Eval.Array", "Eval.ArrayAgg", "Eval.Cumulative"})
LISTS = frozenset(
    word for word in ROW_BY_ROW if word in ("ListExpr.Concat", "ListExpr.SetOperation", "StringExpr.Split", "StringExpr.ExtractAll")
)
PLAIN = frozenset(
    [f"{prefix}{name}" for prefix in ("", "adj_", "ticks_", "ticks_adj_") for name in ("open", "high", "low", "close", "volume")]
    + ["ts", "ts_open", "session", "asset"]
)
"""Columns of the signal frame whose dtype is known not to be categorical."""

EVERY_BAR = "reads every earlier bar"
SPLIT = "reads back through bars of other groups, however many there are"

UNKNOWN = (
    "uses an operation that is not known to be past-only",
    "use another operation, or ask for this one to be added to the vocabulary",
)
COLUMN_IN_EVAL = ("names a column inside a list evaluation, which Polars refuses", "use pl.element() alone")
SERIES = (
    "counts rows of a literal Series from the first row of whatever frame it meets",
    "join it to the data as a column keyed by ts and asset",
)
NOT_A_NUMBER = (
    "holds a NaN or infinite constant, which cannot be written to JSON",
    "compute it (pl.lit(0.0) / 0.0), or use None for a missing value",
)
SELECTOR = ("selects columns by pattern or several at once where one value is needed", "name one column, as in pl.col('close')")
NO_ELEMENT = ("uses element() or field() outside list or struct evaluation", "use pl.col(...)")
SET_SORTED = ("claims an order that Polars then trusts when it compares, on rows of several assets", "leave set_sorted() out")
CODES = ("reads category codes, which depend on every value seen before", "cast to pl.Enum with fixed categories first")
WHOLE_ARGUMENT = ("looks values up in a whole column, later bars too", "give constants, or a list per row such as pl.concat_list(...)")
NO_BARS = ("has a window of no bars", "give a window of at least 1 bar, or a duration above zero")
RANDOM = ("is random, so two runs would differ", "leave it out, or add a seeded column to the data")
ACROSS = ("walks from asset to asset, as it stands inside .over('ts')", "say that time is meant: {}.over('asset')")
NESTED = ("is a rolling window inside another one, whose rows Polars mixes up", "say that it comes first: {}.over('asset')")
FRAME = ("depends on rows of other assets and times", "add .over('asset') for one asset's bars or .over('ts') for the assets of one bar")
UNDECLARED = ("runs code that the guard cannot read", "declare what it reads: Strategy(declared={{'{}': rows}})")
DECLARED_AHEAD = ("is declared to look ahead", "use it in studies only")
IN_STRUCT = ("moves along rows inside a struct", "compute the field first, then put it into the struct")
MAPPING = ("maps groups back to rows in another way than row by row", "leave mapping_strategy at its default")
ORDER = ("orders rows by something else than ascending ts", "leave order_by out: bars are in the order of ts")

_INSTEAD = {
    "Rank": "use rolling_rank(n) along time, or .rank().over('ts') among the assets of one bar",
    "QCut": "use rolling_quantile(n), or .over('ts') among the assets of one bar",
    "Bin": "give explicit breaks, or use .over('ts') among the assets of one bar",
    "FillNullWithStrategy.Backward": "use forward_fill()",
    "Interpolate": "use forward_fill()",
    "InterpolateBy": "use forward_fill()",
    "PeakMax": "compare with shift(1) and shift(2): a peak is known one bar later",
    "PeakMin": "compare with shift(1) and shift(2): a trough is known one bar later",
    "RollingExpr": "leave center=False",
    "Rolling": "give an offset of minus the period or less",
    "RollingExprBy": "measure the window along 'ts', with a duration such as '30d'",
    "EwmMeanBy": "measure it along 'ts'",
    "EwmSumBy": "measure it along 'ts'",
    "Reverse": "leave it out",
    "Filter": "use pl.when(...) to keep one value per bar",
    "Boolean.IsLastDistinct": "use is_first_distinct()",
    "Boolean.IsUnique": "use is_first_distinct()",
    "Boolean.IsDuplicated": "use ~is_first_distinct()",
    "FillNullWithStrategy.Min": "fill with a constant or forward_fill()",
    "FillNullWithStrategy.Max": "fill with a constant or forward_fill()",
    "FillNullWithStrategy.Mean": "fill with a constant or forward_fill()",
}
_ROLLING = {"Mean": "mean", "Sum": "sum", "Min": "min", "Max": "max", "Std": "std", "Var": "var", "Median": "median"}


def instead(node: Node, name: str) -> str:
    """What to write instead of an operation that is not past-only.

    Example:
        >>> instead({"Agg": {"Mean": {"Column": "close"}}}, "Agg.Mean")
        "use rolling_mean(n) along time, or .mean().over('ts') over the assets of one bar"
    """
    if name in _INSTEAD:
        return _INSTEAD[name]
    if name in ("Shift", "ShiftAndFill", "Diff", "PctChange"):
        rows = integer(body(node)["input"][1])
        word = {"Shift": "shift", "ShiftAndFill": "shift", "Diff": "diff", "PctChange": "pct_change"}[name]
        number = "a constant number of bars" if rows is None else f"{word}({abs(rows)})"
        return f"use {number}; a study of the future that never trades belongs outside a strategy"
    if name.startswith("Cum"):
        return "leave reverse=False"
    word = _ROLLING.get(name.removeprefix("Agg."), "")
    if word:
        return f"use rolling_{word}(n) along time, or .{word}().over('ts') over the assets of one bar"
    return "use a rolling or cumulative form along time, or .over('ts') over the assets of one bar"
