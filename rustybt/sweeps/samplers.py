"""How a search draws its next variants: Optuna's samplers by name, and a Gaussian process of our own that needs no torch."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from rustybt._extras import require
from rustybt.analysis.metrics.curve import Floats
from rustybt.errors import ConfigError
from rustybt.sweeps.gaussian import fit, next_point
from rustybt.sweeps.space import Between, Dimension, Values, allowed

METHODS = ("random", "tpe", "gp", "nsga2", "cmaes")
MANY = ("random", "tpe", "nsga2")
"""Methods that can follow several objectives."""
BATCHES = {"random": 64, "tpe": 16, "gp": 8, "nsga2": 50}
VIOLATED = "violated"
"""Attribute of a trial that ran: 1 where its result breaks a condition, else 0."""


def batch_of(method: str, dimensions: int) -> int:
    """Variants that are asked for at once, unless the user says so: a generation, where the method has them."""
    return BATCHES.get(method, 4 + int(3 * math.log(max(dimensions, 2))))


def distributions(space: Mapping[str, Dimension]) -> dict[str, Any]:
    """The space in Optuna's words; values are numbered."""
    optuna = require("optuna", extra="optuna")
    found: dict[str, Any] = {}
    for name, dimension in space.items():
        if isinstance(dimension, Between):
            found[name] = optuna.distributions.FloatDistribution(dimension.low, dimension.high)
        elif dimension.ordered:
            found[name] = optuna.distributions.IntDistribution(0, len(dimension.values) - 1)
        else:
            found[name] = optuna.distributions.CategoricalDistribution(tuple(range(len(dimension.values))))
    return found


def sampler_of(method: str, seed: int, batch: int, space: Mapping[str, Dimension], *, conditions: bool, where: str | None = None) -> Any:
    """A sampler.

    Args:
        method: one of ``METHODS``.
        seed: of its random numbers.
        batch: variants asked for at once.
        space: what may vary.
        conditions: whether results have to meet a condition.
        where: condition on the variants, for a method that would else ask for the same one that it refuses again and again.

    Raises:
        ConfigError: a space that the method cannot search.
        MissingExtraError: Optuna is not installed.
    """
    samplers = require("optuna", extra="optuna").samplers
    violated = {"constraints_func": _violated} if conditions else {}
    if method == "random":
        return samplers.RandomSampler(seed=seed)
    if method == "tpe":
        return samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True, n_startup_trials=max(10, batch), **violated)
    if method == "nsga2":
        if batch < 2:
            raise ConfigError(f"a generation of {batch}", where="search, batch", do="give nsga2 at least 2; 50 is usual")
        return samplers.NSGAIISampler(seed=seed, population_size=batch, **violated)
    if method == "gp":
        return gaussian_sampler(seed, space, where)
    words = [name for name, dimension in space.items() if isinstance(dimension, Values) and not dimension.ordered]
    if words or len(space) < 2:
        what = f"{words[0]!r} has no order" if words else "there is one parameter"
        raise ConfigError(what, where="search, method", do="use tpe; cmaes moves through two or more numbers")
    require("cmaes", extra="optuna")
    return samplers.CmaEsSampler(seed=seed, popsize=max(batch, 4), n_startup_trials=1, warn_independent_sampling=False)


@contextmanager
def quiet() -> Iterator[None]:
    """Optuna without its log and without the warnings about what it calls experimental."""
    optuna = require("optuna", extra="optuna")
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)


