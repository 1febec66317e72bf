"""Expressions inside costs: a number per bar of the data."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import polars as pl

from rustybt.errors import ConfigError


@dataclass(frozen=True, eq=False)
class CostTerm:
    """A Polars expression over the columns of the data, evaluated per asset and checked by the guard like a strategy's terms.

    Equal to another one that is written the same way.
    """

    expr: pl.Expr

    def __post_init__(self) -> None:
        if not isinstance(self.expr, pl.Expr):
            raise ConfigError(f"{self.expr!r} is not an expression", where="costs, slippage", do='write pl.col("spread_bps") / 10_000')

    @property
    def code(self) -> str:
        """What it is, in 64 hex digits."""
        return hashlib.sha256(self.expr.meta.serialize()).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CostTerm) and self.code == other.code

    def __hash__(self) -> int:
        return hash(self.code)

    def __str__(self) -> str:
        return f"{self.expr} ({self.code[:12]})"
