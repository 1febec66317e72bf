"""The search as users call it, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from rustybt.engine import Result, RunConfig, run_configured
from rustybt.engine.bulk import panel_of
from rustybt.engine.config import configured
from rustybt.errors import ConfigError
from rustybt.model import Panel
from rustybt.model.arguments import whole
from rustybt.model.sizes import bytes_of
from rustybt.spec import Range, StrategyFunction
from rustybt.sweeps.again import Tried
from rustybt.sweeps.executors import sited
from rustybt.sweeps.given import check_metric, read_back
from rustybt.sweeps.grid import Assignments
from rustybt.sweeps.honest import NEEDED, judged, sentence
from rustybt.sweeps.judgement import AT_ONCE, BUDGET, LEADERS, Asking, Judgement, judge, leaders_of
from rustybt.sweeps.names import SMALLER
from rustybt.sweeps.progress import showing
from rustybt.sweeps.registry import Tally, counted, open_registry
from rustybt.sweeps.runner import running
from rustybt.sweeps.searching import SearchPlan, explore, plan_of
from rustybt.sweeps.variants import variants_of


@dataclass(frozen=True)
class Search:
    """The trials of a search.

    Attributes:
        frame: one row per trial in the order in which they were asked: ``trial``, ``batch``, the parameters, final_equity (Decimal), the
            metrics, counts, error (null when it ran), ``pruned`` (given up early), ``feasible`` (it ran and meets ``require``).
        strategy, panel, config: what was run, so that any row can be run again.
        plan: what was asked for.
        evaluated: variants that were run; the others were asked for twice, or found in the storage.
        tally: the trials that were ever run on these data, this search's included.
        notes: what a reader should know, one sentence each.
        seconds: that a variant took by the clock, all workers together; None where all were found in the storage.
    """

    frame: pl.DataFrame
    strategy: StrategyFunction
    panel: Panel
    config: RunConfig
    plan: SearchPlan
    evaluated: int
    tally: Tally
    notes: tuple[str, ...] = ()
    seconds: float | None = None

    @property
    def parameters(self) -> list[str]:
        """Names of the parameters that vary."""
        return list(self.plan.space)

    @property
    def failed(self) -> int:
        """Number of trials that could not be run."""
        return self.frame.height - self.frame["error"].null_count()

    @property
    def best(self) -> dict[str, Any] | None:
        """The feasible row with the best first objective; None where there is none."""
        found = self.top(1)
        return found.row(0, named=True) if found.height else None

    def top(self, count: int = 10, by: str | None = None) -> pl.DataFrame:
        """The best feasible variants by an objective or another metric, each once, with its luck; see `rustybt.sweeps.Sweep.top`.

        Raises:
            ConfigError: there is no such metric.
        """
        metric = self.plan.metrics[0] if by is None else by
        check_metric(metric, "search, top")
        count = min(whole(count, "search, top", "give 0 or more rows", least=0), self.frame.height)
        ways = dict(zip(self.plan.metrics, self.plan.directions, strict=True))
        down = ways.get(metric, "min" if metric in SMALLER else "max") == "max"
        best = self._good.sort(metric, "trial", descending=[down, False], nulls_last=True).head(count)
        return judged(best, self.tally) if set(NEEDED) <= set(best.columns) else best

    @property
    def pareto(self) -> pl.DataFrame:
        """The feasible variants that no other beats, each once, by the first objective.

        One beats another where it is at least as good in every objective and better in one.
        """
        good = self._good.drop_nulls(self.plan.metrics)
        signs = np.array([1.0 if way == "max" else -1.0 for way in self.plan.directions])
        values = good.select(pl.col(name).cast(pl.Float64) for name in self.plan.metrics).to_numpy() * signs
        beaten = [bool(((values >= row).all(axis=1) & (values > row).any(axis=1)).any()) for row in values]
        front = good.filter(~pl.Series(beaten, dtype=pl.Boolean))
        return front.sort(self.plan.metrics[0], "trial", descending=[self.plan.directions[0] == "max", False])

    def history(self) -> pl.DataFrame:
        """The best first objective after each trial: trial, value (of the trial), best (so far)."""
        metric = pl.col(self.plan.metrics[0]).cast(pl.Float64)
        value = pl.when(pl.col("feasible")).then(metric)
        best = value.cum_max() if self.plan.directions[0] == "max" else value.cum_min()
        return self.frame.select("trial", value.alias("value"), best.forward_fill().alias("best"))

    @property
    def _good(self) -> pl.DataFrame:
        return self.frame.filter("feasible").unique(self.parameters, keep="first", maintain_order=True)

    def run(self, trial: int) -> Result:
        """One trial again, in full, with identical numbers.

        Raises:
            ConfigError: there is no such trial.
        """
        if isinstance(trial, bool) or not isinstance(trial, int) or not 0 <= trial < self.frame.height:
            raise ConfigError(f"there is no trial {trial!r}", where="search, run", do=f"give 0 to {self.frame.height - 1}")
        row = self.frame.row(trial, named=True)
        strategy = self.strategy(**read_back(self.strategy, row, self.parameters))
        return run_configured({strategy.name: strategy}, self.panel, self.config)

    @property
    def luck(self) -> str:
        """One sentence on the best Sharpe ratio and the number of trials."""
        best = self.top(1, "sharpe")
        known = best.height and "deflated_sharpe" in best.columns
        return sentence(self.tally, best["deflated_sharpe"][0] if known else None)

    @property
    def tried(self) -> Tried:
        """The different variants that were asked for and do not fail, those given up early too, to be run again."""
        names = self.parameters
        assignments = Assignments.of_rows(read_back(self.strategy, row, names) for row in self.frame.select(names).iter_rows(named=True))
        good = self.frame.filter(pl.col("error").is_null()).unique(names, keep="first", maintain_order=True)
        rows = good.select(pl.col("trial").alias("variant"), "total_return", "volatility", "sharpe", "periods_per_year")
        return Tried(variants_of((self.strategy,), ("",), assignments, (False, False)), (self.panel,), self.config, rows, self.seconds)

    def judgement(
        self,
        *,
        limit: float | None = None,
        executor: str = "threads",
        workers: int | None = None,
        address: str | None = None,
        budget: str | int = BUDGET,
    ) -> Judgement:
        """How much of the best is luck, every variant that was asked for considered; see `rustybt.sweeps.Sweep.judgement`.

        The column ``variant`` of its intervals is the number of the trial. What a search did not ask for is not in the tests: methods
        that learn gather around what looked good, so that the probability of overfitting is that of the choice at the end.
        """
        known = self._judgements.get("")
        if known is None or (known.cut and bytes_of(budget) > BUDGET) or not (known.tested or limit is not None):
            best = (self.pareto if len(self.plan.metrics) > 1 else self.top(LEADERS)).head(LEADERS)
            with sited(executor, workers, address) as site:
                asked = Asking(
                    leaders_of(best, "trial"), site, limit, "Search.judgement() (or rustybt search --judge)", budget=bytes_of(budget)
                )
                known = self._judgements[""] = judge(self.tried, asked)
        return known

    @cached_property
    def _judgements(self) -> dict[str, Judgement]:
        """Made once."""
        return {}

    def report(self, path: str | Path) -> Path:
        """Write a page about it, one file that works offline.

        Raises:
            MissingExtraError: the ``report`` extra is not installed.
            ConfigError: the file cannot be written.
        """
        from rustybt.sweeps.pages import write_search

        return write_search(self, path)

    def figures(self) -> dict[str, Any]:
        """The pictures of its page by title, as Plotly figures that a notebook shows.

        Raises:
            MissingExtraError: the ``report`` extra is not installed.
        """
        from rustybt.analysis.report import plotly_figures
        from rustybt.sweeps.pages import search_inputs

        return plotly_figures(search_inputs(self))

    def _repr_html_(self) -> str:
        from rustybt.sweeps.pages import search_summary

        return search_summary(self)

    def __repr__(self) -> str:
        what = ", ".join(f"{way} {name}" for name, way in zip(self.plan.metrics, self.plan.directions, strict=True))
        shown = self.top(5).select(*self.parameters, *self.plan.metrics)
        counts = f"{self.frame.height:,} trials, {self.evaluated:,} variants run, {self.failed:,} failed"
        why = self.frame["error"].drop_nulls().head(1).to_list()
        remarks = (*(f"The first that failed: {one.splitlines()[0]}" for one in why), *self.notes)
        said = "\n".join((*remarks, self.luck, *self.judgement(limit=AT_ONCE).sentences()))
        return f"Search({self.strategy.name}: {self.plan.method}, {what}, {counts})\n{shown}\n{said}"


def search(
    strategy: StrategyFunction,
    data: Any,
    *,
    space: Mapping[str, Iterable[Any] | Range] | None = None,
    method: str = "tpe",
    metric: str | Sequence[str] = "sharpe",
    directions: Sequence[str] | None = None,
    trials: int = 100,
    batch: int | None = None,
    where: str | None = None,
    require: str | None = None,
    seed: int = 0,
    prune: float | None = None,
    storage: str | Path | None = None,
    workers: int | None = None,
    executor: str = "threads",
    address: str | None = None,
    progress: Callable[[int, int], None] | bool | None = None,
    registry: str | Path | None = None,
    **settings: Any,
) -> Search:
    """Look for good parameters without trying all of them.

    A whole batch of variants is asked for, run at once, and told before the next is asked for. The search follows from its seed, whatever
    the workers.

    Args:
        strategy: a ``@strategy`` function.
        data: a Panel or anything `rustybt.load` takes.
        space: by parameter name, values (numbers are taken in their order, words as alternatives) or a `rustybt.Range`. None = every
            parameter whose annotation says where to look: a Range with both ends, a Literal, or a bool.
        method: ``random``; ``tpe`` (tree-structured Parzen estimator) for most problems; ``gp`` (Gaussian process) for few trials of few
            parameters; ``cmaes`` (covariance matrix adaptation) for many numeric parameters; ``nsga2`` (genetic) for several objectives.
        metric: what to look for, a column of a sweep; several make a Pareto front (``random``, ``tpe``, ``nsga2``).
        directions: ``max`` or ``min`` for each; None = ``min`` for volatility, ``max`` for everything else (a drawdown is negative).
        trials: variants to ask for.
        batch: how many at once, a generation; None = as suits the method. More is faster and learns later.
        where: condition on the parameters, such as ``"fast < slow"``: others are not run.
        require: condition on the results, such as ``"max_drawdown > -0.3 AND fills >= 20"``: other variants are run, told to the method
            as not allowed (``tpe``, ``gp``, ``nsga2``), and are never the best.
        seed: of the random numbers.
        prune: share of the bars after which a variant below the median of those before it is given up. A variant is one pass over all bars,
            so this costs a run of that share for each, and pays where a strategy is slow (callbacks) and its first years tell the rest.
        storage: file that keeps every row that was run. The same call goes on where it was killed, and more ``trials`` go on further.
        workers: how many variants at a time; None = one per core, of the cluster where there is one. The result does not depend on who
            runs them.
        executor: ``threads``, ``processes`` or ``ray``, as in `rustybt.sweep`.
        address: of a Ray cluster, as in `rustybt.sweep`.
        progress: called with (done, total) after each batch; True shows a bar.
        registry: file that counts trials, as ``trials`` in `rustybt.sweep`: None = the user's, ``"off"`` = count this search alone.
        **settings: of the run: ``cash``, ``costs``, ``fill`` ... as in `rustybt.run`.

    Returns:
        A `Search`. A variant that fails is a row with its error.

    Raises:
        MissingExtraError: Optuna is not installed (``pip install 'rustybt[optuna]'``).
        ConfigError: a setting that is wrong, a condition that nothing meets, or a storage that is locked or of another program.

    Example:
        >>> import rustybt as rbt
        >>> @rbt.strategy
        ... def share(part: float = 0.1) -> rbt.Strategy:
        ...     return rbt.Strategy(target=rbt.weight(part))
        >>> found = rbt.search(share, "demo", space={"part": rbt.Range(0.05, 0.2)}, trials=8, batch=4, metric="total_return")
        >>> found.frame["batch"].to_list(), 0.05 <= found.best["part"] <= 0.2
        ([0, 0, 0, 0, 1, 1, 1, 1], True)
    """
    if not isinstance(strategy, StrategyFunction):
        raise ConfigError(f"{strategy!r} is not a @strategy function", where="search, strategy", do="decorate it with @rustybt.strategy")
    plan = plan_of(
        strategy,
        {
            "space": space, "method": method, "metric": metric, "directions": directions, "trials": trials, "batch": batch,
            "where": where, "require": require, "seed": seed, "prune": prune, "storage": storage,
        },
    )  # fmt: skip
    book, notes = open_registry(registry)
    panel, config = panel_of(data), configured(settings, "search")
    with running(executor, workers, address) as runner, showing(progress, "search") as tell:
        done = explore(strategy, panel, plan, settings, runner=runner, progress=tell)
    tally, failed = counted(book, panel.snapshot, list(done.trials))
    return Search(
        done.frame, strategy, panel, config, plan, done.evaluated, tally or Tally.of([trial.sharpe for trial in done.trials]),
        (*notes, *failed, *_notes(done.frame, plan)), done.seconds,
    )  # fmt: skip


def _notes(frame: pl.DataFrame, plan: SearchPlan) -> list[str]:
    notes = []
    distinct = frame.select(list(plan.space)).n_unique()
    if distinct < frame.height:
        notes.append(f"{frame.height - distinct:,} of {frame.height:,} trials asked for a variant again; it was run once.")
    if plan.require is not None and not frame["feasible"].any():
        notes.append(f"No variant meets {plan.require!r}.")
    pruned = int(frame["pruned"].sum())
    if pruned:
        notes.append(f"{pruned:,} variants were given up after {plan.prune:.0%} of the bars: their rows are empty.")
    return notes
