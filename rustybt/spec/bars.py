"""Bars: the work of a `BarProgram` done on the rows of one bar.

In: the rows of a bar and what the window remembers. Out: the columns of the terms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.spec.column import Arrays, Column, Rows
from rustybt.spec.evaluate import doubled
from rustybt.spec.exact import Rolling, Step, Units
from rustybt.spec.parts import FAILURES, Eager, Move, Native, Part, Recall
from rustybt.spec.rings import History, Ring
from rustybt.spec.running import of_totals, of_windows
from rustybt.spec.states import Bar, State, faithful, state_of

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
type Blame = Callable[[str, int, BaseException], BaseException]
LATE = np.uint32
FLOAT = pl.Float64()


@dataclass
class Memory:
    """What a window remembers.

    Attributes:
        units: what ticks are worth.
        rings: by column.
        recalled: what recalled operations remember, by graph node; filled in as they first meet a bar.
        steps: what ticks of a column are worth for the assets that last had a bar.
    """

    units: Units
    rings: dict[str, Ring] = field(default_factory=dict)
    recalled: dict[int, State | History] = field(default_factory=dict)
    steps: dict[str, tuple[Sequence[str], Step]] = field(default_factory=dict)

    def worth(self, column: str, names: Sequence[str]) -> Step:
        """What a tick of each of some assets is worth."""
        held = self.steps.get(column)
        if held is None or held[0] is not names:
            held = names, self.units.along(column, names, np.ones(len(names), np.int64))
            self.steps[column] = held
        return held[1]


@dataclass
class Bars:
    """One bar being worked on.

    Attributes:
        rows: its rows of the signal frame.
        slots: number of each row's asset in the window.
        names: asset of each row.
        memory: of the window.
        blame: makes the error of a term that fails.
    """

    rows: Rows
    slots: Ints
    names: Sequence[str]
    memory: Memory
    blame: Blame
    _data: dict[str, Column] = field(default_factory=dict)

    def take(self, part: Part) -> None:
        """Do the work of one part."""
        data, slots, column = self._data, self.slots, self.column
        for source in part.rings:
            self.memory.rings[source].take(slots, data.get(source) or column(source))
        for move in part.moves:
            data[move.name] = self._move(move)
        for recall in part.recalls:
            data[recall.name] = self._recall(recall)
        for step in part.steps:
            if isinstance(step, Eager):
                self._eager(step)
            elif step.row is not None:
                data[step.name] = Column(step.dtype, step.row([(data.get(name) or column(name)).arrays for name in step.reads]))
            else:
                self._cross(step)

    def column(self, name: str) -> Column:
        """A column of the bar, given or made."""
        found = self._data.get(name)
        if found is None:
            found = self._data[name] = self._bar() if name == "__bar" else self.rows.column(name)
        return found

    def _bar(self) -> Column:
        return Column(pl.Int64(), (np.zeros(self.rows.height, np.int64), None))

    def _frame(self, names: Sequence[str]) -> pl.DataFrame:
        """Columns as a frame; of a single row two, in two cross-sections: Polars takes a column of one row for a constant."""
        frame = pl.DataFrame([self.column(name).series.alias(name) for name in names or ("__bar",)])
        if self.rows.height != 1:
            return frame
        twice = doubled(frame)
        return twice.with_columns(pl.Series("__bar", np.arange(2))) if "__bar" in names else twice

    def _eager(self, step: Eager) -> None:
        found = evaluated(self._frame(step.reads), step, self.blame)
        for name in step.names:
            self._data[name] = Column.of(found[name].head(self.rows.height))

    def _cross(self, step: Native) -> None:
        assert step.across is not None
        assert step.instead is not None
        values, known = self.column(step.reads[0]).arrays
        inside = None
        if step.member is not None:
            member, sure = self.column(step.member).arrays
            inside = member if sure is None else member & sure
            inside = None if inside.all() else inside
        if inside is not None:
            values, known = values[inside], None if known is None else known[inside]
        found = step.across(values, known)
        if found is None:
            self._eager(step.instead)
        else:
            self._data[step.name] = Column(step.dtype, found if inside is None else _spread(found, inside))

    def _move(self, move: Move) -> Column:
        ring, slots = self.memory.rings[move.source], self.slots
        if move.window is not None:
            return self._exact(ring, move.window)
        if move.call == "Shift":
            return Column(ring.dtype, ring.before(slots, move.size - 1))
        enough = ring.enough(slots, move.size)
        if ring.complete and isinstance(ring.dtype, pl.Float64):
            quick = self._quick(ring, move)
            if quick is not None:
                return Column(ring.dtype, (quick, enough))
        values, known = ring.last(slots, move.size)
        flat = ring.decode(values.reshape(-1), None if known is None else known.reshape(-1)).alias("x").to_frame()
        last = flat.select(cast("pl.Expr", move.expr))
        if enough is None:
            return Column.of(last["v"])
        filler = pl.lit(None) if move.filler is None else move.filler
        masked = last.with_columns(pl.Series("k", enough)).select(pl.when("k").then("v").otherwise(filler))
        return Column.of(masked.to_series())

    def _quick(self, ring: Ring, move: Move) -> npt.NDArray[np.float64] | None:
        """Operations on floats without nulls whose bits numpy gives as well; None where NaN or a zero of either sign may be the answer."""
        slots, name = self.slots, move.call
        if name in ("Min", "Max"):
            values = ring.last(slots, move.size)[0]
            extreme = values.max(axis=1) if name == "Max" else values.min(axis=1)
            return None if ((extreme == 0) | (extreme != extreme)).any() else extreme
        if name not in ("Diff", "PctChange"):
            return None
        new, old = ring.before(slots, 0)[0], ring.before(slots, move.size - 1)[0]
        found: npt.NDArray[np.float64] = new - old if name == "Diff" else (new - old) / old
        return found

    def _exact(self, ring: Ring, window: Rolling) -> Column:
        slots = self.slots
        step = self.memory.worth(window.column, self.names)
        totals = ring.totals(slots, window.size)
        if totals is not None:
            found = of_totals(window, totals, step)
            if found is not None:
                return Column(FLOAT, found)
        values, known = ring.last(slots, window.size)
        bars = np.minimum(ring.count[slots], window.size)
        if known is not None or bars.min(initial=window.size) < window.size:
            inside = np.arange(window.size) >= (window.size - bars)[:, None]
            known = inside if known is None else inside & known
        return Column(FLOAT, of_windows(window, values, known, step))

    def _memory(self, recall: Recall) -> State | History:
        recalled = self.memory.recalled
        if recall.item not in recalled:
            state = None
            if recall.carried is not None and self.column(recall.sources[0]).dtype == pl.Float64 and faithful(recall.carried):
                state = state_of(recall.carried)
            recalled[recall.item] = state or History()
        return recalled[recall.item]

    def _recall(self, recall: Recall) -> Column:
        memory = self._memory(recall)
        if isinstance(memory, State):
            source = recall.sources[0]
            new, known = self.column(source).arrays
            known = np.ones(len(new), np.bool_) if known is None else known
            return Column(pl.Float64(), memory.arrays(Bar(new, known, self.memory.rings[source], self.slots)))
        asset = pl.Series("__asset", self.slots.astype(LATE))
        memory.push(pl.DataFrame([asset, *(self.column(name).series.alias(name) for name in recall.sources)]))
        rows = memory.rows.sort("__asset", maintain_order=True)
        if rows.height == 1:
            rows = doubled(rows).with_columns(pl.Series("__asset", self.slots[[0, 0]].astype(LATE) + np.arange(2, dtype=LATE)))
        rows = evaluated(rows, Eager((recall.name,), (recall.expr,), (recall.item,), ()), self.blame)
        ends = np.searchsorted(rows["__asset"].to_numpy(), self.slots, side="right") - 1
        return Column.of(rows[recall.name].gather(ends))


def evaluated(data: pl.DataFrame, step: Eager, blame: Blame) -> pl.DataFrame:
    """A frame with the columns of a step; its error names the term."""
    try:
        return data.with_columns(step.exprs)
    except FAILURES as error:
        for name, expr, item in zip(step.names, step.exprs, step.items, strict=True):
            try:
                data.select(expr)
            except FAILURES as one:
                raise blame(name, item, one) from None
        raise blame(step.names[0], step.items[0], error) from None


def _spread(found: Arrays, inside: Flags) -> Arrays:
    """Values of the members in the rows of all, null elsewhere."""
    values, known = found
    rows: Any = np.zeros(len(inside), values.dtype)
    rows[inside] = values
    there = inside.copy()
    if known is not None:
        there[inside] = known
    return rows, there
