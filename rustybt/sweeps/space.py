"""Where a search looks: the values that each parameter may take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from rustybt.errors import ConfigError
from rustybt.spec import Range, StrategyFunction
from rustybt.sweeps.grid import check_condition
from rustybt.sweeps.limits import MOST_LISTED, length, listed, steps_of


@dataclass(frozen=True)
class Values:
    """Some values; numbers in their order, so that near ones are neighbours, or words without any.

    Attributes:
        values: at least one.
        ordered: whether neighbours mean something.
    """

    values: tuple[Any, ...]
    ordered: bool

    def value(self, place: float) -> Any:
        """The value at a place."""
        return self.values[int(place)]


@dataclass(frozen=True)
class Between:
    """Any number from low to high.

    Attributes:
        low, high: both included.
        exact: values are Decimal.
    """

    low: float
    high: float
    exact: bool = False

    def value(self, place: float) -> Any:
        """The value at a place."""
        return Decimal(str(round(place, 12))) if self.exact else float(place)


type Dimension = Values | Between


def space_of(strategy: StrategyFunction, given: Mapping[str, Iterable[Any] | Range] | None) -> dict[str, Dimension]:
    """What a search may vary.

    Args:
        strategy: a ``@strategy`` function.
        given: by parameter, values or a `rustybt.Range`; None = every parameter with a range that has both ends, with choices, or
            that is true or false.

    Raises:
        ConfigError: a parameter that the strategy does not have, no values, a range without ends, or nothing to vary.

    Example:
        >>> from rustybt.spec import Strategy, strategy, weight
        >>> @strategy
        ... def share(part: float = 0.5) -> Strategy:
        ...     return Strategy(target=weight(part))
        >>> space_of(share, {"part": Range(0.1, 0.9)})
        {'part': Between(low=0.1, high=0.9, exact=False)}
    """
    if given is None:
        given = _own(strategy)
    if not isinstance(given, Mapping):
        do = 'give space={"fast": rbt.Range(2, 50)}'
        raise ConfigError(f"{given!r} is no mapping of names to ranges", where="search, space", do=do)
    unknown = sorted(set(given) - set(strategy.parameters))
    if unknown:
        known = ", ".join(strategy.parameters)
        raise ConfigError(f"strategy {strategy.name!r} has no parameter {unknown[0]!r}", where="search, space", do=f"use one of {known}")
    if not given:
        raise ConfigError(
            f"strategy {strategy.name!r} says of no parameter where to look",
            where="search, space",
            do='give space={"fast": rbt.Range(2, 50)}, or annotate the parameter with a Range',
        )
    return {name: _dimension(name, values) for name, values in given.items()}


def allowed(variants: Sequence[Mapping[str, Any]], where: str | None) -> list[bool]:
    """Which variants a condition lets through.

    Raises:
        ConfigError: the condition cannot be read.

    Example:
        >>> allowed([{"fast": 5, "slow": 20}, {"fast": 30, "slow": 20}], "fast < slow")
        [True, False]
    """
    if where is None:
        return [True] * len(variants)
    if not isinstance(where, str):
        raise ConfigError(f"the condition {where!r} is no text", where="search, where", do='write "fast < slow"')
    try:
        keep = pl.DataFrame(variants, infer_schema_length=None).select(pl.sql_expr(where).alias("keep"))["keep"]
    except (pl.exceptions.PolarsError, UnicodeError) as error:
        raise ConfigError(
            f"the condition {where!r} cannot be used: {str(error).splitlines()[0]}", where="search, where", do='write "fast < slow"'
        ) from None
    check_condition(where, keep.dtype, "search, where")
    return [bool(kept) for kept in keep.to_list()]


def _own(strategy: StrategyFunction) -> dict[str, Iterable[Any] | Range]:
    found: dict[str, Iterable[Any] | Range] = {}
    for name, parameter in strategy.parameters.items():
        limits = parameter.range
        if parameter.choices is not None:
            found[name] = parameter.choices
        elif parameter.type is bool:
            found[name] = (False, True)
        elif limits is not None and limits.low is not None and limits.high is not None:
            found[name] = limits
    return found


def _dimension(name: str, given: Iterable[Any] | Range) -> Dimension:
    where = f"search, space, {name!r}"
    if isinstance(given, Range):
        if given.low is None or given.high is None:
            raise ConfigError(f"the range {given} has no end", where=where, do="give rbt.Range(low, high)")
        whole = isinstance(given.low, int) and isinstance(given.high, int)
        if given.step is None and not whole:
            return Between(float(given.low), float(given.high), any(isinstance(end, Decimal) for end in (given.low, given.high)))
        return Values(tuple(few(steps_of(given, where), f"the range {given} has", where)), ordered=True)
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise ConfigError(f"{given!r} is neither values nor a range", where=where, do="give a list, or rbt.Range(low, high)")
    values = tuple(few(listed(given, where), "there are", where))
    if not values:
        raise ConfigError("there are no values", where=where, do="give at least one")
    numbers = all(isinstance(value, int | float | Decimal) and not isinstance(value, bool) for value in values)
    return Values(tuple(sorted(values)) if numbers else values, ordered=numbers)


def few(values: Sequence[Any], what: str, where: str) -> Sequence[Any]:
    """Values that are not too many to be written down.

    Raises:
        ConfigError: they are.
    """
    if length(values) > MOST_LISTED:
        raise ConfigError(f"{what} more than {MOST_LISTED:,} values", where=where, do="give a longer step")
    return values
