"""``a * b / s`` in float: what the kernel would cost without exactness. For the benchmark only."""

from __future__ import annotations

from .compile import kernel


@kernel
def remainder(a: float, b: float, s: float) -> float:
    """Nothing: the quotient has it."""
    return 0.0


@kernel
def mul_div(a: float, b: float, s: float, mode: int) -> float:
    """``a * b / s``, rounded by the processor."""
    if s == 1:
        return a * b
    return a * b / s


@kernel
def share_of(a: float, b: float, s: float) -> float:
    """Of numbers from 0 on."""
    return a * b / s


@kernel
def mul_div_by(a: float, b: float, s: float, m: int, shift: int) -> float:
    """The same; the inverse of an integer is of no use here."""
    return a * b if s == 1 else a * b / s
