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
from rustybt.spec.barwise import Bars, Part, bar_program
from rustybt.spec.exact import Units
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
        self.units = Units(tuple(assets), adj_digits)
        self._slots: dict[str, int] = {}
        self._codes: tuple[Any, Ints] = (None, np.zeros(0, np.int64))
        self._parts: tuple[Part, ...] = bar_program(plan)
        self._rings: dict[str, Ring] = {}
        self._memories: dict[int, State | History] = {}
        for part in self._parts:
            for source, width in part.rings.items():
                self._rings.setdefault(source, Ring(1))
                self._rings[source] = Ring(max(width, self._rings[source].width))

    def admit(self, asset: Asset) -> None:
        """Let one more asset take part from its next bar on."""
        if asset.symbol not in {known.symbol for known in self.units.assets}:
            self.units = Units((*self.units.assets, asset), self.units.adj_digits)

    def push(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Take in one bar and give its terms.

        Args:
            rows: one row for each asset that has a bar, in asset order, with the plan's `columns`.

        Returns:
            One row per row: ``row`` (UInt32, index into these rows), the signals, ``universe``, ``target``.

        Raises:
            SpecError: a column is missing, an asset appears twice, or a term fails; as `SignalPlan.evaluate`.
        """
        self.plan.check_columns(rows)
        slots = self._places(rows["asset"])
        names = [*self._slots]
        bars = Bars(rows, slots, [names[s] for s in slots], self.units, self._rings, self._memories, self.plan.columns)
        for part in self._parts:
            bars.take(part, self.plan.blame)
        return self.plan.typed(bars.result(self.plan))

    def _places(self, asset: pl.Series) -> Ints:
        if isinstance(asset.dtype, pl.Enum):
            if self._codes[0] != asset.dtype:
                self._codes = (asset.dtype, np.full(len(asset.dtype.categories), -1, np.int64))
            codes = asset.to_physical().to_numpy()
            found: Ints = self._codes[1][codes]
            if (found < 0).any():
                for name, code in zip(asset.cast(pl.String), codes, strict=True):
                    self._codes[1][code] = self._slots.setdefault(name, len(self._slots))
                found = self._codes[1][codes]
            ordered = bool((codes[1:] > codes[:-1]).all())
        else:
            names = asset.cast(pl.String).to_list()
            found = np.array([self._slots.setdefault(name, len(self._slots)) for name in names], np.int64)
            ordered = len(set(names)) == len(names)
        if not ordered:
            raise SpecError("a bar has an asset twice, or its rows are not in asset order", where="bar", do="sort the rows by asset")
        return found

    def save(self) -> dict[str, pl.DataFrame]:
        """What is remembered, as frames that fit Parquet and Arrow: ``assets``, ``ring <column>``, ``state <node>``, ``history <node>``."""
        names = [*self._slots]
        found = {"assets": pl.DataFrame({"asset": pl.Series(names, dtype=pl.String)})}
        found |= {f"ring {source}": ring.frame(names) for source, ring in self._rings.items()}
        for node, memory in self._memories.items():
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
        if not known or set(saved) - set(memories) != {"assets", *(f"ring {source}" for source in window._rings)}:
            raise SpecError(
                "the saved window belongs to other terms", where="window", do="load it with the strategy that it was saved with"
            )
        window._slots = {name: slot for slot, name in enumerate(saved["assets"]["asset"])}
        for source, ring in window._rings.items():
            for (name,), part in saved[f"ring {source}"].group_by("asset", maintain_order=True):
                for value in part["value"].to_frame().iter_slices(1):
                    ring.push(np.array([window._slots[str(name)]]), value.to_series())
        for name, node in memories.items():
            memory: State | History = History()
            if name.startswith("state "):
                memory = cast("State", state_of(cast("Tree", recalls[node].carried)))
                memory.restore(saved[name])
            else:
                cast("History", memory).rows = saved[name].clone()
            window._memories[node] = memory
        return window
