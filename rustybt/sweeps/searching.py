"""Search: ask for a generation of variants, run it at once, tell the results, and ask again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from rustybt._extras import require
from rustybt.data.cut import until
from rustybt.engine import RunConfig
from rustybt.engine.config import configured
from rustybt.errors import ConfigError, RustyBTError
from rustybt.model import Panel
from rustybt.model.arguments import place, seed_of, whole, word
from rustybt.spec import StrategyFunction
from rustybt.sweeps.given import check_metric
from rustybt.sweeps.grid import check_condition, series
from rustybt.sweeps.kept import KeptRows, row_key
from rustybt.sweeps.limits import MOST_LISTED, check_count
from rustybt.sweeps.measure import columns
from rustybt.sweeps.names import LUCK, SMALLER, refuse_taken
from rustybt.sweeps.registry import Trial, trial_id
from rustybt.sweeps.runner import Runner
from rustybt.sweeps.samplers import MANY, METHODS, VIOLATED, at_random, batch_of, distributions, named, quiet, sampler_of
from rustybt.sweeps.space import Dimension, allowed, space_of

TRIES = 200
"""Draws per wanted variant after which a condition counts as one that nothing meets."""
STUBBORN = 20
"""Variants in a row that the condition refuses, after which the next are drawn at random."""


@dataclass(frozen=True)
class SearchPlan:
    """What a search does, checked; see `rustybt.search` for the meaning of each.

    Attributes:
        space: by parameter.
        method: one of `rustybt.sweeps.samplers.METHODS`.
        metrics: what is looked for.
        directions: ``max`` or ``min`` for each.
        trials: variants to run.
        batch: variants asked for at once.
        where: condition on the parameters.
        require: condition on the results.
        seed: of the random numbers.
        prune: share of the bars after which poor variants are given up, or None.
        storage: file in which rows are kept, or None.
    """

    space: Mapping[str, Dimension]
    method: str
    metrics: tuple[str, ...]
    directions: tuple[str, ...]
    trials: int
    batch: int
    where: str | None = None
    require: str | None = None
    seed: int = 0
    prune: float | None = None
    storage: Path | None = None

    def reseeded(self, number: int) -> SearchPlan:
        """The same with other random numbers, for a window of a walk."""
        return replace(self, seed=int(np.random.SeedSequence([self.seed, number]).generate_state(1)[0]))


@dataclass(frozen=True)
class Explored:
    """What a search has run.

    Attributes:
        frame: one row per trial: ``trial`` and ``batch`` (UInt32), the parameters, the columns of `rustybt.sweeps.evaluate`, ``pruned`` and
            ``feasible`` (Boolean).
        evaluated: variants that were run, not found in the file or asked for before.
        trials: the different variants that ran, as the registry counts them.
        seconds: that a variant took by the clock, all workers together; None where none was run.
    """

    frame: pl.DataFrame
    evaluated: int
    trials: tuple[Trial, ...]
    seconds: float | None = None


def plan_of(strategy: StrategyFunction, given: Mapping[str, Any]) -> SearchPlan:
    """A checked plan from what users type.

    Raises:
        ConfigError: naming the setting and its value.
    """
    known = {
        "space": None, "method": "tpe", "metric": "sharpe", "directions": None, "trials": 100, "batch": None, "where": None,
        "require": None, "seed": 0, "prune": None, "storage": None,
    }  # fmt: skip
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ConfigError(f"there is no setting {unknown[0]!r}", where="search", do=f"use some of {', '.join(known)}")
    want = known | dict(given)
    word(want["method"], METHODS, "search, method")
    space = space_of(strategy, want["space"])
    refuse_taken(space, ("trial", "batch", "pruned", "feasible", *columns(8), *LUCK), "search, space")
    metrics, directions = _objectives(want["metric"], want["directions"], str(want["method"]))
    for metric in metrics:
        check_metric(metric, "search, metric")
    if want["require"] is not None:
        check_require(want["require"], [*columns(8), *space])
    batch = batch_of(str(want["method"]), len(space)) if want["batch"] is None else want["batch"]
    for name, number in (("trials", want["trials"]), ("batch", batch)):
        whole(number, f"search, {name}", "give 1 or more", what=f"{name} {number!r} is no number of variants")
        check_count(int(number), f"search, {name}", MOST_LISTED, "give fewer, or draw them: rbt.sweep(space=..., samples=...)")
    prune = want["prune"]
    if prune is not None and not (isinstance(prune, float) and 0 < prune < 1):
        raise ConfigError(f"prune {prune!r} is no share of the bars", where="search, prune", do="give a share such as 0.3, or None")
    if prune is not None and len(metrics) > 1:
        raise ConfigError("pruning with several objectives", where="search, prune", do="leave it out: nothing says which of them is poor")
    storage, do = want["storage"], 'give a path such as "search.sqlite"'
    storage = None if storage is None else place(storage, "search, storage", do, what=f"storage {storage!r} is no file")
    if storage is not None:
        KeptRows(storage).find([])  # a file that cannot be used is told before anything runs
    return SearchPlan(
        space, str(want["method"]), metrics, directions, int(want["trials"]), int(batch), want["where"], want["require"],
        seed_of(want["seed"], "search"), prune, storage,
    )  # fmt: skip


def explore(
    strategy: StrategyFunction,
    panel: Panel,
    plan: SearchPlan,
    settings: Mapping[str, Any],
    *,
    runner: Runner,
    progress: Callable[[int, int], None] | None = None,
) -> Explored:
    """Run a search.

    The method is asked for a whole batch, the batch is run at once, and the results are told in the order in which they were asked. So the
    search follows from its seed alone, whoever runs it; a variant that was run before is not run again but told again, which is how a
    search that was killed goes on: by the same steps.

    Raises:
        ConfigError: a metric or a condition that cannot be used, or one that nothing meets.
        MissingExtraError: Optuna is not installed.
    """
    optuna = require("optuna", extra="optuna")
    states, known = optuna.trial.TrialState, _Known(strategy, panel, plan, settings, runner)
    ways = ["maximize" if way == "max" else "minimize" for way in plan.directions]
    rows: list[dict[str, Any]] = []
    made: list[pl.DataFrame | None] = []
    with quiet():
        sampler = sampler_of(plan.method, plan.seed, plan.batch, plan.space, conditions=plan.require is not None, where=plan.where)
        pruner = optuna.pruners.MedianPruner(n_startup_trials=max(5, plan.batch // 2))
        study = optuna.create_study(directions=ways, sampler=sampler, pruner=pruner)
        while len(rows) < plan.trials:
            asked = _ask(study, plan, min(plan.batch, plan.trials - len(rows)))
            given_up = _race(known, asked) if plan.prune is not None else set[int]()
            kept = [variant for at, (_, variant) in enumerate(asked) if at not in given_up]
            found = known.rows(kept)
            number = len(rows) // plan.batch
            for at, (trial, variant) in enumerate(asked):
                row = {"trial": len(rows), "batch": number, **variant}
                if at in given_up:
                    study.tell(trial, state=states.PRUNED)
                    rows.append(row | {"pruned": True, "feasible": False})
                    made.append(None)
                    continue
                result = found[_name(variant)]
                values = result.select(plan.metrics).row(0)
                good = result["error"][0] is None and all(value is not None and np.isfinite(float(value)) for value in values)
                broken = good and not _meets(result, variant, plan.require)
                trial.set_user_attr(VIOLATED, float(broken))
                study.tell(trial, [float(value) for value in values]) if good else study.tell(trial, state=states.FAIL)
                rows.append(row | {"pruned": False, "feasible": good and not broken})
                made.append(result)
            if progress is not None:
                progress(len(rows), plan.trials)
    return Explored(_framed(rows, made), known.evaluated, tuple(known.trials.values()), known.seconds)


class _Known:
    """Runs variants that were not run before."""

    def __init__(self, strategy: StrategyFunction, panel: Panel, plan: SearchPlan, settings: Mapping[str, Any], runner: Runner) -> None:
        self.strategy, self.panel, self.plan, self.runner = strategy, panel, plan, runner
        self.config: RunConfig = configured(settings, "search")
        self.store = None if plan.storage is None else KeptRows(plan.storage)
        self.known: dict[str, pl.DataFrame] = {}
        self.trials: dict[str, Trial] = {}
        self.evaluated = 0
        self.seconds: float | None = None

    @cached_property
    def part(self) -> Panel:
        """The first part of the bars, on which poor variants are given up."""
        return until(self.panel, max(2, int(self.panel.bars * (self.plan.prune or 1.0))))

    def rows(self, variants: Sequence[Mapping[str, Any]], part: Panel | None = None) -> dict[str, pl.DataFrame]:
        """Rows by the name of the variant, on the panel or on a part of it; each a frame of one row, without the parameters."""
        panel = part or self.panel
        place = "" if part is None else "part "
        fresh = {place + _name(v): v for v in variants if place + _name(v) not in self.known}
        keys = {} if self.store is None else {name: key for name, v in fresh.items() if (key := self._key(v, panel)) is not None}
        found = {} if self.store is None else self.store.find(keys.values())
        kept = {name: found[key] for name, key in keys.items() if key in found}
        self.known |= kept
        if part is None:
            self._count(self._trial(fresh[name], row) for name, row in kept.items())
        left = [name for name in fresh if name not in self.known]
        if left:
            began = time.monotonic()
            frame = self.runner.rows(self.strategy, panel, self.config, [fresh[name] for name in left], counting=part is None)
            self.evaluated += len(left)
            self.seconds = (time.monotonic() - began) / len(left)  # of the last batch: the first makes things that stay
            rest = frame.drop(list(self.plan.space))
            made = {name: rest[at : at + 1] for at, name in enumerate(left)}
            self.known |= made
            if part is None:
                self._count(self.runner.trials)
            if self.store is not None:
                self.store.keep({keys[name]: row for name, row in made.items() if name in keys and row["error"][0] is None})
        return {_name(v): self.known[place + _name(v)] for v in variants}

    def _key(self, variant: Mapping[str, Any], panel: Panel) -> str | None:
        try:
            return row_key(self.strategy(**variant).spec_id, panel.snapshot, self.config)
        except RustyBTError:
            return None
        except (Exception, SystemExit):  # noqa: BLE001 - whatever the user's function raises; its row will say so
            return None

    def _trial(self, variant: Mapping[str, Any], kept: pl.DataFrame) -> Trial:
        """A row of the storage as the registry counts it."""
        row = kept.row(0, named=True)
        sharpe, periods = row.get("sharpe"), row.get("periods_per_year")
        each = None if sharpe is None or not periods else sharpe / periods**0.5
        return Trial(trial_id(self.strategy(**variant).spec_id, self.config), self.strategy.name, each)

    def _count(self, trials: Iterable[Trial]) -> None:
        self.trials |= {trial.trial: trial for trial in trials}


def _ask(study: Any, plan: SearchPlan, count: int) -> list[tuple[Any, dict[str, Any]]]:
    """So many variants that the condition lets through, each with its trial.

    A method may expect the most where the condition refuses, and ask for that again and again: what is refused a number of times in a
    row is drawn at random instead.
    """
    optuna = require("optuna", extra="optuna")
    ranges, tries, row = distributions(plan.space), 0, 0
    found: list[tuple[Any, dict[str, Any]]] = []
    while len(found) < count:
        if row >= STUBBORN:
            rng = np.random.default_rng([plan.seed, len(study.get_trials(deepcopy=False))])
            drawn = [at_random(plan.space, rng) for _ in range(STUBBORN)]
            may = allowed([named(plan.space, params) for params in drawn], plan.where)
            study.enqueue_trial(drawn[may.index(True) if True in may else 0])
            tries += may.index(True) if True in may else STUBBORN - 1
        trial = study.ask(ranges)
        variant = named(plan.space, trial.params)
        if allowed([variant], plan.where)[0]:
            found.append((trial, variant))
            row = 0
            continue
        tries, row = tries + 1, row + 1
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
        if tries >= TRIES * count:
            raise ConfigError(
                f"the condition {plan.where!r} let {len(found)} of {tries + len(found):,} variants through",
                where="search, where",
                do="loosen it, or narrow the space to where it holds",
            )
    return found


def _race(known: _Known, asked: Sequence[tuple[Any, Mapping[str, Any]]]) -> set[int]:
    """Places of the variants that are poor on the first part of the bars."""
    plan, part = known.plan, known.part
    rows, poor = known.rows([variant for _, variant in asked], part), set()
    for at, (trial, variant) in enumerate(asked):
        value = rows[_name(variant)][plan.metrics[0]][0]
        if value is not None and np.isfinite(float(value)):
            trial.report(float(value), step=1)
            if trial.should_prune():
                poor.add(at)
    return poor


def _objectives(metric: str | Sequence[str], directions: Sequence[str] | None, method: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    metrics = (metric,) if isinstance(metric, str) else tuple(metric) if isinstance(metric, Sequence) else ()
    if not metrics or len(set(metrics)) != len(metrics):
        raise ConfigError(f"objectives {metric!r}", where="search, metric", do="give one metric, or different ones")
    if len(metrics) > 1 and method not in MANY:
        raise ConfigError(f"{method} follows one objective", where="search, metric", do=f"use {', '.join(MANY)}, or one metric")
    if directions is None:
        return metrics, tuple("min" if name in SMALLER else "max" for name in metrics)
    ways = (directions,) if isinstance(directions, str) else tuple(directions) if isinstance(directions, Sequence) else ()
    if len(ways) != len(metrics) or any(way not in ("max", "min") for way in ways):
        raise ConfigError(
            f"directions {directions!r}", where="search, directions", do=f"give 'max' or 'min' for each of {', '.join(metrics)}"
        )
    return metrics, ways


def check_require(require: object, names: Sequence[str]) -> None:
    """Refuse a condition on the results that cannot be read, before anything runs.

    Raises:
        ConfigError: naming it.
    """
    where, do = "search, require", 'write "fills >= 20"'
    if not isinstance(require, str):
        raise ConfigError(f"the condition {require!r} is no text", where=where, do=do)
    try:
        met, wrong = pl.sql_expr(require), None
        types = dict.fromkeys(names, pl.Null) | columns(8)
        found = pl.DataFrame(schema=types).select(met.alias("met")).schema["met"]
        check_condition(require, found, where)
    except (pl.exceptions.ColumnNotFoundError, pl.exceptions.SQLInterfaceError, pl.exceptions.SQLSyntaxError, UnicodeError) as error:
        wrong = error
    except pl.exceptions.PolarsError:
        return  # of types, which are known when there are rows
    if wrong is not None:
        raise ConfigError(f"the condition {require!r} cannot be used: {str(wrong).splitlines()[0]}", where=where, do=do)


def _name(variant: Mapping[str, Any]) -> str:
    return json.dumps({name: repr(value) for name, value in variant.items()}, sort_keys=True)


def _meets(row: pl.DataFrame, variant: Mapping[str, Any], require: str | None) -> bool:
    """Whether a result meets a condition on its columns and its parameters.

    Raises:
        ConfigError: the condition cannot be read.
    """
    if require is None:
        return True
    given = row.with_columns(pl.lit(value).alias(name) for name, value in variant.items())
    try:
        return bool(given.select(pl.sql_expr(require).cast(pl.Boolean).fill_null(value=False).alias("met"))["met"][0])
    except pl.exceptions.PolarsError as error:
        raise ConfigError(
            f"the condition {require!r} cannot be used: {str(error).splitlines()[0]}", where="search, require", do='write "fills >= 20"'
        ) from None


def _framed(rows: list[dict[str, Any]], made: list[pl.DataFrame | None]) -> pl.DataFrame:
    empty = next(row for row in made if row is not None).clear(1)
    results = pl.concat([empty if row is None else row for row in made], how="diagonal_relaxed")
    frame = pl.DataFrame({name: series(name, [row[name] for row in rows]) for name in rows[0]})
    told = frame.select(pl.col("trial", "batch").cast(pl.UInt32), pl.exclude("trial", "batch", "pruned", "feasible"))
    return pl.concat([told, results, frame.select("pruned", "feasible")], how="horizontal")
