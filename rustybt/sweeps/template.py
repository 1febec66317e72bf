"""Expressions that differ in numbers alone, read once: their top as operations, what stands below it as pieces of text.

Many variants write the same tree with other numbers in it. A `Template` knows, for one shape of text, where in the text the features
begin and end (sub-trees that walk along bars, look across assets or do something that the top cannot) and where the constants of the top
are. Reading the next variant of that shape is a few slices of its text.

The operations of a top read one row. Where a panel allows it (`moves`), a top may also look back along the bars of an asset at what it has
decided there: conditions that are shifted, and the last value of a choice that is held on to.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from rustybt.spec.tree import body, call, children, is_column, kind, walk

DIGITS = bytes.maketrans(b"123456789", b"000000000")
BINARY = {
    "Gt": "gt", "Lt": "lt", "GtEq": "ge", "LtEq": "le", "Eq": "eq", "NotEq": "ne", "And": "and", "Or": "or", "LogicalAnd": "and",
    "LogicalOr": "or", "Xor": "xor", "Plus": "add", "Minus": "sub", "Multiply": "mul", "TrueDivide": "div",
}  # fmt: skip
UNARY = {
    "Negate": "neg", "Abs": "abs", "Boolean.Not": "not", "Boolean.IsNull": "isnull", "Boolean.IsNotNull": "isvalid", "Sign": "sign",
}  # fmt: skip
SEVERAL = {
    "MaxHorizontal": "max",
    "MinHorizontal": "min",
    "Coalesce": "fill",
    "Boolean.AllHorizontal": "and",
    "Boolean.AnyHorizontal": "or",
}
"""Of any number of values, the first two first."""
LAGS = {"Shift": "shift", "ShiftAndFill": "shiftfill"}
FORWARD = "FillNullWithStrategy.Forward"
ARITHMETIC = ("add", "sub", "mul", "div")
COUNTED = ("Int32", "Int64")
"""Types that a truth value is counted in."""
FEW = 10**9
"""Whole constants below it are read as such."""
LARGEST = 2**31
"""Whole constants below it have the same meaning as a float and as any integer type that Polars may give them."""


@dataclass(frozen=True)
class Node:
    """One operation of a top.

    Attributes:
        op: name; ``feature`` and ``constant`` are leaves, whose number is ``leaf``.
        inputs: what it reads.
        leaf: number among the features or the constants.
        kind: of a constant: ``whole``, ``real``, ``truth`` or ``null``.
    """

    op: str
    inputs: tuple[Node, ...] = ()
    leaf: int = -1
    kind: str = ""


@dataclass
class Template:
    """A shape of text.

    Attributes:
        top: the operations.
        features: first and last character of each feature in the text.
        constants: first and last character of each number, and how to read it.
        moves: whether the top may look back along the bars of an asset.
    """

    top: Node
    features: list[tuple[int, int]] = field(default_factory=list)
    constants: list[tuple[int, int, Callable[[str], float]]] = field(default_factory=list)
    moves: bool = False

    @cached_property
    def key(self) -> str:
        """The same for shapes that differ in the lengths of their numbers alone: one program serves them."""
        return repr(self.top)

    def numbers(self, text: str) -> list[float]:
        """The constants of a text of this shape."""
        return [read(text[first:last]) for first, last, read in self.constants]

    def parts(self, text: str) -> list[str]:
        """The features of a text of this shape, as texts."""
        return [text[first:last] for first, last in self.features]


WHOLE = Node("feature", leaf=0)
"""The top of a target that is one feature."""


def shape_of(text: str) -> bytes:
    """What is left of a text when its numbers are forgotten, not their lengths.

    Example:
        >>> shape_of('{"Int":120}') == shape_of('{"Int":345}') != shape_of('{"Int":5}')
        True
    """
    return text.encode().translate(DIGITS)


def template_of(text: str, *, moves: bool = False) -> Template | None:
    """The template of a text; None where it holds something that has to be looked at as a whole.

    Args:
        text: of a target.
        moves: whether its top may look back along the bars of an asset.

    Example:
        >>> import polars as pl
        >>> from rustybt.spec.tree import text
        >>> up = pl.col("close").rolling_mean(5) > pl.col("close")
        >>> one, other = text(up), text(pl.col("close").rolling_mean(7) > pl.col("close"))
        >>> found = template_of(one)
        >>> found.top.op, len(found.features), found.parts(other)[0] == text(pl.col("close").rolling_mean(7))
        ('gt', 2, True)
    """
    if '"Selector"' in text or '"AnonymousFunction"' in text or '"FfiPlugin"' in text:
        return None
    tree = json.loads(text)
    if any(_folds(part) for part in walk(tree)):
        return None
    reader = _Reader(text, moves=moves)
    top = reader.node(tree)
    return Template(top, reader.features, reader.constants, moves) if reader.sound else None


class Back(NamedTuple):
    """How far back a top looks along the bars of an asset.

    Attributes:
        features: those that are looked at some bars before, each with the constants that say how many, together.
        constants: all that say how many bars.
        endless: whether all bars before decide.
    """

    features: tuple[tuple[int, tuple[int, ...]], ...]
    constants: tuple[int, ...]
    endless: bool


def back_of(top: Node) -> Back:
    """How far back a top looks.

    Example:
        >>> back_of(Node("shift", (Node("isnull", (Node("feature", leaf=3),)), Node("constant", leaf=1))))
        Back(features=((3, (1,)),), constants=(1,), endless=False)
    """
    features, constants, endless = dict[tuple[int, tuple[int, ...]], None](), dict[int, None](), False

    def look(node: Node, bars: tuple[int, ...]) -> None:
        nonlocal endless
        endless |= node.op == "forward"
        if node.op in LAGS.values():
            bars = (*bars, node.inputs[1].leaf)
            constants[bars[-1]] = None
        if node.op == "feature" and bars:
            features[node.leaf, bars] = None
        for part in node.inputs:
            look(part, bars)

    look(top, ())
    return Back(tuple(features), tuple(constants), endless)


def _decides(tree: Any) -> bool:
    """Whether a node is made of conditions: what stands below it as a feature would be one for each variant, and only Polars knows it."""
    tag, name, held = kind(tree), call(tree)[0], body(tree)
    if tag == "BinaryExpr" and BINARY.get(held["op"]) in ARITHMETIC:
        return _decides(held["left"]) or _decides(held["right"])
    if tag == "Function" and (name in ("Negate", "Abs", "Sign", "Clip", "MaxHorizontal", "MinHorizontal", FORWARD) or name in LAGS):
        return any(map(_decides, held["input"]))
    if tag == "Over":
        return _decides(held["function"])
    known = tag == "Function" and (name in UNARY or name in SEVERAL or name in ("FillNull", "Boolean.IsBetween"))
    return known or tag == "Ternary" or (tag == "BinaryExpr" and held["op"] in BINARY) or (tag == "Cast" and _decides(held["expr"]))


def _stays(tree: Any) -> bool:
    """Whether a node looks at no other asset."""
    over = [body(part)["partition_by"] or [] for part in walk(tree) if kind(part) == "Over"]
    return all(keys and all(is_column(key, "asset") for key in keys) for keys in over)


def _folds(tree: Any) -> bool:
    """Whether a node computes from constants alone: Polars may do that before it runs, or treat the result as a column."""
    below = [slot.node for slot in children(tree)]
    return bool(below) and kind(tree) not in ("Over", "Agg") and all(kind(part) == "Literal" for part in below)


class _Reader:
    """Walks a tree and its text side by side."""

    def __init__(self, text: str, *, moves: bool) -> None:
        self.text, self.at, self.sound, self.moves = text, 0, True, moves
        self.features: list[tuple[int, int]] = []
        self.constants: list[tuple[int, int, Callable[[str], float]]] = []

    def node(self, tree: Any) -> Node:
        """The operations of a tree, leaves in the order of the text."""
        tag = kind(tree)
        if tag == "Literal":
            return self._constant(tree) or self._feature(tree)
        name = call(tree)[0]
        held = body(tree)
        if tag == "BinaryExpr" and held["op"] in BINARY:
            left = self.node(held["left"])
            return Node(BINARY[held["op"]], (left, self.node(held["right"])))
        if tag == "Ternary":
            return Node("if", tuple(self.node(held[name]) for name in ("predicate", "truthy", "falsy")))
        if tag == "Function" and name in UNARY:
            return Node(UNARY[name], (self.node(held["input"][0]),))
        if name == "FillNull":
            return Node("fill", tuple(self.node(part) for part in held["input"]))
        if tag == "Cast":
            return self._cast(tree, held["dtype"])
        if name in SEVERAL and held["input"]:
            return self._chain(SEVERAL[name], held["input"])
        if name in ("Boolean.IsBetween", "Clip"):
            return self._between(tree, name, call(tree)[1])
        if tag == "Over" and held["mapping"] == "GroupsToRows" and held["order_by"] is None and _decides(tree) and _stays(tree):
            return self.node(held["function"])
        if (name in LAGS or name == FORWARD) and self.moves and _decides(held["input"][0]) and _stays(tree):
            return self._moved(tree, name, call(tree)[1])
        return self._feature(tree)

    def _cast(self, tree: Any, dtype: Any) -> Node:
        """A value as a number with a point; a truth value as a whole one."""
        counts = dtype in [{"Literal": one} for one in COUNTED]
        if dtype != {"Literal": "Float64"} and not (counts and _decides(body(tree)["expr"])):
            return self._feature(tree)
        made = Node("count" if counts else "float", (self.node(body(tree)["expr"]),))
        self._find(json.dumps(dtype, separators=(",", ":")))  # it begins like a constant
        return made

    def _between(self, tree: Any, name: str, options: Any) -> Node:
        """A value and two bounds."""
        value, *bounds = body(tree)["input"]
        if any(kind(bound) != "Literal" or "Dyn" not in body(bound) for bound in bounds):
            return self._feature(tree)
        one, ends = self.node(value), [self.node(bound) for bound in bounds]
        if name == "Clip":
            return Node("clip" if len(ends) > 1 else "atleast" if options["has_min"] else "atmost", (one, *ends))
        low, high = ("ge" if options["closed"] in ("Both", "Left") else "gt"), ("le" if options["closed"] in ("Both", "Right") else "lt")
        return Node("and", (Node(low, (one, ends[0])), Node(high, (one, ends[1]))))

    def _moved(self, tree: Any, name: str, options: Any) -> Node:
        """What an asset had some bars before, or last."""
        value, *rest = body(tree)["input"]
        if name == FORWARD:
            return self._feature(tree) if options is not None else Node("forward", (self.node(value),))
        if any(kind(part) != "Literal" or ("Dyn" not in body(part) and "Boolean" not in body(part).get("Scalar", {})) for part in rest):
            return self._feature(tree)
        bars = body(rest[0]).get("Dyn", {}).get("Int")
        if bars is None or not abs(bars) < FEW:
            return self._feature(tree)
        return Node(LAGS[name], (self.node(value), *(self.node(part) for part in rest)))

    def _chain(self, op: str, inputs: list[Any]) -> Node:
        found = self.node(inputs[0])
        for part in inputs[1:]:
            found = Node(op, (found, self.node(part)))
        return found

    def _find(self, written: str) -> tuple[int, int] | None:
        first = self.text.find(written, self.at)
        if first < 0:
            self.sound = False
            return None
        self.at = first + len(written)
        return first, self.at

    def _feature(self, tree: Any) -> Node:
        place = self._find(json.dumps(tree, separators=(",", ":"), ensure_ascii=False))
        if place is not None:
            self.features.append(place)
        return Node("feature", leaf=len(self.features) - 1)

    def _constant(self, tree: Any) -> Node | None:
        held = body(tree)
        if held == {"Scalar": {"Null": "Null"}}:
            return Node("constant", kind="null", leaf=self._put(tree, "Null", lambda _: 0.0))
        if isinstance(held, dict) and isinstance(held.get("Scalar"), dict) and "Boolean" in held["Scalar"]:
            return Node("constant", kind="truth", leaf=self._put(tree, "true" if held["Scalar"]["Boolean"] else "false", _truth))
        number = held.get("Dyn") if isinstance(held, dict) else None
        if not isinstance(number, dict) or len(number) != 1:
            return None
        name, value = next(iter(number.items()))
        if name == "Int" and abs(value) < LARGEST and len(str(abs(value))) <= 9:  # so that no number of this shape is larger
            return Node("constant", kind="whole", leaf=self._put(tree, str(value), float))
        if name == "Float" and value is not None:
            return Node("constant", kind="real", leaf=self._put(tree, None, float))
        return None

    def _put(self, tree: Any, written: str | None, read: Callable[[str], float]) -> int:
        """A constant and the place of its digits."""
        opening = self.text.find('{"Literal":', self.at)
        close = self.text.find("}}}", opening)
        first = self.text.rfind(":", opening, close) + 1
        digits = self.text[first:close].strip('"') if 0 <= opening < close else ""
        if digits != written if written is not None else not _says(digits, body(tree)["Dyn"]["Float"]):
            self.sound = False
        self.at = close + 3
        self.constants.append((first, close, read))
        return len(self.constants) - 1


def _says(digits: str, number: float) -> bool:
    """Whether digits are those of a number; where a part was not found before, what stands here may be anything."""
    try:
        return float(digits) == number
    except ValueError:
        return False


def _truth(written: str) -> float:
    return 1.0 if written == "true" else 0.0
