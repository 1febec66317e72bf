"""Section 1: the rounding modes of the rule book, each rounding once, and the limit that every amount must respect."""

from __future__ import annotations

from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
)

from rustybt.errors import LedgerError
from rustybt.model.decimals import LIMIT

ONE = Decimal(1)
ZERO = Decimal(0)
EXACT = Context(prec=200, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
"""The context of a simulation: an operation that would lose a digit raises instead."""
QUOTIENT = Context(prec=200, traps=[InvalidOperation, DivisionByZero, Overflow])
"""Divisions may have endless digits, but only inside the four functions below, which round them to a whole number of steps. Operands have
fewer than 80 digits, so a quotient that is not a whole number (or a tie) differs from one far before the 200th digit."""


def nearest(value: Decimal, step: Decimal, over: Decimal = ONE) -> Decimal:
    """``value / over`` rounded half-even to a multiple of ``step``.

    Example:
        >>> nearest(Decimal("2.50"), Decimal(1)), nearest(Decimal(10), Decimal("0.01"), over=Decimal(3))
        (Decimal('2'), Decimal('3.33'))
    """
    return QUOTIENT.divide(value, over * step).to_integral_value(ROUND_HALF_EVEN) * step


def toward_zero(value: Decimal, step: Decimal, over: Decimal = ONE) -> Decimal:
    """``value / over`` cut to a multiple of ``step``.

    Example:
        >>> toward_zero(Decimal("-2.7"), Decimal(1))
        Decimal('-2')
    """
    return QUOTIENT.divide(value, over * step).to_integral_value(ROUND_DOWN) * step


def upward(value: Decimal, step: Decimal, over: Decimal = ONE) -> Decimal:
    """``value / over`` raised to a multiple of ``step``.

    Example:
        >>> upward(Decimal("-2.7"), Decimal(1))
        Decimal('-2')
    """
    return QUOTIENT.divide(value, over * step).to_integral_value(ROUND_CEILING) * step


def downward(value: Decimal, step: Decimal, over: Decimal = ONE) -> Decimal:
    """``value / over`` lowered to a multiple of ``step``.

    Example:
        >>> downward(Decimal("-2.3"), Decimal(1))
        Decimal('-3')
    """
    return QUOTIENT.divide(value, over * step).to_integral_value(ROUND_FLOOR) * step


def amount(value: Decimal, step: Decimal, what: str, asset: str) -> Decimal:
    """The value itself, if it is smaller than 2^61 steps.

    Raises:
        LedgerError: it is not.

    Example:
        >>> amount(Decimal("12.50"), Decimal("0.01"), "cash", "A")
        Decimal('12.50')
    """
    if abs(value) >= LIMIT * step:
        raise LedgerError(
            f"{what} {value} does not fit in 2^61 steps of {step}", where=f"asset {asset!r}", do="use a coarser scale or smaller quantities"
        )
    return value
