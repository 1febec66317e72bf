"""Combinatorial purged cross-validation: many ways to learn on some groups of bars and to test on the others, joined to several paths."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from rustybt.analysis.honesty.paths import HEADLINE, measure_paths
from rustybt.analysis.metrics import Curve, measure, periods_per_year
from rustybt.analysis.metrics.curve import Floats
from rustybt.data.cut import until
from rustybt.engine import RunConfig
from rustybt.engine.bulk import panel_of
from rustybt.engine.config import configured
from rustybt.engine.summary import curve_of
from rustybt.errors import ConfigError
from rustybt.model import Panel
from rustybt.model.arguments import word
from rustybt.model.panel import Ints
from rustybt.spec import Strategy, StrategyFunction
from rustybt.sweeps.choose import Choice
from rustybt.sweeps.combined import CrossValidation
from rustybt.sweeps.grid import assignments, check_grid
from rustybt.sweeps.names import METRICS, refuse_taken
from rustybt.sweeps.progress import showing
from rustybt.sweeps.registry import Tally, Trial, counted, open_registry, trial_id
from rustybt.sweeps.runner import Runner, running
from rustybt.sweeps.splits import Span, Split, combinatorial, instant, paths
from rustybt.sweeps.splits import groups as cut_into
from rustybt.sweeps.stitch import Piece, cash_piece, joined, run_span, stitched_frame

TAKEN = ("split", "path", "groups", "train_bars", "in_sample", "out_of_sample", "rank", "error")


def cross_validate(
    strategy: StrategyFunction,
    data: Any,
    *,
    grid: Mapping[str, Iterable[Any]],
    where: str | None = None,
    groups: int = 6,
    tests: int = 2,
    purge: int = 0,
    embargo: int = 0,
    metric: str = "sharpe",
    pick: str = "peak",
    workers: int | None = None,
    executor: str = "threads",
    address: str | None = None,
    progress: Callable[[int, int], None] | bool | None = None,
    trials: str | Path | None = None,
    **settings: Any,
) -> CrossValidation:
    """Choose on every combination of groups of bars, test each choice on the groups left out, and join the tests to paths.

    The bars are cut into ``groups``; every choice of ``tests`` of them is a split. Every variant is run once on each group, from cash and
    flat; a split judges it by its session returns on the groups that learn, less what is purged and under embargo. The tests of all splits
    make ``tests / groups x splits`` paths through all groups; each path is run group by group, each group with what the one before has
    left, to the last digit. One walk-forward gives one history; this gives several, and how much they differ is the result.

    Source: Lopez de Prado, Advances in Financial Machine Learning, 2018, ch. 12. A test may lie before what was learned from: nothing is
    read from the future of a bar, but the choice knows it, as in every cross-validation.

    Args:
        strategy: a ``@strategy`` function.
        data: a Panel or anything `rustybt.load` takes.
        grid: values by parameter name, as in `rustybt.sweep`.
        where: condition on the parameters.
        groups: parts of equal length; 6 with 2 ``tests`` make 15 splits and 5 paths.
        tests: groups that test in each split.
        purge: bars of the training left out before each test group: how long a decision works on.
        embargo: bars of the training left out after each test group: how far back indicators read.
        metric: total_return, cagr, volatility, sharpe, sortino, calmar or max_drawdown of the session returns.
        pick: ``peak`` or ``plateau``, as in `rustybt.walk_forward`.
        workers: how many variants at a time; None = one per core, of the cluster where there is one. The result does not depend on who
            runs them.
        executor: ``threads``, ``processes`` or ``ray``, as in `rustybt.sweep`.
        address: of a Ray cluster, as in `rustybt.sweep`.
        progress: called with (done, total) runs of a variant on a group; True shows a bar.
        trials: file that counts trials, as in `rustybt.sweep`; a cross-validation is one.
        **settings: of the run: ``cash``, ``costs``, ``fill`` ... as in `rustybt.run`.

    Returns:
        A `CrossValidation`. Session returns are kept while it works: 8 bytes a bar and variant.

    Raises:
        ConfigError: groups that do not fit the data, no variant that ran, or a setting that is wrong.

    Example:
        >>> import rustybt as rbt, polars as pl
        >>> @rbt.strategy
        ... def above(window: int = 50) -> rbt.Strategy:
        ...     up = pl.col("close") > pl.col("close").rolling_mean(window)
        ...     return rbt.Strategy(target=rbt.weight(pl.when(up).then(0.2).otherwise(0.0)))
        >>> found = rbt.cross_validate(above, "demo", grid={"window": [20, 100]}, groups=4, tests=2, embargo=100)
        >>> found.splits.height, found.paths.height
        (6, 3)
    """
    variants = _checked(strategy, grid, where, metric)
    for name in ("flows", "trade_from"):
        if settings.get(name) is not None:
            raise ConfigError(f"{name} cannot be divided among groups", where=f"cross_validate, {name}", do="leave it out")
    registry, notes = open_registry(trials)
    panel, config = panel_of(data), configured(settings, "cross_validate")
    spans = cut_into(panel.bars, groups)
    splits = combinatorial(spans, tests, purge, embargo)
    empty = [split.number for split in splits if sum(stop - first for first, stop in split.train) < len(spans)]
    if empty:
        raise ConfigError(
            f"split {empty[0]} has nothing left to learn from", where="cross_validate, purge and embargo", do="give fewer bars of them"
        )
    tried = _Tried(strategy, variants, panel, config, spans)
    with running(executor, workers, address) as runner, showing(progress, "cross_validate") as tell:
        tried.run(runner, tell)
    choice = Choice(metric, pick)
    rows, chosen = _choices(tried, splits, choice, list(grid))
    routes = paths(splits, groups)
    walked = [_path(tried, [chosen[split] for split in route]) for route in routes]
    parts = [pl.DataFrame({"path": pl.Series([at] * panel.bars, dtype=pl.UInt32)}) for at in range(len(walked))]
    frames = [pl.concat([part, stitched_frame(pieces, config)], how="horizontal") for part, pieces in zip(parts, walked, strict=True)]
    numbers = [measure(joined(pieces, config)) for pieces in walked]
    yearly = [(row["sharpe"], row["periods_per_year"]) for row in numbers]
    sharpes = [sharpe / years**0.5 for sharpe, years in yearly if isinstance(sharpe, float) and isinstance(years, float)]
    what = trial_id(repr((sorted(map(repr, variants)), spans, tests, purge, embargo, metric, pick)), config)
    middle = float(np.median(sharpes)) if sharpes else None
    tally, failed = counted(registry, panel.snapshot, [Trial(what, f"cross-validation {strategy.name}", middle)])
    return CrossValidation(
        strategy=strategy,
        panel=panel,
        config=config,
        groups=tuple(spans),
        splits=rows,
        paths=_path_rows(walked, numbers, config),
        equity=pl.concat(frames).rename({"step": "group"}),
        routes=tuple(map(tuple, routes)),
        choice=choice,
        parameters=tuple(grid),
        variants=len(variants),
        tally=tally or Tally.of([middle]),
        notes=(*notes, *failed),
    )


class _Tried:
    """Every variant on every group."""

    def __init__(
        self, strategy: StrategyFunction, variants: list[dict[str, Any]], panel: Panel, config: RunConfig, spans: Sequence[Span]
    ) -> None:
        self.strategy, self.variants, self.panel, self.config, self.spans = strategy, variants, panel, config, spans
        self.parts = [until(panel, stop) for _, stop in spans]
        self.periods = periods_per_year(np.unique(panel.sessions))
        self.opening = int(config.cash.scaleb(config.money_scale))
        self.equity: list[Ints] = []
        self.errors: list[str | None] = [None] * len(variants)

    def run(self, runner: Runner, progress: Callable[[int, int], None] | None) -> None:
        """All of them, group after group."""
        total = len(self.variants) * len(self.spans)
        for group, (part, (first, _)) in enumerate(zip(self.parts, self.spans, strict=True)):

            def told(done: int, _: int, before: int = group * len(self.variants)) -> None:
                if progress is not None:
                    progress(before + done, total)

            config = replace(self.config, trade_from=instant(self.panel, first))
            equity, errors = runner.curves(self.strategy, part, config, self.variants, told)
            self.equity.append(equity)
            self.errors = [before or now for before, now in zip(self.errors, errors, strict=True)]

    def alone(self, made: Strategy, group: int, config: RunConfig) -> Any:
        """A strategy on a group."""
        return run_span(made, self.parts[group], self.spans[group], config)

    def returns(self, variant: int, spans: Iterable[Span]) -> Floats:
        """Session returns on some spans, each inside of a group, one behind the other."""
        found = []
        for first, stop in spans:
            group = next(at for at, (begin, end) in enumerate(self.spans) if begin <= first and stop <= end)
            own, begin = self.equity[group][variant], self.spans[group][0]
            opening = self.opening if first == begin else int(own[first - begin - 1])
            part, at = own[first - begin : stop - begin], slice(first, stop)
            ts, sessions, scale = self.panel.ts[at], self.panel.sessions[at], self.config.money_scale
            piece = Curve(ts, sessions, part, part, part, scale, opening)  # returns look at equity alone
            found.append(piece.closes().returns)
        return np.concatenate(found)

    def rows(self, spans: Sequence[Span]) -> pl.DataFrame:
        """Statistics of every variant on some spans, with its error."""
        nothing = dict.fromkeys(HEADLINE)
        rows = []
        for number, (variant, error) in enumerate(zip(self.variants, self.errors, strict=True)):
            numbers: Mapping[str, Any] = nothing
            if error is None:
                found = measure_paths(self.returns(number, spans)[None, :], self.periods)
                numbers = {name: float(found[name][0]) for name in HEADLINE}
            rows.append({"__variant": number, **variant, **numbers, "error": error})
        kinds = dict.fromkeys(HEADLINE, pl.Float64) | {"error": pl.String}
        return pl.DataFrame(rows, infer_schema_length=None).with_columns(pl.col(n).cast(k) for n, k in kinds.items()).fill_nan(None)


def _checked(strategy: Any, grid: Mapping[str, Iterable[Any]], where: str | None, metric: str) -> list[dict[str, Any]]:
    if not isinstance(strategy, StrategyFunction):
        do = "decorate it with @rustybt.strategy"
        raise ConfigError(f"{strategy!r} is not a @strategy function", where="cross_validate, strategy", do=do)
    check_grid(grid, "cross_validate")
    unknown = sorted(set(grid) - set(strategy.parameters))
    if unknown:
        known = ", ".join(strategy.parameters)
        raise ConfigError(
            f"strategy {strategy.name!r} has no parameter {unknown[0]!r}", where="cross_validate, grid", do=f"use one of {known}"
        )
    word(metric, HEADLINE, "cross_validate, metric", what=f"there is no metric {metric!r}")
    refuse_taken(grid, (*TAKEN, *HEADLINE), "cross_validate")
    return assignments(grid, where)


def _choices(tried: _Tried, splits: Sequence[Split], choice: Choice, names: list[str]) -> tuple[pl.DataFrame, list[int]]:
    """A row for each split, and the number of the variant that it chose."""
    if all(error is not None for error in tried.errors):
        raise ConfigError(f"no variant ran: {tried.errors[0]}", where="cross_validate", do="try one of them with rustybt.run")
    rows, chosen = [], []
    for split in splits:
        ranked = choice.ranked(tried.rows(split.train), names)
        if not ranked.height:
            raise ConfigError(
                f"no variant has a {choice.metric!r} in split {split.number}", where="cross_validate", do="give longer groups"
            )
        best = ranked.row(0, named=True)
        after = tried.rows([tried.spans[group] for group in split.groups])
        value = after[choice.metric][best["__variant"]]
        others = after[choice.metric].drop_nulls().to_numpy() * (1.0 if choice.largest else -1.0)
        own = None if value is None else value * (1.0 if choice.largest else -1.0)
        chosen.append(int(best["__variant"]))
        rows.append(
            {
                "split": split.number,
                "groups": list(split.groups),
                "train_bars": sum(stop - first for first, stop in split.train),
                **{name: tried.variants[chosen[-1]][name] for name in names},
                "in_sample": best[choice.metric],
                "out_of_sample": value,
                "rank": None if own is None else float(((others < own).sum() + ((others == own).sum() + 1) / 2) / (len(others) + 1)),
            }
        )
    frame = pl.DataFrame(rows, infer_schema_length=None)
    floats = [pl.col(name).cast(pl.Float64) for name in ("in_sample", "out_of_sample", "rank")]
    return frame.with_columns(pl.col("split").cast(pl.UInt32), pl.col("groups").cast(pl.List(pl.UInt32)), *floats), chosen


def _path(tried: _Tried, variants: Sequence[int]) -> list[Piece]:
    """One group behind the other, each with what the one before has left."""
    cash, found = tried.config.cash, list[Piece]()
    for group, variant in enumerate(variants):
        if tried.errors[variant] is not None or cash <= 0:
            found.append(cash_piece(tried.panel, tried.spans[group], cash, tried.config))
            continue
        result = tried.alone(tried.strategy(**tried.variants[variant]), group, replace(tried.config, cash=cash))
        found.append(Piece(tried.spans[group], curve_of(result), cash, result.counts()["fills"], result.metrics))
        cash = Decimal(result.final_equity)
    return found


def _path_rows(walked: Sequence[Sequence[Piece]], numbers: Sequence[Mapping[str, Any]], config: RunConfig) -> pl.DataFrame:
    rows = [
        {"path": at, "final_equity": pieces[-1].final, **{n: one[n] for n in METRICS}, "fills": sum(piece.fills for piece in pieces)}
        for at, (pieces, one) in enumerate(zip(walked, numbers, strict=True))
    ]
    kinds: dict[str, Any] = {"path": pl.UInt32, "final_equity": pl.Decimal(38, config.money_scale)}
    return pl.DataFrame(rows, schema=kinds | dict.fromkeys(METRICS, pl.Float64) | {"fills": pl.Int64})
