"""Lines of bars become numbers, by compiled code.

Only what means one thing is read: a number of at most 18 digits whose mantissa a double holds, so that one division gives the double
nearest to what was written; a time written as all others are. Anything else (quotes, blanks, an exponent, more digits, another number of
columns) ends the reading with its place, and Polars reads the file.

What most lines hold is read eight letters at a time (`words`): a number of at most seven digits before its point and seven after it, the
asset and the date of the line before. The loops over single letters are for the rest, and for the last letters of a text.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rustybt.data.text.digits import FAILED, LEFT, LOWEST, MINUS, MOST, NONE, digits_of, number
from rustybt.data.text.native import inlined, native
from rustybt.data.text.words import BYTE, LETTERS, NOTHING, THREE, WORD, eight, others

SKIPPED, MOMENT, ASSET, FLOAT, WHOLE = range(5)
"""What a column holds."""
COMMA, NEWLINE, RETURN, QUOTE, COLON = 44, 10, 13, 34, 58
EXACT = 2**53
"""Whole numbers that a double holds."""
NAMES, PLACES = 2**15, 2**17
"""Assets of a block at most, and the size of the table that finds them."""
SECOND, DAY = 1_000_000, 86_400_000_000
EPOCH = 719_468
"""Days from the first of March of the year 0 to 1970-01-01."""
POWERS = np.array([10.0**power for power in range(MOST + 1)])
CLOCK, COLONS = np.uint64(0x30303A30303A3030), np.uint64(0x0000FF0000FF0000)
"""``00:00:00``, and where its colons are."""


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
    date, day, since, (closing, closed) = NOTHING, NOTHING, -1, closing_of(tail)
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
                at = begin + length if length and once_more(text, begin, name, length) else 0
                if not at:
                    name = begin
                    code, known, length = find(text, begin, names, table, known)
                    if code < 0:
                        return row, known, begin
                    at = begin + length
                codes[row] = code
            elif kind == MOMENT:
                clock = -1
                if since >= 0 and begin + LEFT <= len(text) and eight(text, begin) == date and eight(text, begin + 3) == day:
                    clock = clock_of(text, begin, closing, closed)
                if clock >= 0:
                    ts[row], at = since + clock, begin + 19 + len(tail)
                else:
                    ts[row], at = moment(text, begin, mark, tail)
                    if at < 0:
                        return row, known, begin
                    if mark and len(tail) <= LETTERS and begin + LEFT <= len(text) and ts[row] >= 0:
                        date, day, since = eight(text, begin), eight(text, begin + 3), ts[row] - ts[row] % DAY
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


@inlined
def once_more(text: Any, at: int, name: int, length: int) -> bool:
    """`again`, for short names at a glance."""
    if length >= LETTERS or at + LETTERS > len(text):
        return again(text, at, name, length)
    here, bits = eight(text, at), np.uint64(length) << THREE
    after = np.int64((here >> bits) & LOWEST)
    return bool((here ^ eight(text, name)) << (WORD - bits) == NOTHING and (after in (COMMA, NEWLINE, RETURN)))


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
def closing_of(tail: Any) -> tuple[Any, Any]:
    """What follows the seconds as a word, and which bits of one it fills; of a longer one its beginning."""
    word, bits = NOTHING, NOTHING
    for i in range(min(len(tail), LETTERS)):
        word |= np.uint64(tail[i]) << (np.uint64(i) * BYTE)
        bits |= LOWEST << (np.uint64(i) * BYTE)
    return word, bits


@inlined
def clock_of(text: Any, at: int, closing: Any, closed: Any) -> Any:
    """Microseconds since midnight of a time whose date and mark are known; below 0 where it is to be looked at by its letters."""
    digits = eight(text, at + 11) ^ CLOCK
    if others(digits) | (digits & COLONS) | ((eight(text, at + 19) ^ closing) & closed) != NOTHING:
        return np.int64(-1)
    pairs = digits * np.uint64(10) + (digits >> BYTE)
    hour, minute, second = (
        np.int64(pairs & LOWEST),
        np.int64((pairs >> np.uint64(24)) & LOWEST),
        np.int64((pairs >> np.uint64(48)) & LOWEST),
    )
    if hour > 23 or minute > 59 or second > 59:
        return np.int64(-1)
    return ((hour * 60 + minute) * 60 + second) * SECOND


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
