"""Run every variant and keep one row of each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from rustybt.engine import Result, RunConfig, configure, run_configured
from rustybt.engine.bulk import panel_of
from rustybt.errors import ConfigError, RustyBTError
from rustybt.model import Panel
from rustybt.spec import StrategyFunction
from rustybt.sweeps.grid import assignments

METRICS = ("total_return", "cagr", "volatility", "sharpe", "max_drawdown")


@dataclass(frozen=True)
class Sweep:
    """The variants of a sweep.

    Attributes:
        frame: one row per variant in grid order: ``variant`` (number), the parameters, final_equity (Decimal), the metrics
            (Float64), orders, fills, error (text, null when it ran).
        strategy, panel, config: what was run, so that any row can be run again.
    """

    frame: pl.DataFrame
    strategy: StrategyFunction
    panel: Panel
    config: RunConfig

    def top(self, count: int = 10, by: str = "sharpe") -> pl.DataFrame:
        """The best variants by a metric; failed ones are left out.

        Raises:
            ConfigError: there is no such metric.
        """
        if by not in self.frame.columns:
            raise ConfigError(f"there is no metric {by!r}", where="sweep, top", do=f"use one of {', '.join(METRICS)}")
        good = self.frame.filter(pl.col("error").is_null())
        return good.sort(by, "variant", descending=[True, False], nulls_last=True).head(count)

    def run(self, variant: int) -> Result:
        """One variant again, in full, with identical numbers."""
        row = self.frame.row(variant, named=True)
        strategy = self.strategy(**{name: row[name] for name in self.strategy.parameters if name in row})
        return run_configured({strategy.name: strategy}, self.panel, self.config)

    @property
    def failed(self) -> int:
        """Number of variants that could not be run."""
        return self.frame.height - self.frame["error"].null_count()

    def __repr__(self) -> str:
        return f"Sweep({self.strategy.name}: {self.frame.height:,} variants, {self.failed:,} failed)\n{self.top(5)}"


def sweep(
    strategy: StrategyFunction,
    data: Any,
    *,
    grid: Mapping[str, Iterable[Any]],
    where: str | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    **settings: Any,
) -> Sweep:
    """Run every combination of a grid of parameters.

    Args:
        strategy: a ``@strategy`` function.
        data: a Panel or anything `rustybt.load` takes.
        grid: values by parameter name.
        where: condition on the parameters, such as ``"fast < slow"``.
        threads: workers; None = one per core. The result does not depend on it.
        progress: called with (done, total) after each variant.
        **settings: of the run: ``cash``, ``costs``, ``fill`` ... as in `rustybt.run`.

    Returns:
        A `Sweep`. A variant that fails is a row with its error.

    Raises:
        ConfigError: an empty grid or a parameter that the strategy does not have.

    Example:
        >>> import rustybt as rbt
        >>> @rbt.strategy
        ... def share(weight: float = 0.1) -> rbt.Strategy:
        ...     return rbt.Strategy(target=rbt.weight(weight))
        >>> rbt.sweep(share, "demo", grid={"weight": [0.1, 0.2]}).frame["fills"].to_list()
        [5, 5]
    """
    if not isinstance(strategy, StrategyFunction):
        raise ConfigError(f"{strategy!r} is not a @strategy function", where="sweep, strategy", do="decorate it with @rustybt.strategy")
    variants = assignments(grid, where)
    unknown = sorted(set(grid) - set(strategy.parameters))
    if unknown:
        known = ", ".join(strategy.parameters)
        raise ConfigError(f"strategy {strategy.name!r} has no parameter {unknown[0]!r}", where="sweep, grid", do=f"use one of {known}")
    panel, config = panel_of(data), configure(**settings)

    def one(parameters: Mapping[str, Any]) -> dict[str, Any]:
        return measure_variant(strategy, parameters, panel, config)

    rows: list[dict[str, Any]] = []
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        for done, row in enumerate(pool.map(one, variants), start=1):
            rows.append(row)
            if progress is not None:
                progress(done, len(variants))
    frame = pl.DataFrame(rows, infer_schema_length=None).with_row_index("variant")
    scale = pl.Decimal(38, config.money_scale)
    return Sweep(frame.with_columns(pl.col("final_equity").cast(scale), pl.col("error").cast(pl.String)), strategy, panel, config)


def measure_variant(strategy: StrategyFunction, parameters: Mapping[str, Any], panel: Panel, config: RunConfig) -> dict[str, Any]:
    """One row of a sweep: parameters, numbers, and the error when there is one."""
    row: dict[str, Any] = {**parameters, "final_equity": None, **dict.fromkeys(METRICS), "orders": None, "fills": None, "error": None}
    try:
        made = strategy(**parameters)
    except RustyBTError as error:
        return {**row, "error": str(error)}
    except Exception as error:  # noqa: BLE001 - whatever the user's function raises
        return {**row, "error": f"{type(error).__name__}: {error}"}
    try:
        result = run_configured({made.name: made}, panel, config)
    except RustyBTError as error:
        return {**row, "error": str(error)}
    counts, numbers = result.counts(), result.metrics
    measured = {name: numbers[name] for name in METRICS}
    return {**row, "final_equity": Decimal(result.final_equity), **measured, "orders": counts["orders"], "fills": counts["fills"]}
