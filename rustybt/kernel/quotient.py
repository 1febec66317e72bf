"""Quotients without a division, which takes a processor ten times as long as a product."""

from __future__ import annotations

from typing import Any

from .compile import fused, kernel


@kernel
def divided(number: Any, below: float, inverse: float) -> Any:
    """A quotient as division rounds it, from the divisor and its rounded inverse, without dividing.

    A product that is off by less than two units in its last place is corrected once, which brings it within one; what is left over is
    then exact, and the second correction gives the rounded quotient (Markstein's theorem). The divisor must not have 53 ones (no whole
    number below 2^52 has), and nothing may underflow.
    """
    near = number * inverse
    near = fused(fused(-near, below, number), inverse, near)
    return fused(fused(-near, below, number), inverse, near)
