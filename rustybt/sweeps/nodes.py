"""How the tree of a feature is read: from its nodes to the lines of a template. `rustybt.sweeps.reading` does it for texts."""

from __future__ import annotations

from typing import Any, NamedTuple

from rustybt.spec.exact import rolling_of
from rustybt.spec.tree import is_column
from rustybt.sweeps.ranks import METHODS

ARITHMETIC = {"Plus": "+", "Minus": "-", "Multiply": "*", "TrueDivide": "/"}
LAGS = {"Shift": "shift", "Diff": "diff", "PctChange": "change"}
ROLLED = {"Max": "max", "Min": "min", "Sum": "sum", "Mean": "mean"}
TURNED = {"+": "+n", "*": "*n", "-": "n-", "/": "n/"}
"""Operations with a number on the left."""
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
        fixed: what its numbers do not say: the method of a rank, whether weights of a mean add up, whether a number is divided by.
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
    """A part of a tree that was read: its line, or which number of the text it is; and its shape."""

    at: int
    shape: Any

    @property
    def plain(self) -> bool:
        """Whether it is a number."""
        return bool(self.shape == ("number",))


class Reading:
    """One text that is read.

    Attributes:
        lines: what was read, each behind those that it reads.
        used: places of the numbers that are filled in.
        size: nodes that were read.
    """

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.used: set[int] = set()
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
            return Node(self._number(held), ("number",))
        if tag == "BinaryExpr":
            return self._binary(ARITHMETIC[held["op"]], self.node(held["left"]), self.node(held["right"]))
        keys = held["partition_by"] if tag == "Over" and held["mapping"] == "GroupsToRows" and held["order_by"] is None else None
        if keys and all(is_column(key, "asset") for key in keys):
            return self.node(held["function"])
        if keys and len(keys) == 1 and is_column(keys[0], "ts"):
            return self._rank(held["function"]["Function"])
        raise Odd

    def _line(self, line: Line, shape: Any) -> Node:
        self.lines.append(line)
        return Node(len(self.lines) - 1, shape)

    def _binary(self, name: str, left: Node, right: Node) -> Node:
        if (left.plain and right.plain) or "rank" in (left.shape[0], right.shape[0]):
            raise Odd
        shape = name, left.shape, right.shape
        if right.plain:
            op, fixed = ("*n", 1) if name == "/" else (f"{name}n", 0)
            return self._line(Line(op, left.at, numbers=(right.at, -1, -1), fixed=fixed), shape)
        if left.plain:
            return self._line(Line(TURNED[name], right.at, numbers=(left.at, -1, -1)), shape)
        return self._line(Line(name, left.at, right.at), shape)

    def _below(self, tree: Any) -> Node:
        """What a step along the bars reads."""
        read = self.node(tree)
        if read.plain or read.shape[0] == "rank":
            raise Odd
        return read

    def _rank(self, held: Any) -> Node:
        (first,), options = held["input"], held["function"]["Rank"]["options"]
        read, method, descending = self._below(first), str(options["method"]), bool(options["descending"])
        if method not in METHODS:
            raise Odd
        line = Line("rank", read.at, fixed=METHODS[method], sign=-1 if descending else 1)
        return self._line(line, ("rank", method, descending, read.shape))

    def _function(self, tree: Any, held: Any) -> Node:
        (first, *rest), named = held["input"], held["function"]
        name: str = named if isinstance(named, str) else next(iter(named))
        options: Any = None if isinstance(named, str) else named[name]
        if name == "RollingExpr":
            return self._rolled(tree, first, options)
        read = self._below(first)
        if name in LAGS:
            if options not in (None, "Ignore"):
                raise Odd
            return self._line(Line(LAGS[name], read.at, numbers=(self._bars(rest[0]), -1, -1)), (LAGS[name], read.shape))
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
        read = self._below(first)
        if "Column" in first and name in ("sum", "mean"):  # exact where there are ticks, and the planner's own otherwise
            raise Odd
        if options["weights"] is not None or options["center"] or options["fn_params"]:
            raise Odd
        return self._line(Line(name, read.at, numbers=(size, least, -1), window=at), (name, read.shape))

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
