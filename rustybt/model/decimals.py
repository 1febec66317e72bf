"""The one door through which numbers become money: exact decimals and scaled integers."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, InvalidOperation, localcontext
from fractions import Fraction
from functools import lru_cache

from rustybt.errors import ConfigError

LIMIT = 2**61
"""Every stored amount stays below this magnitude, so that a few of them can be added without wrapping."""
RATE = 10**8
"""Rates, exit distances and the gross limit are whole numbers of 1 / RATE."""
WEIGHT = 10**12
"""Weights are whole numbers of 1 / WEIGHT."""
MODES = {"half_even": ROUND_HALF_EVEN, "down": ROUND_DOWN, "floor": ROUND_FLOOR, "ceiling": ROUND_CEILING}

MOST_DIGITS = 60
"""Largest exponent, up or down, of a number that users give."""


def to_decimal(value: object, name: str = "value") -> Decimal:
    """An exact, finite decimal from a string, int or Decimal; a float is read as it prints.

    Raises:
        ConfigError: not a number, NaN or infinite.

    Example:
        >>> to_decimal("0.10"), to_decimal(0.1)
        (Decimal('0.10'), Decimal('0.1'))
    """
    try:
        if isinstance(value, bool) or value is None:
            raise InvalidOperation
        number = value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation:
        raise ConfigError(f"{name} {value!r} is not a number", where=name, do='give a number such as "0.05"') from None
    if not number.is_finite():
        raise ConfigError(f"{name} {value!r} is not finite", where=name, do="give a finite number")
    if number and abs(number.adjusted()) > MOST_DIGITS:
        raise ConfigError(f"{name} {value!r} has an exponent beyond {MOST_DIGITS}", where=name, do="correct the exponent")
    return number


def decimals_of(number: Decimal) -> int:
    """Digits after the point that the number needs.

    Example:
        >>> decimals_of(Decimal("0.250")), decimals_of(Decimal("100"))
        (2, 0)
    """
    exponent = number.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def to_units(value: object, step: Decimal, name: str = "value", mode: str = "half_even") -> int:
    """The whole number of steps nearest to a value.

    Args:
        value: anything `to_decimal` takes.
        step: size of one unit.
        name: what to call the value in an error.
        mode: ``half_even``, ``down``, ``floor`` or ``ceiling``.

    Raises:
        ConfigError: the result does not fit below 2^61.

    Example:
        >>> to_units("100.005", Decimal("0.01"))
        10000
    """
    with localcontext() as context:
        context.prec = 80
        units = int((to_decimal(value, name) / step).to_integral_value(MODES[mode]))
    if abs(units) >= LIMIT:
        raise ConfigError(f"{name} {value} is too large for steps of {step}", where=name, do="use a smaller number or a coarser step")
    return units


def from_units(units: int, step: Decimal) -> Decimal:
    """The value of a whole number of steps, exact.

    Example:
        >>> from_units(12345, Decimal("0.01"))
        Decimal('123.45')
    """
    with localcontext() as context:
        context.prec = 80
        return Decimal(units) * step


@lru_cache(maxsize=1024)
def up_down(tick_size: Decimal, lot_size: Decimal, multiplier: Decimal, money_scale: int) -> tuple[int, int]:
    """The reduced fraction ``up / down`` of money units per tick and lot.

    Example:
        >>> up_down(Decimal("0.0001"), Decimal(1), Decimal(1), 8)
        (10000, 1)
    """
    worth = Fraction(tick_size) * Fraction(lot_size) * Fraction(multiplier) * 10**money_scale
    if worth.numerator >= LIMIT or worth.denominator >= LIMIT:
        raise ConfigError(
            f"one tick of one lot is {worth} money units", where="asset increments", do="use a coarser tick size, lot size or multiplier"
        )
    return worth.numerator, worth.denominator
