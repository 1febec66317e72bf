"""Plan: from the terms of a strategy to steps that a frame can run.

In: a `Strategy`. Out: a `SignalPlan`, which evaluates every term on a signal frame, sharing what terms have in common, computing exact
windows on whole ticks, and computing cross-sections on scheduled rows alone.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.errors import SpecError
from rustybt.model import Asset, Panel
from rustybt.spec import evaluate
from rustybt.spec import tree as trees
from rustybt.spec.compile import Compiler, Situation, flat_reach
from rustybt.spec.evaluate import Layout, Program, Run, doubled
from rustybt.spec.exact import Facts, Rolling, Units, compared, fits, rolling_of, tie_warning
from rustybt.spec.lower import COLUMN, CROSS, GROUP, TIME, Graph, lower
from rustybt.spec.running import Roll
from rustybt.spec.symbols import named_assets, wanted_assets


class HasTerms(Protocol):
    """What can be planned: terms by name, in order."""

    def terms(self) -> dict[str, pl.Expr]:
        """Expressions by term name."""


def plan(strategy: HasTerms) -> SignalPlan:
    """The plan of a strategy; equal terms give the same plan object.

    Raises:
        SpecError: a term cannot be planned; the message names it.

    Example:
        >>> from rustybt.spec import Strategy, weight
        >>> plan(Strategy(target=weight(pl.col("close").rolling_mean(20).shift(1)))).lookback
        20
    """
    return plan_terms(strategy.terms())


def plan_terms(terms: Mapping[str, pl.Expr]) -> SignalPlan:
    """The plan of named expressions. ``universe`` masks the cross-sections of the others.

    Example:
        >>> plan_terms({"target": pl.col("close").rolling_mean(20).shift(1)}).lookback
        20
    """
    return _planned(tuple((name, trees.text(expr)) for name, expr in terms.items()))


@lru_cache(maxsize=512)
def _planned(terms: tuple[tuple[str, str], ...]) -> SignalPlan:
    import json

    return SignalPlan(lower({name: json.loads(text) for name, text in terms}), terms)


@dataclass(eq=False)
class SignalPlan:
    """Everything needed to evaluate the terms of one strategy.

    Attributes:
        graph: the shared nodes of all terms.
        written: the terms as they were given, by name.
        stretched: what `rustybt.spec.stretches` found out, by the dtypes of `source_columns`.

    Example:
        >>> frame = pl.DataFrame({"asset": ["A"] * 3, "close": [1.0, 2.0, 4.0]})
        >>> plan_terms({"target": pl.col("close").pct_change()}).evaluate(frame, [Asset("A")])["target"].to_list()
        [None, 1.0, 1.0]
    """

    graph: Graph
    written: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    stretched: dict[tuple[pl.DataType, ...], Any] = field(default_factory=dict, repr=False)
    _programs: dict[Situation, Program] = field(default_factory=dict, repr=False)

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the terms, in order."""
        return tuple(self.graph.roots)

    @cached_property
    def windows(self) -> dict[int, Rolling]:
        """Exact windows by graph node."""
        found: dict[int, Rolling] = {}
        for item in self.graph.items:
            if item.kind == TIME and item.inputs:
                window = rolling_of(item.tree, self.graph.items[item.inputs[0]].tree.get("Column"))
                if window is not None:
                    found[item.id] = window
        return found

    @cached_property
    def named(self) -> dict[str, list[str]]:
        """Symbols of the assets that each term names."""
        import json

        return {name: named_assets(json.loads(text)) for name, text in self.written}

    @cached_property
    def wanted(self) -> dict[str, list[str]]:
        """Of these the symbols that each term is for."""
        import json

        return {name: wanted_assets(json.loads(text)) for name, text in self.written if self.named[name]}

    @cached_property
    def source_columns(self) -> tuple[str, ...]:
        """Frame columns that the terms name, sorted."""
        return self.graph.columns()

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Frame columns that an evaluation reads, sorted: those that the terms name, ``asset``, ``ts`` for cross-sections, and ticks."""
        found = {"asset", *self.source_columns, *(f"ticks_{w.column}" for w in self.windows.values())}
        if any(item.kind == CROSS for item in self.graph.items):
            found.add("ts")
        return tuple(sorted(found))

    @cached_property
    def exact(self) -> bool:
        """Whether every term has the same bits on any frame that holds its lookback."""
        return all(self._is_exact(item.id) for item in self.graph.items)

    def _is_exact(self, at: int) -> bool:
        item = self.graph.items[at]
        if item.kind == GROUP:
            return False
        return item.kind != TIME or at in self.windows or flat_reach(item.tree) is not None

    @cached_property
    def lookback(self) -> int | None:
        """Bars of an asset before a row that decide its terms; None when unbounded, or not countable in bars."""
        return deepest(self.lookbacks.values())

    @cached_property
    def lookbacks(self) -> dict[str, int | None]:
        """The same of each term."""
        reach: list[int | None] = []
        hop: list[bool] = []
        for item in self.graph.items:
            below = [reach[i] for i in self.graph.reads(item)]
            through = any(hop[i] for i in self.graph.reads(item))
            own: int | None = 0
            if item.kind == TIME:
                own = self.windows[item.id].size - 1 if item.id in self.windows else _time_reach(item.tree)
                own = None if through and own != 0 else own
            elif item.kind == GROUP:
                own = None
            reach.append(None if own is None or None in below else own + max((b for b in below if b is not None), default=0))
            hop.append(through or (item.kind == CROSS and any(b != 0 for b in below)))
        return {term: reach[root] for term, root in self.graph.roots.items()}

    @property
    def stages(self) -> list[str]:
        """What is computed, in order, one line per shared window and term."""
        lines = []
        for item in self.graph.items:
            if item.kind in (TIME, GROUP, CROSS):
                note = "exact on ticks" if item.id in self.windows else {TIME: "per asset", GROUP: "per group", CROSS: "per ts"}[item.kind]
                note += ", members of the universe only" if item.member is not None else ""
                lines.append(f"{self.graph.written(item.id)}  [{note}]")
        return lines + [f"{term} = {self.graph.written(root)}" for term, root in self.graph.roots.items()]

    def evaluate(
        self,
        frame: pl.DataFrame,
        assets: Units | Panel | Iterable[Asset],
        rows: npt.NDArray[np.bool_] | pl.Series | None = None,
        roll: Roll | None = None,
    ) -> pl.DataFrame:
        """Every term on a frame of bars.

        Args:
            frame: signal frame sorted by (asset, ts), at least `columns`.
            assets: `Units`, the panel that the frame comes from, or its assets.
            rows: which rows to give back, one truth value per frame row; None = all. With a cross-section it must hold all rows of a ``ts``
                or none, as a schedule does.
            roll: what computes rolling sums of long frames; None = NumPy.

        Returns:
            One row per evaluated row: ``row`` (UInt32, index into the frame), the signals in order, ``universe`` (Boolean), ``target``.

        Raises:
            SpecError: a column is missing, a term fails in Polars, or the target or universe has a wrong type.
        """
        self.check_columns(frame)
        units = Units.of(assets)
        if frame.height == 1:
            return self._alone(frame, units, rows)
        layout = Layout(frame, assets.offsets if isinstance(assets, Panel) and assets.frame is frame else None)
        chosen = None if rows is None else np.flatnonzero(rows.fill_null(False).to_numpy() if isinstance(rows, pl.Series) else rows)
        situation = self._situation(frame, layout, chosen is not None)
        if situation not in self._programs:
            self._programs[situation] = Compiler(self.graph, self.windows, situation).program()
        only = None
        if chosen is not None and len(chosen) == 1:
            only = int(chosen[0])
            chosen = np.array([only, only + 1] if only + 1 < frame.height else [only - 1, only])
        result = self.typed(Run(self._programs[situation], frame, layout, units, chosen, self.blame, roll).result())
        return result if only is None else result.filter(pl.col("row") == only)

    def _alone(self, frame: pl.DataFrame, units: Units, rows: npt.NDArray[np.bool_] | pl.Series | None) -> pl.DataFrame:
        twice = doubled(frame)
        if "ts" in frame.columns:  # not in one cross-section
            ts = twice["ts"].to_physical()
            twice = twice.with_columns((ts + pl.Series([0, 1], dtype=ts.dtype)).cast(frame["ts"].dtype).alias("ts"))
        wanted = self.evaluate(twice, units).head(1)
        return wanted if rows is None or bool(rows[0]) else wanted.clear()

    def warnings(self, largest_tick: Callable[[str], int]) -> list[str]:
        """What may round where exact ticks were hoped for, one sentence each.

        Args:
            largest_tick: gives the largest magnitude of a column of ticks.
        """
        largest = {column: largest_tick(f"ticks_{column}") for column in compared(self.windows.values())}
        found = tie_warning(self.windows.values(), largest)
        return [] if found is None else [found]

    def _situation(self, frame: pl.DataFrame, layout: Layout, scheduled: bool) -> Situation:
        facts = []
        for at, window in self.windows.items():
            ticks = frame[f"ticks_{window.column}"]
            wide = window.squares and not fits(ticks.fill_null(0).to_numpy(), layout.starts, window.size)
            facts.append((at, Facts(ticks.null_count() > 0, wide)))
        return Situation(layout.single, scheduled, tuple(facts), layout.height >= evaluate.MANY)

    def check_columns(self, frame: pl.DataFrame) -> None:
        """Refuse a frame that lacks a column, naming the term and the nearest column.

        Raises:
            SpecError: a column is missing.
        """
        known = set(frame.columns)
        for column in self.columns:
            if column in known:
                continue
            near = difflib.get_close_matches(column, [c for c in frame.columns if not c.startswith(("ticks_", "__"))], 3, 0.5)
            advice = f"did you mean {' or '.join(repr(n) for n in near)}?" if near else f"the frame has {', '.join(sorted(known)[:12])}"
            if column not in self.source_columns:
                raise SpecError(f"the frame has no column {column!r}", where="signal frame", do="load the bars through rustybt.data")
            raise SpecError(f"unknown column {column!r}", where=f"term {self._term_of_column(column)!r}", do=advice)

    def _term_of_column(self, column: str) -> str:
        at = next(item.id for item in self.graph.items if item.kind == COLUMN and item.tree["Column"] == column)
        return self._term_of(at)

    def _term_of(self, at: int) -> str:
        return next((term for term, root in self.graph.roots.items() if at in self._below(root)), "")

    def _below(self, root: int) -> set[int]:
        found, open_ = {root}, [root]
        while open_:
            new = [i for i in self.graph.reads(self.graph.items[open_.pop()]) if i not in found]
            found.update(new)
            open_ += new
        return found

    def blame(self, name: str, at: int, error: BaseException) -> SpecError:
        """The error of a column that Polars could not evaluate, with its term and sub-expression."""
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        term = name if name in self.graph.roots else self._term_of(at)
        return SpecError(
            f"Polars cannot evaluate {self.graph.written(at)}: {reason}",
            where=f"term {term!r}",
            do="check the types of the columns and literals in it",
        )

    def typed(self, result: pl.DataFrame) -> pl.DataFrame:
        """Refuse terms of a wrong type.

        Raises:
            SpecError: the universe is not true or false, or the target is not a number.
        """
        universe = result.schema.get("universe")
        if universe is not None and universe not in (pl.Boolean, pl.Null):
            raise SpecError(f"the universe is {universe}, not true or false", where="term 'universe'", do='compare: pl.col("volume") > 0')
        target = result.schema.get("target")
        if target == pl.Null:
            return result.with_columns(pl.col("target").cast(pl.Float64))
        if target == pl.Boolean:
            raise SpecError(
                "the target is true or false, not a number",
                where="term 'target'",
                do="say how much: pl.when(condition).then(1.0).otherwise(0.0)",
            )
        if target is not None and not target.is_numeric():
            raise SpecError(f"the target is {target}, not a number", where="term 'target'", do="give a number per row, such as a weight")
        return result


def deepest(lookbacks: Iterable[int | None]) -> int | None:
    """The lookback of several terms together.

    Example:
        >>> deepest([3, 19, 0]), deepest([3, None])
        (19, None)
    """
    found = list(lookbacks)
    return None if None in found else max((reach for reach in found if reach is not None), default=0)


def _time_reach(tree: trees.Node) -> int | None:
    name, options = trees.call(tree)
    if name == "RollingExpr" and not options["options"]["center"]:
        return int(options["options"]["window_size"]) - 1
    if name == "FillNullWithStrategy.Forward":
        return None if options is None else int(options)
    return flat_reach(tree)


def check_target(values: pl.Series, asset: pl.Series, ts: pl.Series) -> None:
    """Refuse a target that is NaN or infinite.

    Args:
        values: target per row.
        asset: asset of each row.
        ts: instant of each row.

    Raises:
        SpecError: naming the first such row by (ts, asset).

    Example:
        >>> check_target(pl.Series([0.5, None]), pl.Series(["A", "B"]), pl.Series([1, 1]))
    """
    if not values.dtype.is_float() or bool(values.is_finite().all()):
        return
    bad = pl.DataFrame({"value": values, "asset": asset, "ts": ts}).filter(~pl.col("value").is_finite()).sort("ts", "asset").row(0)
    raise SpecError(
        f"the target is {bad[0]}",
        where=f"term 'target', asset {str(bad[1])!r}, ts {bad[2]}",
        do="a division by zero or a NaN in the data: guard it with pl.when(...) or .fill_nan(None)",
    )
