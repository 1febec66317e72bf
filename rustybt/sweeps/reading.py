"""Reading features that are steps: texts that differ in numbers alone are read once, and have a template in common.

In: the text of a feature as JSON, or many that differ in numbers alone. Out: a `Recipe` and their numbers.

Known are shifts, differences, changes, exponential means, exact windows of plain columns, and of any of these highest and lowest values,
sums, means, variances, quantiles and ranks within a window; arithmetic between them, the largest and the smallest of several, logarithms,
powers of e, roots and squares; comparisons, choices by them, and how often they are true; and a rank among the assets of a bar.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rustybt.sweeps.naming import Texts
from rustybt.sweeps.nodes import Line, Odd, Reading, Real, Whole

NUMBER = re.compile(r":(-?\d[\d.eE+-]*)")
"""A number of a JSON text that has a name, and whatever looks like one within a text: that is noticed, and so is a number in a list."""
MOST = 8
"""Ways to read texts of one shape that are remembered: one for each set of numbers that is not filled in."""


class Recipe(NamedTuple):
    """How texts are read that differ in some numbers alone.

    Attributes:
        fixed: place and digits of the numbers that are not filled in.
        lines: what is done, from the columns up; none = no step that is known.
        shape: number of the shape.
        kind: ``real``, or ``whole`` for ranks that are counted.
        size: nodes that were read, an ``over`` among them, equal ones each time.
        number: of the recipe.
    """

    fixed: tuple[tuple[int, str], ...]
    lines: tuple[Line, ...] = ()
    shape: int = -1
    kind: str = ""
    size: int = 0
    number: int = -1

    @property
    def exact(self) -> bool:
        """Whether it is a plain column or a window over whole ticks and nothing else: the same bits however they are computed."""
        return self.size == 1

    @property
    def across(self) -> bool:
        """Whether it looks across the assets of a bar."""
        return self.lines[-1].op == "rank"


class Alike(NamedTuple):
    """Features that are computed by one recipe.

    Attributes:
        recipe: theirs.
        given: (features, numbers) Float64 all numbers of their texts.
    """

    recipe: Recipe
    given: npt.NDArray[np.float64]

    def some(self, rows: Any) -> Alike:
        """Some of them."""
        return Alike(self.recipe, np.ascontiguousarray(self.given[rows]))


class Reader:
    """Reads the features of a sweep.

    Example:
        >>> import polars as pl
        >>> from rustybt.spec.tree import text
        >>> reader = Reader()
        >>> recipe, numbers = reader.read(text(pl.col("high").rolling_max(3).shift(1)))
        >>> [line.op for line in recipe.lines], numbers
        (['column', 'max', 'shift'], ['3', '3', '1'])
        >>> reader.read(text(pl.col("high").rolling_max(9).shift(2)))[0] is recipe
        True
    """

    def __init__(self) -> None:
        self.known: dict[tuple[str, ...], list[Recipe]] = {}
        self.shapes: dict[Any, int] = {}
        self.recipes = 0
        self.told: dict[Any, tuple[Recipe, Sequence[float], Sequence[int]] | None] = {}

    def read(self, text: str) -> tuple[Recipe, Sequence[str]]:
        """How a text is read, and its numbers."""
        parts = NUMBER.split(text)
        recipes, numbers = self.known.setdefault(tuple(parts[::2]), []), parts[1::2]
        for recipe in recipes:
            if not recipe.fixed or all(numbers[at] == digits for at, digits in recipe.fixed):
                return recipe, numbers
        found = self._recipe(text, numbers)
        if len(recipes) < MOST:
            recipes.append(found)
        return found, numbers

    def alike(self, texts: Texts) -> Alike | None:
        """How texts that differ in numbers alone are read; None where each has to be read for itself."""
        key = texts.key
        if key not in self.told:
            self.told[key] = self._told(texts)
        told = self.told[key]
        if told is None:
            return None
        recipe, first, gaps = told
        given = np.empty((len(texts), len(first)))
        if recipe.lines:
            given[:] = first
            given[:, gaps] = texts.numbers
        return Alike(recipe, given)

    def _told(self, texts: Texts) -> tuple[Recipe, Sequence[float], Sequence[int]] | None:
        """The recipe of the first of them, its numbers, and which of these differ; None where others have another."""
        pieces, digits = texts.pieces, texts.digits(0)
        whole, at, gaps = texts.text(0), 0, list[int]()
        begins = {one.start(1): (place, one.end(1)) for place, one in enumerate(NUMBER.finditer(whole))}
        for piece, number in zip(pieces, digits, strict=False):
            place, end = begins.get(at + len(piece), (-1, -1))
            at += len(piece) + len(number)
            if end != at:
                return None
            gaps.append(place)
        recipe, numbers = self.read(whole)
        if any(place in gaps for place, _ in recipe.fixed):
            return None
        return (recipe, [float(number) for number in numbers], gaps) if recipe.lines else (recipe, [], [])

    def _recipe(self, text: str, numbers: Sequence[str]) -> Recipe:
        """How a text is read; one that was seen is not looked at again."""
        seen: list[str] = []

        def placed[K: (Whole, Real)](kind: type[K], digits: str) -> K:
            made = kind(digits)
            made.at = len(seen)
            seen.append(digits)
            return made

        tree = json.loads(text, parse_int=lambda digits: placed(Whole, digits), parse_float=lambda digits: placed(Real, digits))
        if seen == list(numbers):
            reading = Reading()
            try:
                node = reading.node(tree)
            except (Odd, KeyError, TypeError, ValueError, AttributeError, IndexError):  # a tree of another form
                return Recipe(())
            fixed = tuple((at, digits) for at, digits in enumerate(numbers) if at not in reading.used)
            kind = "whole" if node.kind in ("count", "whole") or (node.kind == "rank" and node.shape[1] != "Average") else "real"
            kind = "truth" if node.kind == "truth" else kind
            if not node.plain:
                shape = self.shapes.setdefault(node.shape, len(self.shapes))
                self.recipes += 1
                return Recipe(fixed, tuple(reading.lines), shape, kind, reading.size, self.recipes)
        return Recipe(())
