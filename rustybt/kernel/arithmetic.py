"""Exact arithmetic: ``a * b / s`` with one rounding, and values of positions.

Every amount that is stored or summed is checked with `fits`; then a few of them can be added without wrapping.
"""

from __future__ import annotations

from .compile import MODE, apart, aside, kernel
from .limits import BAD, DOWN, HALF_EVEN, LIMIT, ONE
from .state import Desk

if MODE == "compiled":
    from .wide import mul_div, mul_div_by, remainder, share_of
elif MODE == "float":
    from .inexact import mul_div, mul_div_by, remainder, share_of  # type: ignore[assignment]
else:
    from .unbounded import mul_div, mul_div_by, remainder, share_of

SLACK = 0 if MODE != "float" else LIMIT >> 20
"""How far the two sides of the identity may lie apart: not at all, but for the build that computes in floats."""

__all__ = ["agree", "fits", "mul_div", "mul_div_by", "ratio", "remainder", "share_of", "value", "worth_at"]


@kernel
def agree(one: int, other: int) -> bool:
    """Whether two sums are the same."""
    return -SLACK <= one - other <= SLACK


@kernel
def fits(amount: int) -> bool:
    """Whether an amount may be stored; false for BAD."""
    return -LIMIT < amount < LIMIT


@aside
def ratio(a: int, b: int, s: int, mode: int) -> int:
    """`mul_div` as a function of its own, for the places where speed does not matter and size does."""
    apart()
    return mul_div(a, b, s, mode)


@kernel
def value(lots: int, price: int, up: int, down: int) -> int:
    """What lots are worth at a price, in money units, rounded half-even; BAD where it does not fit."""
    worth = mul_div(price, up, ONE, DOWN)
    if not 0 <= worth < LIMIT:
        return BAD
    return mul_div(lots, worth, down, HALF_EVEN)


@kernel
def worth_at(desk: Desk, asset: int, lots: int, price: int) -> int:
    """`value` of lots of an asset of the desk."""
    each = mul_div(price, desk.up[asset], ONE, DOWN)
    if not 0 <= each < LIMIT:
        return BAD
    return mul_div_by(lots, each, desk.down[asset], desk.inverse[asset], desk.shift[asset])
