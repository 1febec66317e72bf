"""What users type, checked where Python itself would answer with a traceback from somewhere inside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from rustybt.errors import ConfigError, RustyBTError
from rustybt.spec import StrategyFunction
from rustybt.sweeps.measure import columns
from rustybt.sweeps.names import LUCK


def check_metric(metric: object, where: str, further: Sequence[str] = ()) -> None:
    """Refuse a metric that no row has, before anything runs; what is named further is offered beside those that there are.

    Raises:
        ConfigError: naming those that there are.

    Example:
        >>> check_metric("sharpe", "search, metric")
    """
    known = [name for name, kind in columns(8).items() if kind != pl.String]
    if not isinstance(metric, str) or metric not in known:
        raise ConfigError(f"there is no metric {metric!r}", where=where, do=f"use one of {', '.join((*known, *further))}")


def check_leaderboard(by: object, where: str) -> None:
    """Refuse a leaderboard by what is no metric of a row, such as a parameter or its error.

    Raises:
        ConfigError: naming those that there are.

    Example:
        >>> check_leaderboard("deflated_sharpe", "sweep, top")
    """
    if not isinstance(by, str) or by not in LUCK:
        check_metric(by, where, LUCK)


def read_back(strategy: StrategyFunction, row: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Parameters from a row: where kinds of values did not go together in a column, they stand there as text.

    Example:
        >>> from rustybt.spec import Strategy, strategy, weight
        >>> @strategy
        ... def share(part: float = 0.5) -> Strategy:
        ...     return Strategy(target=weight(part))
        >>> read_back(share, {"part": "0.25", "sharpe": 1.5}, ["part"])
        {'part': 0.25}
    """
    found = {name: row[name] for name in names}
    for name, value in found.items():
        if isinstance(value, str) and strategy.parameters[name].type is not str:
            try:
                found[name] = strategy.parse({name: value})[name]
            except RustyBTError:  # the row says so
                continue
    return found
