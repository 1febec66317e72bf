"""The proof behind `rustybt.spec.bounds`: one walk over the tree, each node known or refused.

An *axis* says what the rows around a value are:

========  ==========================================================================================================
time      bars of one asset, in order; bare operations and ``.over("asset")``
bucket    bars of one asset within a session or calendar bucket, or with another key (regime): ``reset`` says how far it reaches
cross     the assets of one ``ts``: no time passes, and nothing may walk from row to row unless told by what
window    the rows of a window already accounted for (`rolling`)
element   the values of one list, or of the rows so far (`list.eval`, `cumulative_eval`): columns have no place there
frame     any rows: only row-by-row operations are right
========  ==========================================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from rustybt.spec import hints
from rustybt.spec.findings import Bounds, Declared, Reason, refuse, union
from rustybt.spec.past import Reach, arguments, behind, bucket, is_empty
from rustybt.spec.paths import HOP, Step
from rustybt.spec.tree import Node, body, call, children, is_callback, is_column, is_pointwise, kind, render, symbol, walk
from rustybt.spec.vocabulary import COMPARISONS, HORIZONTAL, LEAVES, OPAQUE, ORDERED, TRANSPARENT, WHOLE


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node stands.

    Attributes:
        axis: ``time``, ``bucket``, ``cross``, ``window``, ``element`` or ``frame``.
        reset: on the bucket axis, the step to the bucket's first bar; None when there is none.
        split: on the bucket axis, whether the bars of a bucket need not follow one another.
        inner: bounds of what ``element()`` and ``field()`` stand for.
        ordered: whether the window around says by what its rows are ordered, and this is its outermost operation.
        side: whether several columns may stand here side by side.
    """

    axis: str = "time"
    reset: Step | None = None
    split: bool = False
    inner: Bounds | None = None
    ordered: bool = False
    side: bool = False


def prove(node: Node, declared: dict[str, Declared], member: Bounds | None = None) -> Bounds:
    """The bounds of a tree; see `rustybt.spec.bounds.analyse`."""
    return _Proof(declared, member or Bounds()).read(node, Place())


