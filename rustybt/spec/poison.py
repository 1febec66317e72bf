"""Poison: running averages and cumulative terms that a NaN has got into, where it stays for good.

In: a plan and a signal frame. Out: one sentence for each such term's input. Bars themselves hold no NaN; it comes from divisions,
logarithms and extra columns, and a comparison hides it: Polars holds NaN to be larger than every number.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from rustybt.model import Asset, Panel
from rustybt.spec.hints import PLAIN
from rustybt.spec.lower import COLUMN, GROUP, TIME, Item
from rustybt.spec.planner import SignalPlan, plan_terms
from rustybt.spec.tree import build, call

RISKY_OPERATORS = frozenset({"Divide", "TrueDivide", "FloorDivide", "Modulus"})
RISKY_NAMES = ("Log", "Pow", "Sqrt", "Trigonometry", "Correlation", "PctChange")


def poisoned(plan: SignalPlan, frame: pl.DataFrame, assets: Panel | Iterable[Asset]) -> list[str]:
    """One sentence for each input of a running term that is NaN somewhere.

    Only inputs that may be NaN are evaluated, so plans without a division pay nothing.

    Example:
        >>> frame = pl.DataFrame({"ts": [1, 2], "asset": ["A", "A"], "close": [1.0, 2.0]})
        >>> poisoned(plan_terms({"target": pl.col("close").ewm_mean(span=5)}), frame, [Asset("A")])
        []
    """
    items = plan.graph.items
    keeps = {at: item for item in items if _keeps(item) for at in item.inputs if _risky(plan, at)}
    if not keeps:
        return []
    values = plan_terms({f"n{at}": build(plan.graph.explicit(at)) for at in keeps}).evaluate(frame, assets)
    notes = []
    for at, item in keeps.items():
        column = values[f"n{at}"]
        bad = column.is_nan().fill_null(value=False) if column.dtype.is_float() else pl.Series([False])
        if bad.any():
            ts, asset = frame.select("ts", "asset").row(int(bad.arg_max() or 0))
            notes.append(
                f"{plan.graph.written(at, 80)} is NaN on {bad.sum()} rows (first: asset {str(asset)!r}, {ts:%Y-%m-%d %H:%M}), and "
                f"{plan.graph.written(item.id, 80)} never gets rid of it: add .fill_nan(None)."
            )
    return notes


def _keeps(item: Item) -> bool:
    """Whether a node carries what it has read to all later rows."""
    return item.kind in (TIME, GROUP) and call(item.tree.get("sorted", item.tree))[0].startswith(("Ewm", "Cum"))


def _risky(plan: SignalPlan, at: int) -> bool:
    """Whether a node may be NaN on bars that are clean."""
    item = plan.graph.items[at]
    if item.kind == COLUMN:
        return item.tree["Column"] not in PLAIN
    return _divides(item.tree) or any(_risky(plan, below) for below in item.inputs)


def _divides(tree: object) -> bool:
    if isinstance(tree, list):
        return any(_divides(value) for value in tree)
    if not isinstance(tree, dict):
        return isinstance(tree, str) and tree.startswith(RISKY_NAMES)
    return tree.get("op") in RISKY_OPERATORS or any(key.startswith(RISKY_NAMES) or _divides(value) for key, value in tree.items())
