"""The machine that evaluates tops: every variant over the same features, in blocks of rows that stay in the processor's cache.

What an operation gives is kept for all rows, in a row of its own, where it often stays the same from one variant to the next
(`rustybt.sweeps.steady`), and where a later bar looks back at it. What comes out are the offers of `rustybt.model.Plan`: targets in whole
units, unchanged ones left out. A variant with a target that cannot be offered is marked, and run in the ordinary way, which says what is
wrong.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rustybt.kernel.compile import MODE, kernel
from rustybt.kernel.limits import whole
from rustybt.sweeps.blocks import BLOCK, SHIFT, SHIFT_FILL, all_known, carried, compute, compute_nulls, full_of, shifted

if MODE == "compiled":
    from rustybt.kernel.intrinsics import changes, lowest
    from rustybt.kernel.intrinsics import known as known_bits
else:
    changes = lowest = known_bits = None

BITS = 64
LIMIT = float(2**61)
NEAR = 1e-9
GOOD, REFUSED = whole(0), whole(1)
"""Marks of a variant."""


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

    Where it is not is found first, sixty-four rows at a time: when targets change is what a processor cannot guess.
    """
    x, ok, known = target
    values, amounts, spots = before
    at, start, size = span
    exact, k, held, count = 1 if how[1] < 2 else 0, last[0], values[0], 0
    spots[0] = start
    count += 1 if (x[start] != held) & (known or ok[start] != 0) else 0
    i = start + 1
    while i + BITS <= size:
        bits = changes(x, i)
        if not known:  # what is behind a null is looked at, too
            bits = known_bits(ok, i) & (bits | ~known_bits(ok, i - 1))
        while bits != 0:
            spots[count] = i + lowest(bits)
            count += 1
            bits &= bits - np.uint64(1)
        i += BITS
    for j in range(i, size):
        spots[count] = j
        differs = x[j] != x[j - 1]
        count += 1 if (differs if known else (ok[j] != 0) & (differs | (ok[j - 1] == 0))) else 0
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
    x, ok, full, _, _, _, _, _, _, _, _ = scratch
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
def kept_of(place: int, code: Any, ids: Any, how: Any) -> Any:
    """Where what an operation gives is kept for all rows; -1: it is not, or the place is none of an operation."""
    operation = place - how[3] - (ids.size - 1)
    return code[operation, 5] if operation >= 0 else -1


@kernel
def operate(line: Any, program: Any, given: Any, tables: Any, span: Any, full: Any) -> None:
    """One operation on a block.

    Args:
        line: (6,) of the program.
        program: as `offers_of` takes it.
        given: as `offers_of` takes it.
        tables: values of features, of what is kept for all rows, and of the block; the same of flags.
        span: first row of the block, and the row behind its last.
        full: (places,) UInt8: whether no value of the block is null.
    """
    (code, how), (numbers, known, ids, _), (at, end) = program, given, span
    (features, kept, x), (valid, kept_ok, ok) = tables
    op, d, a, b, c, own, size, ones = line[0], line[1], line[2], line[3], line[4], line[5], end - at, ok.shape[0] - 1
    f, g, h = row_of(a, ids, how), row_of(b, ids, how), row_of(c, ids, how)
    k, m, o = kept_of(a, code, ids, how), kept_of(b, code, ids, how), kept_of(c, code, ids, how)
    one = features[f, at:end] if f >= 0 else (kept[k, at:end] if k >= 0 else x[a, :size])
    ok_a = valid[f, at:end] if f >= 0 else (kept_ok[k, at:end] if k >= 0 else ok[a, :size])
    known_a = ok[ones, :size] if full[a] != 0 else ok_a
    to, to_ok = (kept[own, at:end], kept_ok[own, at:end]) if own >= 0 else (x[d, :size], ok[d, :size])
    if op >= SHIFT:
        if op <= SHIFT_FILL:
            filler = (numbers[c], known[c]) if op == SHIFT_FILL else (0.0, known[b] - 1)
            shifted((to, to_ok), (kept[k], kept_ok[k]), (at, size), np.int64(numbers[b]) * how[6], filler)
        else:
            carried((kept[own], kept_ok[own]), (one, known_a), (at, size, how[6]))
        full[d] = 1 if all_known(to_ok, size) else 0
        return
    other = features[g, at:end] if g >= 0 else (kept[m, at:end] if m >= 0 else x[b, :size])
    third = features[h, at:end] if h >= 0 else (kept[o, at:end] if o >= 0 else x[c, :size])
    full[d] = 1 if full_of(op, a, b, c, full) else 0
    if full[d] != 0:
        compute(op, to, one, other, third, size)
        for i in range(size if own >= 0 else 0):
            to_ok[i] = 1
        return
    ok_b = valid[g, at:end] if g >= 0 else (kept_ok[m, at:end] if m >= 0 else ok[b, :size])
    ok_c = valid[h, at:end] if h >= 0 else (kept_ok[o, at:end] if o >= 0 else ok[c, :size])
    known_b, known_c = ok[ones, :size] if full[b] != 0 else ok_b, ok[ones, :size] if full[c] != 0 else ok_c
    compute_nulls(op, (to, to_ok), (one, other, third), (known_a, known_b, known_c), size)


