"""Lower: expression trees to a graph of shared, single-axis nodes.

In: the JSON tree of each term. Out: a `Graph` in which equal sub-trees are one node and every node works along one axis:

* `POINT` nodes compute a row from the same row of their inputs;
* `TIME` nodes walk along the bars of one asset (a bare shift, rolling, ewm, ...; ``.over("asset")`` says the same);
* `GROUP` nodes are evaluated in the groups of a partition (asset and session, or an operation that cannot be taken apart);
* `CROSS` nodes are evaluated over the assets of one ``ts``; with a universe only members take part.

What is written is what is meant: a window inside a window is a node of its own, computed before the one around it, while Polars would
evaluate the inner one inside each group of the outer one. An operation that walks along rows, written somewhere below ``.over("ts")``,
goes along its asset's bars as it does anywhere else; written directly under it (``x.cum_sum().over("ts")``) it goes from asset to asset.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, cast

from rustybt.errors import SpecError
from rustybt.spec.tree import Node as Tree
from rustybt.spec.tree import body, build, call, children, is_column, is_pointwise, kind, render
from rustybt.spec.vocabulary import OPAQUE, ORDERED

COLUMN, LITERAL, POINT, TIME, GROUP, CROSS = "column", "literal", "point", "time", "group", "cross"
ALONG = ORDERED - {"Rolling"} | {"Boolean.IsFirstDistinct"}
"""Operations that give one row per row along time and so can be a node of their own."""
KEEPING = frozenset(
    "Rank QCut Bin Reverse Boolean.IsUnique Boolean.IsDuplicated Boolean.IsLastDistinct FillNullWithStrategy.Min FillNullWithStrategy.Max "
    "FillNullWithStrategy.Mean".split()
)
"""Operations on a whole group that give a value per row."""
REDUCING = frozenset(
    "Quantile Skew Kurtosis Product Correlation NullCount ApproxNUnique Boolean.All Boolean.Any Entropy ArgMax ArgMin".split()
)
"""Functions that give one value per group."""
NULL: Tree = {"Literal": {"Scalar": {"Null": "Null"}}}
REF = "#"
"""Key of a placeholder ``{"#": id}`` for the value of another node."""


@dataclass(frozen=True)
class Item:
    """One node of the graph.

    Attributes:
        id: its index in the graph; inputs always have smaller ones.
        kind: `COLUMN`, `LITERAL`, `POINT`, `TIME`, `GROUP` or `CROSS`.
        tree: its operation, with ``{"#": id}`` where an input stands.
        inputs: ids of the nodes that it reads, each once.
        keys: ids of the partition keys, beside ``ts`` of a `CROSS` node.
        order: id of the column that orders the groups.
        member: id of the universe node that masks a `CROSS` node.
    """

    id: int
    kind: str
    tree: Any
    inputs: tuple[int, ...] = ()
    keys: tuple[int, ...] = ()
    order: int | None = None
    member: int | None = None


@dataclass
class Graph:
    """Shared nodes of all terms.

    Attributes:
        items: the nodes, inputs first.
        roots: node of each term, in term order.
    """

    items: list[Item] = field(default_factory=list)
    roots: dict[str, int] = field(default_factory=dict)
    _known: dict[str, int] = field(default_factory=dict)

    def add(self, kind_: str, tree: Any, keys: tuple[int, ...] = (), order: int | None = None, member: int | None = None) -> int:
        """The id of a node; an equal one is not added twice."""
        name = json.dumps([kind_, tree, keys, order, member], sort_keys=True)
        if name not in self._known:
            refs = tuple(dict.fromkeys(_refs(tree)))
            self._known[name] = len(self.items)
            self.items.append(Item(len(self.items), kind_, tree, refs, keys, order, member))
        return self._known[name]

    def reads(self, item: Item) -> tuple[int, ...]:
        """All nodes that must be known before one."""
        extra = tuple(i for i in (item.order, item.member) if i is not None)
        return tuple(dict.fromkeys(item.inputs + item.keys + extra))

    def written(self, at: int, limit: int = 160) -> str:
        """A node as an expression with its windows spelled out, for people."""
        return render(self.explicit(at), limit)

    def explicit(self, at: int) -> Tree:
        """The tree of a node with every axis written as an ``over``, nested as in the source."""
        item = self.items[at]
        tree = fill(item.tree, self.explicit)
        if item.kind == TIME:
            return over(tree, [{"Column": "asset"}])
        if item.kind not in (CROSS, GROUP):
            return cast("Tree", tree)
        keys = [{"Column": "ts"}] * (item.kind == CROSS) + [self.explicit(k) for k in item.keys]
        return over(tree, keys) if item.order is None else over(tree["sorted"], keys, [self.explicit(item.order), tree["options"]])

    def columns(self) -> tuple[str, ...]:
        """Frame columns that the terms read, sorted."""
        return tuple(sorted({item.tree["Column"] for item in self.items if item.kind == COLUMN}))


def fill(tree: Any, put: Callable[[int], Any]) -> Any:
    """A copy of a tree with every placeholder replaced."""
    if isinstance(tree, dict):
        return put(tree[REF]) if REF in tree else {key: fill(value, put) for key, value in tree.items()}
    return [fill(value, put) for value in tree] if isinstance(tree, list) else tree


def over(tree: Any, keys: list[Any], order: Any = None) -> Tree:
    """A tree inside a window over partition keys."""
    return {"Over": {"function": tree, "partition_by": keys, "order_by": order, "mapping": "GroupsToRows"}}


def is_member(at: int) -> Tree:
    """Whether the universe node is true; null is not."""
    return {"Function": {"input": [{REF: at}, {"Literal": {"Scalar": {"Boolean": False}}}], "function": "FillNull"}}


def _refs(tree: Any) -> list[int]:
    if isinstance(tree, dict):
        return [tree[REF]] if REF in tree else [ref for value in tree.values() for ref in _refs(value)]
    return [ref for value in tree for ref in _refs(value)] if isinstance(tree, list) else []


def lower(terms: dict[str, Tree]) -> Graph:
    """The graph of all terms. The universe comes first: it masks the cross-sections of the others and none of its own.

    Raises:
        SpecError: a term gives several columns, or partitions in a way that loses rows.

    Example:
        >>> import polars as pl
        >>> from rustybt.spec.tree import parse
        >>> graph = lower({"target": parse(pl.col("close").shift(1).over("asset").rank().over("ts"))})
        >>> [item.kind for item in graph.items]
        ['column', 'time', 'cross']
    """
    graph = Graph()
    member = None
    if "universe" in terms:
        member = _Lowering(graph, "universe").row(terms["universe"])
    for term, tree in terms.items():
        graph.roots[term] = _Lowering(graph, term, member).row(tree) if term != "universe" or member is None else member
    return graph


def simplify(tree: Tree) -> Tree:
    """A tree without the names given on the way, which mean nothing inside a term."""
    while kind(tree) in ("Alias", "KeepName", "RenameAlias"):
        tree = children(tree)[0].node
    return tree


@dataclass(frozen=True)
class _Lowering:
    """Lowers the tree of one term in one partition: that of the window around it, or an asset's bars.

    Attributes:
        graph: where nodes go.
        term: its name, for messages.
        member: universe node.
        kind: `TIME`, `GROUP` or `CROSS`.
        keys: keys of the partition.
        top: whether the tree stands directly under its ``over``.
        shapes: what trees give, by identity: a tree is asked about again by every one that holds it.
    """

    graph: Graph
    term: str
    member: int | None = None
    kind: str = TIME
    keys: tuple[int, ...] = ()
    top: bool = False
    shapes: dict[int, tuple[Tree, str | None]] = field(default_factory=dict)

    def row(self, tree: Tree) -> int:
        """The node whose value in each row is that of a tree."""
        tree = simplify(tree)
        tag = kind(tree)
        if tag == "Selector":
            raise SpecError(
                f"a selector of several columns stands where one value is needed: {render(tree)}",
                where=f"term {self.term!r}",
                do="name one column",
            )
        if tag == "Column":
            return self.graph.add(COLUMN, tree)
        if tag == "Literal" or call(tree)[0] == "Repeat":
            return self.graph.add(LITERAL, tree)
        if tag == "Over":
            return self._over(body(tree))
        if is_pointwise(tree) and self._shape(tree) is not None:
            return self._rowwise(tree)
        if self.kind == CROSS and not self.top and call(tree)[0] in ALONG and self._shape(tree) == "row":
            return self.graph.add(TIME, self.operands(tree))
        taken = call(tree)[0] in ALONG and self._shape(tree) == "row"
        whole = tag == "Agg" and self._shape(children(tree)[0].node) == "row"
        return self._grouped(self.operands(tree), along=taken or whole)

    def _shape(self, tree: Tree) -> str | None:
        return shape(tree, self.shapes)

    def _rowwise(self, tree: Tree) -> int:
        tree = _apart(tree)
        below = replace(self, top=False)
        for slot in _expanded(tree):
            part = simplify(slot.node)
            held: Any = part if kind(part) == "Literal" else {REF: below.row(part)}
            if call(tree)[0] == "AsStruct":
                held = {"Alias": [held, build(slot.node).meta.output_name()]}  # fields keep their names
            slot.put(held)
        return self.graph.add(POINT, tree)

    def operands(self, tree: Tree) -> Any:
        """The tree of an operation on groups, with every input that has a value per row as a placeholder."""
        tree = simplify(tree)
        tag = kind(tree)
        if tag in ("Literal", "Len", "Field", "Element", "Selector"):
            return tree
        tree = _apart(tree)
        below = replace(self, top=False)
        for slot in _expanded(tree):
            part = simplify(slot.node)
            if tag == "Rolling" and slot.role == "function":
                slot.put(self._window(part))
            elif slot.role == "index" or (slot.role == "input" and kind(part) != "Literal" and self._shape(part) == "row"):
                slot.put({REF: below.row(part)})
            elif slot.role in ("input", "function"):
                slot.put({REF: below.row(part)} if kind(part) in ("Column", "Over") else below.operands(part))
        return tree

    def _window(self, tree: Tree) -> Any:
        """The function of a `rolling`, which sees the rows of its window alone: only columns and windows of their own come from outside."""
        tree = simplify(tree)
        if kind(tree) in ("Column", "Over"):
            return {REF: self.row(tree)}
        tree = _apart(tree)
        for slot in _expanded(tree):
            slot.put(self._window(slot.node))
        return tree

    def _grouped(self, tree: Any, *, along: bool) -> int:
        if self.kind == TIME and along:
            return self.graph.add(TIME, tree)
        if self.kind == TIME:
            return self.graph.add(GROUP, tree, (self.graph.add(COLUMN, {"Column": "asset"}),))
        return self.graph.add(self.kind, tree, self.keys, None, self.member if self.kind == CROSS else None)

    def _over(self, window: dict[str, Any]) -> int:
        if window["mapping"] != "GroupsToRows":
            raise SpecError(
                f"mapping_strategy {window['mapping']} does not give one value per row",
                where=f"term {self.term!r}",
                do="leave mapping_strategy at its default",
            )
        outer = _Lowering(self.graph, self.term, self.member, shapes=self.shapes)
        keys = [simplify(k) for k in window["partition_by"] or []]
        order = window["order_by"]
        by_time = order is None or (is_column(order[0], "ts") and not order[1]["descending"])
        if by_time and keys and all(is_column(k, "asset") for k in keys):
            return outer.row(window["function"])
        cross = any(is_column(k, "ts") for k in keys)
        ids = tuple(outer.row(k) for k in keys if not (cross and is_column(k, "ts")))
        inner = replace(outer, kind=CROSS if cross else GROUP, keys=ids, top=True)
        if order is None or (by_time and not cross):
            return self._masked(inner.row(window["function"])) if cross else inner.row(window["function"])
        held = {"sorted": inner.operands(window["function"]), "options": order[1]}
        return self.graph.add(inner.kind, held, ids, outer.row(order[0]), self.member if cross else None)

    def _masked(self, at: int) -> int:
        """A value under ``over("ts")`` that is null outside the universe, whatever it is made of."""
        if self.member is None or self.graph.items[at].kind == CROSS:
            return at
        return self.graph.add(POINT, {"Ternary": {"predicate": is_member(self.member), "truthy": {REF: at}, "falsy": NULL}})


def _apart(tree: Tree) -> Tree:
    """A copy of a node that still holds the same children: they are replaced, never changed, and copying them is what costs."""
    return cast("Tree", _copied(tree, {id(slot.node) for slot in children(tree)}))


def _copied(part: Any, held: set[int]) -> Any:
    """A copy of what JSON reads, but for the parts that are held: a third of what a deep copy of any objects takes."""
    if id(part) in held:
        return part
    if isinstance(part, dict):
        return {name: _copied(value, held) for name, value in part.items()}
    return [_copied(value, held) for value in part] if isinstance(part, list) else part


def shape(tree: Tree, known: dict[int, tuple[Tree, str | None]] | None = None) -> str | None:
    """What a tree gives within a group: ``row`` (a value per row), ``scalar`` (one value), or None (any number of them).

    Args:
        tree: it.
        known: of trees that were asked about, by identity; they are kept, so that none gets the identity of another.

    Example:
        >>> import polars as pl
        >>> from rustybt.spec.tree import parse
        >>> [shape(parse(e)) for e in (pl.col("x") - pl.col("x").mean(), pl.col("x").max(), pl.col("x").unique())]
        ['row', 'scalar', None]
    """
    known = {} if known is None else known
    if id(tree) not in known:
        known[id(tree)] = tree, _shape_of(simplify(tree), known)
    return known[id(tree)][1]


def _shape_of(tree: Tree, known: dict[int, tuple[Tree, str | None]]) -> str | None:
    tag, name = kind(tree), call(tree)[0]
    if tag in ("Column", "Over", "Rolling", "Selector") or name == "Range.IntRange":
        return "row"
    if tag in ("Literal", "Len") or name == "Repeat":
        return "scalar"
    inputs = [shape(slot.node, known) for slot in children(tree) if slot.role == "input"]
    if tag in ("Field", "Element") or not inputs:
        return None
    if is_pointwise(tree):
        return None if None in inputs else "row" if "row" in inputs else "scalar"
    if tag == "Agg" or name in REDUCING:
        return "scalar" if inputs[0] != "scalar" else None
    keeps = name in ALONG or name in KEEPING or name in OPAQUE
    return "row" if keeps and inputs[0] == "row" else None


def _expanded(tree: Tree) -> list[Any]:
    """The slots of a node that hold rows, with a list of named columns written out one by one."""
    held = body(tree)
    if kind(tree) == "Function":
        flat: list[Tree] = []
        for part in held["input"]:
            named = (
                isinstance(body(part), dict) and kind(part) == "Selector" and call(tree)[0].endswith(("Horizontal", "Struct", "Coalesce"))
            )
            names = body(part).get("ByName", {}).get("names", []) if named else []
            flat += [{"Column": name} for name in names] or [part]
        held["input"] = flat
    return [slot for slot in children(tree) if slot.role != "evaluation"]
