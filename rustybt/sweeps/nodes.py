"""How the tree of a feature is read: from its nodes to a way to fill numbers in. `rustybt.sweeps.reading` does it for texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from rustybt.spec.exact import Rolling, rolling_of
from rustybt.spec.tree import is_column
from rustybt.sweeps.ranks import METHODS

SEVERAL = 2**12
"""Sets of numbers that a part of a text is remembered for."""
ARITHMETIC = {"Plus": "+", "Minus": "-", "Multiply": "*", "TrueDivide": "/"}
LAGS = {"Shift": "shift", "Diff": "diff", "PctChange": "change"}
ROLLED = {"Max": "max", "Min": "min", "Sum": "sum", "Mean": "mean"}
LARGEST = 2**53

type Step = tuple[Any, ...]
"""Operation, its numbers, and the steps that it reads."""
type Numbers = Sequence[str]
type Read = Callable[[Numbers], Made]
"""From the numbers of a text to what it says."""
type Limit = Callable[[Numbers], float] | None
"""From the numbers of a text to one of them, where there is one."""


class Odd(Exception):
    """What is no step, or data that are out of the ordinary for one."""


class Made(NamedTuple):
    """What a text says, its numbers filled in.

    Attributes:
        step: what is done, from the columns up.
        reach: bars before a row that decide it, as a plan counts them; None = unbounded.
        lead: bars of each asset without a value.
        kept: which of its windows need all of their values.
    """

    step: Step
    reach: int | None
    lead: int
    kept: tuple[bool, ...] = ()


class Whole(int):
    """A whole number of a text that remembers where it stood."""

    at: int


class Real(float):
    """A number with a point that remembers where it stood."""

    at: int


def _plus(reach: int | None, bars: int) -> int | None:
    return None if reach is None else reach + bars


class Reading:
    """One text that is read. What `part` gives: how to fill the numbers in, and the shape.

    Attributes:
        used: places of the numbers that are filled in.
        size: nodes that were read.
    """

    def __init__(self) -> None:
        self.used: set[int] = set()
        self.size = 0

    def node(self, tree: Any) -> tuple[Read, Any]:
        """A part of a tree below another, which is filled in once for the same numbers.

        Raises:
            Odd, KeyError, TypeError, ValueError, AttributeError, IndexError: as `part`.
        """
        before = set(self.used)
        read, shape = self.part(tree)
        places = sorted(self.used - before)
        return _remembered(read, places) if places and shape != ("number",) else read, shape

    def part(self, tree: Any) -> tuple[Read, Any]:
        """Any part of a tree.

        Raises:
            Odd, KeyError, TypeError, ValueError, AttributeError, IndexError: it is no step that is known.
        """
        ((tag, held),) = tree.items()
        self.size += 1
        if tag == "Function":
            return self._function(tree, held)
        if tag == "Column":
            column = Made(("column", str(held)), 0, 0)
            return lambda _: column, ("column", held)
        if tag == "Literal":
            number = self._number(held)
            return lambda given: Made(("number", number(given)), 0, 0), ("number",)
        if tag == "BinaryExpr":
            return self._binary(ARITHMETIC[held["op"]], self.node(held["left"]), self.node(held["right"]))
        keys = held["partition_by"] if tag == "Over" and held["mapping"] == "GroupsToRows" and held["order_by"] is None else None
        if keys and all(is_column(key, "asset") for key in keys):
            return self.node(held["function"])
        if keys and len(keys) == 1 and is_column(keys[0], "ts"):
            return self._rank(held["function"]["Function"])
        raise Odd

    def _binary(self, name: str, left: tuple[Read, Any], right: tuple[Read, Any]) -> tuple[Read, Any]:
        (one, before), (other, after) = left, right
        if before == after == ("number",) or "rank" in (before[0], after[0]):
            raise Odd

        def read(given: Numbers) -> Made:
            a, b = one(given), other(given)
            reach = None if a.reach is None or b.reach is None else max(a.reach, b.reach)
            return Made((name, a.step, b.step), reach, max(a.lead, b.lead), a.kept + b.kept)

        return read, (name, before, after)

    def _below(self, tree: Any) -> tuple[Read, Any]:
        """What a step along the bars reads."""
        read, shape = self.node(tree)
        if shape == ("number",) or shape[0] == "rank":
            raise Odd
        return read, shape

    def _rank(self, held: Any) -> tuple[Read, Any]:
        (first,), options = held["input"], held["function"]["Rank"]["options"]
        read, shape = self._below(first)
        method, descending = str(options["method"]), bool(options["descending"])
        if method not in METHODS:
            raise Odd
        return lambda given: _under(read(given), ("rank", method, descending), 0), ("rank", method, descending, shape)

    def _function(self, tree: Any, held: Any) -> tuple[Read, Any]:
        (first, *rest), named = held["input"], held["function"]
        name: str = named if isinstance(named, str) else next(iter(named))
        options: Any = None if isinstance(named, str) else named[name]
        if name == "RollingExpr":
            return self._rolled(tree, first, options)
        read, shape = self._below(first)
        if name in LAGS:
            if options not in (None, "Ignore"):
                raise Odd
            return self._lagged(LAGS[name], read, rest[0]), (LAGS[name], shape)
        if name in ("Negate", "Abs"):
            return lambda given: _under(read(given), (name.lower(),), 0), (name, shape)
        if name == "Clip":
            told = bool(options["has_min"]), bool(options["has_max"])
            ends = [self._number(one["Literal"]) for one in rest]
            low, high = ends.pop(0) if told[0] else None, ends.pop(0) if told[1] else None
            return self._clipped(read, low, high), (name, *told, shape)
        if name != "EwmMean":
            raise Odd
        kept = options["options"]
        return self._average(read, kept), (name, bool(kept["adjust"]), shape)

    def _average(self, read: Read, options: Any) -> Read:
        alpha, least, adjust = self._place(options["alpha"]), self._place(options["min_periods"]), bool(options["adjust"])

        def averaged(given: Numbers) -> Made:
            below, needed = read(given), max(1, int(given[least]))
            return Made(("ewm", float(given[alpha]), adjust, needed, below.step), None, below.lead + needed - 1, below.kept)

        return averaged

    def _clipped(self, read: Read, low: Limit, high: Limit) -> Read:
        def clipped(given: Numbers) -> Made:
            below, above = None if low is None else low(given), None if high is None else high(given)
            if below is not None and above is not None and below > above:  # Polars looks at one of them alone then
                raise Odd
            return _under(read(given), ("clip", below, above), 0)

        return clipped

    def _lagged(self, name: str, read: Read, written: Any) -> Read:
        inner = written["Literal"]
        ((kind, value),) = inner.get("Dyn", inner.get("Scalar")).items()
        if type(value) is not Whole or not kind.startswith(("Int", "UInt")):
            raise Odd
        at = self._place(value)

        def lagged(given: Numbers) -> Made:
            bars = int(given[at])
            if not 1 <= bars <= LARGEST:
                raise Odd
            return _under(read(given), (name, bars), bars)

        return lagged

    def _rolled(self, tree: Any, first: Any, held: Any) -> tuple[Read, Any]:
        options = held["options"]
        size, least = self._place(options["window_size"]), self._place(options["min_periods"])
        window = rolling_of(tree, first["Column"]) if "Column" in first else None
        if window is not None:
            lost = self._place(window.ddof) if isinstance(window.ddof, Whole) else None
            return _exact(window, size, least, lost), ("window", window.column, window.function)
        (read, shape), name = self._below(first), ROLLED[held["function"]]
        if "Column" in first and name in ("sum", "mean"):  # exact where there are ticks, and the planner's own otherwise
            raise Odd
        if options["weights"] is not None or options["center"] or options["fn_params"]:
            raise Odd

        def rolled(given: Numbers) -> Made:
            bars, needed = _window(given[size], given[least])
            made = _under(read(given), (name, bars, needed), bars - 1)
            return Made(made.step, made.reach, made.lead - bars + needed, (*made.kept, bars == needed))

        return rolled, (name, shape)

    def _number(self, literal: Any) -> Callable[[Numbers], float]:
        """A plain number."""
        ((_, value),) = literal["Dyn"].items()
        at = self._place(value)

        def number(given: Numbers) -> float:
            found = float(given[at])
            if not abs(found) <= LARGEST:
                raise Odd
            return found

        return number

    def _place(self, number: Any) -> int:
        """Where a number stands that is filled in.

        Raises:
            Odd: it is none.
        """
        if not isinstance(number, Whole | Real):
            raise Odd
        self.used.add(number.at)
        return number.at


def _remembered(read: Read, places: Sequence[int]) -> Read:
    """Filling in, each set of numbers once."""
    picked, known = itemgetter(*places), dict[Any, Made]()

    def found(given: Numbers) -> Made:
        key = picked(given)
        made = known.get(key)
        if made is None:
            if len(known) >= SEVERAL:
                known.clear()
            made = known[key] = read(given)
        return made

    return found


def _under(below: Made, step: Step, bars: int) -> Made:
    """One more step, which reads so many bars further back."""
    return Made((*step, below.step), _plus(below.reach, bars), below.lead + bars, below.kept)


def _window(size: str, least: str) -> tuple[int, int]:
    bars, needed = int(size), int(least)
    if not 1 <= needed <= bars <= LARGEST:
        raise Odd
    return bars, needed


def _exact(window: Rolling, size: int, least: int, lost: int | None) -> Read:
    column, function = window.column, window.function

    def read(given: Numbers) -> Made:
        bars, needed = _window(given[size], given[least])
        ddof = 1 if lost is None else int(given[lost])
        return Made(("window", column, function, bars, needed, ddof), bars - 1, needed - 1, (bars == needed,))

    return read
