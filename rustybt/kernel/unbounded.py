"""``a * b / s`` on Python's own integers: the twin of `wide` that cannot wrap."""

from __future__ import annotations

from .limits import BAD, CEIL, DOWN, FLOOR, HALF_EVEN


def remainder(a: int, b: int, s: int) -> int:
    """What ``a * b`` leaves over the floor of ``a * b / s``."""
    return a * b % s


def mul_div(a: int, b: int, s: int, mode: int) -> int:
    """``a * b / s`` rounded as told; BAD where it does not fit."""
    quotient, rest = divmod(a * b, s)
    if mode == CEIL:
        quotient += rest != 0
    elif mode == DOWN:
        quotient += rest != 0 and quotient < 0
    elif mode != FLOOR and (2 * rest > s or (2 * rest == s and quotient % 2)):
        quotient += 1
    return quotient if abs(quotient) < 2**62 else BAD


def share_of(a: int, b: int, s: int) -> int:
    """``a * b / s`` rounded half-even, of numbers from 0 on."""
    return mul_div(a, b, s, HALF_EVEN)


def mul_div_by(a: int, b: int, s: int, m: int, shift: int) -> int:
    """``a * b / s`` rounded half-even; the inverse of s is of no use here."""
    return mul_div(a, b, s, HALF_EVEN)
