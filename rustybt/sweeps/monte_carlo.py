"""One result among the many that might have been: resampled returns, resampled trades, and changed runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

import numpy as np
import polars as pl

from rustybt.analysis.honesty import Draw, TradeSample, resampled
from rustybt.analysis.honesty.blocks import check_room
from rustybt.analysis.metrics.trades import Trades, longest_run
from rustybt.engine import Result, run_configured
from rustybt.engine.bulk import panel_of, sleeves_of
from rustybt.engine.config import configured
from rustybt.engine.summary import curve_of
from rustybt.errors import ConfigError, RustyBTError
from rustybt.model.arguments import seed_of, whole, word
from rustybt.spec import Strategy, StrategyFunction
from rustybt.sweeps.changes import Case, Change
from rustybt.sweeps.evaluate import Rows
from rustybt.sweeps.executors import evaluated, sited
from rustybt.sweeps.grid import Assignments
from rustybt.sweeps.limits import MOST_LISTED, check_count
from rustybt.sweeps.options import chunk_size
from rustybt.sweeps.progress import showing
from rustybt.sweeps.variants import Block, Chunk, Variants
from rustybt.sweeps.work import DIED, Work

METRICS = ("total_return", "cagr", "volatility", "sharpe", "max_drawdown")


def resample_returns(result: Result, draw: Draw | None = None) -> pl.DataFrame:
    """Headline statistics of paths that are made of a run's session returns in blocks.

    Args:
        result: a finished run.
        draw: how to resample; default 1,000 stationary resamples, the block chosen from the returns.

    Returns:
        One row per resample: total_return, cagr, volatility, sharpe, sortino, calmar, max_drawdown (Float64, null where not defined).

    Raises:
        ConfigError: something else than a run, or than a `Draw`.

    Example:
        >>> import rustybt as rbt
        >>> result = rbt.run(rbt.Strategy("hold", target=rbt.weight(0.2)), "demo")
        >>> resample_returns(result, Draw(count=100)).height
        100
    """
    _check_run(result, "resample_returns")
    if not isinstance(draw, Draw | None):
        raise ConfigError(f"{draw!r} does not say how to draw", where="resample_returns, draw", do="give a Draw(count=1000), or None")
    found = resampled(curve_of(result).closes().returns, float(result.metrics["periods_per_year"]), draw or Draw())
    return pl.DataFrame(found).fill_nan(None)


def resample_trades(result: Result, how: Literal["shuffle", "draw"] = "shuffle", *, count: int = 1000, seed: int = 0) -> pl.DataFrame:
    """Statistics of a run's closed trades in another order, or drawn with replacement.

    A shuffle only changes what depends on the order: `max_drawdown` (of opening cash plus profits so far, in currency) and
    `longest_losing_run`. Profit, win rate, profit factor and expectancy are those of the run in every row, whatever the seed: use
    ``how="draw"`` to see how uncertain they are.

    Args:
        result: a finished run.
        how: ``shuffle`` keeps every trade once; ``draw`` takes as many with replacement.
        count: resamples.
        seed: of the random numbers.

    Returns:
        One row per resample: profit, win_rate, profit_factor, expectancy, max_drawdown (fraction, negative), longest_losing_run.

    Raises:
        ConfigError: fewer than two closed trades, another ``how``, or no resamples.

    Example:
        >>> import rustybt as rbt, polars as pl
        >>> up = pl.col("close") > pl.col("close").rolling_mean(50)
        >>> result = rbt.run(rbt.Strategy("up", target=rbt.weight(pl.when(up).then(0.2).otherwise(0.0))), "demo")
        >>> found = resample_trades(result, count=50)
        >>> found["win_rate"].n_unique(), found["max_drawdown"].n_unique() > 1
        (1, True)
    """
    word(how, ("shuffle", "draw"), "resample_trades, how")
    count = whole(count, "resample_trades, count", "give 1,000 or more")
    _check_run(result, "resample_trades")
    trades = Trades.from_frame(result.trades)
    closed = len(trades.pnl)
    if closed < 2:
        raise ConfigError(f"the run has {closed} closed trades", where="resample_trades", do="give one with at least two")
    rng = np.random.default_rng(seed_of(seed, "resample_trades"))
    check_room(closed, count, "resample_trades, count")
    at = rng.permuted(np.tile(np.arange(closed), (count, 1)), axis=1) if how == "shuffle" else rng.integers(0, closed, (count, closed))
    sample = TradeSample(trades.pnl, trades.returns).measure(np.sort(at, axis=1))
    pnl = trades.pnl[at]
    equity = float(result.config.cash) + np.concatenate([np.zeros((count, 1)), np.cumsum(pnl, axis=1)], axis=1)
    below = (equity / np.maximum.accumulate(equity, axis=1)).min(axis=1) - 1.0
    return pl.DataFrame(
        {
            "profit": trades.pnl[np.sort(at, axis=1)].sum(axis=1),
            "win_rate": sample["win_rate"],
            "profit_factor": sample["profit_factor"],
            "expectancy": sample["expectancy"],
            "max_drawdown": below,
            "longest_losing_run": [longest_run(row < 0) for row in pnl],
        }
    ).fill_nan(None)


def _check_run(result: object, where: str) -> None:
    """Refuse what is no finished run."""
    if not isinstance(result, Result):
        raise ConfigError(f"{result!r} is no run", where=f"{where}, result", do="give what rustybt.run gives")


@dataclass(frozen=True)
class Perturbed:
    """A run beside changed runs of it.

    Attributes:
        base: the run as it is.
        frame: one row per changed run: ``run`` (number), final_equity (Decimal), the metrics, fills, error (text, null when it ran).
    """

    base: Result
    frame: pl.DataFrame

    def summary(self) -> pl.DataFrame:
        """Metric by metric: the run's own number, the 5 %, 50 % and 95 % quantiles of the changed runs, and the share of them below it."""
        good = self.frame.filter(pl.col("error").is_null())
        rows = []
        for name in METRICS:
            own, column = self.base.metrics[name], good[name].drop_nulls()
            worse = None if own is None or not len(column) else float((column < own).mean() or 0.0)
            quantiles = {f"q{int(100 * q):02}": column.quantile(q, "linear") for q in (0.05, 0.5, 0.95)}
            rows.append({"metric": name, "run": own, **quantiles, "below": worse})
        kinds = dict.fromkeys(("run", "q05", "q50", "q95", "below"), pl.Float64)
        return pl.DataFrame(rows, schema={"metric": pl.String, **kinds})

    @property
    def failed(self) -> int:
        """Number of changed runs that could not be run."""
        return self.frame.height - self.frame["error"].null_count()


