"""Barwise: the graph of a plan as work for one bar.

In: a `SignalPlan`, and the dtypes of its columns once they are known. Out: `Part`s, which `rustybt.spec.bars` works through: what numpy
gives with the bits of Polars is computed in numpy, the rest in Polars.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.spec.column import Arrays
from rustybt.spec.compile import Compiler, Situation, flat_reach
from rustybt.spec.crosswise import Across
from rustybt.spec.lower import COLUMN, CROSS, GROUP, LITERAL, POINT, TIME, Item, fill, over
from rustybt.spec.parts import FAILURES, BarProgram, Eager, Move, Native, Part, Recall, lasting
from rustybt.spec.rowwise import Function
from rustybt.spec.states import state_of
from rustybt.spec.tree import Node as Tree
from rustybt.spec.tree import body, build, call, columns, is_column
from rustybt.spec.trial import native_cross, native_row

if TYPE_CHECKING:
    from rustybt.spec.planner import SignalPlan

ONE = {"Column": "x"}
type Functions = tuple[Function | None, Across | None]
"""Of a node: on rows, or across the assets of a bar."""


def moving_parts(plan: SignalPlan) -> tuple[Part, ...]:
    """The parts of a plan without their steps: what must be remembered whatever the dtypes are."""
    return BarCompiler(plan.graph, plan.windows, Situation(single=False, scheduled=True)).parts()


def bar_program(plan: SignalPlan, schema: Mapping[str, pl.DataType]) -> BarProgram:
    """The work of a bar.

    Args:
        plan: the terms.
        schema: dtypes of the columns that it reads.
    """
    return BarCompiler(plan.graph, plan.windows, Situation(single=False, scheduled=True)).bar_program(schema)


class BarCompiler(Compiler):
    """Chooses what is computed how at every bar."""

    _natives: dict[int, Native]

    def _numbers(self, item: Item) -> bool:  # noqa: ARG002 - no node is known
        """A bar by itself does not know its number: that is remembered like anything else."""
        return False

    def parts(self) -> tuple[Part, ...]:
        """The parts without their steps."""
        items = self.graph.items
        made = self._made[True]
        made |= self._choose({item.id for item in items})
        made |= {item.id for item in items if item.kind in (TIME, GROUP)}
        made |= {at for item in items if item.kind == TIME and item.id not in self.windows for at in item.inputs if not self._plain(at)}
        self._waves: dict[int, int] = {}
        for item in items:
            below = max((self._waves[at] for at in self.graph.reads(item)), default=0)
            self._waves[item.id] = below + (item.kind in (TIME, GROUP))
        parts = [Part() for _ in range(max(self._waves.values(), default=0) + 1)]
        for item in items:
            if item.kind in (TIME, GROUP):
                self._walk(parts[self._waves[item.id]], item)
        fed: set[str] = set()
        for number, part in enumerate(parts):  # a ring is fed once, in the first part that reads it, as wide as the widest reader needs
            rings = {source: max(p.rings.get(source, 0) for p in parts) for source in part.rings if source not in fed}
            fed |= set(rings)
            parts[number] = replace(part, rings=rings)
        return tuple(parts)

    def bar_program(self, schema: Mapping[str, pl.DataType]) -> BarProgram:
        """Parts with steps, and what can be left out where nothing is decided."""
        parts, items, made = self.parts(), self.graph.items, self._made[True]
        dtypes, chosen = self.functions(schema)
        natives = set(chosen)
        made |= natives | {at for i in natives for at in self.graph.reads(items[i]) if not self._plain(at)}
        made |= {at for at in self.graph.roots.values() if at not in self._fixed and not self._plain(at)}
        self._natives = {at: self._native(items[at], dtypes[at], *found) for at, found in chosen.items()}
        for number, part in enumerate(parts):
            own = [i for i in items if i.id in made and i.kind in (POINT, CROSS) and self._waves[i.id] == number]
            part.steps.extend(self._works(own))
        terms: dict[str, str] = {}
        for term, at in self.graph.roots.items():
            null = dtypes.get(at) == pl.Null and term == "target"
            if at in self._fixed or null or (term == "universe" and dtypes.get(at) != pl.Boolean):
                expr = self._final(term, at, True)
                terms[term] = f"__term {term}"
                expr = (expr.cast(pl.Float64) if null else expr).alias(terms[term])
                parts[-1].steps.append(Eager((terms[term],), (expr,), (at,), self._reads(at)))
            else:
                terms[term] = self._name(at)
        return BarProgram(parts, lasting(parts), terms)

    def functions(self, schema: Mapping[str, pl.DataType]) -> tuple[dict[int, pl.DataType], dict[int, Functions]]:
        """What each node gives, and of those that numpy computes with the bits of Polars how.

        Args:
            schema: dtypes of the columns that the plan reads.
        """
        self._fixed = self._constants()
        dtypes = self._dtypes(schema)
        return dtypes, {item.id: found for item in self.graph.items if (found := self._functions(item, dtypes)) is not None}

    def _constants(self) -> set[int]:
        """Nodes whose value is the same in every row, which Polars does not take for columns."""
        found: set[int] = set()
        for item in self.graph.items:
            if item.kind == LITERAL or (item.kind == POINT and found.issuperset(item.inputs)):
                found.add(item.id)
        return found

    # --- dtypes

    def _dtypes(self, schema: Mapping[str, pl.DataType]) -> dict[int, pl.DataType]:
        """What each node gives, found on no rows; a node that cannot be evaluated on none is left out."""
        frame = pl.DataFrame(schema={**schema, "__bar": pl.Int64, "__asset": pl.UInt32})
        found: dict[int, pl.DataType] = {}
        for item in self.graph.items:
            if item.kind == COLUMN:
                found[item.id] = schema[item.tree["Column"]]
            elif item.id in self.windows:
                found[item.id] = pl.Float64()
                frame = frame.with_columns(pl.lit(None, pl.Float64).alias(f"__{item.id}"))
            elif item.kind != LITERAL:
                try:
                    column = frame.select(build(self._alone(item)).alias(f"__{item.id}"))
                    frame = frame.hstack(column.clear())
                    found[item.id] = column.dtypes[0]
                except FAILURES:
                    continue  # its bars will say why
        return found

    def _alone(self, item: Item) -> Tree:
        """A node over columns of its inputs."""
        tree = fill(item.tree, self._input)
        if item.order is not None:
            tree = tree["sorted"]
        if item.kind == POINT:
            return cast("Tree", tree)
        return over(tree, [{"Column": "__bar" if item.kind == CROSS else "__asset"}])

    def _input(self, at: int) -> Tree:
        item = self.graph.items[at]
        if at in self._fixed:
            return cast("Tree", fill(item.tree, self._input))
        return {"Column": self._name(at)}

    # --- numpy

    def _functions(self, item: Item, dtypes: Mapping[int, pl.DataType]) -> Functions | None:
        if item.kind not in (POINT, CROSS) or item.id not in dtypes or item.id in self._fixed:
            return None
        if any(at in self._fixed or at not in dtypes for at in self.graph.reads(item)):
            return None
        if item.kind == POINT:
            row = native_row(item.tree, {at: dtypes[at] for at in item.inputs}, dtypes[item.id])
            return None if row is None else (row, None)
        if item.keys or item.order is not None or (item.member is not None and dtypes[item.member] != pl.Boolean):
            return None
        across = self._across(item, dtypes)
        return None if across is None else (None, across)

    def _across(self, item: Item, dtypes: Mapping[int, pl.DataType]) -> Across | None:
        source = self.graph.items[item.inputs[0]] if len(item.inputs) == 1 else None
        if source is not None and is_column(source.tree, "asset"):
            return ASSETS.get(call(item.tree)[0])  # an asset is in a bar once
        return None if source is None else native_cross(item.tree, dtypes[source.id], dtypes[item.id])

    def _native(self, item: Item, dtype: pl.DataType, row: Function | None, across: Across | None) -> Native:
        name, reads = f"__{item.id}", tuple(self._name(at) for at in item.inputs)
        if row is not None:
            return Native(name, reads, dtype, row=row)
        member = None if item.member is None else self._name(item.member)
        return Native(name, reads, dtype, across=across, member=member, instead=self._eager([item.id]))

    # --- steps

    def _works(self, items: list[Item]) -> list[Eager | Native]:
        """Steps in order: what numpy can do first, then Polars, then numpy with what that gave, and so on."""
        phase: dict[int, int] = {}
        for item in items:
            native = item.id in self._natives
            below = [at for at in self._above(item, self._made[True]) if at in phase]
            phase[item.id] = max((phase[at] + (native and at not in self._natives) for at in below), default=0)
        found: list[Eager | Native] = []
        for number in sorted(set(phase.values())):
            now = [item for item in items if phase[item.id] == number]
            found += [self._natives[item.id] for item in now if item.id in self._natives]
            found += self._levels([item for item in now if item.id not in self._natives])
        return found

    def _levels(self, items: list[Item]) -> list[Eager]:
        level: dict[int, int] = {}
        for item in items:
            level[item.id] = 1 + max((level[at] for at in self._above(item, self._made[True]) if at in level), default=0)
        return [self._eager([i for i in level if level[i] == n]) for n in sorted(set(level.values()))]

    def _eager(self, ids: Sequence[int]) -> Eager:
        step = self._step(list(ids), True)
        return Eager(step.names, step.exprs, step.items, tuple(dict.fromkeys(r for at in ids for r in self._own_reads(at))))

    def _own_reads(self, at: int) -> list[str]:
        return sorted(columns(self._tree(self.graph.items[at], True)))

    def _reads(self, at: int) -> tuple[str, ...]:
        return tuple(sorted(columns(self._ref(at, True))))

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

    # --- what walks along time

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


def _count(values: npt.NDArray[Any], _: object) -> Arrays:
    return np.full(len(values), len(values), np.uint32), None


ASSETS: dict[str, Across] = {"Agg.NUnique": _count, "Agg.Count": _count}
"""Cross-sections of the asset itself."""
