"""Crosswise: operations over the assets of one bar in numpy, with the bits of Polars.

In: one cross-section of a plan and the dtype of its input. Out: a function over the values of one bar, or None when there is none. Each is
tried against the installed Polars before it is used, as those of `rustybt.spec.rowwise`.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.spec.column import Arrays, Flags
from rustybt.spec.rowwise import NUMBERS
from rustybt.spec.tree import Node as Tree
from rustybt.spec.tree import call, kind

LOOP = 1_000
"""Rows up to which a loop beats an evaluation in Polars."""

type Values = npt.NDArray[Any]
type Across = Callable[[Values, Flags | None], Arrays | None]
"""From the values of a group and which are known, to one value per row; None = left to Polars."""


def across_of(tree: Tree, dtype: pl.DataType, out: pl.DataType) -> Across | None:
    """The cross-section of a column in numpy, not yet tried.

    Args:
        tree: the operation.
        dtype: of its input.
        out: of its value.

    Example:
        >>> from rustybt.spec.tree import parse
        >>> mean = across_of(parse(pl.col("x").mean()), pl.Float64(), pl.Float64())
        >>> mean(np.array([1.0, 2.0, 6.0]), None)[0].tolist()
        [3.0, 3.0, 3.0]
    """
    name, options = call(tree)
    floats = dtype == pl.Float64
    if name == "Rank" and options["options"]["method"] in RANKS and type(dtype) in NUMBERS:
        rank = RANKS[options["options"]["method"]]
        held = np.float64 if out == pl.Float64 else np.uint32
        return _ranked(rank, bool(options["options"]["descending"]), held)
    if name == "Agg.Count" and not options["include_nulls"]:
        return lambda x, known: (np.full(len(x), len(x) if known is None else np.count_nonzero(known), np.uint32), None)
    if not floats or kind(tree) != "Agg":
        return None
    if name == "Agg.Mean":
        return lambda x, known: _spread(len(x), x if known is None else x[known], _mean)
    if name == "Agg.Sum":
        return lambda x, known: _spread(len(x), x if known is None else x[known], _sum, 0.0)
    if name in ("Agg.Max", "Agg.Min") and not options["propagate_nans"]:
        function = np.max if name == "Agg.Max" else np.min
        return lambda x, known: _spread(len(x), x if known is None else x[known], lambda v: _extreme(function, v))
    return None


def _mean(x: Values) -> Any:
    total = _sum(x)
    return None if total is None else total / len(x)


def _sum(x: Values) -> Any:
    """With a running compensation, as Polars sums a group; None for more rows than a loop is good for."""
    if len(x) > LOOP:
        return None
    total, error = 0.0, 0.0
    for value in x.tolist():
        y = value - error
        fresh = total + y
        if isfinite(fresh):
            error = (fresh - total) - y
        total = fresh
    return np.float64(total)


def _extreme(function: Callable[[Values], Any], x: Values) -> Any:
    """Null where NaN or a zero of either sign may be the answer: that is left to Polars."""
    found = function(x)
    return None if found != found or found == 0.0 else found


def _spread(rows: int, x: Values, function: Callable[[Values], Any], empty: float | None = None) -> Arrays | None:
    """One number in every row."""
    if not len(x):
        return np.full(rows, empty or 0.0), None if empty is not None else np.zeros(rows, np.bool_)
    value = function(x)
    return None if value is None else (np.full(rows, value), None)


def _ranked(rank: Callable[[Values, bool], Values], descending: bool, held: Any) -> Across:
    def found(x: Values, known: Flags | None) -> Arrays | None:
        wanted = x if known is None else x[known]
        if wanted.dtype == np.float64 and (wanted != wanted).any():
            return None
        place = rank(wanted, descending)
        if known is None:
            return place.astype(held), None
        values = np.zeros(len(x), held)
        values[known] = place
        return values, known

    return found


def _order(x: Values, descending: bool) -> Values:
    """Row numbers in order of value; equal ones stay in order of rows."""
    if not descending:
        return np.argsort(x, kind="stable")
    return len(x) - 1 - np.argsort(x[::-1], kind="stable")[::-1]


def _ordinal(x: Values, descending: bool) -> Values:
    place = np.empty(len(x), np.int64)
    place[_order(x, descending)] = np.arange(1, len(x) + 1)
    return place


def _tied(x: Values, descending: bool) -> tuple[Values, Values, Values]:
    """First and last place of each row's group of equal values, and the number of the group."""
    order = _order(x, descending)
    ordered = x[order]
    fresh = np.ones(len(x), np.bool_)
    fresh[1:] = ordered[1:] != ordered[:-1]
    group = np.cumsum(fresh)
    starts = np.flatnonzero(fresh)
    ends = np.append(starts[1:], len(x))
    found = np.empty((3, len(x)), np.int64)
    found[:, order] = (starts[group - 1] + 1, ends[group - 1], group) if len(x) else 0
    return found[0], found[1], found[2]


def _average(x: Values, descending: bool) -> Values:
    first, last, _ = _tied(x, descending)
    return (first + last) / 2


RANKS: dict[str, Callable[[Values, bool], Values]] = {
    "Ordinal": _ordinal,
    "Average": _average,
    "Min": lambda x, descending: _tied(x, descending)[0],
    "Max": lambda x, descending: _tied(x, descending)[1],
    "Dense": lambda x, descending: _tied(x, descending)[2],
}
