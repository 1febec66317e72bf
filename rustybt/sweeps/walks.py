"""Features that are plain steps along the bars of an asset or ranks among those of a bar, many at once, without a plan for each.

In: the texts of features. Out: their values, bit for bit those of `rustybt.spec.planner`, or nothing where a step is of another kind or the
data are out of the ordinary (nulls, infinite values, zeros whose sign would count).

`rustybt.sweeps.reading` says what is known, `rustybt.sweeps.alike` computes it. Every value of a step is known from a bar on that depends
on the position alone, so a step is an array and the number of bars without a value.

Polars is the judge: the first feature of a shape (a tree without its numbers) is evaluated by the planner as well, and a shape whose bits
differ stays with the planner. So another version of Polars, with another order of additions, costs time and no result.
"""

from __future__ import annotations

from functools import cache, cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.model import Panel
from rustybt.model.panel import Ints
from rustybt.spec.exact import NARROW
from rustybt.spec.running import Running
from rustybt.spec.windows import Windows
from rustybt.sweeps.alike import BIT, CLOCK, COLUMN, COUNT, DOES, KEPT, LEFT, NAMED, ODD, USED, compute_alike, size_alike
from rustybt.sweeps.nodes import Line, Odd
from rustybt.sweeps.reading import Alike, Reader, Recipe
from rustybt.sweeps.steps import OPS

Floats = npt.NDArray[np.float64]
type Found = tuple[Floats, npt.NDArray[np.bool_] | None]
"""Values, and which of them there are; None = all."""
type Store = tuple[Floats, npt.NDArray[np.uint8], Ints]
"""(features, rows) values, (features, rows) which of them there are, and (features,) the row from which on there is one."""


class Ticks(NamedTuple):
    """What windows over a column are computed with.

    Attributes:
        place: of its running totals.
        plain: bars of the longest window whose sum or mean is computed here.
        square: bars of the longest window whose variance or deviation is; 0 = of none.
    """

    place: int = -1
    plain: int = 0
    square: int = 0


MOST = 2**21
"""Bytes of steps that are remembered, and at least `FEWEST` of them."""
FEWEST = 4
CURVES = ("log", "log1p", "exp")
PROBED = 2**13
"""Numbers of which each of them is asked before it is a step; see `agree`."""
NOWHERE = np.zeros(0, dtype=np.int64)
PLAIN = 2**53
"""Parts of the price of a tick are below it where windows are computed here."""


