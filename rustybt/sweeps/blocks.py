"""Operations of the machine on a block of rows.

The rules are those of Polars: nulls as in SQL, NaN equal to itself and above every number. There are no branches inside the loops: several
rows are done at a time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rustybt.kernel.compile import aside, kernel

BLOCK = 512
"""Rows that are worked on together."""
NAMES = "gt lt ge le eq ne and or xor not add sub mul div neg abs if fill isnull isvalid float zero".split()
NAMES += "sign clip atleast atmost max min count shift shiftfill forward".split()
OPS = {name: number for number, name in enumerate(NAMES)}
GT, LT, GE, LE, EQ, NE, AND, OR, XOR, NOT, ADD, SUB, MUL, DIV, NEG, ABS, IF, FILL, ISNULL, ISVALID, FLOAT, ZERO = range(22)
SIGN, CLIP, AT_LEAST, AT_MOST, MAX, MIN, COUNT, SHIFT, SHIFT_FILL, FORWARD = range(22, len(NAMES))
"""From `SHIFT` on they look back along the bars of an asset."""
READS = (
    {ZERO: 0} | dict.fromkeys((NOT, NEG, ABS, ISNULL, ISVALID, FLOAT, SIGN, COUNT, FORWARD), 1) | dict.fromkeys((IF, CLIP, SHIFT_FILL), 3)
)
"""How many values an operation reads, where it is not two."""


@kernel
def compute(op: int, d: Any, a: Any, b: Any, c: Any, size: int) -> None:
    """One operation on a block, where no value that it reads is null: ``d`` from ``a``, ``b`` and ``c``, as many of them as it needs."""
    if op <= NE:
        compare(op, d, a, b, size)
    elif op == AND:
        for i in range(size):
            d[i] = 1.0 if (a[i] != 0.0) & (b[i] != 0.0) else 0.0
    elif op == OR:
        for i in range(size):
            d[i] = 1.0 if (a[i] != 0.0) | (b[i] != 0.0) else 0.0
    elif op == XOR:
        for i in range(size):
            d[i] = 1.0 if (a[i] != 0.0) != (b[i] != 0.0) else 0.0
    elif op == NOT:
        for i in range(size):
            d[i] = 1.0 - a[i]
    elif op == ADD:
        for i in range(size):
            d[i] = a[i] + b[i]
    elif op == SUB:
        for i in range(size):
            d[i] = a[i] - b[i]
    elif op == MUL:
        for i in range(size):
            d[i] = a[i] * b[i]
    elif op == DIV:
        for i in range(size):
            d[i] = a[i] / b[i]
    elif op == NEG:
        for i in range(size):
            d[i] = -a[i]
    elif op == ABS:
        for i in range(size):
            d[i] = abs(a[i])
    elif op == IF:
        for i in range(size):
            one, other = b[i], c[i]
            d[i] = one if a[i] != 0.0 else other
    elif SIGN <= op <= MIN:
        compute_bounds(op, d, a, b, c, size)
    elif op in (FILL, FLOAT, COUNT):
        for i in range(size):
            d[i] = a[i]
    elif op in (ISNULL, ZERO):
        for i in range(size):
            d[i] = 0.0
    else:
        for i in range(size):
            d[i] = 1.0


@aside
def compute_bounds(op: int, d: Any, a: Any, b: Any, c: Any, size: int) -> None:
    """Signs, and the larger or the smaller of two; of zeros that differ in their sign the second, as in Polars."""
    if op == SIGN:
        for i in range(size):
            d[i] = 1.0 if a[i] > 0.0 else (-1.0 if a[i] < 0.0 else a[i])
    elif op == CLIP:
        for i in range(size):
            d[i] = b[i] if a[i] < b[i] else (min(a[i], c[i]))
    elif op == AT_LEAST:
        for i in range(size):
            d[i] = max(a[i], b[i])
    elif op == AT_MOST:
        for i in range(size):
            d[i] = min(a[i], b[i])
    elif op == MAX:  # what is no number counts as if it were not there
        for i in range(size):
            d[i] = a[i] if (a[i] > b[i]) | (b[i] != b[i]) else b[i]
    else:
        for i in range(size):
            d[i] = a[i] if (a[i] < b[i]) | (b[i] != b[i]) else b[i]


@aside
def compute_nulls(op: int, d: Any, values: Any, flags: Any, size: int) -> None:
    """`compute` where values may be null.

    Args:
        op: number of the operation.
        d: (size,) Float64 and (size,) UInt8, where the result and whether it is known go.
        values: three of (size,) Float64.
        flags: three of (size,) UInt8, 0 where the value is null.
        size: rows.
    """
    x, ok = d
    a, b, c = values
    known_a, known_b, known_c = flags
    if op == AND:
        for i in range(size):
            one, other = a[i] != 0.0, b[i] != 0.0
            known = (known_a[i] & known_b[i]) | (known_a[i] & (not one)) | (known_b[i] & (not other))
            x[i] = 1.0 if one & other & (known != 0) else 0.0
            ok[i] = known
    elif op == OR:
        for i in range(size):
            either = ((known_a[i] != 0) & (a[i] != 0.0)) | ((known_b[i] != 0) & (b[i] != 0.0))
            x[i] = 1.0 if either else 0.0
            ok[i] = 1 if either else known_a[i] & known_b[i]
    elif op == IF:  # null counts as false
        for i in range(size):
            yes, one, other = (known_a[i] != 0) & (a[i] != 0.0), b[i], c[i]
            x[i] = one if yes else other
        for i in range(size):
            yes, known, unknown = (known_a[i] != 0) & (a[i] != 0.0), known_b[i], known_c[i]
            ok[i] = known if yes else unknown
    elif op == FILL:
        for i in range(size):
            value, filler = a[i], b[i]
            x[i] = value if known_a[i] != 0 else filler
            ok[i] = known_a[i] | known_b[i]
    elif op in (MAX, MIN):  # of what is there
        compute_bounds(op, x, a, b, c, size)
        for i in range(size):
            other = a[i] if known_a[i] != 0 else b[i]
            x[i] = x[i] if (known_a[i] != 0) & (known_b[i] != 0) else other
            ok[i] = known_a[i] | known_b[i]
    elif op in (ISNULL, ISVALID):
        for i in range(size):
            x[i] = 1.0 - known_a[i] if op == ISNULL else float(known_a[i])
            ok[i] = 1
    else:
        compute(op, x, a, b, c, size)
        if op in (NOT, NEG, ABS, FLOAT, SIGN, COUNT):
            for i in range(size):
                ok[i] = known_a[i]
        elif op == CLIP:
            for i in range(size):
                ok[i] = known_a[i] & known_b[i] & known_c[i]
        else:
            for i in range(size):
                ok[i] = known_a[i] & known_b[i]


@kernel
def compare(op: int, d: Any, a: Any, b: Any, size: int) -> None:
    """A comparison of a block; NaN is equal to itself and above every number."""
    if op == GT:
        for i in range(size):
            d[i] = 1.0 if (a[i] > b[i]) | ((a[i] != a[i]) & (b[i] == b[i])) else 0.0
    elif op == LT:
        for i in range(size):
            d[i] = 1.0 if (a[i] < b[i]) | ((b[i] != b[i]) & (a[i] == a[i])) else 0.0
    elif op == GE:
        for i in range(size):
            d[i] = 1.0 if (a[i] >= b[i]) | (a[i] != a[i]) else 0.0
    elif op == LE:
        for i in range(size):
            d[i] = 1.0 if (a[i] <= b[i]) | (b[i] != b[i]) else 0.0
    elif op == EQ:
        for i in range(size):
            d[i] = 1.0 if (a[i] == b[i]) | ((a[i] != a[i]) & (b[i] != b[i])) else 0.0
    else:
        for i in range(size):
            d[i] = 0.0 if (a[i] == b[i]) | ((a[i] != a[i]) & (b[i] != b[i])) else 1.0


@kernel
def full_of(op: int, a: int, b: int, c: int, full: Any) -> Any:
    """Whether what an operation reads has no nulls in the block."""
    if op == ZERO:
        return True
    if op in (NOT, NEG, ABS, FLOAT, ISNULL, ISVALID, SIGN, COUNT):
        return full[a] != 0
    return full[a] != 0 and full[b] != 0 and (op not in (IF, CLIP) or full[c] != 0)


@aside
def shifted(d: Any, source: Any, span: Any, bars: int, filler: Any) -> None:
    """What an asset had some bars before.

    Args:
        d: (size,) Float64 and (size,) UInt8, where values and whether they are known go.
        source: (rows,) Float64 and (rows,) UInt8, known up to the end of the block.
        span: first row of the block, and its rows.
        bars: rows between a value and where it goes to.
        filler: value before there is one, and whether it is known.
    """
    (x, ok), (a, known), (at, size), (value, good) = d, source, span, filler
    lead = min(max(bars - at, 0), size)
    for i in range(lead):
        x[i], ok[i] = value, good
    back = at - bars
    for i in range(lead, size):
        x[i] = a[back + i]
    for i in range(lead, size):
        ok[i] = known[back + i]


@aside
def carried(d: Any, source: Any, span: Any) -> None:
    """The last value of an asset that was known.

    Args:
        d: (rows,) Float64 and (rows,) UInt8, done up to the block.
        source: (size,) Float64 and (size,) UInt8.
        span: first row of the block, its rows, and rows of a bar.
    """
    (x, ok), (a, known), (at, size, assets) = d, source, span
    if assets == 1:
        value, good = (x[at - 1], ok[at - 1]) if at > 0 else (0.0, np.uint8(0))
        for i in range(size):
            value = a[i] if known[i] != 0 else value
            good = good | known[i]
            x[at + i], ok[at + i] = value, good
        return
    for i in range(size):
        back = at + i - assets
        before, there = (x[back], ok[back]) if back >= 0 else (0.0, np.uint8(0))
        x[at + i] = a[i] if known[i] != 0 else before
        ok[at + i] = known[i] | there


@kernel
def all_known(ok: Any, size: int) -> Any:
    """Whether no value of a block is null."""
    least = 1
    for i in range(size):
        least &= ok[i]
    return least == 1
