"""Changes to a run that a robust strategy should survive: other prices, other parameters, worse fills.

Each change is a frozen dataclass whose ``apply`` turns a `Case` into another; the normal engine runs what comes out. To add one: a class
with ``apply(case, rng)``, raising ConfigError for a setting out of range when it is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Protocol

import numpy as np
import polars as pl

from rustybt.analysis.honesty import stationary_indices
from rustybt.data.reprice import noisy_prices, synthetic_bars, with_flags
from rustybt.engine import RunConfig
from rustybt.errors import ConfigError
from rustybt.execution import Costs, Latency, Slippage
from rustybt.model import Panel
from rustybt.model.arguments import number
from rustybt.spec import Strategy, StrategyFunction
from rustybt.spec.parameters import Parameter, Scalar

KEPT = "decision_kept"
"""The column that says which decisions get through."""
MOST_BARS = 10**9
"""Of a block."""
TRIES = 100
"""How often a neighbouring value of a parameter is drawn before the value stays as it is."""
MOST_SLIPPAGE = Decimal("0.5")
"""The most that a draw adds, as a fraction of the price."""


@dataclass(frozen=True)
class Case:
    """What a run is made of."""

    strategy: Strategy
    panel: Panel
    config: RunConfig


class Change(Protocol):
    """Turns a case into another."""

    def apply(self, case: Case, rng: np.random.Generator) -> Case:
        """The changed case."""
        ...


@dataclass(frozen=True)
class PriceNoise:
    """Every price moved by a little; see `rustybt.data.reprice.noisy_prices`.

    Attributes:
        size: deviation as a fraction of the price.
    """

    size: float = 0.001

    def __post_init__(self) -> None:
        _check_share(self.size, "price noise, size", "give a fraction of the price such as 0.001")

    def apply(self, case: Case, rng: np.random.Generator) -> Case:
        """The case on noisy prices.

        Raises:
            ConfigError: the run asks finer bars, whose prices would be others.
        """
        _without_finer(case, "price noise")
        return replace(case, panel=noisy_prices(case.panel, self.size, rng))


@dataclass(frozen=True)
class SyntheticBars:
    """A market made of the moves of this one in another order; see `rustybt.data.reprice.synthetic_bars`.

    Attributes:
        block: mean number of bars that follow each other as they did.
    """

    block: float = 20

    def __post_init__(self) -> None:
        _check_within(self.block, (1, MOST_BARS), "synthetic bars, block", "give 1 or more", f"blocks of {self.block!r} bars")

    def apply(self, case: Case, rng: np.random.Generator) -> Case:
        """The case on a synthetic market.

        Raises:
            ConfigError: the run asks finer bars, which would be those of another market.
        """
        _without_finer(case, "synthetic bars")
        return replace(case, panel=synthetic_bars(case.panel, stationary_indices(case.panel.bars, self.block, 1, rng)[0]))


@dataclass(frozen=True)
class MissedFills:
    """Some decisions never reach the market: the target of that bar and asset is as if it were null, so what is held is kept.

    A target that is decided every bar is tried again at the next one; a scheduled one at its next date. Exits and a universe that is left
    are not held up.

    Attributes:
        share: chance of each decision to be lost.
    """

    share: float = 0.1

    def __post_init__(self) -> None:
        _check_share(self.share, "missed fills, share", "give a share such as 0.1")

    def apply(self, case: Case, rng: np.random.Generator) -> Case:
        """The case with a column of what gets through, and a target that reads it.

        Raises:
            ConfigError: the strategy has no target, only orders or a callback.
        """
        target = case.strategy.target
        if target is None:
            raise ConfigError(
                f"strategy {case.strategy.name!r} has no target",
                where="missed fills",
                do="this change needs targets, not orders or a callback",
            )
        kept = rng.random(case.panel.frame.height) >= self.share
        masked = replace(target, expr=pl.when(pl.col(KEPT)).then(target.expr).otherwise(None))
        return replace(case, strategy=replace(case.strategy, target=masked), panel=with_flags(case.panel, KEPT, kept))


@dataclass(frozen=True)
class ExtraSlippage:
    """Slippage on top of what the run has, one draw per run.

    Attributes:
        mean: basis points, of an exponential law: mostly less, sometimes several times as much.
    """

    mean: float = 5.0

    def __post_init__(self) -> None:
        _check_within(self.mean, (0, 1000), "extra slippage, mean", "give 0 to 1000", f"slippage of {self.mean!r} basis points")

    def apply(self, case: Case, rng: np.random.Generator) -> Case:
        """The case with dearer fills."""
        drawn = Decimal(int(rng.exponential(self.mean) * 10_000)).scaleb(-8)
        return replace(case, config=replace(case.config, costs=_dearer(case.config.costs, min(drawn, MOST_SLIPPAGE))))


@dataclass(frozen=True)
class ParameterJitter:
    """Numeric parameters moved to values near by that the strategy allows.

    Attributes:
        family: the ``@strategy`` function that made the strategy.
        spread: most that a value moves, as a fraction of it; a whole number moves by at least one either way.
        only: names to move; empty = all numeric ones.
    """

    family: StrategyFunction
    spread: float = 0.1
    only: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.family, StrategyFunction):
            do = "give the @strategy function that made the strategy"
            raise ConfigError(f"{self.family!r} is not a @strategy function", where="parameter jitter, family", do=do)
        _check_share(self.spread, "parameter jitter, spread", "give a fraction such as 0.1")
        if isinstance(self.only, str) or not isinstance(self.only, Iterable) or any(not isinstance(name, str) for name in self.only):
            do = 'give a list such as ("fast",)'
            raise ConfigError(f"only {self.only!r} is no list of parameters", where="parameter jitter, only", do=do)
        unknown = sorted(set(self.only) - set(self.family.parameters))
        if unknown:
            raise ConfigError(
                f"strategy {self.family.name!r} has no parameter {unknown[0]!r}",
                where="parameter jitter, only",
                do=f"use one of {', '.join(self.family.parameters)}",
            )

    def apply(self, case: Case, rng: np.random.Generator) -> Case:
        """The case with a neighbouring strategy."""
        return replace(case, strategy=self.family(**self.near(case.strategy.params, rng)))

    def near(self, values: Mapping[str, Scalar], rng: np.random.Generator) -> dict[str, Scalar]:
        """Neighbouring values of all parameters."""
        names = self.only or tuple(self.family.parameters)
        return {
            name: _near(self.family.parameters[name], value, self.spread, rng) if name in names else value for name, value in values.items()
        }


@dataclass(frozen=True)
class DrawnLatency:
    """Orders under way for a while, with other draws in every run; it takes the place of the run's own latency.

    Attributes:
        latency: from `rustybt.latency`, with something random in it; a fixed one is the same in every run.
    """

    latency: Latency

    def __post_init__(self) -> None:
        if not isinstance(self.latency, Latency):
            raise ConfigError(f"{self.latency!r} is no latency", where="drawn latency", do='give rbt.latency("1s") or the like')

    def apply(self, case: Case, rng: np.random.Generator) -> Case:
        """The case with this latency."""
        delays = tuple(replace(delay, seed=int(rng.integers(2**31))) for delay in self.latency.delays)
        timing = replace(case.config.timing, latency=replace(self.latency, delays=delays))
        return replace(case, config=replace(case.config, timing=timing))


def _near(parameter: Parameter, value: Scalar, spread: float, rng: np.random.Generator) -> Scalar:
    if parameter.choices is not None or isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return value
    step = parameter.range.step if parameter.range is not None else None
    unit = float(step) if step is not None else 1.0 if isinstance(value, int) else 0.0
    reach = max(abs(float(value)) * spread, unit)
    for _ in range(TRIES):
        moved = reach * (2.0 * rng.random() - 1.0)
        if unit:
            moved = unit * round(moved / unit)
        drawn: Scalar = value + round(moved) if isinstance(value, int) else type(value)(str(round(float(value) + moved, 12)))
        try:
            return parameter.check(drawn)
        except ConfigError:
            continue
    return value


def _without_finer(case: Case, where: str) -> None:
    if case.config.timing.finer is not None:
        raise ConfigError("the run has finer bars, which hold other prices", where=where, do="leave finer= out")


def _dearer(costs: Costs, extra: Decimal) -> Costs:
    return replace(
        costs,
        slippage=_slipping(costs.slippage, extra),
        by_asset={symbol: _dearer(own, extra) for symbol, own in costs.by_asset.items()},
    )


def _slipping(slippage: Slippage, extra: Decimal) -> Slippage:
    sell = None if slippage.sell is None else _slipping(slippage.sell, extra)
    return replace(slippage, rate=slippage.rate + extra, sell=sell)


def _check_share(value: float, where: str, do: str) -> None:
    _check_within(value, (0, 1), where, do, f"{value!r} is outside 0..1")


def _check_within(value: float, ends: tuple[float, float], where: str, do: str, what: str) -> None:
    if not ends[0] <= number(value, where, do, what=what) <= ends[1]:
        raise ConfigError(what, where=where, do=do)
