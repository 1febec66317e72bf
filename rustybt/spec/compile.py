"""Compile: from the graph of a plan to the steps that one situation needs.

In: a `Graph` and a `Situation`. Out: a `Program`. Windows of a fixed number of rows whose value does not depend on where they start are
evaluated on the whole column at once and blanked where an asset has too few bars: the same bits as asset by asset, several times faster.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import polars as pl

from rustybt.spec.evaluate import Exact, Program, Step
from rustybt.spec.exact import Facts, Rolling
from rustybt.spec.lower import ALONG, COLUMN, CROSS, GROUP, LITERAL, NULL, POINT, TIME, Graph, Item, fill, is_member, over
from rustybt.spec.tree import Node as Tree
from rustybt.spec.tree import body, build, call, integer, is_column, parse

NUMBER = parse(pl.int_range(pl.len()))
"""Along the bars of an asset: the number of a bar, from 0."""
ORDER_STATISTICS = frozenset({"Min", "Max", "Quantile", "Rank"})


@dataclass(frozen=True)
class Situation:
    """What a program is made for.

    Attributes:
        single: one asset at most.
        scheduled: only some rows are wanted.
        facts: what the data say about each exact window, by graph node.
        long: of so many rows that exact windows are given where they end.
    """

    single: bool
    scheduled: bool
    facts: tuple[tuple[int, Facts], ...] = ()
    long: bool = False


def flat_reach(tree: Tree) -> int | None:
    """Rows before its own that a time operation reads, when it gives the same bits on any column that holds them; else None."""
    name, options = call(tree)
    if name in ("Shift", "ShiftAndFill", "Diff", "PctChange"):
        rows = integer(body(tree)["input"][1])
        constant = name != "ShiftAndFill" or "Literal" in body(tree)["input"][2]
        return rows if rows is not None and rows >= 0 and constant and options in (None, "Ignore") else None
    if name != "RollingExpr" or not isinstance(options["function"], str) or options["function"] not in ORDER_STATISTICS:
        return None
    held = options["options"]
    random = (held["fn_params"] or {}).get("Rank", {}).get("method") == "Random"
    if held["center"] or held["weights"] is not None or random or held["min_periods"] < held["window_size"]:
        return None
    return int(held["window_size"]) - 1


def numbers(graph: Graph, item: Item) -> bool:
    """Whether a node is the number of a bar among those of its asset."""
    if item.kind != GROUP or item.order is not None or item.tree != NUMBER:
        return False
    return [graph.items[key].tree for key in item.keys] == [{"Column": "asset"}]


@dataclass
class Compiler:
    """Chooses which nodes become columns, on which rows, in which order."""

    graph: Graph
    windows: dict[int, Rolling]
    situation: Situation
    _aids: dict[str, None] = field(default_factory=dict)
    _gathers: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    _exacts: dict[str, Exact] = field(default_factory=dict)
    _every: set[int] = field(default_factory=set)
    _some: set[int] = field(default_factory=set)
    _made: dict[bool, set[int]] = field(default_factory=lambda: {False: set(), True: set()})

    def aid(self, name: str) -> str:
        """Note a derived column as needed."""
        self._aids[name] = None
        return name

    def gather(self, name: str, source: str, back: int = 0) -> str:
        """Note a column of the scheduled rows as needed."""
        self._gathers[name] = (name, source, back)
        return name

    def program(self) -> Program:
        """The steps."""
        self._facts = dict(self.situation.facts)
        self._place()
        every = self._steps(self._every, scheduled=False)
        some = self._steps(self._some, scheduled=True)
        scheduled = self.situation.scheduled
        roots = self.graph.roots
        exprs = tuple(self._final(term, at, scheduled) for term, at in roots.items())
        final = Step(tuple(roots), exprs, tuple(roots.values()))
        needs = tuple(sorted({"asset", *(i.tree["Column"] for i in self.graph.items if i.kind == COLUMN)}))
        return Program(needs, tuple(self._aids), tuple(self._exacts.values()), every, tuple(self._gathers.values()), some, final)

    def _final(self, term: str, at: int, scheduled: bool) -> pl.Expr:
        expr = build(self._ref(at, scheduled))
        return (expr.fill_null(False) if term == "universe" else expr).alias(term)

    def _place(self) -> None:
        """Decide for each node whether it is needed on all rows or on the scheduled ones."""
        wanted = self._some if self.situation.scheduled else self._every
        wanted.update(self.graph.roots.values())
        for item in reversed(self.graph.items):
            if item.id in self._every:
                self._every.update(self.graph.reads(item))
            elif item.id in self._some and item.kind in (POINT, CROSS):
                self._some.update(self.graph.reads(item))
            elif item.id in self._some and item.kind in (TIME, GROUP) and not self._numbers(item):
                if self._lagged(item):
                    self._every.add(item.inputs[0])
                elif item.id not in self.windows:
                    self._every.add(item.id)
                    self._every.update(self.graph.reads(item))

    def _lagged(self, item: Item) -> bool:
        """Whether a node on scheduled rows can be read off earlier rows of its input."""
        return item.kind == TIME and call(item.tree)[0] == "Shift" and flat_reach(item.tree) is not None and len(item.inputs) == 1

    def _numbers(self, item: Item) -> bool:
        """Whether a node is known without being computed."""
        return numbers(self.graph, item)

    def _plain(self, at: int) -> bool:
        item = self.graph.items[at]
        return item.kind in (COLUMN, LITERAL) or self._numbers(item)

    def _choose(self, own: set[int]) -> set[int]:
        """Nodes of a set of rows that become columns: windows, their inputs, and what is used twice."""
        uses: dict[int, int] = dict.fromkeys(self.graph.roots.values(), 1)
        chosen: set[int] = set()
        for item in self.graph.items:
            if item.id not in own:
                continue
            for at in self.graph.reads(item):
                uses[at] = uses.get(at, 0) + 1
            if self._windowed(item):
                chosen.update({item.id, *self.graph.reads(item)})
        chosen.update(at for at, count in uses.items() if count > 1)
        return {at for at in chosen if at in own and not self._plain(at)}

    def _steps(self, ids: set[int], scheduled: bool) -> tuple[Step, ...]:
        """Steps that make columns of the nodes that need one on these rows."""
        own = ids - self._every if scheduled else ids
        made = self._made[scheduled]
        made |= self._choose(own)
        if scheduled:
            made |= {at for at in ids & self._every if not self._plain(at)}
        else:
            read = {i.inputs[0] for i in self.graph.items if i.id in self._some - own and self._lagged(i)}
            made |= {at for at in own & (self._some | read) if not self._plain(at)}
        level: dict[int, int] = {}
        steps: dict[int, list[int]] = {}
        for item in self.graph.items:
            if item.id in own:
                level[item.id] = max((level.get(at, 0) + (at in made) for at in self.graph.reads(item)), default=0)
                if item.id in made:
                    steps.setdefault(level[item.id], []).append(item.id)
        return tuple(self._step(steps[at], scheduled) for at in sorted(steps))

    def _step(self, ids: list[int], scheduled: bool) -> Step:
        exprs = (build(self._tree(self.graph.items[at], scheduled)).alias(f"__{at}") for at in ids)
        return Step(tuple(f"__{at}" for at in ids), tuple(exprs), tuple(ids))

    def _windowed(self, item: Item) -> bool:
        """Whether a node is evaluated inside an ``over``, so that its inputs must be columns."""
        if self._numbers(item):
            return False
        if item.kind in (GROUP, CROSS):
            return True
        return item.kind == TIME and item.id not in self.windows and flat_reach(item.tree) is None

    def _ref(self, at: int, scheduled: bool) -> Tree:
        item = self.graph.items[at]
        if item.kind == LITERAL:
            return cast("Tree", item.tree)
        if item.kind == COLUMN:
            name = item.tree["Column"]
            return {"Column": self.gather(name, name) if scheduled else name}
        if self._numbers(item):
            return {"Column": self.gather("__at", "__pos") if scheduled else self.aid("__pos")}
        if at in self._made[scheduled]:
            if scheduled and at in self._every:
                self.gather(f"__{at}", f"__{at}")
            return {"Column": f"__{at}"}
        return self._tree(item, scheduled)

    def _tree(self, item: Item, scheduled: bool) -> Tree:
        if item.id in self.windows:
            return self._exact(item, scheduled)
        if item.kind == TIME and scheduled:
            source = self.graph.items[item.inputs[0]]
            name = source.tree["Column"] if source.kind == COLUMN else f"__{source.id}"
            reach = flat_reach(item.tree)
            return {"Column": self.gather(f"__lag{item.id}", name, reach or 0)}
        if item.kind == CROSS:
            return self._cross(item, scheduled)
        tree: Tree = fill(item.tree, lambda at: self._ref(at, scheduled))
        if item.kind == POINT:
            return tree
        reach = flat_reach(item.tree) if item.kind == TIME else None
        if reach is not None:
            return self._flat(tree, reach)
        return self._grouped(item, tree)

    def _flat(self, tree: Tree, reach: int) -> Tree:
        if self.situation.single or reach == 0:
            return tree
        self.aid("__pos")
        filler = body(tree)["input"][2] if call(tree)[0] == "ShiftAndFill" else NULL
        inside = parse(pl.col("__pos") >= reach)
        return {"Ternary": {"predicate": inside, "truthy": tree, "falsy": filler}}

    def _grouped(self, item: Item, tree: Any) -> Tree:
        keys = [self._ref(k, False) for k in item.keys] if item.kind == GROUP else [{"Column": "asset"}]
        by_asset = [k for k in keys if is_column(k, "asset")]
        rest = [k for k in keys if not is_column(k, "asset")]
        # without a partition a value per asset would be a constant, and Polars divides by a constant through its reciprocal
        walks = call(tree)[0] in ALONG or call(tree)[0] == "Range.IntRange" if item.order is None else False
        if by_asset and not (self.situation.single and walks):
            rest = [{"Column": self.aid("__asset")}, *rest]
        order = None
        if item.order is not None:
            order, tree = [self._ref(item.order, False), tree["options"]], tree["sorted"]
        return over(tree, rest, order) if rest or order else cast("Tree", tree)

    def _cross(self, item: Item, scheduled: bool) -> Tree:
        self.aid("__bar")
        if scheduled:
            self.gather("__bar", "__bar")
        tree = fill(item.tree, lambda at: self._ref(at, scheduled))
        keys = [{"Column": "__bar"}, *(self._ref(k, scheduled) for k in item.keys)]
        order = None
        if item.order is not None:
            order, tree = [self._ref(item.order, scheduled), tree["options"]], tree["sorted"]
        if item.member is None:
            return over(tree, keys, order)
        member = fill(is_member(item.member), lambda at: self._ref(at, scheduled))
        keys[0] = {"Ternary": {"predicate": member, "truthy": keys[0], "falsy": NULL}}
        return {"Ternary": {"predicate": member, "truthy": over(tree, keys, order), "falsy": NULL}}

    def _exact(self, item: Item, scheduled: bool) -> Tree:
        window, facts = self.windows[item.id], self._facts[item.id]
        if scheduled or facts.nulls or window.least < window.size:
            self._exacts[f"__x{item.id}"] = Exact(f"__x{item.id}", window, facts, scheduled)
            return {"Column": f"__x{item.id}"}
        name, back = f"__w{item.id}", window.size - 1
        if not self.situation.long:
            self._exacts[name] = Exact(name, window, facts, False, "start")
            return self._flat(parse(pl.col(name).shift(back)), back)
        self._exacts[name] = Exact(name, window, facts, False, "end")
        if self.situation.single or not back:
            return {"Column": name}
        return {"Ternary": {"predicate": parse(pl.col(self.aid("__pos")) >= back), "truthy": {"Column": name}, "falsy": NULL}}
