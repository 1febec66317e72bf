"""Learn on some bars: run every variant there, and choose one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from rustybt.data.cut import until
from rustybt.engine import configure
from rustybt.errors import ConfigError
from rustybt.model import Panel
from rustybt.model.arguments import whole, word
from rustybt.spec import StrategyFunction
from rustybt.sweeps.given import check_metric, read_back
from rustybt.sweeps.grid import assignments, check_grid
from rustybt.sweeps.measure import columns
from rustybt.sweeps.names import LUCK, SMALLER, refuse_taken
from rustybt.sweeps.runner import Runner
from rustybt.sweeps.sensitivity import FEWEST
from rustybt.sweeps.sensitivity import pick as pick_from
from rustybt.sweeps.splits import Span, Window, instant

PICKS = ("peak", "plateau")


@dataclass(frozen=True)
class Choice:
    """By what a variant is chosen.

    Attributes:
        metric: a column of the rows.
        pick: ``peak`` or ``plateau``.
        finalists: how many reach a validation.
    """

    metric: str = "sharpe"
    pick: str = "peak"
    finalists: int = 5

    def __post_init__(self) -> None:
        word(self.pick, PICKS, "walk_forward, pick")
        whole(self.finalists, "walk_forward, finalists", "give 1 or more", what=f"{self.finalists!r} finalists")

    @property
    def largest(self) -> bool:
        """Whether more is better."""
        return self.metric not in SMALLER

    def ranked(self, frame: pl.DataFrame, parameters: list[str]) -> pl.DataFrame:
        """The rows that ran, the best first; equal ones in their order.

        Raises:
            ConfigError: there is no such metric, or no plateau can be told.
        """
        if self.metric not in frame.columns or not (frame[self.metric].dtype.is_numeric() or frame[self.metric].dtype == pl.Null):
            known = ", ".join(n for n in frame.columns if frame[n].dtype.is_numeric() and n not in parameters)
            raise ConfigError(f"there is no metric {self.metric!r}", where="walk_forward, metric", do=f"use one of {known}")
        good = frame.filter(pl.col("error").is_null() & pl.col(self.metric).cast(pl.Float64).is_finite())
        if not good.height:
            return good
        if self.pick == "plateau":
            return _by_plateau(good, parameters, self.metric, self.largest)
        order = good.with_row_index("__row").sort(self.metric, "__row", descending=[self.largest, False], nulls_last=True)
        return order.drop("__row")


TAKEN = (
    "step",
    "variants",
    "failed",
    "validated",
    "fills",
    "opening",
    "final_equity",
    "held",
    "error",
    "efficiency",
    "degradation",
    "equity",
    "train_from",
    "train_to",
    "validation_from",
    "validation_to",
    "test_from",
    "test_to",
    "train_bars",
    "test_bars",
    "in_sample",
    "out_of_sample",
)
"""Columns of a walk-forward that a parameter could be called by accident."""


@dataclass(frozen=True)
class Learning:
    """What is tried on every stretch.

    Attributes:
        strategy: a ``@strategy`` function.
        grid: values by parameter name, or None.
        search: arguments of a search instead, or None.
        where: condition on the parameters.
        choice: by what a variant is chosen.
        settings: of the run.

    Raises:
        ConfigError: both or neither of grid and search, or a parameter that the strategy does not have.
    """

    strategy: StrategyFunction
    grid: Mapping[str, Iterable[Any]] | None
    search: Mapping[str, Any] | None
    where: str | None
    choice: Choice
    settings: Mapping[str, Any]

    def __post_init__(self) -> None:
        if not isinstance(self.strategy, StrategyFunction):
            raise ConfigError(
                f"{self.strategy!r} is not a @strategy function", where="walk_forward, strategy", do="decorate it with @rustybt.strategy"
            )
        if (self.grid is None) == (self.search is None):
            raise ConfigError(
                "neither a grid nor a search is given" if self.grid is None else "both a grid and a search are given",
                where="walk_forward",
                do='give grid={"fast": [5, 10]} or search={"method": "tpe", "trials": 50}',
            )
        if not isinstance(self.search, Mapping | None):
            do = 'give arguments of rustybt.search such as {"method": "tpe", "trials": 50}'
            raise ConfigError(f"search {self.search!r} is no mapping", where="walk_forward, search", do=do)
        check_metric(self.choice.metric, "walk_forward, metric")
        if not isinstance(self.where, str | None):
            raise ConfigError(f"the condition {self.where!r} is no text", where="walk_forward, where", do='write "fast < slow"')
        own = {"metric": self.choice.metric, "where": self.where}
        twice = [name for name, said in own.items() if said is not None and not _same(said, self._given(name, said))]
        if twice:
            what = f"the search has another {twice[0]} than the walk-forward"
            raise ConfigError(
                what, where=f"walk_forward, search, {twice[0]!r}", do=f"leave it out: it searches by {twice[0]}= of the walk-forward"
            )
        if self.grid is not None:
            check_grid(self.grid, "walk_forward")
        unknown = sorted(set(self.grid or {}) - set(self.strategy.parameters))
        if unknown:
            known = ", ".join(self.strategy.parameters)
            what = f"strategy {self.strategy.name!r} has no parameter {unknown[0]!r}"
            raise ConfigError(what, where="walk_forward, grid", do=f"use one of {known}")
        refuse_taken(self.names, (*TAKEN, *columns(8), *LUCK), "walk_forward")
        assert self.variants is not None or self.plan is not None

    def _given(self, name: str, usual: object) -> object:
        return usual if self.search is None else self.search.get(name, usual)

    @cached_property
    def variants(self) -> list[dict[str, Any]] | None:
        """The combinations of the grid."""
        return None if self.grid is None else assignments(self.grid, self.where)

    @cached_property
    def plan(self) -> Any:
        """The search, checked."""
        from rustybt.sweeps.searching import plan_of

        return None if self.search is None else plan_of(self.strategy, {"metric": self.choice.metric, "where": self.where, **self.search})

    @property
    def names(self) -> list[str]:
        """Parameters that vary."""
        return list(self.grid) if self.grid is not None else list(self.plan.space)

    @property
    def count(self) -> int:
        """Variants of a stretch."""
        return len(self.variants) if self.variants is not None else int(self.plan.trials)

    def rows(self, runner: Runner, panel: Panel, step: Window, progress: Callable[[int, int], None] | None) -> pl.DataFrame:
        """A row for each variant, run on some bars of which nothing later is there."""
        first, stop = step.train
        part, settings = until(panel, stop), {**self.settings, "trade_from": instant(panel, first)}
        if self.variants is not None:
            return runner.rows(self.strategy, part, configure(**settings), self.variants, progress)
        from rustybt.sweeps.searching import explore

        plan = self.plan.reseeded(step.number)
        found: pl.DataFrame = explore(self.strategy, part, plan, settings, runner=runner, progress=progress).frame
        return found

    def again(self, runner: Runner, panel: Panel, span: Span, variants: list[dict[str, Any]]) -> pl.DataFrame:
        """Rows of some variants on other bars."""
        first, stop = span
        settings = {**self.settings, "trade_from": instant(panel, first)}
        return runner.rows(self.strategy, until(panel, stop), configure(**settings), variants)


def _same(one: str, other: object) -> bool:
    return isinstance(other, str) and one == other


@dataclass(frozen=True)
class Chosen:
    """What a stretch taught.

    Attributes:
        parameters: of the choice, or None where no variant ran.
        row: of the choice on the training bars.
        validated: of the choice on the validation bars, or None.
        frame: rows of all variants on the training bars.
        error: why none ran.
    """

    parameters: dict[str, Any] | None
    row: Mapping[str, Any]
    validated: Mapping[str, Any] | None
    frame: pl.DataFrame
    error: str | None = None


def learn(learning: Learning, runner: Runner, panel: Panel, step: Window, progress: Callable[[int, int], None] | None = None) -> Chosen:
    """Every variant on the training bars of a window, and the one that is chosen."""
    frame = learning.rows(runner, panel, step, progress)
    allowed = frame if learning.plan is None else frame.filter(pl.col("feasible") | pl.col("error").is_not_null())
    ranked = learning.choice.ranked(allowed, learning.names)
    if not ranked.height:
        errors = frame["error"].drop_nulls()
        met = "" if allowed.height == frame.height else " and meets the condition"
        return Chosen(None, {}, None, frame, errors[0] if len(errors) else f"no variant has a {learning.choice.metric!r}{met}")
    best, validated = ranked.row(0, named=True), None
    if step.validation is not None:
        last = ranked.unique(learning.names, keep="first", maintain_order=True).head(learning.choice.finalists)
        rows = learning.again(
            runner, panel, step.validation, [read_back(learning.strategy, row, learning.names) for row in last.to_dicts()]
        )
        order = Choice(learning.choice.metric).ranked(rows.with_row_index("__of"), learning.names)
        if order.height:
            validated = order.drop("__of").row(0, named=True)
            best = last.row(order["__of"][0], named=True)
    return Chosen(read_back(learning.strategy, best, learning.names), best, validated, frame)


def _by_plateau(frame: pl.DataFrame, parameters: list[str], metric: str, largest: bool) -> pl.DataFrame:
    """The rows with enough neighbours, the middle of the best plateau first; in the order of `rustybt.sweeps.pick`."""
    distinct = frame.unique(parameters, keep="first", maintain_order=True)
    known = pick_from(distinct, parameters, metric, largest=largest).surroundings.filter(pl.col("neighbours") >= FEWEST)
    order = known.with_row_index("__row").sort(
        "neighbourhood", "neighbours", metric, "__row", descending=[largest, True, largest, False], nulls_last=True
    )
    return order.drop("__row", "neighbours", "neighbourhood")
