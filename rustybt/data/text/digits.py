"""Numbers among letters: eight letters at a time where that is enough for one, else letter by letter."""

from __future__ import annotations

from typing import Any

import numpy as np

from rustybt.data.text.native import inlined, native
from rustybt.data.text.words import BYTE, LETTERS, NOTHING, ONE, THREE, WORD, ZEROS, eight, joined, others, zeros_below

MINUS, POINT, ZERO = 45, 46, 48
MOST = 18
"""Digits that 64 bits hold."""
LEFT = 32
"""Letters from the beginning of a number or a time on, so that all words of it lie in the text."""
TIMES = np.array([10**power for power in range(LETTERS)], dtype=np.uint64)
DOT, LOWEST, ALL = np.uint64(POINT ^ ZERO), np.uint64(0xFF), np.uint64(0xFFFFFFFFFFFFFFFF)
NONE, FAILED = -1, -2
"""In place of decimals: nothing is written, or not a plain number."""


@inlined
def short(text: Any, at: Any, fraction: bool) -> tuple[Any, Any, Any]:
    """`number` of at most seven digits before the point and seven after it; of anything else `FAILED`, which says nothing of it."""
    at += text[at] == MINUS
    found = eight(text, at) ^ ZEROS
    odd = others(found)
    if odd == NOTHING:
        return np.int64(0), FAILED, at
    bits = zeros_below(odd) >> THREE << THREE  # of the digits before the first that is none
    if bits == NOTHING or (bits > BYTE and found & LOWEST == NOTHING):
        return np.int64(0), FAILED, at
    if not fraction or (found >> bits) & LOWEST != DOT:
        return np.int64(joined(found << (WORD - bits))), 0, at + np.int64(bits >> THREE)
    more = odd & (odd - ONE)
    if more != NOTHING:  # all of it is in these eight
        end, before = zeros_below(more) >> THREE << THREE, (ONE << bits) - ONE
        decimals = np.int64((end - bits) >> THREE) - 1
        digits = (found & before) | ((found >> BYTE) & (ALL ^ before))
        return np.int64(joined(digits << (WORD + BYTE - end))), (decimals or FAILED), at + np.int64(end >> THREE)
    at += np.int64(bits >> THREE) + 1
    rest = eight(text, at) ^ ZEROS
    odd = others(rest)
    end = zeros_below(odd) >> THREE << THREE
    if odd == NOTHING or end == NOTHING:
        return np.int64(0), FAILED, at
    decimals = np.int64(end >> THREE)
    whole = joined(found << (WORD - bits)) * TIMES[decimals] + joined(rest << (WORD - end))
    return np.int64(whole), decimals, at + decimals


@inlined
def number(text: Any, at: Any, fraction: bool) -> tuple[Any, Any, Any]:
    """A number without its sign: all its digits, how many of them are decimals (or `NONE`, `FAILED`), and the place after it."""
    if at + LEFT <= len(text):
        whole, decimals, end = short(text, at, fraction)
        if decimals != FAILED:
            return whole, decimals, end
    return letters(text, at, fraction)


@native
def letters(text: Any, at: Any, fraction: bool) -> tuple[Any, Any, Any]:
    """`number`, letter by letter."""
    begin, whole, decimals = at, np.uint64(0), 0
    at += text[at] == MINUS
    digits = at
    digit = np.uint64(text[at]) - np.uint64(ZERO)  # below "0" it wraps around: one comparison tells a digit
    while digit <= np.uint64(9) and at - digits <= MOST:
        whole, at = whole * np.uint64(10) + digit, at + 1
        digit = np.uint64(text[at]) - np.uint64(ZERO)
    if at == digits:
        return np.int64(0), (NONE if at == begin else FAILED), at
    if text[digits] == ZERO and at > digits + 1:
        return np.int64(0), FAILED, at
    if fraction and text[at] == POINT:
        at += 1
        point = at
        digit = np.uint64(text[at]) - np.uint64(ZERO)
        while digit <= np.uint64(9) and at - digits <= MOST + 1:
            whole, at = whole * np.uint64(10) + digit, at + 1
            digit = np.uint64(text[at]) - np.uint64(ZERO)
        decimals = at - point
        if decimals == 0:
            return np.int64(0), FAILED, at
        digits += 1
    return np.int64(whole), (FAILED if at - digits > MOST else decimals), at


@native
def digits_of(text: Any, at: int, count: int) -> Any:
    """A number of exactly so many digits; below 0 where one is none."""
    found = np.int64(0)
    for i in range(at, at + count):
        digit = np.int64(text[i]) - ZERO
        if digit < 0 or digit > 9:
            return np.int64(-1)
        found = found * 10 + digit
    return found
