"""How the tree of a feature is read: from its nodes to the lines of a template. `rustybt.sweeps.reading` does it for texts."""

from __future__ import annotations

from typing import Any, NamedTuple

from rustybt.spec.exact import rolling_of
from rustybt.spec.tree import is_column
from rustybt.sweeps.moving import BETWEEN, TIES
from rustybt.sweeps.ranks import METHODS

ARITHMETIC = {"Plus": "+", "Minus": "-", "Multiply": "*", "TrueDivide": "/"}
COMPARED = {
    "Gt": (">", False, 0), "Lt": (">", True, 0), "GtEq": (">", True, 1), "LtEq": (">", False, 1), "Eq": ("==", False, 0),
    "NotEq": ("==", False, 1),
}  # fmt: skip
"""Comparisons: the step, whether its sides are exchanged, and whether its result is turned round. No value is without an order."""
BOTH = {"And": "hmin", "LogicalAnd": "hmin", "Or": "hmax", "LogicalOr": "hmax"}
FARTHEST = {"MaxHorizontal": "hmax", "MinHorizontal": "hmin"}
CURVES = {"Log1p": "log1p", "Exp": "exp", "Sqrt": "sqrt"}
COUNTED = ("Int32", "Int64")
"""Types that a truth value is counted in."""
LAGS = {"Shift": "shift", "Diff": "diff", "PctChange": "change"}
ROLLED = {"Max": "max", "Min": "min", "Sum": "sum", "Mean": "mean", "Var": "var", "Std": "std", "Quantile": "quantile", "Rank": "place"}
COUNTS = {"mean": ("count", "whole"), "max": ("count", "whole"), "min": ("count", "whole"), "sum": ("count",)}
"""Types beside real numbers over which windows move; sums of sums are left out, which may be too large for their type."""
TURNED = {"+": "+n", "*": "*n", "-": "n-", "/": "n/"}
"""Operations with a number on the left."""
ROW_BY_ROW = {"negate", "abs", "clip", "log", "log1p", "exp", "sqrt", "square", "+", "-", "*", "/", "+n", "-n", "n-", "*n", "n/"}
ROW_BY_ROW |= {">", "==", "hmax", "hmin"}
WINDOWS = 60
"""Of a feature, at most: whether each needs all of its values is a bit of a number."""


class Odd(Exception):
    """What is no step, or data that are out of the ordinary for one."""


class Line(NamedTuple):
    """A step of a template; see `rustybt.sweeps.alike`.

    Attributes:
        op: operation, as `rustybt.sweeps.steps.OPS` has it, or ``column``.
        left, right: lines that it reads; -1 = none.
        numbers: which numbers of the text it has; -1 = none.
        fixed: what its numbers do not say: the method of a rank or of a quantile, whether weights of a mean add up, whether a number is
            divided by, whether a comparison is turned round, whether a number is counted with; of a choice the third line that it reads.
        sign: of a rank, -1 where it descends.
        window: which of the windows it is; -1 = none.
        column: that it reads.
    """

    op: str
    left: int = -1
    right: int = -1
    numbers: tuple[int, int, int] = (-1, -1, -1)
    fixed: int = 0
    sign: int = 1
    window: int = -1
    column: str = ""


class Whole(int):
    """A whole number of a text that remembers where it stood."""

    at: int


class Real(float):
    """A number with a point that remembers where it stood."""

    at: int


class Node(NamedTuple):
    """A part of a tree that was read: its line, or which number of the text it is; its shape, and its type.

    Types are ``real``, ``truth``, ``count`` for truth values as whole numbers, ``whole`` for their sums, and ``rank``; of a number its own.
    """

    at: int
    shape: Any
    kind: str = "real"

    @property
    def plain(self) -> bool:
        """Whether it is a number."""
        return bool(self.shape == ("number",))