def gaussian_sampler(seed: int, space: Mapping[str, Dimension], where: str | None = None) -> Any:
    """A sampler for Optuna that follows a Gaussian process; one objective.

    A batch is drawn one by one: what is asked for and not yet known is believed to come out as the process expects (the kriging believer
    of Ginsbourger, Le Riche and Carraro, 2010), so its members spread. What the condition refuses is never run, so the process would
    learn nothing of it and expect the most there for ever: it is asked beforehand. A variant that failed or was given up counts as the
    worst that is known.
    """
    optuna = require("optuna", extra="optuna")
    states = optuna.trial.TrialState

    base: Any = optuna.samplers.BaseSampler

    def may(points: Floats) -> list[bool]:
        return allowed([named(space, lifted(space, point)) for point in points], where)

    class GaussianSampler(base):  # type: ignore[misc]  # no types without the extra
        """The sampler."""

        def __init__(self) -> None:
            self.rng = np.random.default_rng(seed)
            self.independent = optuna.samplers.RandomSampler(seed=seed)

        def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:  # noqa: ARG002 - Optuna gives it
            known = study.get_trials(deepcopy=False, states=(states.COMPLETE,))
            return distributions(space) if len(known) >= max(8, 2 * len(space)) else {}

        def sample_relative(self, study: Any, trial: Any, search_space: Mapping[str, Any]) -> dict[str, Any]:
            if not search_space:
                return {}
            known = study.get_trials(deepcopy=False, states=(states.COMPLETE,))
            asked = [t for t in study.get_trials(deepcopy=False, states=(states.RUNNING,)) if t.number != trial.number and t.params]
            sign = 1.0 if study.direction == optuna.study.StudyDirection.MAXIMIZE else -1.0
            values = np.array([sign * t.value for t in known])
            worst = float(values.min())
            values = np.array([worst if t.user_attrs.get(VIOLATED) else v for t, v in zip(known, values, strict=True)])
            ended = study.get_trials(deepcopy=False, states=(states.FAIL, states.PRUNED))
            poor = [t for t in ended if t.state == states.PRUNED or VIOLATED in t.user_attrs]  # not what the condition refused
            values = np.concatenate([values, np.full(len(poor), worst)])
            points = np.array([placed(space, t.params) for t in [*known, *poor]])
            process = fit(points, values, self.rng)
            for other in asked:
                at = np.array([placed(space, other.params)])
                points, values = np.concatenate([points, at]), np.concatenate([values, process.predict(at)[0]])
            if asked:
                process = fit(points, values, np.random.default_rng([seed, len(known) + len(poor)]))
            return lifted(space, next_point(process, float(values.max()), self.rng, None if where is None else may))

        def sample_independent(self, study: Any, trial: Any, param_name: str, param_distribution: Any) -> Any:
            return self.independent.sample_independent(study, trial, param_name, param_distribution)

    return GaussianSampler()


def placed(space: Mapping[str, Dimension], params: Mapping[str, Any]) -> list[float]:
    """A variant as a point of the unit cube; words are spread over an axis each.

    Example:
        >>> placed({"n": Values((5, 10, 15), True), "side": Values(("long", "short"), False)}, {"n": 1, "side": 1})
        [0.5, 0.0, 1.0]
    """
    found: list[float] = []
    for name, dimension in space.items():
        place = params[name]
        if isinstance(dimension, Between):
            found.append((place - dimension.low) / ((dimension.high - dimension.low) or 1.0))
        elif dimension.ordered:
            found.append(place / max(1, len(dimension.values) - 1))
        else:
            found += [float(at == place) for at in range(len(dimension.values))]
    return found


def lifted(space: Mapping[str, Dimension], point: Sequence[float] | np.ndarray[Any, Any]) -> dict[str, Any]:
    """A point of the unit cube as a variant in Optuna's words.

    Example:
        >>> lifted({"n": Values((5, 10, 15), True), "side": Values(("long", "short"), False)}, [0.4, 0.1, 0.7])
        {'n': 1, 'side': 1}
    """
    left, found = list(point), dict[str, Any]()
    for name, dimension in space.items():
        if isinstance(dimension, Between):
            found[name] = dimension.low + float(left.pop(0)) * (dimension.high - dimension.low)
        elif dimension.ordered:
            found[name] = round(float(left.pop(0)) * (len(dimension.values) - 1))
        else:
            axes = [left.pop(0) for _ in dimension.values]
            found[name] = int(np.argmax(axes))
    return found


def named(space: Mapping[str, Dimension], params: Mapping[str, Any]) -> dict[str, Any]:
    """A variant in Optuna's words as its parameters.

    Example:
        >>> named({"n": Values((5, 10, 15), True)}, {"n": 1})
        {'n': 10}
    """
    return {name: dimension.value(params[name]) for name, dimension in space.items()}


def at_random(space: Mapping[str, Dimension], rng: np.random.Generator) -> dict[str, Any]:
    """Any variant in Optuna's words."""
    return {
        name: float(rng.uniform(one.low, one.high)) if isinstance(one, Between) else int(rng.integers(len(one.values)))
        for name, one in space.items()
    }


def _violated(trial: Any) -> tuple[float]:
    return (float(trial.user_attrs.get(VIOLATED, 0.0)),)
