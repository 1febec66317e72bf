"""Exact windows on their own: rolling sums, means and deviations of plain columns, many lengths of one frame, without a plan for each.

In: a frame of bars and which of its rows are wanted. Out: the values that `rustybt.spec.planner` gives, bit for bit: its windows are
evaluated by the same `rustybt.spec.running.Running`.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from rustybt.model import Panel
from rustybt.spec.evaluate import Layout
from rustybt.spec.exact import NARROW, Facts, Rolling, Units, rolling_of, spread_of
from rustybt.spec.running import Running
from rustybt.spec.tree import body, kind

type Found = tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_] | None]
"""Values, and which of them there are; None = all."""


class Windows:
    """The exact windows of a panel.

    Args:
        panel: bars.
        mask: (rows,) which rows are wanted; None = all.

    Example:
        >>> import polars as pl
        >>> import rustybt as rbt
        >>> from rustybt.spec.tree import parse
        >>> panel = rbt.load("demo")
        >>> windows = Windows(panel, None)
        >>> window = windows.read(parse(pl.col("close").rolling_mean(3)))
        >>> values, known = windows.values(window)
        >>> bool(values[2] == panel.frame["close"][:3].mean()), known[:3].tolist()
        (True, [False, False, True])
    """

    def __init__(self, panel: Panel, mask: npt.NDArray[np.bool_] | None) -> None:
        self.frame, self.units = panel.frame, Units.of(panel)
        self.rows = None if mask is None else np.flatnonzero(mask)
        self.running: dict[str, Running] = {}
        self.known: dict[str, tuple[bool, int]] = {}

    @cached_property
    def layout(self) -> Layout:
        """Where the rows of each asset are."""
        return Layout(self.frame)

    @cached_property
    def ends(self) -> tuple[Any, Any]:
        """The rows at which windows end, and the first row of the asset of each."""
        if self.rows is None:
            return np.arange(self.layout.height), self.layout.first
        return self.rows, self.layout.first_of(self.rows)

    def read(self, tree: Any) -> Rolling | None:
        """The window that a tree is; None where it is anything else, or no window that can be proven to look back."""
        if kind(tree) != "Function" or kind(body(tree)["input"][0]) != "Column":
            return None
        window = rolling_of(tree, body(tree)["input"][0]["Column"])
        if window is None or not 1 <= window.least <= window.size or f"ticks_{window.column}" not in self.frame.columns:
            return None
        return window if self.layout.height > 1 else None

    def values(self, window: Rolling) -> Found:
        """The values of a window on the wanted rows, 0 where there are too few bars."""
        column, layout = window.column, self.layout
        if column not in self.running:
            self.running[column] = Running(self.frame[f"ticks_{column}"])
        running, facts = self.running[column], self._facts(window)
        step = self.units.along(column, layout.symbols, layout.lengths)
        if self.rows is None and not facts.nulls and window.least == window.size:
            back, values = window.size - 1, np.zeros(layout.height)
            values[back:] = running.whole(window, step, facts.wide)[: max(0, layout.height - back)]
            if not back:
                return values, None
            known = np.arange(layout.height) >= back if layout.single else layout.position >= back
        else:
            rows, first = self.ends
            values, known = running.ending(window, rows, first, step.at(rows), facts)
            if known.all():
                return values, None
        values[~known] = 0.0
        return values, known

    def spread(self, column: str) -> tuple[bool, int]:
        """Whether the ticks of a column have nulls, and the widest range of those of an asset."""
        if column not in self.known:
            ticks = self.frame[f"ticks_{column}"]
            nulls = ticks.null_count() > 0  # filling is a query, which costs more than all else here
            self.known[column] = nulls, spread_of((ticks.fill_null(0) if nulls else ticks).to_numpy(), self.layout.starts)
        return self.known[column]

    def _facts(self, window: Rolling) -> Facts:
        nulls, spread = self.spread(window.column)
        return Facts(nulls, window.squares and spread * window.size > NARROW)