@dataclass(frozen=True, slots=True)
class _Proof:
    declared: dict[str, Declared]
    member: Bounds = field(default_factory=Bounds)

    def read(self, node: Node, place: Place) -> Bounds:
        """Bounds of one node where it stands."""
        tag = kind(node)
        if tag in LEAVES:
            return self._leaf(node, place)
        if tag == "Over":
            return self._over(node)
        if tag == "Rolling":
            return self._rolling(node, place)
        if tag in ("Eval", "StructEval"):
            return self._eval(node, place)
        name = call(node)[0]
        if name in OPAQUE or is_callback(node):
            return self._opaque(node, name, place)
        if tag in TRANSPARENT or is_pointwise(node):
            return self._row(node, name, place)
        if tag not in hints.KINDS and name not in WHOLE and name not in ORDERED and not name.startswith(hints.STATES):
            return refuse(self._inputs(node, place), node, *hints.UNKNOWN)
        return self._group(node, name, place)

    def _inputs(self, node: Node, place: Place) -> Bounds:
        below = replace(place, ordered=False, side=False)
        return union(*(self.read(slot.node, below) for slot in children(node))) if children(node) else Bounds()

    def _leaf(self, node: Node, place: Place) -> Bounds:
        tag, held = kind(node), body(node)
        if tag == "Column":
            named = Bounds(columns=frozenset({held}))
            return refuse(named, node, *hints.COLUMN_IN_EVAL, wrong=True) if place.axis == "element" else named
        if tag == "Literal":
            if "Series" in held:
                return refuse(Bounds(), node, *hints.SERIES)
            value = held.get("Dyn", held.get("Scalar"))
            bad = isinstance(value, dict) and any(word.startswith("Float") and number is None for word, number in value.items())
            return refuse(Bounds(), node, *hints.NOT_A_NUMBER, wrong=True) if bad else Bounds()
        if tag == "Selector":
            names = held.get("ByName", {}).get("names") if isinstance(held, dict) else None
            if names and place.side:
                return Bounds(columns=frozenset(names))
            return refuse(Bounds(), node, *hints.SELECTOR, wrong=True)
        return place.inner or refuse(Bounds(), node, *hints.NO_ELEMENT, wrong=True)

    def _row(self, node: Node, name: str, place: Place) -> Bounds:
        """A node that combines the values of one row."""
        if name == "SetSortedFlag":
            return refuse(self._inputs(node, place), node, *hints.SET_SORTED)
        if name == "Repeat":
            return Bounds()
        if name in ("ToPhysical", "Categorical.Physical", "Hash") and _categorical(body(node)["input"][0]):
            return refuse(self._inputs(node, place), node, *hints.CODES)
        slots = children(node)
        first, last = arguments(name, len(slots))
        below = replace(place, ordered=False, side=name in HORIZONTAL)
        parts = [self.read(slot.node, below) for i, slot in enumerate(slots) if not (first <= i < last and kind(slot.node) == "Literal")]
        found = union(*parts) if parts else Bounds()
        if place.axis in ("cross", "window", "element"):
            return found
        for slot in slots[first:last]:
            if not _listed(slot.node):
                return refuse(found, node, *hints.WHOLE_ARGUMENT)
        return found

    def _group(self, node: Node, name: str, place: Place) -> Bounds:
        """A node that reads, reorders or walks along the rows around it."""
        found = self._inputs(node, place) if name not in ("Range.IntRange", "Gather") else self._counted(node, place)
        if name == "Random" or (name == "Rank" and "Random" in str(call(node)[1])):
            return refuse(found, node, *hints.RANDOM, wrong=True)
        if is_empty(node, name):
            return refuse(found, node, *hints.NO_BARS, wrong=True)
        if place.axis in ("window", "element"):
            return found
        if place.axis == "cross":
            walks = name in ORDERED or (name == "Boolean.IsFirstDistinct" and not place.ordered)
            return _scope(found, node, hints.ACROSS) if walks and not place.ordered else found
        if place.axis == "frame":
            return refuse(found, node, *hints.FRAME)
        reach = behind(node, name)
        if isinstance(reach, str):
            return refuse(found, node, reach, hints.instead(node, name))
        return self._back(found, node, reach, place)

    def _back(self, found: Bounds, node: Node, reach: Reach, place: Place) -> Bounds:
        """The bounds of a value read as far back as an operation reaches on this axis."""
        if reach is not None and (not place.split or reach[1] == 0):
            return found.back(reach)
        if place.axis == "bucket" and place.reset is not None:
            return found.back(place.reset)
        return found.back(None).plus(Reason("unbounded", hints.EVERY_BAR if reach is None else hints.SPLIT, render(node)))

    def _counted(self, node: Node, place: Place) -> Bounds:
        """Row numbers and single rows: the count or index beside the value is not a value itself."""
        loose = place.axis in ("cross", "window", "element")
        parts = []
        for slot in children(node):
            literal = kind(slot.node) == "Literal" and (loose or "Series" not in body(slot.node))
            if not literal and slot.node != "Len":
                parts.append(self.read(slot.node, replace(place, ordered=False)))
        return union(*parts) if parts else Bounds()

    def _opaque(self, node: Node, name: str, place: Place) -> Bounds:
        named = symbol(node)
        inside = self._inputs(node, place) if name in OPAQUE else self._group(node, name, place)  # the window of a rolling callback holds
        found = inside.plus(opaque=named)
        promise = self.declared.get(named)
        if promise is None:
            what, do = hints.UNDECLARED
            return refuse(found, node, what, do.format(named))
        if promise.lookahead:
            return refuse(found, node, *hints.DECLARED_AHEAD)
        if place.axis == "frame":
            return refuse(found, node, *hints.FRAME)
        if place.axis in ("cross", "window", "element"):
            return found
        if promise.rows is None:
            return self._back(found, node, None, place)
        if promise.span:
            found = self._back(found, node, ("span", promise.span), place)
        return self._back(found, node, ("rows", promise.rows), place)

    def _eval(self, node: Node, place: Place) -> Bounds:
        name, held = call(node)[0], body(node)
        found = self.read(held["expr"], replace(place, ordered=False, side=False))
        if kind(node) == "StructEval":
            inside = replace(place, ordered=False, side=False, inner=found)
            for part in held["evaluation"]:
                if not all(is_pointwise(below) for below in walk(part)):
                    moved = self.read(part, replace(inside, axis="time") if place.axis == "cross" else inside)
                    return refuse(union(found, moved), part, *hints.IN_STRUCT, wrong=not moved.lookahead)
            return union(found, *(self.read(part, inside) for part in held["evaluation"]))
        if name not in hints.EVALS:
            return refuse(found, node, *hints.UNKNOWN)
        inner = union(found, self.read(held["evaluation"], Place("element", inner=found)))
        return self._group_of(inner, node, place) if name == "Eval.Cumulative" else inner

    def _group_of(self, found: Bounds, node: Node, place: Place) -> Bounds:
        """An operation over all rows so far, whose inputs are known."""
        if place.axis == "cross":
            return found if place.ordered else _scope(found, node, hints.ACROSS)
        if place.axis == "frame":
            return refuse(found, node, *hints.FRAME)
        return found if place.axis in ("window", "element") else self._back(found, node, None, place)

    def _rolling(self, node: Node, place: Place) -> Bounds:
        held = body(node)
        inside = self.read(held["function"], Place("window"))
        if is_empty(node, "Rolling"):
            return refuse(inside, node, *hints.NO_BARS, wrong=True)
        if place.axis == "cross":
            return _scope(inside, node, hints.ACROSS)
        if place.axis in ("window", "element"):
            return _scope(inside, node, hints.NESTED)
        if place.axis == "frame":
            return refuse(inside, node, *hints.FRAME)
        reach = behind(node, "Rolling")
        if isinstance(reach, str):
            return refuse(inside, node, reach, hints.instead(node, "Rolling"))
        found = self._back(inside, node, reach, place)
        return replace(found, columns=found.columns | {"ts"})

    def _over(self, node: Node) -> Bounds:
        held = body(node)
        keys: list[Node] = held["partition_by"] or []
        order = held["order_by"]
        if any(is_column(part, "ts") for part in keys):
            return self._cross(node)
        rest = [part for part in keys if not is_column(part, "asset")]
        steps = [bucket(part) for part in rest]
        known = [step for step in steps if step is not None]
        if len(rest) == len(keys):
            axis = Place("frame")
        elif not rest:
            axis = Place("time")
        else:
            reset = next((step for step in known if step[0] == "session"), min(known, default=None, key=lambda step: step[1]))
            axis = Place("bucket", reset, split=None in steps)
        found = self.read(held["function"], axis)
        apart = [self.read(part, Place()) for part in keys]
        if axis.axis == "bucket" and axis.reset is not None:
            apart = [part.back(axis.reset) if part.paths != Bounds().paths else part for part in apart]
        found = union(found, *apart)
        return self._checked(found, node, order, by_time=True)

    def _cross(self, node: Node) -> Bounds:
        """A window over the assets of one ``ts``."""
        held = body(node)
        order = held["order_by"]
        told = order is not None and not is_column(order[0], "ts")
        parts = [self.read(held["function"], Place("cross", ordered=told))]
        parts += [self.read(part, Place()) for part in held["partition_by"]]
        if told:
            parts.append(self.read(order[0], Place()))
        found = union(*parts, replace(self.member, columns=frozenset(), reasons=())).back(HOP).plus(cross=True)
        return self._checked(found, node, order, by_time=False)

    def _checked(self, found: Bounds, node: Node, order: list[object] | None, *, by_time: bool) -> Bounds:
        if body(node)["mapping"] != "GroupsToRows":
            return refuse(found, node, *hints.MAPPING)
        if by_time and order is not None:
            by, options = order
            if not is_column(by, "ts") or options["descending"]:  # type: ignore[arg-type, index]
                return refuse(found, node, *hints.ORDER)
        return found