def perturb(
    strategy: Strategy,
    data: Any,
    changes: Sequence[Change],
    *,
    count: int = 200,
    seed: int = 0,
    workers: int | None = None,
    executor: str = "threads",
    address: str | None = None,
    progress: Callable[[int, int], None] | bool | None = None,
    **settings: Any,
) -> Perturbed:
    """Run a strategy again and again under changes, through the normal engine.

    Args:
        strategy: a `Strategy`.
        data: a Panel or anything `rustybt.load` takes.
        changes: applied one after the other in every run; see `rustybt.sweeps.changes`.
        count: changed runs.
        seed: run i draws from (seed, i), so neither the count nor who runs it changes a run.
        workers: how many at a time; None = one per core, of the cluster where there is one.
        executor: ``threads``, ``processes`` or ``ray``, as in `rustybt.sweep`.
        address: of a Ray cluster, as in `rustybt.sweep`.
        progress: called with (done, total) after each run.
        **settings: of the run: ``cash``, ``costs``, ``fill`` ... as in `rustybt.run`.

    Returns:
        A `Perturbed`. A changed run that fails is a row with its error.

    Raises:
        ConfigError: no changes, no runs, or a setting that is wrong.

    Example:
        >>> import rustybt as rbt
        >>> from rustybt.sweeps import PriceNoise
        >>> found = perturb(rbt.Strategy("hold", target=rbt.weight(0.2)), "demo", [PriceNoise(0.002)], count=3)
        >>> found.frame.height, found.failed
        (3, 0)
    """
    if not isinstance(changes, Sequence):
        do = "give a list such as [PriceNoise(0.001)]"
        raise ConfigError(f"{changes!r} is no list of changes", where="perturb, changes", do=do)
    if not changes:
        raise ConfigError("there are no changes", where="perturb, changes", do="give a list such as [PriceNoise(0.001)]")
    wrong = [one for one in changes if isinstance(one, type) or not callable(getattr(one, "apply", None))]
    if wrong:
        raise ConfigError(f"{wrong[0]!r} is no change", where="perturb, changes", do="give a list such as [PriceNoise(0.001)]")
    count = whole(count, "perturb, count", "give 100 or more", what=f"{count!r} runs say nothing")
    check_count(count, "perturb, count", MOST_LISTED, "give fewer")
    seed = seed_of(seed, "perturb")
    sleeves_of(strategy)
    case = Case(strategy, panel_of(data), configured(settings, "perturb"))
    base = run_configured({strategy.name: strategy}, case.panel, case.config)
    work = Altered((), (case.panel,), case.config, counting=False, strategy=strategy, changes=tuple(changes), seed=seed)
    given, frames, done = Assignments({"run": range(count)}, count), list[pl.DataFrame](), 0
    with sited(executor, workers, address) as site, showing(progress, "perturb") as tell:
        chunks = Variants((), ("",), (Block(0, 0, given),), (False, False)).chunks(chunk_size(count, site.workers, work.panels))
        with closing(evaluated(work, chunks, site)) as parts:
            for rows in parts:
                frames.append(rows.frame)
                for _ in range(rows.frame.height):
                    done += 1
                    if tell is not None:
                        tell(done, count)
    return Perturbed(base, pl.concat(frames))


