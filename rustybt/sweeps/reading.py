"""Reading features that are steps: texts that differ in numbers alone are read once, and what they say is filled in for the others.

In: the text of a feature as JSON. Out: a `Walk`, or nothing where a part of it is no step that is known.

Known are shifts, differences, changes, exponential means, highest and lowest values, sums and means of any of these, exact windows of plain
columns, arithmetic between them, and a rank of any of these among the assets of a bar.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from rustybt.spec.exact import Rolling, rolling_of
from rustybt.spec.tree import is_column
from rustybt.sweeps.naming import Text, Told, text_of
from rustybt.sweeps.ranks import METHODS

NUMBER = re.compile(r":(-?\d[\d.eE+-]*)")
"""A number of a JSON text that has a name, and whatever looks like one within a text: that is noticed, and so is a number in a list."""
MOST = 8
"""Ways to read texts of one shape that are remembered: one for each set of numbers that is not filled in."""
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


class Walk(NamedTuple):
    """A feature that can be computed step by step.

    Attributes:
        step: what is done, from the columns up.
        reach: bars before a row that decide it, as a plan counts them; None = unbounded.
        lead: bars of each asset without a value.
        shape: the same for features that differ in numbers alone.
        kind: ``real``, or ``whole`` for ranks that are counted.
        size: nodes that were read, an ``over`` among them, equal ones each time: at least as many as there are steps.
    """

    step: Step
    reach: int | None
    lead: int
    shape: tuple[int, tuple[bool, ...]]
    kind: str
    size: int

    @property
    def exact(self) -> bool:
        """Whether it is a plain column or a window over whole ticks and nothing else: the same bits however they are computed."""
        return self.size == 1

    @property
    def across(self) -> bool:
        """Whether it looks across the assets of a bar."""
        return bool(self.step[0] == "rank")


class Whole(int):
    """A whole number of a text that remembers where it stood."""

    at: int


class Real(float):
    """A number with a point that remembers where it stood."""

    at: int


class Recipe(NamedTuple):
    """How texts are read that differ in some numbers alone.

    Attributes:
        fixed: place and digits of the numbers that are not filled in.
        read: fills the others in; None = no step that is known.
        shape: number of the shape.
        kind, size: as of a `Walk`.
    """

    fixed: tuple[tuple[int, str], ...]
    read: Read | None = None
    shape: int = -1
    kind: str = ""
    size: int = 0


class Alike(NamedTuple):
    """Texts whose gaps are filled in.

    Attributes:
        recipes: how they are read.
        first: numbers of the first of them.
        gaps: which of these are filled in, from left to right.
    """

    recipes: list[Recipe]
    first: tuple[str, ...]
    gaps: tuple[int, ...]

    def numbers(self, digits: tuple[str, ...]) -> Numbers:
        """All numbers of one of them."""
        if len(digits) == len(self.first):
            return digits
        found = list(self.first)
        for at, number in zip(self.gaps, digits, strict=True):
            found[at] = number
        return found


class Reader:
    """Reads the features of a sweep.

    Example:
        >>> import polars as pl
        >>> from rustybt.spec.tree import text
        >>> reader = Reader()
        >>> walk = reader.read(text(pl.col("high").rolling_max(3).shift(1)))
        >>> walk.step, walk.reach, walk.lead
        (('shift', 1, ('max', 3, 3, ('column', 'high'))), 3, 3)
        >>> reader.read(text(pl.col("high").rolling_max(9).shift(2))).shape == walk.shape
        True
    """

    def __init__(self) -> None:
        self.known: dict[tuple[str, ...], list[Recipe]] = {}
        self.shapes: dict[Any, int] = {}
        self.told: dict[tuple[str, ...], Alike | None] = {}

    def read(self, text: Text) -> Walk | None:
        """What a text says; None where a part of it is no step, or its numbers are none for it."""
        recipes, numbers = self._numbers(text)
        for recipe in recipes:
            if not recipe.fixed or all(numbers[at] == digits for at, digits in recipe.fixed):
                return _filled(recipe, numbers)
        found = self._recipe(text_of(text), numbers)
        if len(recipes) < MOST:
            recipes.append(found)
        return _filled(found, numbers)

    def _numbers(self, text: Text) -> tuple[list[Recipe], Numbers]:
        """How texts of this form are read, and its numbers."""
        if not isinstance(text, str):
            alike = self.told[text.pieces] if text.pieces in self.told else self._alike(text)
            if alike is not None:
                return alike.recipes, alike.numbers(text.digits)
        parts = NUMBER.split(text_of(text))
        return self.known.setdefault(tuple(parts[::2]), []), parts[1::2]

    def _alike(self, text: Told) -> Alike | None:
        """Where the numbers of texts stand whose gaps are filled in; None where one is no number that `NUMBER` finds."""
        whole, at, gaps = text.text, 0, list[int]()
        begins = {one.start(1): (place, one.end(1)) for place, one in enumerate(NUMBER.finditer(whole))}
        for piece, digits in zip(text.pieces, text.digits, strict=False):
            place, end = begins.get(at + len(piece), (-1, -1))
            at += len(piece) + len(digits)
            if end != at:
                self.told[text.pieces] = None
                return None
            gaps.append(place)
        parts = NUMBER.split(whole)
        made = self.told[text.pieces] = Alike(self.known.setdefault(tuple(parts[::2]), []), tuple(parts[1::2]), tuple(gaps))
        return made

    def _recipe(self, text: str, numbers: Numbers) -> Recipe:
        """How a text is read; one that was seen is not looked at again."""
        seen: list[str] = []

        def placed[K: (Whole, Real)](kind: type[K], digits: str) -> K:
            made = kind(digits)
            made.at = len(seen)
            seen.append(digits)
            return made

        tree = json.loads(text, parse_int=lambda digits: placed(Whole, digits), parse_float=lambda digits: placed(Real, digits))
        if seen == list(numbers):
            reading = _Reading()
            try:
                read, shape = reading.part(tree)
            except (Odd, KeyError, TypeError, ValueError, AttributeError, IndexError):  # a tree of another form
                return Recipe(())
            fixed = tuple((at, digits) for at, digits in enumerate(numbers) if at not in reading.used)
            kind = "whole" if shape[0] == "rank" and shape[1] != "Average" else "real"
            if shape != ("number",):
                return Recipe(fixed, read, self.shapes.setdefault(shape, len(self.shapes)), kind, reading.size)
        return Recipe(())


def _filled(recipe: Recipe, numbers: Numbers) -> Walk | None:
    if recipe.read is None:
        return None
    try:
        step, reach, lead, kept = recipe.read(numbers)
    except (Odd, ValueError, OverflowError):
        return None
    return Walk(step, reach, lead, (recipe.shape, kept), recipe.kind, recipe.size)


def _plus(reach: int | None, bars: int) -> int | None:
    return None if reach is None else reach + bars


class _Reading:
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
