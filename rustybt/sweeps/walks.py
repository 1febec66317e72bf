"""Features that are plain steps along the bars of an asset or ranks among those of a bar, many at once, without a plan for each.

In: the text of a feature. Out: its values, bit for bit those of `rustybt.spec.planner`, or nothing where a step is of another kind or the
data are out of the ordinary (nulls, infinite values, zeros whose sign would count).

`rustybt.sweeps.reading` says what is known. What several features have in common is computed once. Every value of a step is known from a
bar on that depends on the position alone, so a step is an array and the number of bars without a value.

Polars is the judge: the first feature of a shape (a tree without its numbers) is evaluated by the planner as well, and a shape whose bits
differ stays with the planner. So another version of Polars, with another order of additions, costs time and no result.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.model import Panel
from rustybt.model.panel import Ints
from rustybt.spec.exact import NARROW
from rustybt.spec.running import Running
from rustybt.spec.windows import Windows
from rustybt.sweeps.naming import Text
from rustybt.sweeps.nodes import LAGS, ROLLED, Odd, Step
from rustybt.sweeps.ranks import METHODS
from rustybt.sweeps.reading import Reader, Walk
from rustybt.sweeps.steps import OPS, compute_steps, put_steps

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


TURNED = {"+": "+n", "*": "*n", "-": "n-", "/": "n/"}
"""Operations with a number on the left."""
MOST = 2**21
"""Bytes of steps that are remembered, and at least `FEWEST` of them."""
FEWEST = 4
NONE, NOWHERE = (0.0, 0.0), np.zeros(0, dtype=np.int64)
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
        >>> walk = walks.read(text(pl.col("high").rolling_max(3).shift(1)))
        >>> values, known = walks.values(walk)
        >>> walk.reach, bool(values[3] == panel.frame["high"][:3].max()), known[:4].tolist()
        (3, True, [False, False, False, True])
    """

    def __init__(self, panel: Panel, mask: npt.NDArray[np.bool_] | None, order: Ints | None = None) -> None:
        self.panel, self.frame, self.windows = panel, panel.frame, Windows(panel, mask)
        rows = np.arange(self.frame.height) if mask is None else np.flatnonzero(mask)
        self.source: Ints = np.ascontiguousarray(rows if order is None else rows[order], dtype=np.int64)
        self.reader = Reader()
        self.places: OrderedDict[Step, tuple[int, int]] = OrderedDict()
        self.held, self.good = np.empty((0, self.frame.height)), np.zeros(0, dtype=np.uint8)
        self.columns: dict[str, Ticks] = {}
        shape = 0, 2, len(self.windows.layout.starts)
        self.totals = np.zeros((0, self.frame.height + 1), dtype=np.int64), np.zeros(shape, dtype=np.int64), np.zeros(shape)

    def read(self, text: Text) -> Walk | None:
        """What a feature does; None where a part of it is no step."""
        return self.reader.read(text)

    def values(self, walk: Walk) -> Found | None:
        """The values on the wanted rows, 0 where there are none; None where the data do not allow it."""
        shape = 1, len(self.source)
        store = np.empty(shape), np.empty(shape, dtype=np.uint8), np.zeros(1, dtype=np.int64)
        if not all(self.put([walk], store, 0)):
            return None
        return store[0][0], None if store[2][0] == 0 else store[1][0] != 0

    def put(self, walks: Sequence[Walk], store: Store, first: int) -> list[bool]:
        """Compute features, and put those for which the data allow it where they are kept, one after the other.

        Args:
            walks: features.
            store: where they go.
            first: place of the first.

        Returns:
            Of each whether it is there.
        """
        done: list[bool] = []
        while len(done) < len(walks):
            program, ends = _Program(self), list[tuple[int, int]]()
            for walk in walks[len(done) :]:
                place = program.end(walk)
                if place is None:  # no more room: what is there is computed first
                    break
                ends.append((place, walk.lead))
            program.run()
            found = [place >= 0 and bool(self.good[place]) for place, _ in ends]
            which = np.array([end for end, good in zip(ends, found, strict=True) if good], dtype=np.int64).reshape(-1, 2)
            put_steps(which, self.held, (self.source, self.known), store, first)
            first += len(which)
            done += found
        return done

    def room(self, steps: int) -> None:
        """See that there are places for so many steps; what was computed is forgotten where there have to be more."""
        if steps > len(self.held):
            most = max(steps, FEWEST, MOST // (8 * max(1, self.frame.height)))
            self.held, self.good = np.empty((most, self.frame.height)), np.zeros(most, dtype=np.uint8)
            self.places.clear()

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

    def total(self, step: Step) -> int:
        """The place of the running totals of a window's column.

        Raises:
            Odd: the window cannot be computed with them in 64 bits.
        """
        _, column, function, size, least, ddof = step
        ticks = self.columns.get(column) or self._add(column)
        if size > (ticks.plain if function in ("Sum", "Mean") else ticks.square if ddof < least else 0):
            raise Odd
        return ticks.place

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


class _Program:
    """Steps that are computed in one pass.

    Args:
        walks: whose places they take.
    """

    def __init__(self, walks: Walks) -> None:
        self.walks, self.pinned = walks, set[int]()
        self.code: list[tuple[int, ...]] = []
        self.numbers: list[tuple[float, float]] = []

    def end(self, walk: Walk) -> int | None:
        """The place of a feature; -1 where it cannot be computed, None where there is no room."""
        if len(self.pinned) + walk.size > len(self.walks.held):
            if self.pinned:
                return None
            self.walks.room(walk.size)
        try:
            return self._place(walk.step)[0]
        except Odd:
            return -1

    def run(self) -> None:
        """Compute them."""
        if self.code:
            walks, layout = self.walks, self.walks.windows.layout
            ranked = any(one[0] == OPS["rank"] for one in self.code)
            rows = layout.starts, layout.lengths, *(walks.bars if ranked else (NOWHERE, NOWHERE, NOWHERE))
            program = np.array(self.code, dtype=np.int64), np.array(self.numbers, dtype=np.float64)
            compute_steps(program, (walks.held, walks.good), walks.totals, rows, walks.scratch)

    def _place(self, step: Step) -> tuple[int, int]:
        """Where the values of a step are or will be, and how many bars of each asset have none.

        Raises:
            Odd: it cannot be computed.
        """
        places = self.walks.places
        known = places.get(step)
        if known is not None:
            places.move_to_end(step)
            self.pinned.add(known[0])
            return known
        name = step[0]
        if name in OPTIONS:
            (below, before), (back, two, numbers) = self._place(step[-1]), OPTIONS[name](step)
            found = self._free(step, before + back)
            self.code.append((OPS[name], found[0], below, -1, before + back, *two))
            self.numbers.append(numbers)
            return found
        if name == "column":
            values = self.walks.column(step[1])
            found = self._free(step, 0)
            self.walks.held[found[0]], self.walks.good[found[0]] = values, 1
            return found
        two = 0, 0
        if name == "window":
            lead, numbers = step[4] - 1, NONE
            op, inputs, two = f"w{step[2]}", (self.walks.total(step), -1), (step[3], step[5])
        else:
            op, inputs, lead, numbers = self._arithmetic(step)
        found = self._free(step, lead)
        self.code.append((OPS[op], found[0], *inputs, lead, *two))
        self.numbers.append(numbers)
        return found

    def _arithmetic(self, step: Step) -> tuple[str, tuple[int, int], int, tuple[float, float]]:
        name, left, right = step
        if right[0] == "number":
            number: float = right[1]
            if name == "/":  # as Polars does it: through the reciprocal
                if number == 0.0:
                    raise Odd
                name, number = "*", 1.0 / number
            below, lead = self._place(left)
            return f"{name}n", (below, -1), lead, (number, 0.0)
        if left[0] == "number":
            below, lead = self._place(right)
            return TURNED[name], (below, -1), lead, (left[1], 0.0)
        (one, before), (other, after) = self._place(left), self._place(right)
        return name, (one, other), max(before, after), NONE

    def _free(self, step: Step, lead: int) -> tuple[int, int]:
        """A place for a step: one that was never used, or that of the step whose use is longest ago."""
        places = self.walks.places
        place = len(places)
        if place == len(self.walks.held):
            place = places.popitem(last=False)[1][0]  # what is used here was put behind all others
        found = places[step] = place, lead
        self.pinned.add(place)
        return found


type Options = tuple[int, tuple[int, int], tuple[float, float]]
"""The numbers of a step: how many more bars have no value, two whole ones, two others.

The second whole one says how many bars before its first value a window begins.
"""


def _average(step: Step) -> Options:
    back = step[3] - 1
    return back, (int(step[2]), back), (step[1], 0.0)


def _rolled(step: Step) -> Options:
    back = step[2] - 1
    return back, (step[1], back), NONE


def _clipped(step: Step) -> Options:
    low, high = step[1], step[2]
    return 0, (0, 0), (-np.inf if low is None else low, np.inf if high is None else high)


OPTIONS: dict[str, Callable[[Step], Options]] = {
    **dict.fromkeys(LAGS.values(), lambda step: (step[1], (step[1], 0), NONE)),
    **dict.fromkeys(ROLLED.values(), _rolled),
    **dict.fromkeys(("negate", "abs"), lambda _: (0, (0, 0), NONE)),
    "ewm": _average,
    "clip": _clipped,
    "rank": lambda step: (0, (METHODS[step[1]], 0), (-1.0 if step[2] else 1.0, 0.0)),
}
"""Of steps that read one other."""