class Reading:
    """One text that is read.

    Attributes:
        lines: what was read, each behind those that it reads.
        used: places of the numbers that are filled in.
        alone: lines that may be one number for all rows in Polars: a choice that falls on a number everywhere, and what is made of it.
        size: nodes that were read.
    """

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.used: set[int] = set()
        self.alone: set[int] = set()
        self.size = self.windows = 0

    def node(self, tree: Any) -> Node:
        """Any part of a tree.

        Raises:
            Odd, KeyError, TypeError, ValueError, AttributeError, IndexError: it is no step that is known.
        """
        ((tag, held),) = tree.items()
        self.size += 1
        if tag == "Function":
            return self._function(tree, held)
        if tag == "Column":
            return self._line(Line("column", column=str(held)), ("column", held))
        if tag == "Literal":
            return Node(self._number(held), ("number",), next(iter(held["Dyn"])))
        if tag == "BinaryExpr":
            return self._pair(held["op"], self.node(held["left"]), self.node(held["right"]))
        if tag == "Cast":
            return self._cast(self.node(held["expr"]), held["dtype"])
        if tag == "Ternary":
            return self._choice(*(self.node(held[name]) for name in ("predicate", "truthy", "falsy")))
        keys = held["partition_by"] if tag == "Over" and held["mapping"] == "GroupsToRows" and held["order_by"] is None else None
        if keys and all(is_column(key, "asset") for key in keys):
            return self.node(held["function"])
        if keys and len(keys) == 1 and is_column(keys[0], "ts"):
            return self._rank(held["function"]["Function"])
        raise Odd

    def _line(self, line: Line, shape: Any, kind: str = "real") -> Node:
        self.lines.append(line)
        at, read = len(self.lines) - 1, {line.left, line.right} - {-1}
        arms = {line.right, line.fixed} if line.op == "select" else set[int]()
        if line.op == "fill" or arms & self.alone or (line.op in ROW_BY_ROW and read and read <= self.alone):
            self.alone.add(at)
        return Node(at, shape, kind)

    def _filled(self, read: Node, counted: int = 0) -> Node:
        """A number as a step, so that it is one side of any operation."""
        return self._line(Line("fill", numbers=(read.at, -1, -1), fixed=counted), read.shape) if read.plain else read

    def _pair(self, op: str, left: Node, right: Node) -> Node:
        """Two values."""
        if left.plain and right.plain:
            raise Odd
        if op in ARITHMETIC:
            return self._binary(ARITHMETIC[op], left, right)
        shape = op, left.shape, right.shape
        if op in BOTH:
            if (left.kind, right.kind) != ("truth", "truth"):
                raise Odd
            return self._line(Line(BOTH[op], left.at, right.at, fixed=1), shape, "truth")
        name, swapped, turned = COMPARED[op]
        if {left.kind, right.kind} & {"truth", "rank"}:
            raise Odd
        one, other = (self._filled(side) for side in ((right, left) if swapped else (left, right)))
        return self._line(Line(name, one.at, other.at, fixed=turned), shape, "truth")

    def _cast(self, read: Node, dtype: Any) -> Node:
        """A truth value that is counted with, a whole number that becomes a real one: the values stay what they are."""
        name = dtype["Literal"]
        if name == "Float64" and read.kind in ("real", "truth", "count", "whole"):
            return Node(read.at, (name, read.shape))
        if name not in COUNTED or read.kind != "truth":
            raise Odd
        return Node(read.at, (name, read.shape), "count")

    def _choice(self, condition: Node, one: Node, other: Node) -> Node:
        """One value where something is true, else another."""
        kinds = {one.kind, other.kind}
        counted = int(kinds == {"Int"})
        if condition.kind != "truth" or not (counted or (kinds <= {"real", "Int", "Float"} and kinds & {"real", "Float"})):
            raise Odd
        shape = "choice", condition.shape, (one.kind, one.shape), (other.kind, other.shape)
        one, other = self._filled(one, counted), self._filled(other, counted)
        return self._line(Line("select", condition.at, one.at, fixed=other.at), shape, "count" if counted else "real")

    def _farthest(self, name: str, read: list[Node]) -> Node:
        """The largest or the smallest of several."""
        if not {one.kind for one in read} <= {"real", "Int", "Float"} or len(read) < 2 or all(one.plain for one in read):
            raise Odd
        shape, found = (name, *(one.shape for one in read)), self._filled(read[0])
        for one in read[1:]:
            found = self._line(Line(FARTHEST[name], found.at, self._filled(one).at), shape)
        return found

    def _binary(self, name: str, left: Node, right: Node) -> Node:
        shape: Any = (name, left.shape, right.shape)
        if "real" not in (left.kind, right.kind) or not {left.kind, right.kind} <= {"real", "Int", "Float"}:
            if name != "/" or left.kind not in ("count", "whole") or right.kind not in ("Int", "Float", "real"):
                raise Odd
            shape = (*shape, right.kind)
        if right.plain:
            op, fixed = ("*n", 1) if name == "/" else (f"{name}n", 0)
            return self._line(Line(op, left.at, numbers=(right.at, -1, -1), fixed=fixed), shape)
        if name == "/" and right.at in self.alone:  # Polars divides by a number through its reciprocal, whatever made it one
            raise Odd
        if left.plain:
            return self._line(Line(TURNED[name], right.at, numbers=(left.at, -1, -1)), shape)
        return self._line(Line(name, left.at, right.at), shape)

    def _below(self, tree: Any, *kinds: str) -> Node:
        """What a step reads that takes real numbers, and what else is told."""
        read = self.node(tree)
        if read.kind not in ("real", *kinds):
            raise Odd
        return read

    def _rank(self, held: Any) -> Node:
        (first,), options = held["input"], held["function"]["Rank"]["options"]
        read, method, descending = self._below(first), str(options["method"]), bool(options["descending"])
        if method not in METHODS:
            raise Odd
        line = Line("rank", read.at, fixed=METHODS[method], sign=-1 if descending else 1)
        return self._line(line, ("rank", method, descending, read.shape), "rank")

    def _function(self, tree: Any, held: Any) -> Node:
        (first, *rest), named = held["input"], held["function"]
        name: str = named if isinstance(named, str) else next(iter(named))
        options: Any = None if isinstance(named, str) else named[name]
        if name == "RollingExpr":
            return self._rolled(tree, first, options)
        if name in FARTHEST:
            return self._farthest(name, [self.node(one) for one in held["input"]])
        if name == "Boolean" and options == "Not":
            read = self.node(first)
            if read.kind != "truth":
                raise Odd
            return self._line(Line("==", read.at, self._line(Line("fill"), ()).at), ("not", read.shape), "truth")
        read = self._below(first, *(("truth", "count", "whole") if name == "Shift" else ()))
        if name in LAGS:
            if options not in (None, "Ignore"):
                raise Odd
            return self._line(Line(LAGS[name], read.at, numbers=(self._bars(rest[0]), -1, -1)), (LAGS[name], read.shape), read.kind)
        if name == "Log":
            return self._line(Line("log", read.at, numbers=(self._number(rest[0]["Literal"]), -1, -1)), (name, read.shape))
        if name == "Pow" and options == "Generic":
            return self._line(Line("square", read.at, numbers=(self._number(rest[0]["Literal"]), -1, -1)), (name, read.shape))
        if name in CURVES or (name == "Pow" and options in CURVES):
            return self._line(Line(CURVES[name if options is None else options], read.at), (name, read.shape))
        if name in ("Negate", "Abs"):
            return self._line(Line(name.lower(), read.at), (name, read.shape))
        if name == "Clip":
            told = bool(options["has_min"]), bool(options["has_max"])
            ends = [self._number(one["Literal"]) for one in rest]
            low, high = ends.pop(0) if told[0] else -1, ends.pop(0) if told[1] else -1
            return self._line(Line("clip", read.at, numbers=(low, high, -1)), (name, *told, read.shape))
        if name != "EwmMean":
            raise Odd
        kept = options["options"]
        numbers, adjust = (self._place(kept["alpha"]), self._place(kept["min_periods"]), -1), bool(kept["adjust"])
        return self._line(Line("ewm", read.at, numbers=numbers, fixed=int(adjust)), (name, adjust, read.shape))

    def _bars(self, written: Any) -> int:
        """How many bars back."""
        inner = written["Literal"]
        ((kind, value),) = inner.get("Dyn", inner.get("Scalar")).items()
        if type(value) is not Whole or not kind.startswith(("Int", "UInt")):
            raise Odd
        return self._place(value)

    def _rolled(self, tree: Any, first: Any, held: Any) -> Node:
        options = held["options"]
        size, least = self._place(options["window_size"]), self._place(options["min_periods"])
        window = rolling_of(tree, first["Column"]) if "Column" in first else None
        self.windows += 1
        if self.windows > WINDOWS:
            raise Odd
        if window is not None:
            lost = self._place(window.ddof) if isinstance(window.ddof, Whole) else -1
            squares, column, at = int(window.squares), window.column, self.windows - 1
            line = Line(f"w{window.function}", numbers=(size, least, lost), fixed=squares, window=at, column=column)
            return self._line(line, ("window", column, window.function))
        name = ROLLED[held["function"]]
        at = self.windows - 1
        read = self._below(first, *COUNTS.get(name, ()))
        if "Column" in first and name in ("sum", "mean", "var", "std"):  # exact where there are ticks, and the planner's own otherwise
            raise Odd
        if options["weights"] is not None or options["center"]:
            raise Odd
        numbers, fixed = (size, least, -1), int((name, read.kind) == ("sum", "count"))
        if name in ("var", "std"):
            numbers = size, least, self._place(options["fn_params"]["Var"]["ddof"])
        elif name == "quantile":
            told = options["fn_params"]["Quantile"]
            numbers, fixed = (size, least, self._place(told["prob"])), BETWEEN[told["method"]]
        elif name == "place":
            method = options["fn_params"]["Rank"]["method"]
            line, kind = Line(name, read.at, numbers=numbers, fixed=TIES[method], window=at), "real" if method == "Average" else "rank"
            return self._line(line, (name, method, read.shape), kind)
        elif options["fn_params"]:
            raise Odd
        kind = "real" if name == "mean" else "whole" if name == "sum" and fixed else read.kind
        return self._line(Line(name, read.at, numbers=numbers, fixed=fixed, window=at), (name, fixed, read.shape), kind)

    def _number(self, literal: Any) -> int:
        """A plain number."""
        ((_, value),) = literal["Dyn"].items()
        return self._place(value)

    def _place(self, number: Any) -> int:
        """Where a number stands that is filled in.

        Raises:
            Odd: it is none.
        """
        if not isinstance(number, Whole | Real):
            raise Odd
        self.used.add(number.at)
        return number.at
