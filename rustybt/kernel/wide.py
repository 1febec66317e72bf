"""``a * b / s`` on 64-bit integers with one declared rounding, compiled: no float, no library call, no wrap.

The product of two words is taken with an overflow flag. Where it fits (nearly always) one 64-bit division follows; where it does not,
the 128-bit product is divided by long division in base 2^32 (Knuth, The Art of Computer Programming 2, 4.3.1, algorithm D).
"""

from __future__ import annotations

from typing import Any

from numba import types

from .compile import apart, aside, kernel
from .intrinsics import divide, divide_counts, multiply, multiply_high, multiply_wide
from .limits import BAD, CEIL, FLOOR, HALF_EVEN

U = types.uint64


@kernel
def rounded(quotient: int, rest: int, divisor: int, mode: int) -> int:
    """A floor quotient with its remainder, 0 <= rest < divisor, rounded as told."""
    if mode == HALF_EVEN:  # which way a commission is rounded, if at all, is not foreseen: a sum in place of branches
        twice = rest - (divisor - rest)  # 2 x rest - divisor cannot overflow in this form
        return quotient + (1 if twice + (quotient & 1) > 0 else 0)
    if rest == 0 or mode == FLOOR:
        return quotient
    if mode == CEIL:
        return quotient + 1
    return quotient + 1 if quotient < 0 else quotient


@aside
def divide_pair(high: Any, low: Any, divisor: Any) -> Any:
    """Quotient and remainder of the unsigned pair of words by a word greater than ``high``."""
    apart()
    low_half, base, shift, v = U(0xFFFFFFFF), U(1) << U(32), U(0), divisor
    for k in (32, 16, 8, 4, 2, 1):  # normalise: the divisor's top bit becomes 1
        if v >> U(64 - k) == U(0):
            shift += U(k)
            v <<= U(k)
    v1, v0 = v >> U(32), v & low_half
    top = (high << shift) | (low >> (U(64) - shift)) if shift > U(0) else high
    low = low << shift
    q1 = top // v1
    rest = top - q1 * v1
    while q1 >= base or q1 * v0 > base * rest + (low >> U(32)):
        q1 -= U(1)
        rest += v1
        if rest >= base:
            break
    middle = top * base + (low >> U(32)) - q1 * v
    q0 = middle // v1
    rest = middle - q0 * v1
    while q0 >= base or q0 * v0 > base * rest + (low & low_half):
        q0 -= U(1)
        rest += v1
        if rest >= base:
            break
    return q1 * base + q0, (middle * base + (low & low_half) - q0 * v) >> shift


@aside
def divide_wide(a: int, b: int, s: int) -> tuple[int, int]:
    """Floor and remainder of ``a * b / s`` where the product may need two words; the floor is BAD where it is 2^62 or more."""
    apart()
    high, low = multiply_wide(a, b)
    h, rest_low = U(high), U(low)
    if high < 0:
        rest_low = ~rest_low + U(1)
        h = ~h + (U(1) if rest_low == U(0) else U(0))
    if h >= U(s):
        return BAD, 0
    q, r = divide_pair(h, rest_low, U(s))
    if q >= U(2**62):
        return BAD, 0
    quotient, rest = types.int64(q), types.int64(r)
    if high < 0:
        quotient = -quotient
        if rest != 0:
            quotient, rest = quotient - 1, s - rest
    return quotient, rest


@aside
def remainder(a: int, b: int, s: int) -> int:
    """What ``a * b`` leaves over the floor of ``a * b / s``, s > 0; the quotient has to fit."""
    apart()
    _, rest = divide_wide(a, b, s)
    return rest


@kernel
def mul_div(a: int, b: int, s: int, mode: int) -> int:
    """``a * b / s`` rounded as told, s > 0; BAD where it does not fit. Inlined."""
    product, over = multiply(a, b)
    if s == 1:
        return BAD if over else product
    if over:
        quotient, rest = divide_wide(a, b, s)
    else:
        quotient, rest = divide(product, s)
    return rounded(quotient, rest, s, mode)


@kernel
def share_of(a: int, b: int, s: int) -> int:
    """`mul_div` half-even of two numbers from 0 on: a commission. Inlined."""
    product, over = multiply(a, b)
    if over:
        quotient, rest = divide_wide(a, b, s)
    else:
        quotient, rest = divide_counts(product, s)
    return rounded(quotient, rest, s, HALF_EVEN)


@kernel
def mul_div_by(a: int, b: int, s: int, m: int, shift: int) -> int:
    """``a * b / s`` rounded half-even, with the `inverse` of s in place of a division; BAD where it does not fit. Inlined."""
    product, over = multiply(a, b)
    if s == 1:
        return BAD if over else product
    if over:
        quotient, rest = divide_wide(a, b, s)
        return rounded(quotient, rest, s, HALF_EVEN)
    sign = product >> 63
    size = (product ^ sign) - sign
    quotient = multiply_high(size, m) >> shift
    rest = size - quotient * s
    if rest != 0:  # a worth is whole in most runs, always: that is foreseen
        quotient = rounded(quotient, rest, s, HALF_EVEN)  # half-even does the same on both sides of zero
    return (quotient ^ sign) - sign
