"""Window: the terms of a plan on a market that arrives bar by bar.

In: the rows of one bar. Out: every term for exactly these rows, with the bits that `SignalPlan.evaluate` gives on all bars at once.
A value that needs earlier bars is read off a ring of its own inputs, and the common float windows and running values are carried in states,
so a bar costs the same however long the market has been running. Other terms that depend on every bar since the first keep them all
and are evaluated on them again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.errors import SpecError
from rustybt.model import Asset
from rustybt.spec.bars import Bars, Memory
from rustybt.spec.barwise import bar_program, moving_parts
from rustybt.spec.column import Block, Column, Rows
from rustybt.spec.exact import Units
from rustybt.spec.parts import BarProgram, Part
from rustybt.spec.planner import SignalPlan
from rustybt.spec.rings import History, Ring
from rustybt.spec.states import State, state_of
from rustybt.spec.tree import Node as Tree

Ints = npt.NDArray[np.int64]


class Window:
    """A plan that is fed one bar at a time.

    Args:
        plan: what to evaluate.
        assets: assets that may appear; more can be added with `admit`.
        adj_digits: further decimals of adjusted ticks.

    Example:
        >>> from rustybt.spec.planner import plan_terms
        >>> window = Window(plan_terms({"target": pl.col("close").shift(1)}), [Asset("A")])
        >>> for price in (1.0, 2.0, 3.0):
        ...     bar = window.push(pl.DataFrame({"asset": ["A"], "close": [price]}))
        >>> bar["target"].to_list()
        [2.0]
    """

    def __init__(self, plan: SignalPlan, assets: Iterable[Asset], *, adj_digits: int = 0) -> None:
        self.plan = plan
        self._memory = Memory(Units(tuple(assets), adj_digits))
        self._parts: tuple[Part, ...] = moving_parts(plan)
        self._program: BarProgram | None = None
        self._typed = False
        self._dtypes: list[pl.DataType] = []
        self._block: Block | None = None
        self._numbers: dict[str, int] = {}
        self._codes: tuple[Any, Ints] = (None, np.zeros(0, np.int64))
        self._last: tuple[Any, Ints, list[str]] | None = None
        rings, sums = self._memory.rings, dict[str, bool]()
        for part in self._parts:
            for source, width in part.rings.items():
                rings[source] = Ring(width)
            for move in part.moves:
                if move.window is not None:
                    sums[move.source] = sums.get(move.source, False) or move.window.squares
        for source, squares in sums.items():
            rings[source].sum_up(squares)

    @property
    def units(self) -> Units:
        """What ticks are worth."""
        return self._memory.units

    def admit(self, asset: Asset) -> None:
        """Let one more asset take part from its next bar on."""
        if asset.symbol not in {known.symbol for known in self.units.assets}:
            self._memory.units = Units((*self.units.assets, asset), self.units.adj_digits)
            self._memory.steps.clear()

    def push(self, rows: pl.DataFrame | Rows, due: bool = True) -> pl.DataFrame:
        """Take in one bar and give its terms.

        Args:
            rows: one row for each asset that has a bar, in asset order, with the plan's `columns`.
            due: whether the terms are wanted. When they are not, only what later bars need is computed, and no row is given.

        Returns:
            One row per row: ``row`` (UInt32, index into these rows), the signals, ``universe``, ``target``.

        Raises:
            SpecError: a column is missing, an asset appears twice, or a term fails; as `SignalPlan.evaluate`.
        """
        rows = Rows.of(rows)
        found = self.take(rows, due)
        if found is None:
            return self.plan.evaluate(rows.frame.clear(), self.units)
        index = pl.Series("row", np.arange(rows.height, dtype=np.uint32))
        return pl.DataFrame([index, *(column.series.alias(term) for term, column in found.items())])

    def take(self, rows: Rows, due: bool = True) -> dict[str, Column] | None:
        """The same as columns by term; None when no terms are wanted or the bar is empty."""
        program = self._prepared(rows)
        if not rows.height:
            return None
        slots, names = self._places(rows)
        bars = Bars(rows, slots, names, self._memory, self.plan.blame)
        with np.errstate(all="ignore"):
            for part in program.parts if due else program.idle:
                bars.take(part)
        if not due:
            return None
        found = {term: bars.column(name) for term, name in program.terms.items()}
        if "universe" in found:
            found["universe"] = _sure(found["universe"])
        if not self._typed:  # the first bar shows the types of the terms
            self.plan.typed(pl.DataFrame([column.series.alias(term) for term, column in found.items()]))
            self._typed = True
        return found

    def _prepared(self, rows: Rows) -> BarProgram:
        """The work of a bar for the dtypes of its rows."""
        block = rows.block
        if self._program is not None and block is self._block:
            return self._program
        if any(name not in block.schema for name in self.plan.columns):
            self.plan.check_columns(block.frame)
        dtypes = [block.schema[name] for name in self.plan.columns]
        self._block = block
        if self._program is None or dtypes != self._dtypes:
            self._program = bar_program(self.plan, dict(zip(self.plan.columns, dtypes, strict=True)))
            self._dtypes, self._typed = dtypes, False
        return self._program

    def _places(self, rows: Rows) -> tuple[Ints, list[str]]:
        """Number and name of each row's asset."""
        asset = rows.column("asset")
        if not isinstance(asset.dtype, pl.Enum):
            return self._named(asset.series)
        codes = asset.arrays[0]
        last = self._last
        if last is not None and self._codes[0] is asset.dtype and len(last[0]) == len(codes) and (last[0] == codes).all():
            return last[1], last[2]
        if self._codes[0] is not asset.dtype:
            same = self._codes[0] == asset.dtype
            self._codes = (asset.dtype, self._codes[1] if same else np.full(len(asset.dtype.categories), -1, np.int64))
        found: Ints = self._codes[1][codes]
        if (found < 0).any():
            for name, code in zip(asset.series.cast(pl.String), codes, strict=True):
                self._codes[1][code] = self._numbers.setdefault(name, len(self._numbers))
            found = self._codes[1][codes]
        _ordered(bool((codes[1:] > codes[:-1]).all()))
        names = [*self._numbers]
        self._last = codes, found, [names[slot] for slot in found]
        return found, self._last[2]

    def _named(self, asset: pl.Series) -> tuple[Ints, list[str]]:
        names = asset.cast(pl.String).to_list()
        _ordered(len(set(names)) == len(names))
        return np.array([self._numbers.setdefault(name, len(self._numbers)) for name in names], np.int64), names

    def save(self) -> dict[str, pl.DataFrame]:
        """What is remembered, as frames that fit Parquet and Arrow: ``assets``, ``ring <column>``, ``state <node>``, ``history <node>``."""
        names = [*self._numbers]
        found = {"assets": pl.DataFrame({"asset": pl.Series(names, dtype=pl.String)})}
        found |= {f"ring {source}": ring.frame(names) for source, ring in self._memory.rings.items()}
        for node, memory in self._memory.recalled.items():
            found |= {f"state {node}": memory.frame(names)} if isinstance(memory, State) else {f"history {node}": memory.rows}
        return found

    @classmethod
    def load(cls, plan: SignalPlan, assets: Iterable[Asset], saved: Mapping[str, pl.DataFrame], *, adj_digits: int = 0) -> Window:
        """A window that goes on where a saved one stopped.

        Args:
            plan: the same terms as those saved.
            assets: as before.
            saved: what `save` gave.
            adj_digits: as before.

        Raises:
            SpecError: the frames belong to other terms.
        """
        window = cls(plan, assets, adj_digits=adj_digits)
        recalls = {recall.item: recall for part in window._parts for recall in part.recalls}
        memories = {name: int(name.split()[1]) for name in saved if name.startswith(("state ", "history "))}
        known = set(memories.values()) in (set(recalls), set())
        if not known or set(saved) - set(memories) != {"assets", *(f"ring {source}" for source in window._memory.rings)}:
            raise SpecError(
                "the saved window belongs to other terms", where="window", do="load it with the strategy that it was saved with"
            )
        window._numbers = {name: slot for slot, name in enumerate(saved["assets"]["asset"])}
        for source, ring in window._memory.rings.items():
            for (name,), part in saved[f"ring {source}"].group_by("asset", maintain_order=True):
                for value in part["value"].to_frame().iter_slices(1):
                    ring.push(np.array([window._numbers[str(name)]]), value.to_series())
        for name, node in memories.items():
            memory: State | History = History()
            if name.startswith("state "):
                memory = cast("State", state_of(cast("Tree", recalls[node].carried)))
                memory.restore(saved[name])
            else:
                cast("History", memory).rows = saved[name].clone()
            window._memory.recalled[node] = memory
        return window


def _ordered(yes: bool) -> None:
    if not yes:
        raise SpecError("a bar has an asset twice, or its rows are not in asset order", where="bar", do="sort the rows by asset")


def _sure(universe: Column) -> Column:
    """Null is not a member."""
    if universe.dtype != pl.Boolean:
        return universe
    values, known = universe.arrays
    return universe if known is None else Column(universe.dtype, (values & known, None))
