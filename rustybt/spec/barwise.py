"""Barwise: the graph of a plan as work for one bar.

In: a `SignalPlan`. Out: `Part`s, each of which reads rings (what walked along time), then computes columns over the rows of the bar. The
last holds the terms. A part's rings are fed by columns of earlier parts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.spec.compile import Compiler, Situation, flat_reach
from rustybt.spec.evaluate import Step, doubled
from rustybt.spec.exact import Rolling, Units, of_windows
from rustybt.spec.lower import COLUMN, CROSS, GROUP, LITERAL, POINT, TIME, Item, fill, over
from rustybt.spec.rings import History, Ring, decode
from rustybt.spec.states import Bar, State, faithful, state_of
from rustybt.spec.tree import Node as Tree
from rustybt.spec.tree import body, build, call, is_column

if TYPE_CHECKING:
    from rustybt.spec.planner import SignalPlan

Ints = npt.NDArray[np.int64]
ONE = {"Column": "x"}


@dataclass(frozen=True)
class Move:
    """One operation along time, read off a ring.

    Attributes:
        item: graph node.
        name: the column that it becomes.
        source: the column whose ring it reads.
        size: bars that it reads, its own included.
        call: name of the operation; of a rolling one its function (``Min``, ``Max``, ...).
        window: the exact window, if it is one.
        expr: the operation over a column ``x`` of windows one after the other, each giving its last value as ``v``.
        filler: what stands before there are enough bars; None = null.
    """

    item: int
    name: str
    source: str
    size: int
    call: str
    window: Rolling | None = None
    expr: pl.Expr | None = None
    filler: pl.Expr | None = None


@dataclass(frozen=True)
class Recall:
    """One operation that depends on every bar since the first: carried in a state where there is one, else evaluated on all bars again.

    Attributes:
        item: graph node.
        name: the column that it becomes.
        sources: the columns that it reads.
        expr: the operation over these columns and ``__asset``.
        carried: the operation over a column ``x``, if it may have a state.
    """

    item: int
    name: str
    sources: tuple[str, ...]
    expr: pl.Expr
    carried: Tree | None = None


@dataclass
class Part:
    """Work that can be done once the parts before it are done.

    Attributes:
        rings: columns to remember, and how many bars of each.
        moves: operations read off rings.
        recalls: operations on all bars.
        steps: columns computed over the rows of the bar.
    """

    rings: dict[str, int] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)
    recalls: list[Recall] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


def bar_program(plan: SignalPlan) -> tuple[Part, ...]:
    """The parts of a plan, and in the last one a step with the terms."""
    return _BarCompiler(plan.graph, plan.windows, Situation(single=False, scheduled=True)).parts()


class _BarCompiler(Compiler):
    def parts(self) -> tuple[Part, ...]:
        items = self.graph.items
        made = self._made[True]
        made |= self._choose({item.id for item in items})
        made |= {item.id for item in items if item.kind in (TIME, GROUP)}
        made |= {at for item in items if item.kind == TIME and item.id not in self.windows for at in item.inputs if not self._plain(at)}
        wave: dict[int, int] = {}
        for item in items:
            below = max((wave[at] for at in self.graph.reads(item)), default=0)
            wave[item.id] = below + (item.kind in (TIME, GROUP))
        parts = [Part() for _ in range(max(wave.values(), default=0) + 1)]
        fed: set[str] = set()
        for item in items:
            if item.kind in (TIME, GROUP):
                self._walk(parts[wave[item.id]], item)
        for part in parts:  # a ring is fed once, in the first part that reads it, with the width that the widest reader needs
            part.rings = {source: max(p.rings.get(source, 0) for p in parts) for source in part.rings if source not in fed}
            fed |= set(part.rings)
        for number, part in enumerate(parts):
            part.steps = self._levels([i for i in items if i.id in made and i.kind in (POINT, CROSS) and wave[i.id] == number], made)
        roots = self.graph.roots
        parts[-1].steps.append(Step(tuple(roots), tuple(self._final(t, at, True) for t, at in roots.items()), tuple(roots.values())))
        return tuple(parts)

    def _levels(self, items: list[Item], made: set[int]) -> list[Step]:
        level: dict[int, int] = {}
        own = {item.id for item in items}
        for item in items:
            level[item.id] = 1 + max((level[at] for at in self._above(item, made) if at in own), default=0)
        return [self._step([i for i in level if level[i] == n], True) for n in sorted(set(level.values()))]

    def _above(self, item: Item, made: set[int]) -> set[int]:
        """The columns that a node reads, through nodes that are written out inside it."""
        found: set[int] = set()
        for at in self.graph.reads(item):
            found |= {at} if at in made else self._above(self.graph.items[at], made)
        return found

    def _tree(self, item: Item, scheduled: bool) -> Tree:
        if item.kind == CROSS:
            return self._cross(item, scheduled)
        return cast("Tree", fill(item.tree, lambda at: self._ref(at, scheduled)))

    def _name(self, at: int) -> str:
        item = self.graph.items[at]
        return str(item.tree["Column"]) if item.kind == COLUMN else f"__{at}"

    def _walk(self, part: Part, item: Item) -> None:
        name, operation = f"__{item.id}", call(item.tree)[0] if item.order is None else ""
        window = self.windows.get(item.id)
        if window is not None:
            source = f"ticks_{window.column}"
            part.moves.append(Move(item.id, name, source, window.size, operation, window))
            part.rings[source] = max(part.rings.get(source, 0), window.size)
            return
        reach = flat_reach(item.tree) if item.kind == TIME else None
        if reach is None:
            recall = self._recall(item, name)
            part.recalls.append(recall)
            state = None if recall.carried is None else state_of(recall.carried)
            if state is not None:
                part.rings[recall.sources[0]] = max(part.rings.get(recall.sources[0], 0), state.width)
            return
        source = self._name(item.inputs[0])
        filler = body(item.tree)["input"][2] if operation == "ShiftAndFill" else None
        expr = build(cast("Tree", fill(item.tree, lambda _: ONE))).gather_every(reach + 1, reach).alias("v")
        if operation == "RollingExpr":
            operation = str(call(item.tree)[1]["function"])
        part.moves.append(Move(item.id, name, source, reach + 1, operation, None, expr, None if filler is None else build(filler)))
        part.rings[source] = max(part.rings.get(source, 0), reach + 1)

    def _recall(self, item: Item, name: str) -> Recall:
        tree = fill(item.tree, lambda at: self._ref(at, True))
        keys = [self._ref(k, True) for k in item.keys] if item.kind == GROUP else [{"Column": "asset"}]
        by = [{"Column": "__asset"} if is_column(k, "asset") else k for k in keys]
        order = None
        if item.order is not None:
            order, tree = [self._ref(item.order, True), tree["options"]], tree["sorted"]
        sources = tuple(self._name(at) for at in self.graph.reads(item) if self.graph.items[at].kind != LITERAL)
        carried: Tree | None = fill(item.tree, lambda _: ONE) if item.kind == TIME and len(item.inputs) == 1 else None
        if carried is not None and state_of(carried) is None:
            carried = None
        return Recall(item.id, name, tuple(s for s in sources if s != "asset"), build(over(tree, by, order)).alias(name), carried)


@dataclass
class Bars:
    """One bar being worked on.

    Attributes:
        rows: its rows of the signal frame.
        slots: number of each row's asset in the window.
        names: asset of each row.
        units: what ticks are worth.
        rings: by column.
        memories: what recalled operations remember, by graph node; filled in as they first meet a bar.
        needs: columns to read.
    """

    rows: pl.DataFrame
    slots: Ints
    names: list[str]
    units: Units
    rings: dict[str, Ring]
    memories: dict[int, State | History]
    needs: tuple[str, ...]
    _data: pl.DataFrame = field(default_factory=pl.DataFrame)

    def __post_init__(self) -> None:
        self._lone = self.rows.height == 1
        bar = pl.Series("__bar", np.arange(2) if self._lone else np.zeros(len(self.slots), np.int64))
        data = pl.DataFrame([self.rows[name] for name in self.needs])
        self._data = (doubled(data) if self._lone else data).hstack([bar])

    def take(self, part: Part, blame: Callable[[str, int, BaseException], BaseException]) -> None:
        """Do the work of one part."""
        for source in part.rings:
            self.rings[source].push(self.slots, self._column(source))
        found = [self._move(move) for move in part.moves]
        if part.recalls:
            found += [self._recall(recall, blame) for recall in part.recalls]
        if found:
            self._data = self._data.hstack([s.extend(s) if self._lone else s for s in found])
        for step in part.steps:
            self._data = _apply(self._data, step, blame)

    def result(self, plan: SignalPlan) -> pl.DataFrame:
        """The terms of the bar's rows."""
        height = self.rows.height
        index = pl.Series("row", np.arange(height, dtype=np.uint32))
        return pl.DataFrame([index, *(self._data[term].head(height) for term in plan.terms)])

    def _column(self, name: str) -> pl.Series:
        column = self._data[name]
        return column.head(1) if self._lone else column

    def _move(self, move: Move) -> pl.Series:
        ring, slots = self.rings[move.source], self.slots
        if move.window is not None:
            return self._exact(move, move.window).alias(move.name)
        if move.call == "Shift":
            return ring.lag(slots, move.size - 1).alias(move.name)
        values, known = ring.last(slots, move.size)
        enough: npt.NDArray[np.bool_] | None = ring.count[slots] >= move.size
        if enough is not None and enough.all():
            enough = None
        if known is None and values.dtype == np.float64 and move.call in QUICK:
            return decode(QUICK[move.call](values), enough, pl.Float64()).alias(move.name)
        flat = ring.decode(values.reshape(-1), None if known is None else known.reshape(-1)).alias("x").to_frame()
        last = flat.select(cast("pl.Expr", move.expr))
        if enough is None:
            return last["v"].alias(move.name)
        filler = pl.lit(None) if move.filler is None else move.filler
        masked = last.with_columns(pl.Series("k", enough)).select(pl.when("k").then("v").otherwise(filler))
        return masked.to_series().alias(move.name)

    def _exact(self, move: Move, window: Rolling) -> pl.Series:
        ring, slots = self.rings[move.source], self.slots
        values, known = ring.last(slots, window.size)
        bars = np.minimum(ring.count[slots], window.size)
        if known is not None or bars.min(initial=window.size) < window.size:
            inside = np.arange(window.size) >= (window.size - bars)[:, None]
            known = inside if known is None else inside & known
        step = self.units.along(window.column, self.names, np.ones(len(slots), np.int64))
        found, enough = of_windows(window, values, known, step)
        return decode(found, enough, pl.Float64())

    def _memory(self, recall: Recall) -> State | History:
        if recall.item not in self.memories:
            state = None
            if recall.carried is not None and self._data[recall.sources[0]].dtype == pl.Float64 and faithful(recall.carried):
                state = state_of(recall.carried)
            self.memories[recall.item] = state or History()
        return self.memories[recall.item]

    def _recall(self, recall: Recall, blame: Callable[[str, int, BaseException], BaseException]) -> pl.Series:
        memory = self._memory(recall)
        if isinstance(memory, State):
            new, ring = self._column(recall.sources[0]), self.rings[recall.sources[0]]
            known = new.is_not_null().to_numpy()
            return memory.update(Bar(new.fill_null(0.0).to_numpy(), known, ring, self.slots)).alias(recall.name)
        asset = pl.Series("__asset", self.slots.astype(np.uint32))
        memory.push(pl.DataFrame([asset, *(self._column(name).alias(name) for name in recall.sources)]))
        rows = memory.rows.sort("__asset", maintain_order=True)
        if rows.height == 1:
            rows = doubled(rows).with_columns(pl.Series("__asset", self.slots[[0, 0]].astype(np.uint32) + np.arange(2, dtype=np.uint32)))
        rows = _apply(rows, Step((recall.name,), (recall.expr,), (recall.item,)), blame)
        ends = np.searchsorted(rows["__asset"].to_numpy(), self.slots, side="right") - 1
        return rows[recall.name].gather(ends)


def _apply(data: pl.DataFrame, step: Step, blame: Callable[[str, int, BaseException], BaseException]) -> pl.DataFrame:
    try:
        return data.with_columns(step.exprs)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise blame(step.names[0], step.items[0], error) from None


def _change(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    with np.errstate(divide="ignore", invalid="ignore"):
        return (values[:, -1] - values[:, 0]) / values[:, 0]


QUICK: dict[str, Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]] = {
    "Diff": lambda values: values[:, -1] - values[:, 0],
    "PctChange": _change,
    "Min": lambda values: values.min(axis=1),
    "Max": lambda values: values.max(axis=1),
}
"""Operations on floats without nulls whose bits numpy gives as well."""
