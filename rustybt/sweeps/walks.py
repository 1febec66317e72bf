"""Features that are plain steps along the bars of an asset, many lengths of one shape, without a plan for each.

In: the tree of a feature. Out: its values, bit for bit those of `rustybt.spec.planner`, or nothing where a step is of another kind or the
data are out of the ordinary (nulls, infinite values, zeros whose sign would count).

Known are shifts, differences, changes, exponential means, highest and lowest values, sums and means of any of these, exact windows of plain
columns, and arithmetic between them. What several features have in common is computed once. Every value of a step is known from a bar on
that depends on the position alone, so a step is an array and the number of bars without a value.

Polars is the judge: the first feature of a shape (a tree without its numbers) is evaluated by the planner as well, and a shape whose bits
differ stays with the planner. So another version of Polars, with another order of additions, costs time and no result.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.model import Panel
from rustybt.spec.exact import Rolling
from rustybt.spec.tree import integer, is_column
from rustybt.spec.windows import Windows
from rustybt.sweeps.moving import average, highest, total

Floats = npt.NDArray[np.float64]
type Step = tuple[Any, ...]
"""Operation, its numbers, and the steps that it reads."""
type Found = tuple[Floats, npt.NDArray[np.bool_] | None]
"""Values, and which of them there are; None = all."""

ARITHMETIC = {"Plus": "+", "Minus": "-", "Multiply": "*", "TrueDivide": "/"}
LAGS = {"Shift": "shift", "Diff": "diff", "PctChange": "change"}
ROLLED = {"Max": "max", "Min": "min", "Sum": "sum", "Mean": "mean"}
MOST = 2**24
"""Bytes of steps that are remembered, and at least two of them."""


class Walk(NamedTuple):
    """A feature that can be computed this way.

    Attributes:
        step: what is done, from the columns up.
        shape: the same without numbers.
        reach: bars before a row that decide it, as a plan counts them; None = unbounded.
    """

    step: Step
    shape: Step
    reach: int | None

    def under(self, name: str, numbers: tuple[Any, ...], kept: tuple[bool, ...], further: int | None) -> Walk:
        """This inside one more step, which has some numbers and reads so many bars further back; ``kept`` is part of its shape."""
        reach = None if self.reach is None or further is None else self.reach + further
        return Walk((name, *numbers, self.step), (name, *kept, self.shape), reach)


class Odd(Exception):
    """The data are out of the ordinary for a step."""


class Walks:
    """The features of a panel that are steps along its bars.

    Args:
        panel: bars.
        mask: (rows,) which rows are wanted; None = all.

    Example:
        >>> import polars as pl
        >>> import rustybt as rbt
        >>> from rustybt.spec.tree import parse
        >>> panel = rbt.load("demo")
        >>> walks = Walks(panel, None)
        >>> walk = walks.read(parse(pl.col("high").rolling_max(3).shift(1)))
        >>> values, known = walks.values(walk)
        >>> walk.reach, bool(values[3] == panel.frame["high"][:3].max()), known[:4].tolist()
        (3, True, [False, False, False, True])
    """

    def __init__(self, panel: Panel, mask: npt.NDArray[np.bool_] | None) -> None:
        self.frame, self.windows = panel.frame, Windows(panel, None)
        self.rows = None if mask is None else np.flatnonzero(mask)
        self.held: OrderedDict[Step, tuple[Floats, int]] = OrderedDict()
        self.most = max(2, MOST // (8 * max(1, self.frame.height)))

    def read(self, tree: Any) -> Walk | None:
        """What a tree does; None where a part of it is no step."""
        try:
            walk = self._read(tree)
        except (Odd, KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError):  # a tree of another form
            return None
        return None if walk.shape == ("number",) else walk

    def values(self, walk: Walk) -> Found | None:
        """The values on the wanted rows, 0 where there are none; None where the data do not allow it."""
        try:
            values, lead = self._of(walk.step)
        except Odd:
            return None
        if self.rows is not None:
            values = values[self.rows]
        if not lead:
            return values, None
        position = self.windows.layout.position
        known = (position if self.rows is None else position[self.rows]) >= lead
        return np.where(known, values, 0.0), known

    def _read(self, tree: Any) -> Walk:
        ((tag, held),) = tree.items()
        if tag == "Function":
            return self._function(tree, held)
        if tag == "Column":
            step = "column", held
            return Walk(step, step, 0)
        if tag == "Literal":
            return Walk(("number", _number(held)), ("number",), 0)
        if tag == "BinaryExpr":
            left, right, name = self._read(held["left"]), self._read(held["right"]), ARITHMETIC[held["op"]]
            if left.shape == right.shape == ("number",):
                raise Odd
            reach = None if left.reach is None or right.reach is None else max(left.reach, right.reach)
            return Walk((name, left.step, right.step), (name, left.shape, right.shape), reach)
        keys = held["partition_by"] if tag == "Over" and held["mapping"] == "GroupsToRows" and held["order_by"] is None else None
        if not keys or not all(is_column(key, "asset") for key in keys):
            raise Odd
        return self._read(held["function"])

    def _function(self, tree: Any, held: Any) -> Walk:
        (first, *rest), named = held["input"], held["function"]
        name: str = named if isinstance(named, str) else next(iter(named))
        options: Any = None if isinstance(named, str) else named[name]
        if name == "RollingExpr":
            return self._rolled(tree, first, options["function"], options["options"])
        below = self._read(first)
        if below.shape == ("number",):
            raise Odd
        if name in LAGS:
            bars = integer(rest[0])
            if bars is None or bars < 1 or options not in (None, "Ignore"):
                raise Odd
            return below.under(LAGS[name], (bars,), (), bars)
        if name in ("Negate", "Abs"):
            return below.under(name.lower(), (), (), 0)
        if name == "Clip":
            ends = [_number(one["Literal"]) for one in rest]
            told = bool(options["has_min"]), bool(options["has_max"])
            return below.under("clip", (ends.pop(0) if told[0] else None, ends.pop(0) if told[1] else None), told, 0)
        if name != "EwmMean":
            raise Odd
        kept = options["options"]
        adjust = bool(kept["adjust"])
        return below.under("ewm", (float(kept["alpha"]), adjust, max(1, int(kept["min_periods"]))), (adjust,), None)

    def _rolled(self, tree: Any, first: Any, function: Any, options: Any) -> Walk:
        if "Column" in first:
            window = self.windows.read(tree)
            if window is not None:
                shape = "window", window.column, window.function, window.least == window.size
                return Walk(("window", window), shape, window.size - 1)
        below, name = self._read(first), ROLLED[function]
        size, least = int(options["window_size"]), int(options["min_periods"])
        if "Column" in first and name in ("sum", "mean"):  # exact where there are ticks, and the planner's own otherwise
            raise Odd
        if options["weights"] is not None or options["center"] or options["fn_params"] or not 1 <= least <= size:
            raise Odd
        return below.under(name, (size, least), (size == least,), size - 1)

    def _of(self, step: Step) -> tuple[Floats, int]:
        """The values of a step on all rows, and how many bars of each asset have none."""
        if step in self.held:
            self.held.move_to_end(step)
            return self.held[step]
        with np.errstate(all="ignore"):
            made = self._made(step)
        if not np.isfinite(made[0]).all():
            raise Odd
        self.held[step] = made
        while len(self.held) > self.most:
            self.held.popitem(last=False)
        return made

    def _made(self, step: Step) -> tuple[Floats, int]:
        name = step[0]
        if name == "column":
            column = self.frame[step[1]] if step[1] in self.frame.columns else None
            if column is None or column.dtype != pl.Float64 or column.null_count():
                raise Odd
            return column.to_numpy(), 0
        if name == "window":
            return self._window(step[1])
        if name in ARITHMETIC.values():
            return self._combined(step)
        below, lead = self._of(step[-1])
        if name in LAGS.values():
            return self._lagged(step, below, lead)
        if name in ("negate", "abs"):
            return (-below if name == "negate" else np.abs(below)), lead
        if name == "clip":
            low, high = step[1], step[2]
            kept = below if low is None else np.where(below < low, low, below)
            return (kept if high is None else np.where(kept > high, high, kept)), lead
        rows, out = (self.windows.layout.starts, self.windows.layout.lengths, lead), np.zeros(len(below))
        if name == "ewm":
            average(below, rows, (step[1], step[2]), out)
            return out, lead + step[3] - 1
        if name in ("sum", "mean"):
            total(below, rows, (step[1], name == "mean"), out)
        else:
            if (np.signbit(below) & (below == 0.0)).any():  # zeros of either sign are equal, and which of them is taken is not said
                raise Odd
            sign = 1.0 if name == "max" else -1.0
            highest(below * sign, rows, (step[1], sign), out, np.empty(step[1]))
        return out, lead + step[2] - 1

    def _window(self, window: Rolling) -> tuple[Floats, int]:
        values, known = self.windows.values(window)
        lead = window.least - 1
        if known is not None and not np.array_equal(known, self.windows.layout.position >= lead):
            raise Odd
        return values, lead

    def _combined(self, step: Step) -> tuple[Floats, int]:
        name, left, right = step
        if name == "/" and right[0] == "number":  # as Polars does it: through the reciprocal
            if right[1] == 0.0:
                raise Odd
            name, right = "*", ("number", 1.0 / right[1])
        (a, before), (b, after) = ((part[1], 0) if part[0] == "number" else self._of(part) for part in (left, right))
        lead = max(before, after)
        if name == "/":
            known = self.windows.layout.position >= lead
            if not np.all(np.where(known, b, 1.0)):
                raise Odd
            return np.where(known, a / b, 0.0), lead
        return (a + b if name == "+" else a - b if name == "-" else a * b), lead

    def _lagged(self, step: Step, below: Floats, lead: int) -> tuple[Floats, int]:
        bars, before = step[1], np.zeros(len(below))
        before[bars:] = below[: max(0, len(below) - bars)]  # across assets too, where nothing is known anyway
        if step[0] == "shift":
            return before, lead + bars
        moved = below - before
        if step[0] == "diff":
            return moved, lead + bars
        known = self.windows.layout.position >= lead + bars
        if not np.all(np.where(known, before, 1.0)):
            raise Odd
        return np.where(known, moved / np.where(known, before, 1.0), 0.0), lead + bars


def _number(literal: Any) -> float:
    """The value of a plain number."""
    found = literal["Dyn"]
    value = found["Int"] if "Int" in found else found["Float"]
    if value is None or abs(value) > 2**53:
        raise Odd
    return float(value)
