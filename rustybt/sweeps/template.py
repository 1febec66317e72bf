"""Expressions that differ in numbers alone, read once: their pointwise top as operations, what stands below it as pieces of text.

Many variants write the same tree with other numbers in it. A `Template` knows, for one shape of text, where in the text the features
begin and end (sub-trees that walk along bars, look across assets or do something that the top cannot) and where the constants of the top
are. Reading the next variant of that shape is a few slices of its text.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rustybt.spec.tree import body, call, children, kind, walk

DIGITS = bytes.maketrans(b"123456789", b"000000000")
BINARY = {
    "Gt": "gt", "Lt": "lt", "GtEq": "ge", "LtEq": "le", "Eq": "eq", "NotEq": "ne", "And": "and", "Or": "or", "LogicalAnd": "and",
    "LogicalOr": "or", "Xor": "xor", "Plus": "add", "Minus": "sub", "Multiply": "mul", "TrueDivide": "div",
}  # fmt: skip
UNARY = {"Negate": "neg", "Abs": "abs", "Boolean.Not": "not", "Boolean.IsNull": "isnull", "Boolean.IsNotNull": "isvalid"}
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
    """

    top: Node
    features: list[tuple[int, int]] = field(default_factory=list)
    constants: list[tuple[int, int, Callable[[str], float]]] = field(default_factory=list)

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


def template_of(text: str) -> Template | None:
    """The template of a text; None where it holds something that has to be looked at as a whole.

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
    reader = _Reader(text)
    top = reader.node(tree)
    return Template(top, reader.features, reader.constants) if reader.sound else None


def _folds(tree: Any) -> bool:
    """Whether a node computes from constants alone: Polars may do that before it runs, or treat the result as a column."""
    below = [slot.node for slot in children(tree)]
    return bool(below) and kind(tree) not in ("Over", "Agg") and all(kind(part) == "Literal" for part in below)


class _Reader:
    """Walks a tree and its text side by side."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.sound = text, 0, True
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
        if tag == "Cast" and held["dtype"] == {"Literal": "Float64"}:
            return Node("float", (self.node(held["expr"]),))
        if name in ("Boolean.AllHorizontal", "Boolean.AnyHorizontal") and held["input"]:
            return self._chain("and" if name.endswith("AllHorizontal") else "or", held["input"])
        return self._feature(tree)

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
