"""The machine that evaluates tops: every variant over the same features, in blocks of rows that stay in the processor's cache.

The rules are those of Polars: nulls as in SQL, NaN equal to itself and above every number, division by a constant through its
reciprocal. What comes out are the offers of `rustybt.model.Plan`: targets in whole units, unchanged ones left out. A variant with a target
that cannot be offered is marked, and run in the ordinary way, which says what is wrong.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rustybt.kernel.compile import kernel
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
def compute(op: int, d: Any, a: Any, b: Any, c: Any, size: int) -> None:
    """One operation on a block, where no value that it reads is null: ``d`` from ``a``, ``b`` and ``c``, as many of them as it needs.

    There are no branches inside the loops: several rows are done at a time.
    """
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
    elif op in (FILL, FLOAT):
        for i in range(size):
            d[i] = a[i]
    elif op in (ISNULL, ZERO):
        for i in range(size):
            d[i] = 0.0
    else:
        for i in range(size):
            d[i] = 1.0


@kernel
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
    elif op in (ISNULL, ISVALID):
        for i in range(size):
            x[i] = 1.0 - known_a[i] if op == ISNULL else float(known_a[i])
            ok[i] = 1
    else:
        compute(op, x, a, b, c, size)
        if op in (NOT, NEG, ABS, FLOAT):
            for i in range(size):
                ok[i] = known_a[i]
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
    if op in (NOT, NEG, ABS, FLOAT, ISNULL, ISVALID):
        return full[a] != 0
    return full[a] != 0 and full[b] != 0 and (op != IF or full[c] != 0)


@kernel
def whole_of(number: float, exact: int) -> Any:
    """A target in units as a whole number: rounded half-even, or (quantities) cut toward zero unless it is all but whole."""
    nearest = np.rint(number)
    if exact == 1 or abs(number - nearest) <= NEAR * max(1.0, abs(nearest)):
        return nearest
    return np.trunc(number)


@kernel
def offered(how: Any, first: int, rows: Any, units: Any, target: Any, span: Any, plan: Any, before: Any, last: Any) -> Any:
    """Offer the targets of a block.

    ``before``: target and units of each asset at its row before, NaN where there was none. ``last``: offers so far, lowest and highest
    asset that had any row, largest sum of magnitudes of a bar, bar of the row before, its sum.
    """
    x, ok, known = target
    values, amounts = before
    at, start, size = span
    scheduled, weights, exact = how[0] != 0, how[1] == 0, 1 if how[1] < 2 else 0
    k, t, total = last[0], last[4], last[5]
    for i in range(start, size):
        if (not known and ok[i] == 0) or rows[0, at + i] < first:
            continue
        column, value = rows[1, at + i], x[i]
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
    """`offered` for a single asset without a schedule: where a target is what it was, there is nothing to do.

    Where it is not is found first, without a branch: when targets change is what a processor cannot guess.
    """
    x, ok, known = target
    values, amounts, spots = before
    at, start, size = span
    exact, k, held, count = 1 if how[1] < 2 else 0, last[0], values[0], 0
    if known:
        value = held
        for i in range(start, size):
            spots[count] = i
            count += 1 if x[i] != value else 0
            value = x[i]
    else:
        value = held
        for i in range(start, size):
            spots[count] = i
            count += 1 if (x[i] != value) & (ok[i] != 0) else 0
            value = x[i] if ok[i] != 0 else value
    for n in range(count):
        i = spots[n]
        number = whole_of(x[i] * units[0], exact)
        if not abs(number) < LIMIT:
            return REFUSED
        if held != held or np.int64(number) != amounts[0]:
            amounts[0] = np.int64(number)
            plan[0, k], plan[1, k], plan[2, k] = rows[0, at + i], 0, amounts[0]
            k += 1
        held = x[i]
        last[1], last[2], last[3] = 0, 0, max(last[3], abs(amounts[0]))
    last[0], values[0] = k, held
    return GOOD


@kernel
def offered_even(how: Any, span: Any, units: Any, target: Any, rows: Any, plan: Any, before: Any, last: Any) -> Any:
    """`offered` without a schedule, where every asset has a row at every bar and no target is null.

    A target is compared with that of the bar before, and only what changed is looked at. The sum of magnitudes of a bar is that of the bar
    before and the changes.
    """
    x, (at, start, size) = target, span
    values, amounts, spots = before
    assets, exact, k, t, count = values.size, 1 if how[1] < 2 else 0, last[0], last[4], 0
    total = np.int64(0)
    edge = min(start + assets, size)
    for i in range(start, edge):
        spots[count] = i
        count += 1 if x[i] != values[rows[1, at + i]] else 0
    for i in range(edge, size):
        spots[count] = i
        count += 1 if x[i] != x[i - assets] else 0
    for column in range(assets):
        total += abs(amounts[column]) if values[column] == values[column] else 0
    for n in range(count):
        bar, column, value = rows[0, at + spots[n]], rows[1, at + spots[n]], x[spots[n]]
        if bar != t:
            last[3], t = max(last[3], total), bar
        number = whole_of(value * units[column], exact)
        if not abs(number) < LIMIT:
            return REFUSED
        fresh = values[column] != values[column]
        if fresh or np.int64(number) != amounts[column]:
            plan[0, k], plan[1, k], plan[2, k] = bar, column, np.int64(number)
            k += 1
        total += abs(np.int64(number)) - (0 if fresh else abs(amounts[column]))
        values[column], amounts[column] = value, np.int64(number)
        if last[1] < 0:
            last[1] = column
        last[1], last[2] = min(last[1], column), max(last[2], column)
    last[0], last[4], last[5] = k, t, total
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


@kernel
def constants_in(numbers: Any, known: Any, scratch: Any) -> None:
    """Put the constants of a variant into their places."""
    x, ok, full, _, _, _, _ = scratch
    for j in range(numbers.size):
        full[j] = known[j]
        for i in range(BLOCK):
            x[j, i] = numbers[j]
        if known[j] == 0:
            for i in range(BLOCK):
                ok[j, i] = 0


@kernel
def row_of(place: int, ids: Any, how: Any) -> Any:
    """The row of the store that a place stands for: features are read where they are kept. -1: it is a place of its own."""
    feature = place - how[3]
    return ids[feature] if 0 <= feature < ids.size - 1 else -1


@kernel
def offers_of(code: Any, how: Any, given: Any, store: Any, rows: Any, units: Any, plan: Any, scratch: Any) -> int:
    """The offers of a variant.

    Args:
        code: (operations, 5) Int64 of the program.
        how: Int64: whether it is scheduled, kind of the target (0 weight, 1 notional, 2 quantity), most gross in weight units, number of
            constants, place of the result, whether every asset has a row at every bar.
        given: (constants,) Float64; the same, Int64, 0 where one is null; (features + 1,) Int64, rows of the store, the last the first bar
            that decides.
        store: (features, rows) Float64; the same, UInt8: 0 where null; (features,) Int64: the row from which on no value is null.
        rows: (2, rows) Int32: bar and asset of each row, sorted by both.
        units: (assets,) Float64: units in one.
        plan: (3, length) Int64: bar, slot and value of the offers, filled here.
        scratch: places x BLOCK Float64, (places + 1) x BLOCK UInt8, (places,) UInt8, (assets,) Float64, (assets,) Int64, (6,) Int64,
            (BLOCK,) Int64. The last row of the second holds ones.

    Returns:
        How many offers; -1 where a target cannot be offered.
    """
    numbers, known, ids = given
    features, valid, sound = store
    x, ok, full, values, amounts, last, spots = scratch
    wide, ones, height = ids.size - 1, ok.shape[0] - 1, rows.shape[1]
    constants_in(numbers, known, scratch)
    for j in range(values.size):
        values[j] = np.nan
    last[0], last[1], last[2], last[3], last[4], last[5] = 0, -1, -1, 0, -1, 0
    begin, result = first_row(rows, ids[wide]), how[4]
    for at in range(begin - begin % BLOCK, height, BLOCK):
        end = min(at + BLOCK, height)
        size = end - at
        span = (at, max(0, begin - at), size)
        for j in range(wide):
            full[how[3] + j] = 1 if at >= sound[ids[j]] else 0
        for n in range(code.shape[0]):
            op, d, a, b, c = code[n, 0], code[n, 1], code[n, 2], code[n, 3], code[n, 4]
            f, g, h = row_of(a, ids, how), row_of(b, ids, how), row_of(c, ids, how)
            one = features[f, at:end] if f >= 0 else x[a, :size]
            other = features[g, at:end] if g >= 0 else x[b, :size]
            third = features[h, at:end] if h >= 0 else x[c, :size]
            full[d] = 1 if full_of(op, a, b, c, full) else 0
            if full[d] != 0:
                compute(op, x[d, :size], one, other, third, size)
                continue
            known_a = ok[ones, :size] if full[a] != 0 else (valid[f, at:end] if f >= 0 else ok[a, :size])
            known_b = ok[ones, :size] if full[b] != 0 else (valid[g, at:end] if g >= 0 else ok[b, :size])
            known_c = ok[ones, :size] if full[c] != 0 else (valid[h, at:end] if h >= 0 else ok[c, :size])
            compute_nulls(op, (x[d, :size], ok[d, :size]), (one, other, third), (known_a, known_b, known_c), size)
        f = row_of(result, ids, how)
        value, okay = (features[f, at:end], valid[f, at:end]) if f >= 0 else (x[result, :size], ok[result, :size])
        target = (value, okay, full[result] != 0)
        if values.size == 1 and how[0] == 0:
            mark = offered_alone(how, span, units, target, rows, plan, (values, amounts, spots), last)
        elif full[result] != 0 and how[0] == 0 and how[5] != 0:
            mark = offered_even(how, span, units, value, rows, plan, (values, amounts, spots), last)
        else:
            mark = offered(how, ids[wide], rows, units, target, span, plan, (values, amounts), last)
        if mark != GOOD:
            return -1
    slack = 1 if last[1] == last[2] else last[2] + 2
    if how[1] == 0 and max(last[3], last[5]) > how[2] + slack:
        return -1
    found: int = last[0]
    return found


def room_of(places: int, assets: int) -> tuple[Any, ...]:
    """What `offers_of` works in."""
    return (
        np.empty((places, BLOCK)), np.ones((places + 1, BLOCK), dtype=np.uint8), np.zeros(places, dtype=np.uint8), np.empty(assets),
        np.empty(assets, dtype=np.int64), np.zeros(6, dtype=np.int64), np.empty(BLOCK, dtype=np.int64),
    )  # fmt: skip
