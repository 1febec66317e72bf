"""Lines of bars become numbers, by compiled code.

Only what means one thing is read: a number of at most 18 digits whose mantissa a double holds, so that one division gives the double
nearest to what was written; a time written as all others are. Anything else (quotes, blanks, an exponent, more digits, another number of
columns) ends the reading with its place, and Polars reads the file.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rustybt.data.text.native import native

SKIPPED, MOMENT, ASSET, FLOAT, WHOLE = range(5)
"""What a column holds."""
COMMA, NEWLINE, RETURN, MINUS, POINT, ZERO, QUOTE, COLON = 44, 10, 13, 45, 46, 48, 34, 58
MOST, EXACT = 18, 2**53
"""Digits that 64 bits hold, and whole numbers that a double does."""
NAMES, PLACES = 2**15, 2**17
"""Assets of a block at most, and the size of the table that finds them."""
SECOND, DAY = 1_000_000, 86_400_000_000
EPOCH = 719_468
"""Days from the first of March of the year 0 to 1970-01-01."""
POWERS = np.array([10.0**power for power in range(MOST + 1)])
NONE, FAILED = -1, -2
"""In place of decimals: nothing is written, or not a plain number."""


class Layout(NamedTuple):
    """How lines are written.

    Args:
        kinds: (columns,) Int64, what each holds.
        places: (columns,) Int64, row of `Rows.floats` or `Rows.wholes` that takes it.
        mark: UInt8 between date and clock; 0 = there is no clock.
        tail: UInt8 that follow the seconds of every time.
    """

    kinds: Any
    places: Any
    mark: int
    tail: Any


class Rows(NamedTuple):
    """Where the values go.

    Args:
        ts: (rows,) Int64 microseconds.
        codes: (rows,) UInt32, number of the asset in its block.
        floats: (columns, rows) Float64.
        wholes: (columns, rows) Int64.
        gaps: (rows,) UInt8, UInt16 or UInt64, a bit for each column that is empty: those of floats, then those of whole numbers.
    """

    ts: Any
    codes: Any
    floats: Any
    wholes: Any
    gaps: Any


class Seen(NamedTuple):
    """The assets of a block.

    Args:
        names: (`NAMES`, 2) Int64 that receives where each is named first, and how long its name is.
        table: (`PLACES`,) Int32 of -1.
    """

    names: Any
    table: Any


@native
def parse(text: Any, layout: Any, rows: Any, span: tuple[int, int], seen: Any) -> tuple[int, int, int]:
    """Read whole lines.

    Args:
        text: (bytes,) UInt8; the last one ends a line.
        layout: `Layout`.
        rows: `Rows`.
        span: row of the first line, and row after the last; there are no more.
        seen: `Seen`.

    Returns:
        Row after the last line, number of assets, and -1; or the place at which reading ended.
    """
    kinds, places, mark, tail = layout
    ts, codes, floats, wholes, gaps = rows
    (first, last), (names, table) = span, seen
    at, row, known, code, name, length = 0, first, 0, 0, 0, 0
    while at < len(text):
        if row == last:
            return row, known, at
        empty = 0
        for column in range(len(kinds)):
            kind, place, begin = kinds[column], places[column], at
            if kind == FLOAT:
                whole, decimals, at = number(text, at, True)
                if decimals == FAILED or whole > EXACT:
                    return row, known, begin
                if decimals == NONE:
                    empty |= 1 << place
                value = whole / POWERS[max(decimals, 0)]
                floats[place, row] = -value if text[begin] == MINUS else value
            elif kind == WHOLE:
                whole, decimals, at = number(text, at, False)
                if decimals == FAILED:
                    return row, known, begin
                if decimals == NONE:
                    empty |= 1 << (place + len(floats))
                wholes[place, row] = -whole if text[begin] == MINUS else whole
            elif kind == ASSET:
                at = begin + length if length and again(text, begin, name, length) else 0
                if not at:
                    name = begin
                    code, known, length = find(text, begin, names, table, known)
                    if code < 0:
                        return row, known, begin
                    at = begin + length
                codes[row] = code
            elif kind == MOMENT:
                ts[row], at = moment(text, at, mark, tail)
                if at < 0:
                    return row, known, begin
            else:
                at = ending(text, at)
                if at < 0:
                    return row, known, begin
            if column < len(kinds) - 1:
                if text[at] != COMMA:
                    return row, known, begin
                at += 1
        at += text[at] == RETURN
        if text[at] != NEWLINE:
            return row, known, at
        gaps[row] = empty
        at, row = at + 1, row + 1
    return row, known, -1


@native
def number(text: Any, at: int, fraction: bool) -> tuple[Any, int, int]:
    """A number without its sign: all its digits, how many of them are decimals (or `NONE`, `FAILED`), and the place after it."""
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
def again(text: Any, at: int, name: int, length: int) -> bool:
    """Whether a field is the name of the line before."""
    if at + length >= len(text):
        return False
    for i in range(length):
        if text[at + i] != text[name + i]:
            return False
    after = text[at + length]
    return bool(after in (COMMA, NEWLINE, RETURN))


@native
def ending(text: Any, at: int) -> int:
    """Where a field ends; -1 where it holds a quote."""
    while text[at] != COMMA and text[at] != NEWLINE and text[at] != RETURN:
        if text[at] == QUOTE:
            return -1
        at += 1
    return at


@native
def find(text: Any, at: int, names: Any, table: Any, known: int) -> tuple[int, int, int]:
    """Number of an asset, how many are known, and the length of its name; -1 for one that is empty, quoted or one too many."""
    mixed, end = np.uint64(14695981039346656037), ending(text, at)
    if end <= at:
        return -1, known, 0
    for i in range(at, end):
        mixed = (mixed ^ np.uint64(text[i])) * np.uint64(1099511628211)
    slot = np.int64(mixed % np.uint64(PLACES))
    while table[slot] >= 0:
        code = table[slot]
        if names[code, 1] == end - at and again(text, at, names[code, 0], end - at):
            return code, known, end - at
        slot = (slot + 1) % PLACES
    if known == NAMES:
        return -1, known, 0
    table[slot] = known
    names[known, 0], names[known, 1] = at, end - at
    return known, known + 1, end - at


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


@native
def moment(text: Any, at: int, mark: int, tail: Any) -> tuple[int, int]:
    """Microseconds since 1970 of a time, and the place after it; below 0 where it is none."""
    end = at + 10 + (9 + len(tail) if mark else 0)
    if end >= len(text) or text[at + 4] != MINUS or text[at + 7] != MINUS:
        return 0, -1
    year, month, day = digits_of(text, at, 4), digits_of(text, at + 5, 2), digits_of(text, at + 8, 2)
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    longest = 31 - (month - 1) % 7 % 2 if month != 2 else 28 + leap
    if year < 1 or month < 1 or month > 12 or day < 1 or day > longest:
        return 0, -1
    since = year - (month <= 2)  # years begin in March, so that the leap day is the last
    days = since * 365 + since // 4 - since // 100 + since // 400 + (153 * ((month + 9) % 12) + 2) // 5 + day - 1 - EPOCH
    if not mark:
        return days * DAY, end
    hour, minute, second = digits_of(text, at + 11, 2), digits_of(text, at + 14, 2), digits_of(text, at + 17, 2)
    if text[at + 10] != mark or text[at + 13] != COLON or text[at + 16] != COLON:
        return 0, -1
    if hour < 0 or hour > 23 or minute < 0 or minute > 59 or second < 0 or second > 59:
        return 0, -1
    for i in range(len(tail)):
        if text[at + 19 + i] != tail[i]:
            return 0, -1
    return days * DAY + ((hour * 60 + minute) * 60 + second) * SECOND, end