class Walks:
    """The features of a panel that are steps.

    Args:
        panel: bars.
        mask: (rows,) which rows are wanted; None = all.
        order: (wanted,) the order in which they are kept; None = as they are.

    Example:
        >>> import polars as pl
        >>> import rustybt as rbt
        >>> from rustybt.spec.tree import text
        >>> panel = rbt.load("demo")
        >>> walks = Walks(panel, None)
        >>> recipe, numbers = walks.reader.read(text(pl.col("high").rolling_max(3).shift(1)))
        >>> values, known = walks.values(Alike(recipe, np.array([numbers], dtype=np.float64)))
        >>> bool(values[3] == panel.frame["high"][:3].max()), known[:4].tolist()
        (True, [False, False, False, True])
    """

    def __init__(self, panel: Panel, mask: npt.NDArray[np.bool_] | None, order: Ints | None = None) -> None:
        self.panel, self.frame, self.windows = panel, panel.frame, Windows(panel, mask)
        rows = np.arange(self.frame.height) if mask is None else np.flatnonzero(mask)
        self.source: Ints = np.ascontiguousarray(rows if order is None else rows[order], dtype=np.int64)
        self.reader = Reader()
        self.memory = memory_of(0)
        self.held, self.good = np.empty((0, self.frame.height)), np.zeros(0, dtype=np.uint8)
        self.placed: dict[str, tuple[int, int]] = {}
        self.program = np.empty((0, 7), dtype=np.int64), np.empty((0, 2))
        self.columns: dict[str, Ticks] = {}
        self.templates: dict[int, Ints] = {}
        shape = 0, 2, len(self.windows.layout.starts)
        self.totals = np.zeros((0, self.frame.height + 1), dtype=np.int64), np.zeros(shape, dtype=np.int64), np.zeros(shape)

    def sizes(self, alike: Alike) -> tuple[Ints, bool]:
        """What is known of features before they are computed; see `size_alike`."""
        template, found = self.bound(alike.recipe), np.empty((len(alike.given), 3), dtype=np.int64)
        same = size_alike((template, alike.given), np.empty((2, len(template)), dtype=np.int64), found)
        if any(line.op in CURVES for line in alike.recipe.lines) and not agree():
            found[:, KEPT] = ODD
        return found, bool(same)

    def values(self, alike: Alike) -> Found | None:
        """The values of a feature on the wanted rows, 0 where there are none; None where the data do not allow it."""
        shape = 1, len(self.source)
        store = np.empty(shape), np.empty(shape, dtype=np.uint8), np.zeros(1, dtype=np.int64)
        if self.put(alike, store, 0) is not None:
            return None
        return store[0][0], None if store[2][0] == 0 else store[1][0] != 0

    def put(self, alike: Alike, store: Store, first: int) -> npt.NDArray[np.bool_] | None:
        """Compute features, and put those for which the data allow it where they are kept, one after the other.

        Args:
            alike: features.
            store: where they go.
            first: place of the first.

        Returns:
            Of each whether it is there; None = all.
        """
        template, count = self.bound(alike.recipe), len(alike.given)
        self.room(len(template))
        try:
            for at, line in enumerate(alike.recipe.lines):
                if line.op == "column":
                    template[at, LEFT] = self._column(line.column)
        except Odd:
            return np.zeros(count, dtype=bool)
        ranked, layout, done = alike.recipe.across, self.windows.layout, np.empty(count, dtype=np.uint8)
        along = layout.starts, layout.lengths, *(self.bars if ranked else (NOWHERE, NOWHERE, NOWHERE))
        work = np.empty(len(template) + 1, dtype=np.int64), np.empty(8, dtype=np.int64), np.empty(count, dtype=np.int64)
        there = compute_alike(
            (template, alike.given), self.memory, (self.held, self.good), self.totals, (along, (self.source, self.known)),
            (self.scratch, self.program, *work), (*store, first), done,
        )  # fmt: skip
        return None if there == count else done != 0

    def room(self, steps: int) -> None:
        """See that there are places for so many steps; what was computed is forgotten where there have to be more."""
        if steps > len(self.held):
            most = max(steps, FEWEST, MOST // (8 * max(1, self.frame.height)))
            self.held, self.good = np.empty((most, self.frame.height)), np.zeros(most, dtype=np.uint8)
            self.memory, self.program = memory_of(most), (np.empty((most, 7), dtype=np.int64), np.empty((most, 2)))
            self.placed.clear()

    def bound(self, recipe: Recipe) -> Ints:
        """A recipe as a template."""
        template = self.templates.get(recipe.number)
        if template is None:
            template = self.templates[recipe.number] = np.array([self._bound(line) for line in recipe.lines], dtype=np.int64)
            if recipe.exact:  # it needs no judge, whether or not a window needs all of its values
                template[:, BIT] = -1
        return template

    def _bound(self, line: Line) -> tuple[int, ...]:
        if line.op == "column":
            return COLUMN, -1, -1, -1, -1, -1, 0, 0, -1
        left, longest = line.left, line.sign
        if line.column:
            ticks = self.columns.get(line.column) or self._add(line.column)
            left, longest = ticks.place, ticks.square if line.fixed else ticks.plain
        return OPS[line.op], left, line.right, *line.numbers, line.fixed, longest, line.window

    def _column(self, name: str) -> int:
        """The place of a column.

        Raises:
            Odd: see `column`.
        """
        keys, ticking = self.memory[0], self.memory[4]
        place, number = self.placed.get(name, (-1, -1))
        if place < 0 or keys[place, NAMED] != number:
            values = self.column(name)
            place, number = int(np.argmin(keys[:-1, USED])), int(ticking[COUNT]) + 1
            self.held[place], self.good[place] = values, 1
            keys[place] = 0
            keys[place, NAMED], ticking[COUNT], self.placed[name] = number, number, (place, number)
            keys[place, DOES] = COLUMN
        ticking[CLOCK] += 1
        keys[place, USED] = ticking[CLOCK]
        return place

    def column(self, name: str) -> Floats:
        """A column as it is.

        Raises:
            Odd: it is not there, of another type, has nulls or a value that is not finite.
        """
        column = self.frame[name] if name in self.frame.columns else None
        if column is None or column.dtype != pl.Float64 or column.null_count():
            raise Odd
        values = column.to_numpy()
        if not np.isfinite(values).all():
            raise Odd
        return values

    def _add(self, column: str) -> Ticks:
        """Running totals of a further column."""
        windows, layout = self.windows, self.windows.layout
        made = Ticks()
        if f"ticks_{column}" in self.frame.columns and self.frame.height > 1:
            step = windows.units.along(column, layout.symbols, np.ones(len(layout.symbols), dtype=np.int64))
            num, den = (np.broadcast_to(part, len(layout.symbols)).tolist() for part in (step.num, step.den))
            nulls, spread = windows.spread(column)
            if not nulls and max(*num, *den) < PLAIN:
                running = windows.running.setdefault(column, Running(self.frame[f"ticks_{column}"]))
                totals, units, squares = self.totals
                further = np.array([num, den], dtype=np.int64)[None]
                made = Ticks(len(units), PLAIN // max(den), NARROW // max(1, spread))
                if any(int(float(part) ** 2) != part**2 for part in (*num, *den)):
                    made = made._replace(square=0)
                self.totals = (
                    np.vstack([totals, running.total[None], running.squares[None]]),
                    np.concatenate([units, further]),
                    np.concatenate([squares, further.astype(np.float64) ** 2]),
                )
        self.columns[column] = made
        return made

    @cached_property
    def known(self) -> Ints:
        """(wanted,) the place of each wanted row among those of its asset."""
        return self.windows.layout.position[self.source]

    @cached_property
    def bars(self) -> tuple[Ints, Ints, Ints]:
        """Wanted rows by bar, the place of each among those of its asset, and where those of each bar begin."""
        bar = np.asarray(self.panel.row_bar)[self.source]
        turned = np.argsort(bar, kind="stable")
        order, bar = self.source[turned], bar[turned]
        edges = np.flatnonzero(np.concatenate(([True], bar[1:] != bar[:-1], [True]))) if len(bar) else np.zeros(1)
        return order, self.windows.layout.position[order], edges.astype(np.int64)

    @cached_property
    def scratch(self) -> tuple[Floats, Ints]:
        """Room to work in."""
        return np.empty(2 * self.frame.height + 2), np.empty((2, 2 * self.frame.height + 2), dtype=np.int64)


@cache
def agree() -> bool:
    """Whether compiled logarithms and powers have the bits of Polars: asked once, of more numbers than a feature has rows.

    Both call the C library, and so have the same bits. A numba that takes another one (SVML) or a Polars with its own differ in one number
    of hundreds, which the first feature of a shape need not show where it is short.
    """
    places = np.arange(PROBED)
    spread = np.ldexp(np.random.default_rng(1).random(PROBED) + 1.0, places % 60 - 30)
    for op, told, values in (
        ("log", pl.col("x").log(), spread),
        ("log1p", pl.col("x").log1p(), spread - 0.9),
        ("exp", pl.col("x").exp(), np.log(spread) * 30),
    ):
        template = np.array([[COLUMN, 0, -1, -1, -1, -1, 0, 0, -1], [OPS[op], 0, -1, 0, -1, -1, 0, 1, -1]])
        held, store = (
            np.stack([values, values]),
            (np.zeros((1, PROBED)), np.zeros((1, PROBED), dtype=np.uint8), np.zeros(1, dtype=np.int64)),
        )
        memory, none = memory_of(2), (np.zeros((0, 2, 1), dtype=np.int64), np.zeros((0, 2, 1)))
        memory[0][0, DOES] = COLUMN
        along = np.zeros(1, dtype=np.int64), np.full(1, PROBED), NOWHERE, NOWHERE, NOWHERE
        room = np.empty(2 * PROBED + 2), np.empty((2, 2 * PROBED + 2), dtype=np.int64)
        work = (np.empty((2, 7), dtype=np.int64), np.empty((2, 2))), np.empty(3, dtype=np.int64), np.empty(8, dtype=np.int64)
        compute_alike(
            (template, np.array([[np.e]])), memory, (held, np.ones(2, dtype=np.uint8)), (np.zeros((0, PROBED + 1), dtype=np.int64), *none),
            (along, (places, places)), (room, *work, np.empty(1, dtype=np.int64)), (*store, 0), np.empty(1, dtype=np.uint8),
        )  # fmt: skip
        if pl.DataFrame({"x": values}).select(told).to_series().to_numpy().tobytes() != store[0][0].tobytes():
            return False
    return True


type Memory = tuple[Ints, Floats, Ints, Ints, Ints]
"""What is remembered of steps; see `rustybt.sweeps.alike.compute_alike`."""


def memory_of(places: int) -> Memory:
    """So many places, none of them used."""
    keys, numbers = np.zeros((places + 1, 8), dtype=np.int64), np.zeros((places + 1, 2))
    keys[:, DOES] = COLUMN - 1
    index = np.full(1 << max(6, (4 * places).bit_length()), -1, dtype=np.int64)
    return keys, numbers, numbers.view(np.int64), index, np.zeros(4, dtype=np.int64)
