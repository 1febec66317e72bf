"""Features that differ in numbers alone: placed, computed and written where features are kept in one compiled pass, without Python.

A template says how they are computed: a row for each step, those that it reads before it. What its numbers are is a row for each feature.
What several features have in common is computed once: a step is known by its operation, its numbers and the steps that it reads, and its
values are remembered in one of some places until others need the place.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rustybt.kernel.compile import aside, entry, kernel
from rustybt.sweeps.steps import (
    ADD_N,
    CHANGE,
    CLIP,
    EWM,
    FILL,
    H_MAX,
    H_MIN,
    LOG,
    N_OVER,
    PLACE,
    RANK,
    SELECT,
    SQUARE,
    SUM,
    VAR,
    W_MEAN,
    W_SUM,
    do_steps,
    put_step,
    straight_from,
)

OP, LEFT, RIGHT, A, B, C, FIXED, LONGEST, BIT = range(9)
"""Columns of a template: operation, two steps that it reads, places of three numbers among those of a feature, and what is the same for
all. -1: there is none. Of a column (operation -1) ``LEFT`` is its place, of a window over ticks that of their running totals.
"""
COLUMN = -1
LEADS, REACH, KEPT = range(3)
"""Columns of what `size_alike` finds."""
ODD = -1
"""In the last of them: a step of it is none that is known."""
NAMED, ONE, TWO, WHOLE, OTHER, BARS, USED, DOES = range(8)
"""Columns of what is remembered: number of the step, numbers of those that it reads, two whole numbers, bars of each asset without a
value, when it was used last; and the operation."""
CLOCK, COUNT, BEGUN, PINNED = range(4)
"""Of what ticks: the last use, the number of the last step, the last use before this program, and places that it uses."""
LARGEST = float(2**53)
COUNTED, LONGEST_COUNT = float(2**8), float(2**22)
"""The largest whole number that is counted with, and bars over which it may be added: their sum is within 32 bits."""


@kernel
def is_whole(number: float, least: float) -> bool:
    """Whether it is a whole number from some other on."""
    return bool((number >= least) & (number < LARGEST) & (np.floor(number) == number))


@kernel
def settled(line: Any, given: Any) -> Any:
    """What a step is with the numbers of a feature.

    Returns:
        Whether it is one that is known; further bars without a value, and that it reads, -1 = without end; two whole numbers, two others.
    """
    op, fine, lead, reach, p, q, x, y = line[OP], True, 0, 0, line[FIXED], 0, 0.0, 0.0
    a = given[line[A]] if line[A] >= 0 else 0.0
    b = given[line[B]] if line[B] >= 0 else 0.0
    if op == COLUMN:
        p = 0
    elif op <= CHANGE:
        fine = is_whole(a, 1.0)
        p = int(a) if fine else 1
        lead, reach = p, p
    elif op == CLIP:  # Polars looks at one of the limits alone where they cross
        x, y = a if line[A] >= 0 else -np.inf, b if line[B] >= 0 else np.inf
        fine = bool((abs(a) <= LARGEST) & (abs(b) <= LARGEST) & (x <= y))
    elif ADD_N <= op <= N_OVER:
        fine, x = abs(a) <= LARGEST, a
        if p == 1:  # a division as Polars does it: through the reciprocal
            fine, x = bool(fine & (a != 0.0)), 1.0 / a if a != 0.0 else 0.0
        p = 0
    elif op == LOG:  # of any base; that of e divides by one
        fine = bool((a > 0.0) & (a < LARGEST) & (a != 1.0))
        x = np.log(a) if fine else 1.0
    elif op == SQUARE:
        fine = a == 2.0
    elif op == FILL:  # a whole number that is counted with cannot grow beyond its type
        fine, x, p = abs(a) <= (LARGEST if p == 0 else COUNTED), a, 0
        fine &= np.copysign(1.0, a) > 0.0 or a != 0.0
    elif op == EWM:
        fine, x, reach = is_whole(b, 0.0), a, -1
        q = max(1, int(b)) - 1 if fine else 0
        lead = q
    elif op == RANK:
        x = float(line[LONGEST])
    elif op >= SUM:
        fine = bool(is_whole(a, 1.0) & is_whole(b, 1.0) & (b <= a))
        p, q = int(a) if fine else 1, int(b) - 1 if fine else 0
        lead, reach = q, p - 1
        if op == SUM:
            fine &= line[FIXED] == 0 or a <= LONGEST_COUNT
        if op >= W_SUM:
            c = given[line[C]] if line[C] >= 0 else 1.0
            fine &= is_whole(c, -LARGEST)
            q = int(c) if fine else 1
        elif op >= PLACE:
            x, y = given[line[C]] if line[C] >= 0 else 0.0, float(line[FIXED])
            fine &= bool((x >= 0.0) & (x <= 1.0))
        elif op >= VAR:
            x = given[line[C]] if line[C] >= 0 else 1.0
            fine &= is_whole(x, 0.0) and x < b
    return fine, lead, reach, p, q, x, y


@kernel
def known_from(line: Any, left: int, right: int, third: int) -> int:
    """Bars without a value of what reads others that have so many; -1 where what is null does not end at one bar."""
    op = line[OP]
    if op == SELECT:  # an unknown condition counts as false
        if left >= max(right, third):
            return third
        return right if right == third else -1
    if H_MAX <= op <= H_MIN:
        return min(left, right) if line[FIXED] == 0 or left == right else -1
    return max(left, right)


@entry
def size_alike(alike: Any, room: Any, found: Any) -> bool:
    """What is known of features before they are computed.

    Args:
        alike: (steps, 9) Int64 template and (features, numbers) Float64.
        room: (2, steps) Int64 to work in.
        found: (features, 3) Int64, filled here: bars of each asset without a value, bars before a row that decide it (-1 = unbounded), and
            which of its windows need all of their values, a bit for each; `ODD` where its numbers are none for its steps.

    Returns:
        Whether the last of these is the same for all.
    """
    (template, given), (leads, reaches), same = alike, room, True
    last = template.shape[0] - 1
    for f in range(given.shape[0]):
        good, kept = True, 0
        for s in range(last + 1):
            line = template[s]
            fine, lead, reach, p, _, _, _ = settled(line, given[f])
            good &= fine
            bars, alone = 0, line[OP] == COLUMN or FILL <= line[OP] < RANK
            read = -1 if alone else line[LEFT], -1 if alone else line[RIGHT], line[FIXED] if line[OP] == SELECT else -1
            for one in read:
                if one >= 0:
                    bars = -1 if bars < 0 or reaches[one] < 0 else max(bars, reaches[one])
            left, right, third = read
            before = known_from(line, leads[left] if left >= 0 else 0, leads[right] if right >= 0 else 0, leads[third] if third >= 0 else 0)
            good &= before >= 0
            leads[s], reaches[s] = before + lead, -1 if bars < 0 or reach < 0 else bars + reach
            if line[BIT] >= 0 and p == lead + 1:
                kept |= 1 << line[BIT]
        found[f, LEADS], found[f, REACH], found[f, KEPT] = leads[last], reaches[last], kept if good else ODD
        same &= found[f, KEPT] == found[0, KEPT]
    return same


@kernel
def use(keys: Any, ticking: Any, at: int) -> None:
    """A place is used: it is not given away before the program is done."""
    ticking[PINNED] += 1 if keys[at, USED] <= ticking[BEGUN] else 0
    ticking[CLOCK] += 1
    keys[at, USED] = ticking[CLOCK]


@kernel
def oldest(keys: Any) -> int:
    """The place whose use is longest ago."""
    found = 0
    for at in range(1, keys.shape[0]):
        found = at if keys[at, USED] < keys[found, USED] else found
    return found


@kernel
def found_at(memory: Any, op: int, at: int, trial: Any) -> int:
    """Where a place of the index stands for a step; -1: it is not remembered, or the index was written over."""
    keys, _, bits, _, _ = memory
    if at < 0 or keys[at, DOES] != op:
        return -1
    same = True
    for k in range(ONE, BARS):
        same &= keys[at, k] == trial[k]
    return at if same and bits[at, 0] == bits[-1, 0] and bits[at, 1] == bits[-1, 1] else -1


@aside
def place_one(template: Any, given: Any, memory: Any, program: Any, room: Any, count: int) -> int:
    """Find places for the steps of a feature, and write down those that are not remembered.

    Args:
        template: see `compute_alike`.
        given: (numbers,) Float64 of the feature.
        memory: see `compute_alike`.
        program: as `do_steps` takes it, with room for as many steps as there are places.
        room: (steps + 1,) Int64 places of its steps, filled here, -1 last where it cannot be computed; (8,) Int64 to work in.
        count: steps of the program so far.

    Returns:
        Steps of the program.
    """
    (keys, floats, bits, index, ticking), (code, numbers), (spots, trial) = memory, program, room
    last, most = template.shape[0] - 1, keys.shape[0] - 1  # the last row is that of the step that is looked for
    spots[last + 1] = -1
    for s in range(last + 1):
        line = template[s]
        if line[OP] == COLUMN:
            spots[s] = line[LEFT]
            use(keys, ticking, spots[s])
            continue
        _, lead, _, p, q, x, y = settled(line, given)
        op, windowed = line[OP], (line[OP] >= FILL) & (line[OP] < RANK)
        if windowed and p > (line[LONGEST] if op <= W_MEAN or q <= lead else 0):
            return count
        left = line[LEFT] if windowed else spots[line[LEFT]]
        right = spots[line[RIGHT]] if line[RIGHT] >= 0 else -1
        before, after = 0 if windowed else keys[left, BARS], keys[right, BARS] if right >= 0 else 0
        third = spots[line[FIXED]] if op == SELECT else -1
        if (op >= H_MAX) & (op <= SELECT):  # what is null in them counts
            p, q = before, keys[third, NAMED] if op == SELECT else after
        trial[ONE], trial[TWO] = -1 - left if windowed else keys[left, NAMED], keys[right, NAMED] if right >= 0 else 0
        trial[WHOLE], trial[OTHER] = p, q
        trial[BARS] = known_from(line, before, after, keys[third, BARS] if op == SELECT else 0) + lead
        floats[-1, 0], floats[-1, 1] = x, y
        mixed = 31 * op + 7919 * trial[ONE] + 104_729 * trial[TWO] + 131 * p + 17 * q
        mixed ^= ((bits[-1, 0] >> 20) ^ (bits[-1, 0] >> 40) ^ (bits[-1, 1] >> 30)) & 0xFFFFFF
        slot = (mixed ^ (mixed >> 13)) & (index.size - 1)
        at = found_at(memory, op, index[slot], trial)
        if at < 0:
            at = oldest(keys[:most])
            ticking[COUNT] += 1
            keys[at, NAMED], keys[at, DOES] = ticking[COUNT], op
            for k in range(ONE, USED):
                keys[at, k] = trial[k]
            floats[at, 0], floats[at, 1], index[slot] = x, y, at
            code[count, 0], code[count, 1], code[count, 2], code[count, 3] = op, at, left, right
            code[count, 4], code[count, 5], code[count, 6] = trial[BARS], p, third if op == SELECT else q
            numbers[count, 0], numbers[count, 1] = x, y
            count += 1
        use(keys, ticking, at)
        spots[s] = at
    spots[last + 1] = spots[last]
    return count


@entry
def compute_alike(alike: Any, memory: Any, held: Any, totals: Any, rows: Any, room: Any, kept: Any, done: Any) -> int:
    """Compute features, and write those for which the data allow it where features are kept, one after the other.

    Args:
        alike: (steps, 9) Int64 template and (features, numbers) Float64, all of them fine to `size_alike`.
        memory: what is remembered: (places + 1, 8) Int64 keys, (places + 1, 2) Float64 numbers, the same as Int64, (a power of 2,) Int64
            index, and (4,) Int64 that ticks.
        held: (places, rows) Float64, and (places,) UInt8: whether a place can be used.
        totals: see `do_steps`.
        rows: those of `do_steps`, and those of `put_step`.
        room: that of `do_steps`; a program of as many steps as there are places; (steps + 1,) Int64, (8,) Int64 and (features,) Int64.
        kept: (features, wanted) Float64 values, (features, wanted) UInt8 0 where there is none, (features,) Int64 the row from which on
            there is one; and where the first of these goes.
        done: (features,) UInt8, filled here: whether it was written.

    Returns:
        How many were.
    """
    (template, given), (values, good), (along, wanted), (scratch, program, spots, trial, ends) = alike, held, rows, room
    (x, ok, sound, first), (keys, _, _, _, ticking), (code, numbers), (source, position) = kept, memory, program, wanted
    straight, f, put, steps = straight_from(source, position), 0, 0, template.shape[0]
    while f < given.shape[0]:
        count, begin = 0, f
        ticking[BEGUN], ticking[PINNED] = ticking[CLOCK], 0
        for s in range(steps):
            if template[s, OP] == COLUMN:
                use(keys, ticking, template[s, LEFT])
        while f < given.shape[0] and (f == begin or ticking[PINNED] + steps <= values.shape[0]):
            count = place_one(template, given[f], memory, program, (spots, trial), count)
            ends[f] = spots[steps]
            f += 1
        do_steps((code[:count], numbers[:count]), held, totals, along, scratch)
        for n in range(begin, f):
            at = ends[n]
            done[n] = 1 if at >= 0 and good[at] == 1 else 0
            if done[n] != 0:
                lead = keys[at, BARS]
                sound[first + put] = put_step(values[at], lead, wanted, (x[first + put], ok[first + put]), straight)
                put += 1
    return put
