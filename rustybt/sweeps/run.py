"""Run every variant and keep one row of each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.analysis.honesty import Overfitting, Superiority, overfitting, superior_ability
from rustybt.engine import Result, RunConfig, configure, run_configured
from rustybt.engine.bulk import panel_of
from rustybt.engine.summary import curve_of
from rustybt.errors import ConfigError, RustyBTError
from rustybt.model import Panel
from rustybt.spec import StrategyFunction
from rustybt.sweeps.grid import assignments
from rustybt.sweeps.honest import judged, sentence, session_sharpes
from rustybt.sweeps.registry import Tally, Trial, counted, open_registry, trial_id

METRICS = ("total_return", "cagr", "volatility", "sharpe", "max_drawdown")
FOR_JUDGING = ("skew", "kurtosis", "periods_per_year")
"""Metrics of each row that `Sweep.top` needs to judge a Sharpe ratio, beside ``returns``, and does not show."""
LUCK = ("probabilistic_sharpe", "deflated_sharpe")
"""What `Sweep.top` adds."""


@dataclass(frozen=True)
class Sweep:
    """The variants of a sweep.

    Attributes:
        frame: one row per variant in grid order: ``variant`` (number), the parameters, final_equity (Decimal), the metrics
            (Float64), returns (number of session returns), orders, fills, error (text, null when it ran).
        strategy, panel, config: what was run, so that any row can be run again.
        tally: the trials that were ever run on these data, this sweep's included.
        notes: what a reader should know, one sentence each.
    """

    frame: pl.DataFrame
    strategy: StrategyFunction
    panel: Panel
    config: RunConfig
    tally: Tally = field(default_factory=Tally)
    notes: tuple[str, ...] = ()

    def top(self, count: int = 10, by: str = "sharpe") -> pl.DataFrame:
        """The best variants by a metric, each with its luck; failed ones are left out.

        Returns:
            The rows, with ``probabilistic_sharpe`` and ``deflated_sharpe``: how probable it is that the true Sharpe ratio is above zero,
            taken alone, and as the best of all trials of `tally`. Either may be the metric that sorts.

        Raises:
            ConfigError: there is no such metric.
        """
        if by not in (*self.frame.columns, *LUCK):
            raise ConfigError(f"there is no metric {by!r}", where="sweep, top", do=f"use one of {', '.join((*METRICS, *LUCK))}")
        good = self.frame.filter(pl.col("error").is_null())
        if by in LUCK:
            good = judged(good, self.tally)
        best = good.sort(by, "variant", descending=[True, False], nulls_last=True).head(count)
        return judged(best, self.tally).drop(*FOR_JUDGING, "returns")

    @property
    def luck(self) -> str:
        """One sentence on the best Sharpe ratio and the number of trials."""
        best = self.top(1)
        return sentence(self.tally, best["deflated_sharpe"][0] if best.height else None)

    def run(self, variant: int) -> Result:
        """One variant again, in full, with identical numbers."""
        row = self.frame.row(variant, named=True)
        strategy = self.strategy(**{name: row[name] for name in self.strategy.parameters if name in row})
        return run_configured({strategy.name: strategy}, self.panel, self.config)

    def returns(self, threads: int | None = None) -> npt.NDArray[np.float64]:
        """Session returns of every variant that ran, in the order of the frame: (sessions, variants) Float64.

        They are not kept by the sweep: each variant runs again. 8 bytes a session and variant.

        Raises:
            ConfigError: no variant has run.
        """
        good = self.frame.filter(pl.col("error").is_null())["variant"].to_list()

        def one(variant: int) -> npt.NDArray[np.float64]:
            return curve_of(self.run(variant)).closes().returns

        if not good:
            raise ConfigError("no variant has run", where="sweep, returns", do="look at the column 'error'")
        with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
            return np.column_stack(list(pool.map(one, good)))

    def overfitting(self, parts: int = 16) -> Overfitting:
        """Probability that choosing the best variant is overfitting; see `rustybt.analysis.honesty.overfitting`."""
        return overfitting(self.returns(), parts)

    def superiority(self, over: Result | None = None, *, count: int = 1000, block: float | None = None, seed: int = 0) -> Superiority:
        """Whether the best variant beats a benchmark, all variants considered; see `rustybt.analysis.honesty.superior_ability`.

        Args:
            over: a run on the same data, such as buying and holding; None = holding cash.
            count: resamples.
            block: mean sessions that stay together; None chooses it.
            seed: of the random numbers.

        Raises:
            ConfigError: no variant has run, or ``over`` has other sessions.
        """
        excess = self.returns()
        if over is not None:
            beaten = curve_of(over).closes().returns
            if len(beaten) != len(excess):
                what = f"the run to beat has {len(beaten)} sessions, the variants have {len(excess)}"
                raise ConfigError(what, where="superiority, over", do="run it on the same data")
            excess -= beaten[:, None]
        return superior_ability(excess, count, block, seed)

    @property
    def failed(self) -> int:
        """Number of variants that could not be run."""
        return self.frame.height - self.frame["error"].null_count()

    def __repr__(self) -> str:
        return f"Sweep({self.strategy.name}: {self.frame.height:,} variants, {self.failed:,} failed)\n{self.top(5)}\n{self.luck}"


def sweep(
    strategy: StrategyFunction,
    data: Any,
    *,
    grid: Mapping[str, Iterable[Any]],
    where: str | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    trials: str | Path | None = None,
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
        trials: file that counts every trial on these data; None = the user's (``RUSTYBT_TRIALS`` names another), ``"off"`` = count this
            sweep alone.
        **settings: of the run: ``cash``, ``costs``, ``fill`` ... as in `rustybt.run`.

    Returns:
        A `Sweep`. A variant that fails is a row with its error.

    Raises:
        ConfigError: an empty grid, a parameter that the strategy does not have, or a registry of trials that cannot be used.

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
    registry, notes = open_registry(trials)
    panel, config = panel_of(data), configure(**settings)

    def one(parameters: Mapping[str, Any]) -> Measured:
        return measure_variant(strategy, parameters, panel, config)

    done: list[Measured] = []
    try:
        with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
            for measured in pool.map(one, variants):
                done.append(measured)
                if progress is not None:
                    progress(len(done), len(variants))
    finally:  # a sweep that is broken off was looked at too
        tried = [measured.trial for measured in done if measured.trial is not None]
        tally, failed = counted(registry, panel.snapshot, tried)
    frame = pl.DataFrame([measured.row for measured in done], infer_schema_length=None).with_row_index("variant")
    kinds: dict[str, Any] = {
        "final_equity": pl.Decimal(38, config.money_scale),
        "error": pl.String,
        "returns": pl.Int64,
        "orders": pl.Int64,
        "fills": pl.Int64,
    }
    kinds |= dict.fromkeys((*METRICS, *FOR_JUDGING), pl.Float64)
    frame = frame.with_columns(pl.col(name).cast(kind) for name, kind in kinds.items())
    if tally is None:
        tally = Tally.of(session_sharpes(frame.filter(pl.col("error").is_null())))
    return Sweep(frame, strategy, panel, config, tally, (*notes, *failed))


@dataclass(frozen=True)
class Measured:
    """One variant: its row, and what the registry counts (None where it could not be run)."""

    row: dict[str, Any]
    trial: Trial | None = None


def measure_variant(strategy: StrategyFunction, parameters: Mapping[str, Any], panel: Panel, config: RunConfig) -> Measured:
    """One row of a sweep: parameters, numbers, and the error when there is one."""
    nothing = dict.fromkeys((*METRICS, *FOR_JUDGING, "returns", "orders", "fills", "error"))
    row: dict[str, Any] = {**parameters, "final_equity": None, **nothing}
    try:
        made = strategy(**parameters)
        result = run_configured({made.name: made}, panel, config)
    except RustyBTError as error:
        return Measured({**row, "error": str(error)})
    except Exception as error:  # noqa: BLE001 - whatever the user's function raises, or Polars for such a parameter
        return Measured({**row, "error": f"{type(error).__name__}: {error}"})
    counts, numbers = result.counts(), result.metrics
    measured = {name: numbers[name] for name in (*METRICS, *FOR_JUDGING)}
    measured |= {"returns": round(numbers["years"] * numbers["periods_per_year"]), "orders": counts["orders"], "fills": counts["fills"]}
    sharpe = None if numbers["sharpe"] is None else numbers["sharpe"] / numbers["periods_per_year"] ** 0.5
    trial = Trial(trial_id(made.spec_id, config), strategy.name, sharpe)
    return Measured({**row, "final_equity": Decimal(result.final_equity), **measured}, trial)