@dataclass(frozen=True)
class Altered(Work):
    """Changed runs, as work for those who run variants: the only parameter is the number of the run.

    Attributes:
        strategy: what is changed.
        changes: applied one after the other.
        seed: run i draws from (seed, i).
    """

    strategy: Strategy = field(kw_only=True)
    changes: tuple[Change, ...] = field(kw_only=True)
    seed: int = field(kw_only=True)

    def rows(self, chunk: Chunk) -> Rows:
        """Run one chunk."""
        case = Case(self.strategy, self.panels[0], self.config)
        numbers = chunk.block.assignments.columns["run"]
        return self._framed([_changed(case, self.changes, np.random.default_rng([self.seed, number]), number) for number in numbers])

    def died(self, chunk: Chunk) -> Rows:
        """The row of a run that took its process with it."""
        return self._framed([_row(chunk.block.assignments.columns["run"][0]) | {"error": DIED}])

    def _framed(self, rows: list[dict[str, Any]]) -> Rows:
        schema: dict[str, Any] = {"run": pl.UInt32, "final_equity": pl.Decimal(38, self.config.money_scale)}
        schema |= dict.fromkeys(METRICS, pl.Float64) | {"fills": pl.Int64, "error": pl.String}
        return Rows(pl.DataFrame(rows, schema=schema))

    @property
    def modules(self) -> tuple[str, ...]:
        """Names of the modules that the strategy and the changes are from."""
        held = [value for change in self.changes for value in vars(change).values() if isinstance(value, StrategyFunction)]
        made = [*held, *map(type, self.changes), *([] if self.strategy.on_bar is None else [self.strategy.on_bar.callback])]
        return tuple(dict.fromkeys(str(getattr(one, "__module__", "")) for one in made))


def _row(number: int) -> dict[str, Any]:
    return {"run": number, "final_equity": None, **dict.fromkeys(METRICS), "fills": None, "error": None}


def _changed(case: Case, changes: Sequence[Change], rng: np.random.Generator, number: int) -> dict[str, Any]:
    row = _row(number)
    try:
        for change in changes:
            case = change.apply(case, rng)
        result = run_configured({case.strategy.name: case.strategy}, case.panel, case.config)
    except RustyBTError as error:
        return {**row, "error": str(error)}
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the user's function raises under other parameters
        return {**row, "error": f"{type(error).__name__}: {error}"}
    measured = {name: result.metrics[name] for name in METRICS}
    return {**row, "final_equity": Decimal(result.final_equity), **measured, "fills": result.counts()["fills"]}