def _scope(found: Bounds, node: Node, hint: tuple[str, str]) -> Bounds:
    """A refusal of an inner part that only has to say that it goes along time."""
    what, do = hint
    return refuse(found, node, what, do.format(render(node, 80)), wrong=True)


def _listed(node: Node) -> bool:
    """Whether an argument is a constant, or surely a list of its own in every row."""
    if kind(node) in ("Alias", "KeepName"):
        return _listed(children(node)[0].node)
    if kind(node) == "Over":
        return call(body(node)["function"])[0] == "Agg.Implode"
    return kind(node) == "Literal" or call(node)[0] in hints.LISTS


def _categorical(node: Node) -> bool:
    """Whether a value may be a categorical, whose codes depend on every value seen before."""
    tag = kind(node)
    name, options = call(node)
    if tag == "Column":
        return body(node) not in hints.PLAIN
    if tag == "Cast":
        return "Categorical" in str(options["dtype"]) or not isinstance(options["dtype"], dict)
    if (
        tag in ("Literal", "Len")
        or name in ("Cut", "Bin")
        or name.startswith(("Boolean.", "TemporalExpr.", "Trigonometry.", "Pow.", "Cum", "Rolling"))
    ):
        return False
    if tag == "BinaryExpr":
        return False if body(node)["op"] in COMPARISONS else any(_categorical(slot.node) for slot in children(node))
    return name == "QCut" or not children(node) or any(_categorical(slot.node) for slot in children(node) if slot.role != "key")
