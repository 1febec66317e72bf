"""Reading features that are steps: texts that differ in numbers alone are read once, and what they say is filled in for the others.

In: the text of a feature as JSON. Out: a `Walk`, or nothing where a part of it is no step that is known.

Known are shifts, differences, changes, exponential means, highest and lowest values, sums and means of any of these, exact windows of plain
columns, arithmetic between them, and a rank of any of these among the assets of a bar.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from rustybt.sweeps.naming import Text, Told, text_of
from rustybt.sweeps.nodes import Numbers, Odd, Read, Reading, Real, Step, Whole

NUMBER = re.compile(r":(-?\d[\d.eE+-]*)")
"""A number of a JSON text that has a name, and whatever looks like one within a text: that is noticed, and so is a number in a list."""
MOST = 8
"""Ways to read texts of one shape that are remembered: one for each set of numbers that is not filled in."""


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
            reading = Reading()
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
