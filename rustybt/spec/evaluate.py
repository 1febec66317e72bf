"""Evaluate: run the steps of a plan on a frame of bars.

In: a signal frame sorted by (asset, ts) and a `Program`. Out: one column per term. Everything is eager and in memory: the streaming
engine of Polars does not give the same bits twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.errors import SpecError
from rustybt.model.lent import room_for
from rustybt.spec.exact import Facts, Rolling, Units
from rustybt.spec.running import Roll, Running

Ints = npt.NDArray[np.int64]
MANY, PART = 2**18, 2**16
"""From how many rows on exact windows are given where they end, and the rows of a part where they are computed part by part."""
STRETCH = 2**17
"""Rows of a stretch of `rustybt.spec.stretches`: few enough that the next step finds what one wrote in a cache, so many that calls cost
little beside them."""
AS_WRITTEN = pl.QueryOptFlags.none(simplify_expression=True)
"""What Polars does to a query of an eager frame, and nothing else: the same expressions over the same columns give the same bits."""


class Layout:
    """Where each asset's rows lie in a frame sorted by (asset, ts).

    Args:
        frame: the rows.
        offsets: (assets + 1,) where those of each asset begin, and the end, where that is known.

    Attributes:
        height: rows of the frame.
        starts: first row of each asset that has rows.
        symbols: their ids.

    Raises:
        SpecError: the rows of an asset are not together.

    Example:
        >>> Layout(pl.DataFrame({"asset": ["A", "A", "B"]})).starts.tolist()
        [0, 2]
    """

    def __init__(self, frame: pl.DataFrame, offsets: Ints | None = None) -> None:
        self.height = frame.height
        self._asset = frame["asset"]
        self.starts = self._boundaries() if offsets is None else np.unique(offsets[:-1][offsets[1:] > offsets[:-1]]).astype(np.int64)

    def _boundaries(self) -> Ints:
        asset = self._asset
        if not self.height:
            return np.zeros(0, np.int64)
        codes = (asset.to_physical() if isinstance(asset.dtype, pl.Enum) else asset.rle_id()).to_numpy()
        if codes[0] == codes[-1] and codes.min() == codes.max():
            return np.zeros(1, np.int64)
        together = bool((codes[1:] >= codes[:-1]).all())
        starts: Ints = np.unique(np.searchsorted(codes, np.arange(int(codes[0]), int(codes[-1]) + 1, dtype=codes.dtype))).astype(np.int64)
        if not together or (not isinstance(asset.dtype, pl.Enum) and len(set(self._names(starts))) != len(starts)):
            raise SpecError("the rows of one asset are not together", where="signal frame", do="sort the frame by (asset, ts)")
        return starts

    def _names(self, rows: Ints) -> list[str]:
        return [str(self._asset[int(row)]) for row in rows]

    @cached_property
    def symbols(self) -> list[str]:
        """Asset ids, in the order of their rows."""
        return self._names(self.starts)

    @property
    def single(self) -> bool:
        """Whether there is at most one asset."""
        return len(self.starts) <= 1

    @cached_property
    def lengths(self) -> Ints:
        """Rows of each asset."""
        return np.diff(np.append(self.starts, self.height))

    @cached_property
    def first(self) -> Ints:
        """For each row, the first row of its asset."""
        return np.repeat(self.starts, self.lengths)

    def first_of(self, rows: Ints) -> Ints:
        """For increasing rows, the first row of the asset of each."""
        edges = np.searchsorted(rows, np.append(self.starts, self.height))
        return np.repeat(self.starts, np.diff(edges))

    @cached_property
    def position(self) -> Ints:
        """For each row, its index among the rows of its asset."""
        return np.arange(self.height) if self.single else np.arange(self.height) - self.first

    def spread(self, values: Any) -> Any:
        """One value per asset, repeated for each of its rows."""
        return np.repeat(np.asarray(values), self.lengths)


@dataclass(frozen=True)
class Step:
    """Columns computed side by side.

    Attributes:
        names: what the columns are called.
        exprs: their expressions, over columns of earlier steps.
        items: graph node of each, for messages.
    """

    names: tuple[str, ...]
    exprs: tuple[pl.Expr, ...]
    items: tuple[int, ...]


@dataclass(frozen=True)
class Exact:
    """A column of an exact window.

    Attributes:
        name: what the column is called.
        window: the window.
        facts: what the data say about it.
        scheduled: computed on the scheduled rows, else on all.
        whole: of a window whose bars are all there, at which of its rows it is given: at its ``start``; or, in long frames, at its ``end``,
            which is null before the first window of a single asset and of several anything at rows with too few bars. None = at its end,
            null where it has too few bars.
    """

    name: str
    window: Rolling
    facts: Facts
    scheduled: bool
    whole: Literal["start", "end"] | None = None


@dataclass(frozen=True)
class Program:
    """Steps for one situation (one asset or many, all rows or some).

    Attributes:
        needs: frame columns to read.
        aids: derived columns to add first: ``__pos``, ``__asset``, ``__bar``.
        exacts: columns of exact windows.
        every: steps on all rows.
        gathers: columns of the scheduled rows: (name, source, bars back), null before an asset's first bar. ``__at`` counts its bars.
        some: steps on the scheduled rows.
        final: the terms.
    """

    needs: tuple[str, ...]
    aids: tuple[str, ...]
    exacts: tuple[Exact, ...]
    every: tuple[Step, ...]
    gathers: tuple[tuple[str, str, int], ...]
    some: tuple[Step, ...]
    final: Step


@dataclass
class Run:
    """One evaluation in progress."""

    program: Program
    frame: pl.DataFrame
    layout: Layout
    units: Units
    rows: Ints | None = None
    blame: Any = None
    roll: Roll | None = None
    _running: dict[str, Running] = field(default_factory=dict)

    def result(self) -> pl.DataFrame:
        """The terms on the scheduled rows, with their ``row``."""
        program = self.program
        columns = [*(self.frame[name] for name in program.needs), *(self._aid(name) for name in program.aids), *self._exacts()]
        rows = self.rows
        index = pl.Series("row", np.arange(self.layout.height, dtype=np.uint32) if rows is None else rows.astype(np.uint32))
        if rows is None:
            return self._apply(pl.DataFrame([index, *columns]), program.every, program.final)
        data = self._gather(self._apply(pl.DataFrame(columns), program.every), rows, index)
        return self._apply(data, program.some, program.final)

    def _exacts(self) -> list[pl.Series]:
        """Columns of exact windows on all rows."""
        found = [one for one in self.program.exacts if not one.scheduled]
        ended = {} if all(one.whole != "end" for one in found) else self._ended([one for one in found if one.whole == "end"])
        return [ended[one.name] if one.name in ended else self._exact(one) for one in found]

    def _ended(self, wanted: Sequence[Exact]) -> dict[str, pl.Series]:
        """Windows at the rows where they end, of many rows: rolled each in one pass, others part by part, what they share in the cache."""
        height = self.layout.height
        made = {one.name: room_for(height, np.float64) for one in wanted}
        steps = {c: self.units.along(c, self.layout.symbols, self.layout.lengths) for c in {one.window.column for one in wanted}}
        rolled = [one for one in wanted if self.roll is not None and one.window.rolls(steps[one.window.column])]
        for group, least in ((rolled, height), ([one for one in wanted if one not in rolled], PART)):
            reach = max((one.window.size for one in group), default=0)
            size = max(least, 4 * reach)
            for start in range(0, height if group else 0, size):
                stop = min(start + size, height)
                part = {c: Running(self.frame[f"ticks_{c}"].slice(start, stop - start + reach), self.roll) for c in steps}
                for one in group:
                    column, back = one.window.column, one.window.size - 1
                    out = made[one.name][start + back : stop + back]
                    part[column].whole(one.window, steps[column].at(slice(start, None)), one.facts.wide, out)
        found = {}
        for one in wanted:
            back = one.window.size - 1
            made[one.name][:back] = 0.0
            found[one.name] = _null_until(back, made[one.name]) if self.layout.single and back else pl.Series(made[one.name])
        return {name: column.alias(name) for name, column in found.items()}

    def _apply(self, data: pl.DataFrame, steps: Sequence[Step], final: Step | None = None) -> pl.DataFrame:
        """Some steps, and with the terms of a final one nothing but these and the rows, as one query of Polars."""
        if not steps and final is None:
            return data
        query = data.lazy()
        for step in steps:
            query = query.with_columns(step.exprs)
        query = query if final is None else query.select("row", *final.exprs)
        try:
            return query.collect(engine="in-memory", optimizations=AS_WRITTEN)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
            for step in steps:  # once more, one by one: which was it?
                data = self._alone(data, step)
            return data if final is None else self._alone(data, final, select=True)

    def _alone(self, data: pl.DataFrame, step: Step, select: bool = False) -> pl.DataFrame:
        try:
            return data.select("row", *step.exprs) if select else data.with_columns(step.exprs)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            for name, expr, item in zip(step.names, step.exprs, step.items, strict=True):
                try:
                    data.select(expr)
                except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as one:
                    raise self.blame(name, item, one) from None
            raise self.blame(step.names[0], step.items[0], error) from None

    def _gather(self, data: pl.DataFrame, rows: Ints, index: pl.Series) -> pl.DataFrame:
        first = self.layout.first_of(rows)
        columns, blanks, placed = [index], [], pl.Series("__at", rows - first)
        for name, source, far in self.program.gathers:
            if name == "__at":
                continue
            back = min(far, self.layout.height)  # nothing lies before that, however far it is
            columns.append(_take(data[source], np.maximum(rows - back, first) if back else rows).alias(name))
            if back:
                blanks.append(pl.when(pl.col("__at") >= back).then(pl.col(name)).alias(name))
        columns += [self._exact(one, rows, first) for one in self.program.exacts if one.scheduled]
        return pl.DataFrame([*columns, placed]).with_columns(blanks) if blanks else pl.DataFrame([*columns, placed])

    def _exact(self, one: Exact, rows: Ints | None = None, first: Ints | None = None) -> pl.Series:
        column, layout = one.window.column, self.layout
        if column not in self._running:
            self._running[column] = Running(self.frame[f"ticks_{column}"])
        step = self.units.along(column, layout.symbols, layout.lengths)
        if one.whole == "start":
            return pl.Series(one.name, self._running[column].whole(one.window, step, one.facts.wide))
        rows = np.arange(layout.height) if rows is None else rows
        values, enough = self._running[column].ending(
            one.window, rows, layout.first_of(rows) if first is None else first, step.at(rows), one.facts
        )
        if enough.all():
            return pl.Series(one.name, values)
        return pl.DataFrame({"x": values, "e": enough}).select(pl.when("e").then("x").alias(one.name)).to_series()

    def _aid(self, name: str) -> pl.Series:
        layout = self.layout
        if name == "__pos":
            return pl.Series(name, layout.position)
        if name == "__asset":
            return pl.Series(name, layout.spread(np.arange(len(layout.starts), dtype=np.uint32))).set_sorted()
        return pl.Series("__bar", self.frame["ts"].to_physical().to_numpy())


def _null_until(first: int, values: npt.NDArray[np.float64]) -> pl.Series:
    """A column without a copy of the values, null before some row."""
    import pyarrow as pa

    there = np.full(-(-len(values) // 8), 0xFF, dtype=np.uint8)
    blank = min(first, len(values))
    there[: blank // 8] = 0
    if blank % 8:
        there[blank // 8] = 0xFF << blank % 8 & 0xFF
    column = pa.Array.from_buffers(pa.float64(), len(values), [pa.py_buffer(there), pa.py_buffer(values)], blank)
    return cast("pl.Series", pl.from_arrow(column))


def _take(values: pl.Series, at: Ints) -> pl.Series:
    if values.dtype.is_numeric() and values.dtype != pl.Int128 and not values.dtype.is_decimal() and not values.null_count():
        return pl.Series(values.to_numpy()[at])
    return values.gather(at)


def doubled(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows of a frame twice.

    Polars divides a column by a constant through its reciprocal, but takes a column of one row for a constant and divides outright. So
    nothing is ever evaluated on one row. (Columns are joined one by one: two equal frames of one row would make constants again.)
    """
    return pl.DataFrame([pl.concat([column, column]) for column in frame])
