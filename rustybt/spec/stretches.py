"""Stretches: terms of long frames, some rows at a time, so that what one step writes is in the cache when the next one reads it.

In: a plan and a frame with many rows of each asset. Out: a function from rows to the values of a term there, or None where a term takes
more than is done here. Operations on rows are those that the bar-by-bar engine has in numpy, each tried against Polars
(`rustybt.spec.trial`); windows are exact ones whose ticks are all there; what is left are shifts, and numbers of bars.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from rustybt.model.lent import room_for
from rustybt.spec import evaluate
from rustybt.spec.barwise import BarCompiler
from rustybt.spec.column import Arrays
from rustybt.spec.compile import Situation, flat_reach, numbers
from rustybt.spec.exact import Rolling, Units, fits
from rustybt.spec.lower import COLUMN, POINT, TIME, Item
from rustybt.spec.rowwise import NUMBERS, Function
from rustybt.spec.running import Roll, Running
from rustybt.spec.tree import call

if TYPE_CHECKING:
    from rustybt.spec.evaluate import Layout
    from rustybt.spec.planner import SignalPlan


class Span(NamedTuple):
    """Rows of one asset.

    Attributes:
        first: first row of the asset.
        start, stop: the rows.
    """

    first: int
    start: int
    stop: int


type Made = Callable[[Span, Sequence[Arrays]], Arrays]
"""What a node has on some rows, from what its inputs have on as many rows before their last one as they were asked for."""


@dataclass(frozen=True)
class Work:
    """A node.

    Attributes:
        at: its number in the graph.
        lead: rows before a stretch on which others want it too.
        inputs: nodes that it reads.
        made: computes it.
    """

    at: int
    lead: int
    inputs: tuple[int, ...]
    made: Made


@dataclass(frozen=True)
class Stretches:
    """Terms on stretches of rows; several threads may ask for them.

    Attributes:
        works: nodes, inputs first.
        target: node of the target.
        universe: node of the universe, outside of which the target is 0; None: there is none.
        size: rows of a stretch that are worth a pass.
    """

    works: tuple[Work, ...]
    target: int
    universe: int | None
    size: int

    def on(self, span: Span) -> Arrays:
        """The target on rows of an asset."""
        held: dict[int, Arrays] = {}
        for work in self.works:
            rows = Span(span.first, max(span.first, span.start - work.lead), span.stop)
            held[work.at] = work.made(rows, [held[at] for at in work.inputs])
        values, known = _last(held[self.target], span.stop - span.start)
        if self.universe is None:
            return values, known
        inside = _last(held[self.universe], span.stop - span.start)
        yes = inside[0] if inside[1] is None else inside[0] & inside[1]
        return np.where(yes, values, values.dtype.type(0)), None if known is None else known | ~yes


def stretches_of(plan: SignalPlan, frame: pl.DataFrame, layout: Layout, units: Units, roll: Roll | None) -> Stretches | None:
    """The target of a plan on stretches of a frame; None where any of its terms takes more than is done here.

    Args:
        plan: the terms.
        frame: the rows.
        layout: where those of each asset lie.
        units: of its ticks.
        roll: what computes rolling sums; None = NumPy.
    """
    root, mask = plan.graph.roots.get("target"), plan.graph.roots.get("universe")
    columns = {name: frame[name] for name in plan.source_columns}
    functions = _functions_of(plan, columns)
    if root is None or functions is None or (mask is not None and functions.dtypes.get(mask) != pl.Boolean):
        return None
    if type(functions.dtypes.get(root)) not in NUMBERS:
        return None
    leads = _leads(plan.graph.items, plan.windows, functions.shifts, (root,) if mask is None else (root, mask))
    widest = max([plan.windows[at].size for at in leads if at in plan.windows], default=0) + max(leads.values(), default=0)
    size = max(evaluate.STRETCH, 4 * widest)
    works = []
    for item in plan.graph.items:
        if item.id not in leads:
            continue
        window = plan.windows.get(item.id)
        if window is not None:
            ticks = frame[f"ticks_{window.column}"]
            made = None if ticks.null_count() else _window(window, ticks, layout, units, roll)
        elif item.id in functions.rows:
            made = _on_rows(functions.rows[item.id])
        elif item.id in functions.shifts:
            made = _shifted(functions.shifts[item.id])
        else:
            made = _column(columns[item.tree["Column"]]) if item.kind == COLUMN else _numbered
        if made is None:
            return None
        works.append(Work(item.id, leads[item.id], () if window is not None or made is _numbered else item.inputs, made))
    return Stretches(tuple(works), root, mask, size)


class Functions(NamedTuple):
    """What is known about a plan's nodes for columns of some dtypes.

    Attributes:
        dtypes: what each gives.
        rows: how those are computed that read a row.
        shifts: bars that others are shifted by.
    """

    dtypes: dict[int, pl.DataType]
    rows: dict[int, Function]
    shifts: dict[int, int]


def _functions_of(plan: SignalPlan, columns: dict[str, pl.Series]) -> Functions | None:
    """How every node is computed; None where one is not, be it of a term that is not asked for: it may not be possible to compute it."""
    key = tuple(column.dtype for column in columns.values())
    if key not in plan.stretched:
        plan.stretched[key] = _found(plan, {name: column.dtype for name, column in columns.items()})
    found: Functions | None = plan.stretched[key]
    return found


def _found(plan: SignalPlan, schema: dict[str, pl.DataType]) -> Functions | None:
    windows = plan.windows
    if any(window.least < window.size for window in windows.values()):
        return None
    graph = plan.graph
    dtypes, chosen = BarCompiler(graph, windows, Situation(single=False, scheduled=True)).functions(schema)
    rows, shifts = {}, {}
    for item in graph.items:
        row = chosen.get(item.id, (None, None))[0]
        back = flat_reach(item.tree) if item.kind == TIME and call(item.tree)[0] == "Shift" else None
        if item.kind == POINT and row is not None:
            rows[item.id] = row
        elif item.kind == TIME and back is not None and len(item.inputs) == 1 and item.id in dtypes:
            shifts[item.id] = back
        elif item.kind != COLUMN and item.id not in windows and not numbers(graph, item):
            return None
    return Functions(dtypes, rows, shifts)


def _leads(items: Sequence[Item], windows: Container[int], shifts: dict[int, int], roots: tuple[int, ...]) -> dict[int, int]:
    """Of the nodes that are wanted, how many rows before a stretch others want them too. Windows read ticks, and no node."""
    found = dict.fromkeys(roots, 0)
    for item in reversed(items):
        if item.id in found and item.id not in windows:
            for at in item.inputs:
                found[at] = max(found.get(at, 0), found[item.id] + shifts.get(item.id, 0))
    return found


def _last(arrays: Arrays, rows: int) -> Arrays:
    """The last rows."""
    values, known = arrays
    if len(values) == rows:
        return arrays
    return values[len(values) - rows :], None if known is None else known[len(known) - rows :]


def _column(series: pl.Series) -> Made | None:
    if series.null_count() or type(series.dtype) not in NUMBERS:
        return None
    values = series.to_numpy()
    return lambda span, _: (values[span.start : span.stop], None)


def _numbered(span: Span, _: Sequence[Arrays]) -> Arrays:
    """Numbers of bars."""
    return np.arange(span.start - span.first, span.stop - span.first), None


def _on_rows(function: Function) -> Made:
    return lambda span, inputs: function([_last(one, span.stop - span.start) for one in inputs])


def _shifted(back: int) -> Made:
    def made(span: Span, inputs: Sequence[Arrays]) -> Arrays:
        (values, known), rows = inputs[0], span.stop - span.start
        blank = min(max(span.first + back - span.start, 0), rows)  # rows with too few bars before them
        if not blank:
            end = len(values) - back
            return values[end - rows : end], None if known is None else known[end - rows : end]
        there = np.ones(rows, np.bool_)
        there[:blank] = False
        found = np.zeros(rows, values.dtype)
        found[blank:] = values[: rows - blank]
        if known is not None:
            there[blank:] = known[: rows - blank]
        return found, there

    return made


def _window(window: Rolling, ticks: pl.Series, layout: Layout, units: Units, roll: Roll | None) -> Made:
    """An exact window."""
    step, size = units.along(window.column, layout.symbols, layout.lengths), window.size
    wide = window.squares and not fits(ticks.to_numpy(), layout.starts, size)
    fast = roll if window.rolls(step) else None
    below = float(step.den * (size if window.function == "Mean" else 1)) if fast is not None else 0.0
    values = ticks.to_numpy()

    def made(span: Span, _: Sequence[Arrays]) -> Arrays:
        rows = span.stop - span.start
        blank = min(max(span.first + size - 1 - span.start, 0), rows)  # rows with too few bars
        room = room_for(rows, np.float64)
        room[:blank] = 0.0
        first = span.start + blank - size + 1
        if blank == rows:
            pass
        elif fast is not None:
            fast(values, room)(first, blank, rows - blank, size, below)
        else:
            part = Running(ticks.slice(first, span.stop - first))
            part.whole(window, step.at(slice(first, span.stop)), wide, room[blank:])
        if not blank:
            return room, None
        known = np.ones(rows, np.bool_)
        known[:blank] = False
        return room, known

    return made