@kernel
def offers_of(program: Any, given: Any, store: Any, rows: Any, units: Any, plan: Any, scratch: Any) -> int:
    """The offers of a variant.

    Args:
        program: (operations, 6) Int64 of the program, where its result is kept for all rows last (-1: it is not); and how, Int64: whether
            it is scheduled, kind of the target (0 weight, 1 notional, 2 quantity), most gross in weight units, number of constants, place
            of the result, whether every asset has a row at every bar, assets, whether it looks back.
        given: (constants,) Float64; the same, Int64, 0 where one is null; (features + 1,) Int64, rows of the store, the last the first bar
            that decides; (operations,) UInt8: which do not give what they gave in the variant before.
        store: (features, rows) Float64; the same, UInt8: 0 where null; (features,) Int64: the row from which on no value is null.
        rows: (2, rows) Int32: bar and asset of each row, sorted by both.
        units: (assets,) Float64: units in one.
        plan: (3, length) Int64: bar, slot and value of the offers, filled here.
        scratch: of `room_of`.

    Returns:
        How many offers; -1 where a target cannot be offered.
    """
    (code, how), (numbers, known, ids, again), (features, valid, sound) = program, given, store
    x, ok, full, values, amounts, last, spots, kept, kept_ok, kept_full, fresh = scratch
    tables, wide, height = ((features, kept, x), (valid, kept_ok, ok)), ids.size - 1, rows.shape[1]
    constants_in(numbers, known, scratch)
    for j in range(values.size):
        values[j] = np.nan
    last[0], last[1], last[2], last[3], last[4], last[5] = 0, -1, -1, 0, -1, 0
    begin, result = first_row(rows, ids[wide]), how[4]
    first = 0 if how[7] != 0 else begin - begin % BLOCK
    for n in range(code.shape[0]):
        fresh[n] = height if again[n] != 0 else fresh[n]
    for at in range(first, height, BLOCK):
        end, block = min(at + BLOCK, height), at // BLOCK
        span = (at, max(0, begin - at), end - at)
        for j in range(wide):
            full[how[3] + j] = 1 if at >= sound[ids[j]] else 0
        for n in range(code.shape[0]):
            own = code[n, 5]
            if own >= 0 and at >= fresh[n]:
                full[code[n, 1]] = kept_full[own, block]
                continue
            operate(code[n], program, given, tables, (at, end), full)
            if own >= 0:
                kept_full[own, block] = full[code[n, 1]]
        if span[1] >= span[2]:
            continue
        f, k = row_of(result, ids, how), kept_of(result, code, ids, how)
        value = features[f, at:end] if f >= 0 else (kept[k, at:end] if k >= 0 else x[result, : end - at])
        okay = valid[f, at:end] if f >= 0 else (kept_ok[k, at:end] if k >= 0 else ok[result, : end - at])
        target = (value, okay, full[result] != 0)
        if values.size == 1 and how[0] == 0:
            mark = offered_alone(how, span, units, target, rows, plan, (values, amounts, spots), last)
        elif full[result] != 0 and how[0] == 0 and how[5] != 0:
            mark = offered_even(how, span, units, value, rows, plan, (values, amounts, spots), last)
        else:
            mark = offered(how, ids[wide], rows, units, target, span, plan, (values, amounts), last)
        if mark != GOOD:
            for n in range(code.shape[0]):
                fresh[n] = height
            return -1
    for n in range(code.shape[0]):
        fresh[n] = min(fresh[n], first)
    slack = 1 if last[1] == last[2] else last[2] + 2
    if how[1] == 0 and max(last[3], last[5]) > how[2] + slack:
        return -1
    found: int = last[0]
    return found


def room_of(places: int, assets: int, operations: int, kept: tuple[int, int]) -> tuple[Any, ...]:
    """What `offers_of` works in.

    Args:
        places: of the program. The second table has one more row, of ones.
        assets: of the panel.
        operations: of the program.
        kept: how many of them are kept for all rows, and rows.
    """
    rows, height = kept
    return (
        np.empty((places, BLOCK)), np.ones((places + 1, BLOCK), dtype=np.uint8), np.zeros(places, dtype=np.uint8), np.empty(assets),
        np.empty(assets, dtype=np.int64), np.zeros(6, dtype=np.int64), np.empty(BLOCK, dtype=np.int64),
        np.empty((rows, height)), np.empty((rows, height), dtype=np.uint8), np.empty((rows, height // BLOCK + 1), dtype=np.uint8),
        np.full(operations, height, dtype=np.int64),
    )  # fmt: skip
