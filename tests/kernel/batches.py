"""Arithmetic of the kernel over many cases at once: its functions are inlined and cannot be called one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rustybt.kernel.arithmetic import fits, mul_div, mul_div_by, ratio, remainder, share_of, value
from rustybt.kernel.compile import entry
from rustybt.kernel.exposure import code_of
from rustybt.kernel.risk import beyond

from .builds import COMPILED


@entry
def each_mul_div(a: Any, b: Any, s: Any, mode: int, out: Any) -> None:
    """``mul_div`` of every row."""
    for i in range(len(a)):
        out[i] = mul_div(a[i], b[i], s[i], mode)


@entry
def each_mul_div_by(a: Any, b: Any, s: Any, m: Any, shift: Any, out: Any) -> None:
    """``mul_div_by`` of every row."""
    for i in range(len(a)):
        out[i] = mul_div_by(a[i], b[i], s[i], m[i], shift[i])


@entry
def each_share_of(a: Any, b: Any, s: Any, out: Any) -> None:
    """``share_of`` of every row."""
    for i in range(len(a)):
        out[i] = share_of(a[i], b[i], s[i])


@entry
def each_ratio(a: Any, b: Any, s: Any, mode: int, out: Any) -> None:
    """``ratio`` of every row."""
    for i in range(len(a)):
        out[i] = ratio(a[i], b[i], s[i], mode)


@entry
def each_remainder(a: Any, b: Any, s: Any, out: Any) -> None:
    """``remainder`` of every row."""
    for i in range(len(a)):
        out[i] = remainder(a[i], b[i], s[i])


@entry
def each_beyond(common: Any, own: Any, others: Any, limit: Any, out: Any) -> None:
    """``beyond`` of every row."""
    for i in range(len(common)):
        out[i] = 1 if beyond(common[i], own[i], others[i], limit[i]) else 0


@entry
def each_code(control: Any, out: Any) -> None:
    """``code_of`` of every row."""
    for i in range(len(control)):
        out[i] = code_of(control[i])


@entry
def each_value(lots: Any, price: Any, up: Any, down: Any, out: Any) -> None:
    """``value`` of every row."""
    for i in range(len(lots)):
        out[i] = value(lots[i], price[i], up[i], down[i])


@entry
def each_fits(a: Any, out: Any) -> None:
    """``fits`` of every row."""
    for i in range(len(a)):
        out[i] = 1 if fits(a[i]) else 0


def column(numbers: Sequence[int]) -> Any:
    """Numbers as this build takes them."""
    return np.array(numbers, dtype=np.int64) if COMPILED else list(numbers)


def answers(function: Any, *columns: Any) -> list[int]:
    """What a batch writes, as Python ints; a plain int is the same for every row."""
    given = [one if isinstance(one, int) else column(one) for one in columns]
    out = column([0] * len(columns[0]))
    function(*given, out)
    return [int(one) for one in out]
