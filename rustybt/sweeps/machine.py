"""The machine that evaluates tops: every variant over the same features, in blocks of rows that stay in the processor's cache.

The rules are those of Polars: nulls as in SQL, NaN equal to itself and above every number, division by a constant through its
reciprocal. What comes out are the offers of `rustybt.model.Plan`: targets in whole units, unchanged ones left out. A variant with a target
that cannot be offered is marked, and run in the ordinary way, which says what is wrong.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rustybt.kernel.compile import entry, kernel
from rustybt.kernel.limits import whole

BLOCK = 512
"""Rows that are worked on together."""
NAMES = "gt lt ge le eq ne and or xor not add sub mul div neg abs if fill isnull isvalid float zero".split()
OPS = {name: number for number, name in enumerate(NAMES)}
GT, LT, GE, LE, EQ, NE, AND, OR, XOR, NOT, ADD, SUB, MUL, DIV, NEG, ABS, IF, FILL, ISNULL, ISVALID, FLOAT, ZERO = range(len(NAMES))
LIMIT = float(2**61)
NEAR = 1e-9
GOOD, REFUSED = whole(0), whole(1)
"""Marks of a variant."""


@kernel
def compute_known(op: int, d: int, a: int, b: int, c: int, x: Any, size: int) -> Any:
    """`compute` where no value is null: for these operations flags of one byte beside numbers of eight are most of the work."""
    if op == AND:
        for i in range(size):
            x[d, i] = 1.0 if (x[a, i] != 0.0) & (x[b, i] != 0.0) else 0.0
    elif op == OR:
        for i in range(size):
            x[d, i] = 1.0 if (x[a, i] != 0.0) | (x[b, i] != 0.0) else 0.0
    elif op == IF:
        for i in range(size):
            one, other = x[b, i], x[c, i]
            x[d, i] = one if x[a, i] != 0.0 else other
    else:
        return False
    return True


@kernel
def full_of(op: int, a: int, b: int, c: int, full: Any) -> Any:
    """Whether what an operation reads has no nulls in the block."""
    if op == ZERO:
        return True
    if op in (NOT, NEG, ABS, FLOAT, ISNULL, ISVALID):
        return full[a] != 0
    return full[a] != 0 and full[b] != 0 and (op != IF or full[c] != 0)


@kernel
def all_known(ok: Any, d: int, size: int) -> Any:
    """Whether no value of a block is null."""
    known = 1
    for i in range(size):
        known &= ok[d, i]
    return known != 0


@kernel
def compute(op: int, d: int, a: int, b: int, c: int, x: Any, ok: Any, size: int) -> None:
    """One operation on a block: row ``d`` of the places from rows ``a``, ``b``, ``c``. No branches: several rows are done at a time."""
    if op <= NE:
        compare(op, d, a, b, x, size)
    elif op == AND:
        for i in range(size):
            one, other = x[a, i] != 0.0, x[b, i] != 0.0
            known = (ok[a, i] & ok[b, i]) | (ok[a, i] & (not one)) | (ok[b, i] & (not other))
            x[d, i] = 1.0 if one & other & (known != 0) else 0.0
            ok[d, i] = known
    elif op == OR:
        for i in range(size):
            either = ((ok[a, i] != 0) & (x[a, i] != 0.0)) | ((ok[b, i] != 0) & (x[b, i] != 0.0))
            x[d, i] = 1.0 if either else 0.0
            ok[d, i] = 1 if either else ok[a, i] & ok[b, i]
    elif op == XOR:
        for i in range(size):
            x[d, i] = 1.0 if (x[a, i] != 0.0) != (x[b, i] != 0.0) else 0.0
    elif op == NOT:
        for i in range(size):
            x[d, i] = 1.0 - x[a, i]
    elif op == ADD:
        for i in range(size):
            x[d, i] = x[a, i] + x[b, i]
    elif op == SUB:
        for i in range(size):
            x[d, i] = x[a, i] - x[b, i]
    elif op == MUL:
        for i in range(size):
            x[d, i] = x[a, i] * x[b, i]
    elif op == DIV:
        for i in range(size):
            x[d, i] = x[a, i] / x[b, i]
    elif op == NEG:
        for i in range(size):
            x[d, i] = -x[a, i]
    elif op == ABS:
        for i in range(size):
            x[d, i] = abs(x[a, i])
    elif op == IF:
        choose(d, a, b, c, x, ok, size)
    elif op == FILL:
        for i in range(size):
            given, filler = x[a, i], x[b, i]
            x[d, i] = given if ok[a, i] != 0 else filler
            ok[d, i] = ok[a, i] | ok[b, i]
    elif op == ISNULL:
        for i in range(size):
            x[d, i] = 1.0 - ok[a, i]
            ok[d, i] = 1
    elif op == ISVALID:
        for i in range(size):
            x[d, i] = ok[a, i]
            ok[d, i] = 1
    elif op == FLOAT:
        for i in range(size):
            x[d, i] = x[a, i]
    elif op == ZERO:
        for i in range(size):
            x[d, i] = 0.0
            ok[d, i] = 1
    if op <= NE or (op >= XOR and op != NOT and op <= DIV):
        for i in range(size):
            ok[d, i] = ok[a, i] & ok[b, i]
    elif op in (NOT, NEG, ABS, FLOAT):
        for i in range(size):
            ok[d, i] = ok[a, i]


@kernel
def choose(d: int, a: int, b: int, c: int, x: Any, ok: Any, size: int) -> None:
    """One of two, by a truth value; null counts as false."""
    for i in range(size):
        yes, one, other = (ok[a, i] != 0) & (x[a, i] != 0.0), x[b, i], x[c, i]
        x[d, i] = one if yes else other
    for i in range(size):
        yes, known, unknown = (ok[a, i] != 0) & (x[a, i] != 0.0), ok[b, i], ok[c, i]
        ok[d, i] = known if yes else unknown


@kernel
def compare(op: int, d: int, a: int, b: int, x: Any, size: int) -> None:
    """A comparison of a block; NaN is equal to itself and above every number."""
    if op == GT:
        for i in range(size):
            x[d, i] = 1.0 if (x[a, i] > x[b, i]) | ((x[a, i] != x[a, i]) & (x[b, i] == x[b, i])) else 0.0
    elif op == LT:
        for i in range(size):
            x[d, i] = 1.0 if (x[a, i] < x[b, i]) | ((x[b, i] != x[b, i]) & (x[a, i] == x[a, i])) else 0.0
    elif op == GE:
        for i in range(size):
            x[d, i] = 1.0 if (x[a, i] >= x[b, i]) | (x[a, i] != x[a, i]) else 0.0
    elif op == LE:
        for i in range(size):
            x[d, i] = 1.0 if (x[a, i] <= x[b, i]) | (x[b, i] != x[b, i]) else 0.0
    elif op == EQ:
        for i in range(size):
            x[d, i] = 1.0 if (x[a, i] == x[b, i]) | ((x[a, i] != x[a, i]) & (x[b, i] != x[b, i])) else 0.0
    else:
        for i in range(size):
            x[d, i] = 0.0 if (x[a, i] == x[b, i]) | ((x[a, i] != x[a, i]) & (x[b, i] != x[b, i])) else 1.0


@kernel
def whole_of(number: float, exact: int) -> Any:
    """A target in units as a whole number: rounded half-even, or (quantities) cut toward zero unless it is all but whole."""
    nearest = np.rint(number)
    if exact == 1 or abs(number - nearest) <= NEAR * max(1.0, abs(nearest)):
        return nearest
    return np.trunc(number)


@kernel
def offered(how: Any, first: int, rows: Any, units: Any, target: Any, at: int, size: int, plan: Any, before: Any, last: Any) -> Any:
    """Offer the targets of a block.

    ``before``: target and units of each asset at its row before, NaN where there was none. ``last``: offers so far, lowest and highest
    asset that had any row, largest sum of magnitudes of a bar, bar of the row before, its sum.
    """
    x, ok, result = target
    values, amounts = before
    scheduled, weights, exact = how[0] != 0, how[1] == 0, 1 if how[1] < 2 else 0
    k, t, total = last[0], last[4], last[5]
    for i in range(size):
        if ok[result, i] == 0 or rows[0, at + i] < first:
            continue
        column, value = rows[1, at + i], x[result, i]
        same = value == values[column]
        if not same:
            number = whole_of(value * units[column], exact)
            if not abs(number) < LIMIT:
                return REFUSED
            changed = scheduled or values[column] != values[column] or np.int64(number) != amounts[column]
            values[column], amounts[column] = value, np.int64(number)
            if last[1] < 0:
                last[1] = column
            last[1], last[2] = min(last[1], column), max(last[2], column)
        else:
            changed = scheduled
        if changed:
            plan[0, k], plan[1, k], plan[2, k] = rows[0, at + i], column, amounts[column]
            k += 1
        if weights:
            if rows[0, at + i] != t:
                last[3], t, total = max(last[3], total), rows[0, at + i], 0
            total += abs(amounts[column])
    last[0], last[4], last[5] = k, t, total
    return GOOD


@kernel
def offered_alone(how: Any, span: Any, units: Any, target: Any, rows: Any, plan: Any, before: Any, last: Any) -> Any:
    """`offered` for a single asset without a schedule: where a target is what it was, there is nothing to do."""
    x, ok, result = target
    values, amounts = before
    at, start, size = span
    exact, k, held = 1 if how[1] < 2 else 0, last[0], values[0]
    for i in range(start, size):
        value = x[result, i]
        if value != held and ok[result, i] != 0:
            number = whole_of(value * units[0], exact)
            if not abs(number) < LIMIT:
                return REFUSED
            if held != held or np.int64(number) != amounts[0]:
                amounts[0] = np.int64(number)
                plan[0, k], plan[1, k], plan[2, k] = rows[0, at + i], 0, amounts[0]
                k += 1
            held = value
            last[1], last[2], last[3] = 0, 0, max(last[3], abs(amounts[0]))
    last[0], values[0] = k, held
    return GOOD


@kernel
def first_row(rows: Any, bar: int) -> int:
    """The first row of a bar or a later one."""
    low, high = 0, rows.shape[1]
    while low < high:
        middle = (low + high) // 2
        if rows[0, middle] < bar:
            low = middle + 1
        else:
            high = middle
    return low


@entry
def offers_of(code: Any, how: Any, given: Any, store: Any, rows: Any, units: Any, plan: Any, marks: Any, scratch: Any) -> Any:
    """The offers of variants of one top, one variant after the other.

    Args:
        code: (operations, 5) Int64 of the program.
        how: Int64: whether it is scheduled, kind of the target (0 weight, 1 notional, 2 quantity), most gross in weight units, number of
            constants, place of the result.
        given: (variants, constants) Float64; (constants,) Int64, 0 where one is null; (variants, features + 1) Int64, rows of the store,
            the last the first bar that decides.
        store: (features, rows) Float64, and UInt8: 0 where null.
        rows: (2, rows) Int32: bar and asset of each row, sorted by both.
        units: (assets,) Float64: units in one.
        plan: (3, length) Int64: bar, slot and value of the offers, filled here.
        marks: (variants, 2) Int64: `GOOD` or `REFUSED`, and where the offers of a variant end; filled here.
        scratch: places x BLOCK Float64, the same UInt8, (places,) UInt8, (assets,) Float64, (assets,) Int64, (6,) Int64.

    Returns:
        How many variants are done: it ends before one whose offers might not fit.
    """
    constants, known, ids = given
    features, valid = store
    x, ok, full, values, amounts, last = scratch
    end, height, alone = 0, rows.shape[1], values.size == 1 and how[0] == 0
    for v in range(ids.shape[0]):
        if end + height > plan.shape[1]:
            return v
        for j in range(how[3]):
            full[j] = known[j]
            for i in range(BLOCK):
                x[j, i] = constants[v, j]
                ok[j, i] = known[j]
        for j in range(values.size):
            values[j] = np.nan
        last[0], last[1], last[2], last[3], last[4], last[5] = end, -1, -1, 0, -1, 0
        mark, wide = GOOD, ids.shape[1] - 1
        begin = first_row(rows, ids[v, wide])
        for at in range(begin - begin % BLOCK, height, BLOCK):
            size = min(BLOCK, height - at)
            for j in range(wide):
                source, d = ids[v, j], how[3] + j
                for i in range(size):
                    x[d, i] = features[source, at + i]
                for i in range(size):
                    ok[d, i] = valid[source, at + i]
                full[d] = 1 if all_known(ok, d, size) else 0
            for n in range(code.shape[0]):
                op, d, a, b, c = code[n, 0], code[n, 1], code[n, 2], code[n, 3], code[n, 4]
                full[d] = 1 if full_of(op, a, b, c, full) else 0
                if full[d] != 0 and compute_known(op, d, a, b, c, x, size):
                    for i in range(size):
                        ok[d, i] = 1
                else:
                    compute(op, d, a, b, c, x, ok, size)
            if alone:
                span = (at, max(0, begin - at), size)
                mark = offered_alone(how, span, units, (x, ok, how[4]), rows, plan, (values, amounts), last)
            else:
                mark = offered(how, ids[v, wide], rows, units, (x, ok, how[4]), at, size, plan, (values, amounts), last)
            if mark != GOOD:
                break
        slack = 1 if last[1] == last[2] else last[2] + 2
        if mark == GOOD and how[1] == 0 and max(last[3], last[5]) > how[2] + slack:
            mark = REFUSED
        if mark == GOOD:
            end = last[0]
        marks[v, 0], marks[v, 1] = mark, end
    return ids.shape[0]
