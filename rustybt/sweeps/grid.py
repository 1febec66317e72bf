"""Assignments of parameters: every combination of a grid that a condition lets through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

import polars as pl

from rustybt.errors import ConfigError


def assignments(grid: Mapping[str, Iterable[Any]], where: str | None = None) -> list[dict[str, Any]]:
    """Every combination of the values of a grid, the last name varying fastest.

    Args:
        grid: values by parameter name.
        where: a condition on the names in SQL, such as ``"fast < slow"``; combinations that do not meet it are left out.

    Raises:
        ConfigError: an empty grid, an unreadable condition, or one that leaves nothing.

    Example:
        >>> assignments({"fast": [5, 10], "slow": [10, 20]}, where="fast < slow")
        [{'fast': 5, 'slow': 10}, {'fast': 5, 'slow': 20}, {'fast': 10, 'slow': 20}]
    """
    values = {name: list(given) for name, given in grid.items()}
    empty = [name for name, given in values.items() if not given]
    if not values or empty:
        raise ConfigError(
            f"the grid has no values{' for ' + repr(empty[0]) if empty else ''}", where="sweep, grid", do='give grid={"fast": [5, 10]}'
        )
    found = [dict(zip(values, combination, strict=True)) for combination in product(*values.values())]
    if where is None:
        return found
    try:
        keep = pl.DataFrame(found).select(pl.sql_expr(where).cast(pl.Boolean).alias("keep"))["keep"].to_list()
    except pl.exceptions.PolarsError as error:
        raise ConfigError(
            f"the condition {where!r} cannot be used: {str(error).splitlines()[0]}", where="sweep, where", do='write "fast < slow"'
        ) from None
    left = [assignment for assignment, kept in zip(found, keep, strict=True) if kept]
    if not left:
        raise ConfigError(
            f"the condition {where!r} leaves none of {len(found)} variants", where="sweep, where", do="loosen it or widen the grid"
        )
    return left
