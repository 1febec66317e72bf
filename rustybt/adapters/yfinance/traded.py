"""Undo Yahoo's adjustment: what it calls a price is divided by every later split, and what it calls a dividend too."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import numpy as np

PLACES = Decimal("0.000001")
"""Digits kept where a division by a split does not end."""
WIDENED = 1e-12
"""A number nearer than this, in proportion, to a single-precision one was printed from it."""


def said(number: float) -> str | None:
    """The decimal that Yahoo meant: it stores single precision and prints it with the noise of double. None for no number.

    Example:
        >>> said(149.3999938964844), said(0.24), said(float("nan"))
        ('149.4', '0.24', None)
    """
    if not np.isfinite(number):
        return None
    single = np.float32(number)
    return str(single) if abs(float(single) - number) <= WIDENED * abs(number) else repr(float(number))


def as_traded(text: str | None, ratio: Fraction) -> str | None:
    """A price or a dividend before the splits that came after it.

    Args:
        text: as Yahoo gives it.
        ratio: new shares for one share of that day.

    Example:
        >>> as_traded("37.35", Fraction(4)), as_traded("21.343214", Fraction(28))
        ('149.4', '597.609992')
    """
    if text is None or ratio == 1:
        return text
    raw = Fraction(Decimal(text)) * ratio
    exact = Decimal(raw.numerator) / Decimal(raw.denominator)
    return f"{exact.quantize(PLACES, ROUND_HALF_EVEN).normalize():f}"


def ratios_after(days: Sequence[date], splits: Sequence[tuple[date, Fraction]]) -> list[Fraction]:
    """For each day, the product of all splits with a later ex-date.

    Example:
        >>> ratios_after([date(2020, 8, 28), date(2020, 8, 31)], [(date(2020, 8, 31), Fraction(4))])
        [Fraction(4, 1), Fraction(1, 1)]
    """
    found = []
    for day in days:
        ratio = Fraction(1)
        for when, each in splits:
            if when > day:
                ratio *= each
        found.append(ratio)
    return found
