"""Assignments drawn from a space: at random, or as a Latin hypercube that spreads them evenly along every parameter."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import prod
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from rustybt.errors import ConfigError
from rustybt.model.arguments import seed_of, whole, word
from rustybt.spec import Range
from rustybt.sweeps.grid import Assignments
from rustybt.sweeps.limits import MOST_DRAWN, check_count, length, listed, steps_of
from rustybt.sweeps.space import few

METHODS = ("random", "latin")
ROUNDS = 50
"""How often more are drawn when a condition, or a repetition, has taken some away."""
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Drawing:
    """How to draw from a space.

    Attributes:
        count: assignments that are wanted.
        method: ``random``, or ``latin``: each parameter's range is cut into ``count`` slices and each slice is hit once.
        seed: of the random numbers.
        log: parameters that are drawn evenly in their logarithm.

    Raises:
        ConfigError: no count or too large a one, no such method, or no seed.
    """

    count: int
    method: Literal["random", "latin"] = "random"
    seed: int = 0
    log: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        whole(self.count, "sweep, samples", "give samples=1000", what=f"{self.count!r} samples")
        seed_of(self.seed, "sweep")
        word(self.method, METHODS, "sweep, method", what=f"there is no method {self.method!r}")


def drawing_of(samples: int | None = None, method: Any = None, log: Sequence[str] = (), seed: int | None = None) -> Drawing:
    """How to draw, from what users type; None is what is usual.

    Raises:
        ConfigError: as `Drawing`, or ``log`` is no list of names.

    Example:
        >>> drawing_of(5)
        Drawing(count=5, method='random', seed=0, log=())
    """
    if not isinstance(log, Iterable) or isinstance(log, str) or any(not isinstance(name, str) for name in log):
        raise ConfigError(f"log {log!r} is no list of parameters", where="sweep, log", do='give log=["fast"]')
    return Drawing(100 if samples is None else samples, "random" if method is None else method, 0 if seed is None else seed, tuple(log))


def sampled(space: Mapping[str, Any], drawing: Drawing, where: str | None = None) -> Assignments:
    """Different assignments from a space.

    Args:
        space: by parameter name a list of choices, or a `Range`: of whole numbers or with a step, one of its steps; else anywhere in it.
        drawing: how many and how.
        where: condition that they meet; more are drawn in place of those that do not.

    Returns:
        ``drawing.count`` of them; or all that the space has, each once and in the order of a grid, where those are no more.

    Raises:
        ConfigError: a parameter without values, more samples than can be kept, or a condition that nothing meets.

    Example:
        >>> found = sampled({"fast": Range(2, 50), "mode": ["a", "b"]}, Drawing(4, "latin", seed=1))
        >>> found.count, sorted(found.columns["mode"])
        (4, ['a', 'a', 'b', 'b'])
    """
    if not isinstance(space, Mapping):
        do = 'give space={"fast": rbt.Range(2, 50)}'
        raise ConfigError(f"{space!r} is no mapping of names to ranges", where="sweep, space", do=do)
    if not space:
        raise ConfigError("the space has no parameters", where="sweep, space", do='give space={"fast": rbt.Range(2, 50)}')
    strangers = sorted(set(drawing.log) - set(space))
    if strangers:
        raise ConfigError(f"log names {strangers[0]!r}, which the space does not have", where="sweep, log", do="name its parameters")
    axes = {name: _axis(name, given, name in drawing.log) for name, given in space.items()}
    if all(axis.choices is not None for axis in axes.values()):
        choices = {name: axis.choices or () for name, axis in axes.items()}
        if all(length(given) <= drawing.count for given in choices.values()):
            different = {name: list(dict.fromkeys(given)) for name, given in choices.items()}
            if prod(map(len, different.values())) <= drawing.count:
                return Assignments.of_grid(different).meeting(where)
    check_count(drawing.count, "sweep, samples", MOST_DRAWN, "draw fewer")
    rng = np.random.default_rng(drawing.seed)
    found: dict[tuple[Any, ...], None] = {}
    for _ in range(ROUNDS):
        wanted = drawing.count if drawing.method == "latin" else max(drawing.count - len(found), 16)
        cube = _cube(rng, drawing.method, wanted, len(axes))
        drawn = Assignments({name: axis.at(cube[:, k]) for k, (name, axis) in enumerate(axes.items())}, wanted)
        kept = range(wanted) if where is None else np.flatnonzero(drawn.kept(where)).tolist()
        found |= dict.fromkeys(tuple(column[row] for column in drawn.columns.values()) for row in kept)
        if len(found) >= drawing.count:
            break
    if not found:
        raise ConfigError(f"the condition {where!r} leaves none of {drawing.count} samples", where="sweep, where", do="loosen it")
    rows = list(found)[: drawing.count]
    return Assignments({name: [row[k] for row in rows] for k, name in enumerate(axes)}, len(rows))


@dataclass(frozen=True)
class _Axis:
    """Values of one parameter: choices, or a span of numbers."""

    choices: Sequence[Any] | None
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    kind: type = float

    def at(self, shares: Floats) -> list[Any]:
        """The values at shares 0..1 of the axis."""
        if self.choices is not None and not self.log:
            many = length(self.choices)
            return [self.choices[min(int(at), many - 1)] for at in shares * many]
        if self.log:
            low, high = math.log(self.low), math.log(self.high)
            spread = np.exp(low + shares * (high - low))
        else:
            spread = self.low + shares * (self.high - self.low)
        if self.choices is None:
            return [self.kind(str(value)) if self.kind is Decimal else float(value) for value in spread.round(12)]
        steps = np.array([float(value) for value in self.choices])
        return [self.choices[int(np.abs(steps - value).argmin())] for value in spread]


def _axis(name: str, given: Any, log: bool) -> _Axis:
    where = f"sweep, space, {name!r}"
    if isinstance(given, Range):
        if given.low is None or given.high is None:
            raise ConfigError(f"the range {given} has no end", where=where, do="give low and high")
        if log and not given.low > 0:
            raise ConfigError(f"the range {given} has no logarithm", where=where, do="begin above 0")
        whole = isinstance(given.low, int) and isinstance(given.high, int)
        choices = steps_of(given, where) if whole or given.step is not None else None
        if choices is not None and log:
            few(choices, f"the range {given} has", where)
        kind = Decimal if isinstance(given.low, Decimal) or isinstance(given.high, Decimal) else float
        return _Axis(choices, float(given.low), float(given.high), log, kind)
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise ConfigError(f"{given!r} is neither a range nor a list", where=where, do="give rbt.Range(2, 50) or a list of choices")
    choices = listed(given, where)
    strange = [] if isinstance(choices, range) else [value for value in choices if not _hashable(value)]
    if strange:
        raise ConfigError(f"{strange[0]!r} is no choice that can be told from others", where=where, do="give numbers, words or tuples")
    if not length(choices) or log:
        what = "choices have no logarithm" if log else "there are no choices"
        raise ConfigError(what, where=where, do="give rbt.Range(2, 50) or a list of choices")
    return _Axis(choices)


def _hashable(value: object) -> bool:
    try:
        hash(value)
    except TypeError:  # a tuple may hold what has none
        return False
    return True


def _cube(rng: np.random.Generator, method: str, count: int, axes: int) -> Floats:
    """(count, axes) numbers of 0..1."""
    inside = rng.random((count, axes))
    if method == "random":
        return inside
    slices = rng.permuted(np.tile(np.arange(count), (axes, 1)), axis=1).T
    return (slices + inside) / count
