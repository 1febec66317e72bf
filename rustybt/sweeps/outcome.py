"""What a sweep gives back: rows, the best of them with their luck, and any row run again in full."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from numbers import Number
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.analysis.honesty import Overfitting, Superiority, overfitting, superior_ability
from rustybt.engine import Result, RunConfig, run_configured
from rustybt.engine.summary import curve_of
from rustybt.errors import ConfigError
from rustybt.model import Panel
from rustybt.model.arguments import flag, seed_of, whole
from rustybt.model.sizes import bytes_of
from rustybt.sweeps.again import Tried
from rustybt.sweeps.executors import sited, workers_of
from rustybt.sweeps.given import check_leaderboard
from rustybt.sweeps.honest import judged, sentence
from rustybt.sweeps.judged import read_judgement, write_judgement
from rustybt.sweeps.judgement import AT_ONCE, BUDGET, LEADERS, Asking, Judgement, judge, leaders_of
from rustybt.sweeps.measure import FOR_JUDGING
from rustybt.sweeps.names import LUCK, SMALLER
from rustybt.sweeps.options import Options, Site
from rustybt.sweeps.registry import Tally
from rustybt.sweeps.sensitivity import surface
from rustybt.sweeps.store import CURVES, RESULTS
from rustybt.sweeps.variants import Variants
from rustybt.sweeps.whole import Files
from rustybt.sweeps.work import Work

if TYPE_CHECKING:
    from rustybt.sweeps.plan import SweepPlan


@dataclass(frozen=True, eq=False)
class Sweep:
    """The variants of a sweep.

    Attributes:
        stored: the rows, as `results`.
        variants: strategies and parameters, so that any row can be run again.
        panels: bars by name of the dataset; one empty name when there is one dataset.
        config: settings of the runs.
        tallies: by dataset, the trials that were ever run on it, this sweep's included.
        notes: what a reader should know, one sentence each.
        folder: directory of the sweep, or None.
        stored_curves: the curves, as `curves`.
        seconds: that a variant took by the clock, all workers together; None where nobody looked.
        budget: bytes that evaluation was allowed, as its judgement is.
        files: of its directory, which are looked at again before they are read.
    """

    stored: pl.LazyFrame
    variants: Variants
    panels: Mapping[str, Panel]
    config: RunConfig
    tallies: Mapping[str, Tally] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    folder: Path | None = None
    stored_curves: pl.LazyFrame | None = None
    seconds: float | None = None
    budget: int = BUDGET
    files: Files = field(default_factory=lambda: Files({}))

    @property
    def results(self) -> pl.LazyFrame:
        """One row per variant in order, lazily.

        ``variant`` (number), ``data`` and ``strategy`` where there are several, the parameters, final_equity (Decimal), the metrics
        (Float64), returns (number of session returns), orders, fills, error (text, null when it ran).

        Raises:
            ConfigError: the file that holds them was damaged since, as in all that reads it.
        """
        self.files.check(RESULTS)
        return self.stored

    @property
    def curves(self) -> pl.LazyFrame | None:
        """(variant, ts, equity) of every bar, lazily, where it was asked for."""
        self.files.check(CURVES)
        return self.stored_curves

    def _read(self, wanted: pl.LazyFrame) -> pl.DataFrame:
        """Rows of `results`; what goes wrong names the file."""
        with self.files.read(RESULTS):
            return wanted.collect()

    @cached_property
    def frame(self) -> pl.DataFrame:
        """The rows in memory."""
        return self._read(self.results)

    @property
    def tally(self) -> Tally:
        """The trials on the data; of several datasets those of the one with the most."""
        return max(self.tallies.values(), key=lambda tally: tally.trials, default=Tally())

    def top(self, count: int = 10, by: str = "sharpe", *, descending: bool | None = None) -> pl.DataFrame:
        """The best variants by a metric, each with its luck; failed ones are left out.

        Args:
            count: rows.
            by: metric that sorts.
            descending: whether the largest come first; None = the best first, which of ``volatility`` are the smallest.

        Returns:
            The rows, with ``probabilistic_sharpe`` and ``deflated_sharpe``: how probable it is that the true Sharpe ratio is above zero,
            taken alone, and as the best of all trials on the data. Either may be the metric that sorts.

        Raises:
            ConfigError: there is no such metric.
        """
        count = min(whole(count, "sweep, top", "give 0 or more rows", least=0), self.variants.count)
        check_leaderboard(by, "sweep, top")
        if descending is not None:
            flag(descending, "sweep, top, descending")
        down = by not in SMALLER if descending is None else descending
        good = self.results.filter(pl.col("error").is_null())
        if by in LUCK:
            good = self._judged(self._read(good)).lazy()
        best = self._read(good.sort(by, "variant", descending=[down, False], nulls_last=True).head(count))
        return self._judged(best).drop(*FOR_JUDGING, "returns")

    def explained(self) -> SweepPlan:
        """What it did, as `rustybt.plan` would have said it before on this machine: what `rustybt.explain` gives."""
        from rustybt.sweeps.plan import planned

        many = workers_of(None)
        options = Options(self.budget, Site("threads", many, many), self.folder, self.stored_curves is not None, "off")
        return planned(self.variants, Work(self.variants.strategies, tuple(self.panels.values()), self.config), options)

    def slice(self, **fixed: Any) -> pl.DataFrame:
        """The rows in which parameters (or ``data``, ``strategy``) have given values, in order.

        Raises:
            ConfigError: there is no such parameter, or no row with these values.

        Example:
            >>> import rustybt as rbt
            >>> @rbt.strategy
            ... def share(weight: float = 0.1) -> rbt.Strategy:
            ...     return rbt.Strategy(target=rbt.weight(weight))
            >>> rbt.sweep(share, "demo", grid={"weight": [0.1, 0.19]}, trials="off").slice(weight=0.19)["variant"].to_list()
            [1]
        """
        strangers = [name for name in fixed if name not in self.variants.keys]
        if strangers:
            do = f"use one of {', '.join(self.variants.keys)}"
            raise ConfigError(f"{strangers[0]!r} was not varied", where="sweep, slice", do=do)
        said = ", ".join(f"{name}={value!r}" for name, value in fixed.items())
        try:
            for value in fixed.values():
                scalar = value.is_finite() if isinstance(value, Decimal) else isinstance(value, str | Number)
                if not scalar:  # what Polars would take a column from, or end itself over
                    raise TypeError
            found = self._read(self.results.filter(*(pl.col(name) == pl.lit(value) for name, value in fixed.items())))
        except (pl.exceptions.PolarsError, TypeError):  # a text for a number
            raise ConfigError(f"no variant can have {said}", where="sweep, slice", do="give values of the parameter's kind") from None
        if not found.height:
            raise ConfigError(f"no variant has {said}", where="sweep, slice", do="give values that were tried")
        return found

    def surface(self, x: str, y: str, metric: str = "sharpe", **fixed: Any) -> pl.DataFrame:
        """A metric over two parameters, the median over the others; see `rustybt.sweeps.surface`.

        Args:
            x: parameter along the columns.
            y: parameter along the rows.
            metric: column of the rows.
            **fixed: values of other parameters, as in `slice`.
        """
        rows = self.slice(**fixed) if fixed else self.frame
        return surface(rows.drop_nulls([name for name in (x, y) if isinstance(name, str) and name in rows.columns]), x, y, metric)

    def sql(self, query: str) -> pl.DataFrame:
        """The answer of DuckDB to a query over the table ``sweep``, the rows (and ``curves``, where there are any).

        Raises:
            ConfigError: the query cannot be answered; the message is DuckDB's.

        Example:
            >>> import rustybt as rbt
            >>> @rbt.strategy
            ... def share(weight: float = 0.1) -> rbt.Strategy:
            ...     return rbt.Strategy(target=rbt.weight(weight))
            >>> done = rbt.sweep(share, "demo", grid={"weight": [0.1, 0.19]}, trials="off")
            >>> done.sql("select count(*) as n from sweep where fills > 0")["n"].to_list()
            [2]
        """
        import duckdb

        if not isinstance(query, str):
            do = 'write "select * from sweep where sharpe > 1"'
            raise ConfigError(f"{query!r} is no query", where="sweep, sql", do=do)
        with duckdb.connect() as connection:
            self._register(connection, "sweep", self.results)
            if "curves" in query.lower() and (curves := self.curves) is not None:
                self._register(connection, "curves", curves)
            try:
                answer = connection.sql(query)
                return pl.DataFrame() if answer is None else pl.DataFrame(pl.from_arrow(answer.to_arrow_table()))
            except duckdb.Error as error:
                do = f"the table 'sweep' has {', '.join(self.results.collect_schema().names())}"
                raise ConfigError(f"the query cannot be answered: {error}", where="sweep, sql", do=do) from None

    def _register(self, connection: Any, name: str, rows: pl.LazyFrame) -> None:
        """A table of a name, read from its file where there is one: it may be larger than memory."""
        file = None if self.folder is None else self.folder / {"sweep": RESULTS, "curves": CURVES}[name]
        if file is not None and file.is_file():
            quoted = str(file).replace("'", "''")
            connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{quoted}')")
        else:
            connection.register(name, rows.collect().to_arrow())

    @property
    def luck(self) -> str:
        """One sentence on the best Sharpe ratio and the number of trials."""
        best = self.top(1)
        return sentence(self.tally, best["deflated_sharpe"][0] if best.height else None)

    def run(self, variant: int) -> Result:
        """One variant again, in full, with identical numbers.

        Raises:
            ConfigError: there is no such variant. One that failed raises its error.
        """
        block, parameters = self.variants.at(variant)
        strategy = self.variants.strategies[block.strategy](**parameters)
        return run_configured({strategy.name: strategy}, self.panels[self.variants.datasets[block.data]], self.config)

    def returns(self, workers: int | None = None) -> npt.NDArray[np.float64]:
        """Session returns of every variant that ran, in the order of the frame: (sessions, variants) Float64.

        They are not kept by the sweep: each variant runs again. 8 bytes a session and variant.

        Raises:
            ConfigError: no variant has run, or the datasets have different sessions.
        """
        tried = self.tried
        tried.sessions()
        return np.concatenate(list(tried.returns(tried.numbers, Site("threads", count := workers_of(workers), count))), axis=1)

    @cached_property
    def tried(self) -> Tried:
        """The variants that ran, to be run again."""
        wanted = ("variant", "total_return", "volatility", "sharpe", "periods_per_year")
        good = self._read(self.results.filter(pl.col("error").is_null()).select(wanted))
        return Tried(self.variants, tuple(self.panels.values()), self.config, good, self.seconds)

    def judgement(
        self,
        by: str = "sharpe",
        *,
        limit: float | None = None,
        executor: str = "threads",
        workers: int | None = None,
        address: str | None = None,
        budget: str | int | None = None,
    ) -> Judgement:
        """How much of the best is luck: overfitting, White's reality check, Hansen's test, and intervals of the leaderboard.

        Every variant runs again for its returns, and none is left out. What is found is kept in the directory of the sweep, so that it is
        made once. Numbers depend neither on the workers nor on the executor.

        Args:
            by: metric of the leaderboard whose ten best rows get intervals.
            limit: seconds that it may be expected to take: beyond it the tests over all variants are left out, and a note says so. None =
                whatever it takes. Leaderboards shown in a terminal, a notebook or a page allow 2.5.
            executor: as in `rustybt.sweep`.
            workers: as in `rustybt.sweep`.
            address: as in `rustybt.sweep`.
            budget: most bytes of memory that it may take on one machine beside the data and the rows; None = those of the sweep. Variants
                are run and tested in batches that fit; what does not fit at all is left out, and a note says what it would take.

        Raises:
            ConfigError: there is no such metric, executor or number of workers.

        Example:
            >>> import rustybt as rbt, polars as pl
            >>> @rbt.strategy
            ... def above(window: int = 50) -> rbt.Strategy:
            ...     up = pl.col("close") > pl.col("close").rolling_mean(window)
            ...     return rbt.Strategy(target=rbt.weight(pl.when(up).then(0.2).otherwise(0.0)))
            >>> found = rbt.sweep(above, "demo", grid={"window": list(range(20, 120, 10))}, trials="off").judgement()
            >>> found.variants, 0 <= found.overfitting.probability <= 1, found.superior_ability.p_value < 0.5
            (10, True, True)
        """
        check_leaderboard(by, "sweep, judgement")
        known, said = self._judgements.get(by), ""
        if known is None and self.folder is not None:
            known, said = read_judgement(self.folder, by)
        if known is None or (known.cut and budget is not None) or not (known.tested or limit is not None):
            leaders = leaders_of(self.top(LEADERS, by=by))
            whole = next((one for one in self._judgements.values() if one.tested), None)
            if whole is None and self.folder is not None:
                whole, damaged = read_judgement(self.folder, None)
                said = said or damaged
            how = "Sweep.judgement() (or rustybt sweep --judge)"
            with sited(executor, workers, address) as site:
                room = self.budget if budget is None else bytes_of(budget)
                known = judge(self.tried, Asking(leaders, site, limit, how, None if whole is None or whole.cut else whole, room))
            if self.folder is not None:
                write_judgement(self.folder, by, known)
            if said:
                known = replace(known, notes=(said, *known.notes))
        self._judgements[by] = known
        return known

    @cached_property
    def _judgements(self) -> dict[str, Judgement]:
        """By the metric of their leaderboard."""
        return {}

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
        seed_of(seed, "superiority")
        if not isinstance(over, Result | None):
            do = "give what rustybt.run gives, or None for cash"
            raise ConfigError(f"{over!r} is no run to beat", where="superiority, over", do=do)
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
        return int(self._read(self.results.select(pl.col("error").is_not_null().sum())).item())

    def _remarks(self) -> list[str]:
        """Why the first one failed, where one did, and the notes."""
        first = self._read(self.results.filter(pl.col("error").is_not_null()).select("error").head(1))["error"].to_list()
        return [*(f"The first that failed: {why.splitlines()[0]}" for why in first), *self.notes]

    def _judged(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows with their luck, each judged by the trials on its own data."""
        if "data" not in rows.columns or "data" in self.variants.names or not rows.height:
            return judged(rows, self.tally)
        numbered = rows.with_row_index("__at")
        parts = [judged(part, self.tallies.get(str(name), Tally())) for (name,), part in numbered.group_by("data", maintain_order=True)]
        return pl.concat(parts).sort("__at").drop("__at")

    def report(self, path: str | Path, *, by: str = "sharpe", parts: int | None = None) -> Path:
        """Write a page about it, one file that works offline: leaderboard, surfaces, curves, lines across all variants, and luck.

        It shows the `judgement`, made as far as that takes no time worth talking of; call `judgement` before it for all of it.

        Args:
            path: of the page.
            by: metric that is shown and sorts.
            parts: for the plot of overfitting, as in `overfitting`, whatever that takes; None = that of the judgement.

        Raises:
            MissingExtraError: the ``report`` extra is not installed.
            ConfigError: the file cannot be written, or there is no such metric.
        """
        from rustybt.sweeps.pages import write_sweep

        return write_sweep(self, path, by=by, parts=parts)

    def figures(self) -> dict[str, Any]:
        """The pictures of its page by title, as Plotly figures that a notebook shows.

        Raises:
            MissingExtraError: the ``report`` extra is not installed.
        """
        from rustybt.analysis.report import plotly_figures
        from rustybt.sweeps.pages import sweep_inputs

        return plotly_figures(sweep_inputs(self))

    def _repr_html_(self) -> str:
        from rustybt.sweeps.pages import sweep_summary

        return sweep_summary(self)

    def __repr__(self) -> str:
        names = ", ".join(strategy.name for strategy in self.variants.strategies)
        said = "\n".join((*self._remarks(), self.luck, *self.judgement(limit=AT_ONCE).sentences()))
        return f"Sweep({names}: {self.variants.count:,} variants, {self.failed:,} failed)\n{self.top(5)}\n{said}"
