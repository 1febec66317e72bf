"""Targets: the position a strategy wants, as one number per asset and bar."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import polars as pl

from rustybt.errors import SpecError
from rustybt.model.codes import TargetKind
from rustybt.spec.tree import parse, render

type Constant = int | float | Decimal | None


@dataclass(frozen=True, eq=False)
class Target:
    """A wanted position: an expression and what its number means.

    Null keeps what is held. An order follows when the value changes, or at every firing of the strategy's schedule.

    Args:
        kind: weight of equity, notional in quote currency, or quantity of the asset.
        expr: one number per row of the frame; a plain number or None is lifted to a constant.

    Raises:
        SpecError: the kind is not a `TargetKind`, or the value is neither an expression nor a finite number.
    """

    kind: TargetKind
    expr: pl.Expr

    def __post_init__(self) -> None:
        if not isinstance(self.kind, TargetKind):
            raise SpecError(
                f"target kind {self.kind!r} is not a TargetKind", where="term 'target'", do="use weight(), notional() or quantity()"
            )
        object.__setattr__(self, "expr", lift(self.expr, "target"))

    def __repr__(self) -> str:
        return f"{self.kind.name.lower()}({render(parse(self.expr))})"


def weight(expr: pl.Expr | Constant) -> Target:
    """A target as a fraction of equity: 0.5 is half of it, -0.5 a short of half.

    Args:
        expr: fraction of the strategy's equity per asset, resolved to 1e-12; null keeps what is held.

    Raises:
        SpecError: neither an expression nor a finite number.

    Example:
        >>> weight(0.5).kind.name
        'WEIGHT'
        >>> up = pl.col("close") > pl.col("open")
        >>> weight(pl.when(up).then(1.0).otherwise(0.0)).kind.name
        'WEIGHT'
    """
    return Target(TargetKind.WEIGHT, lift(expr, "target"))


def notional(expr: pl.Expr | Constant) -> Target:
    """A target as an amount of money in the asset's quote currency; negative is a short.

    Args:
        expr: amount per asset; null keeps what is held.

    Raises:
        SpecError: neither an expression nor a finite number.

    Example:
        >>> notional(Decimal("2500.00")).kind.name
        'NOTIONAL'
    """
    return Target(TargetKind.NOTIONAL, lift(expr, "target"))


def quantity(expr: pl.Expr | Constant) -> Target:
    """A target as a number of shares, coins or contracts; negative is a short.

    Args:
        expr: quantity per asset, cut toward zero to whole lots; null keeps what is held.

    Raises:
        SpecError: neither an expression nor a finite number.

    Example:
        >>> quantity(100).kind.name
        'QUANTITY'
    """
    return Target(TargetKind.QUANTITY, lift(expr, "target"))


def lift(value: object, term: str) -> pl.Expr:
    """An expression as it is, a finite number or None as a constant; anything else is refused by the term's name.

    Raises:
        SpecError: neither an expression nor a finite number.

    Example:
        >>> str(lift(2, "size"))
        'dyn int: 2'
    """
    where = f"term {term!r}"
    if isinstance(value, pl.Expr):
        return value
    if isinstance(value, str):
        raise SpecError(f"{value!r} is text, not an expression", where=where, do=f'write pl.col("{value}")')
    if value is None:
        return pl.lit(None)
    if isinstance(value, bool) or not isinstance(value, (Real, Decimal)):
        hint = " (chain .then(...).otherwise(...))" if type(value).__module__.startswith("polars") else ""
        raise SpecError(f"a {type(value).__name__} is not an expression", where=where, do=f"give a polars expression or a number{hint}")
    number: Any = value
    plain = number.__class__ in (int, float)  # taken as it is: a sweep may have put a number here that remembers what was done with it
    if not (-math.inf < number < math.inf if plain else math.isfinite(value)):
        raise SpecError(f"constant {value} is not finite", where=where, do="give a finite number, or None to keep what is held")
    if plain or isinstance(value, Decimal):
        return pl.lit(number)
    return pl.lit(int(value) if isinstance(value, Integral) else float(value))
