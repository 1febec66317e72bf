"""The steps of features: many along the bars of each asset, and ranks across them, in one compiled pass without Python.

A step is a row of a program: operation, place of the result, up to two places that it reads, and numbers. Places are rows of one table that
is used again and again. The order of operations in a step is that of Polars, so that bits are its bits. Where a step meets data that are
out of the ordinary (what is not finite, zeros whose sign would count, a division by zero) its place is marked, and so is what reads it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rustybt.kernel.compile import aside
from rustybt.sweeps.moving import average, averages, deviations, highest, means, places, quantiles, spreads, total
from rustybt.sweeps.ranks import rank_bars

NAMES = "shift diff change negate abs clip log log1p exp sqrt square + - * / +n -n n- *n n/ > == hmax hmin select".split()
NAMES += "ewm sum mean max min var std place quantile fill wSum wMean wVar wStd rank".split()
OPS = {name: number for number, name in enumerate(NAMES)}
SHIFT, DIFF, CHANGE, NEGATE, ABS, CLIP = (OPS[name] for name in "shift diff change negate abs clip".split())
LOG, LOG1P, EXP, SQRT, SQUARE = (OPS[name] for name in "log log1p exp sqrt square".split())
ADD, SUB, MUL, DIV, ADD_N, SUB_N, FROM_N, MUL_N, N_OVER = (OPS[name] for name in "+ - * / +n -n n- *n n/".split())
GREATER, EQUAL, H_MAX, H_MIN, SELECT = (OPS[name] for name in "> == hmax hmin select".split())
EWM, SUM, MEAN, MAX, MIN, VAR, STD, PLACE, QUANTILE = (OPS[name] for name in "ewm sum mean max min var std place quantile".split())
FILL, W_SUM, W_MEAN, W_VAR, W_STD, RANK = (OPS[name] for name in "fill wSum wMean wVar wStd rank".split())
"""From `FILL` to `W_STD` they read no other step."""
OP, OUT, LEFT, RIGHT, LEAD, FIRST, SECOND = range(7)
"""Columns of a program: two whole numbers are last."""
UNDONE = 2
"""Of a place: what it is to hold is not computed yet."""
AHEAD = 32
"""Steps among which others are looked for that can be done side by side with one."""


@aside
def row_by_row(op: int, d: Any, ab: Any, n: Any, span: Any) -> bool:
    """Arithmetic on a span of rows; False where something is divided by zero."""
    (a, b), (x, y), (first, stop) = ab, n, span
    if op == ADD:
        for i in range(first, stop):
            d[i] = a[i] + b[i]
    elif op == SUB:
        for i in range(first, stop):
            d[i] = a[i] - b[i]
    elif op == MUL:
        for i in range(first, stop):
            d[i] = a[i] * b[i]
    elif op == ADD_N:
        for i in range(first, stop):
            d[i] = a[i] + x
    elif op == SUB_N:
        for i in range(first, stop):
            d[i] = a[i] - x
    elif op == FROM_N:
        for i in range(first, stop):
            d[i] = x - a[i]
    elif op == MUL_N:
        for i in range(first, stop):
            d[i] = a[i] * x
    elif op == NEGATE:
        for i in range(first, stop):
            d[i] = -a[i]
    elif op == ABS:
        for i in range(first, stop):
            d[i] = abs(a[i])
    elif op == CLIP:
        for i in range(first, stop):
            kept = max(a[i], x)
            d[i] = min(kept, y)
    else:
        zero = 0
        for i in range(first, stop):
            below = a[i] if op == N_OVER else b[i]
            zero |= 1 if below == 0.0 else 0
            d[i] = (x if op == N_OVER else a[i]) / below
        return zero == 0
    return True


@aside
def curved(op: int, d: Any, a: Any, below: float, span: Any) -> None:
    """Logarithms, powers and roots of a span of rows."""
    first, stop = span
    for i in range(first, stop):
        x = a[i]
        if op == LOG:
            d[i] = np.log(x) / below
        elif op == LOG1P:
            d[i] = np.log1p(x)
        elif op == EXP:
            d[i] = np.exp(x)
        elif op == SQRT:
            d[i] = np.sqrt(x)
        else:
            d[i] = x * x


@aside
def compared(op: int, d: Any, ab: Any, turned: int, span: Any) -> None:
    """Whether one value is greater than another, or equal, as 1 and 0; turned round where ``turned`` is 1. All values are finite."""
    (a, b), (first, stop) = ab, span
    yes, no = 1.0 - turned, float(turned)
    if op == GREATER:
        for i in range(first, stop):
            d[i] = yes if a[i] > b[i] else no
    else:
        for i in range(first, stop):
            d[i] = yes if a[i] == b[i] else no


@aside
def beyond(op: int, d: Any, ab: Any, known: Any, span: Any) -> None:
    """The larger or the smaller of two values, of equal ones the second, and before both are known the one that is.

    Args:
        op: number of the operation.
        d: (rows,) Float64, filled here.
        ab: two of (rows,) Float64, finite.
        known: of each the row from which on it is known.
        span: first row that counts, and the row behind the last.
    """
    (a, b), (from_a, from_b), (first, stop) = ab, known, span
    both = min(max(from_a, from_b), stop)
    alone = a if from_a <= from_b else b
    for i in range(first, both):
        d[i] = alone[i]
    if op == H_MAX:
        for i in range(both, stop):
            d[i] = max(b[i], a[i])
    else:
        for i in range(both, stop):
            d[i] = min(b[i], a[i])


@aside
def selected(d: Any, abc: Any, known: int, span: Any) -> None:
    """The second of three where the first is true, else the third; so also before row ``known``, where it is null."""
    (a, b, c), (first, stop) = abc, span
    decided = min(max(first, known), stop)
    for i in range(first, decided):
        d[i] = c[i]
    for i in range(decided, stop):
        one, other = b[i], c[i]
        d[i] = one if a[i] != 0.0 else other


@aside
def lagged(op: int, d: Any, a: Any, bars: int, span: Any) -> bool:
    """Values some bars before, or what has changed since; False where a change is divided by zero."""
    first, stop = span
    if op == SHIFT:
        for i in range(first, stop):
            d[i] = a[i - bars]
        return True
    if op == DIFF:
        for i in range(first, stop):
            d[i] = a[i] - a[i - bars]
        return True
    zero = 0
    for i in range(first, stop):
        zero |= 1 if a[i - bars] == 0.0 else 0
        d[i] = (a[i] - a[i - bars]) / a[i - bars]
    return zero == 0


@aside
def ordinary(a: Any, first: int, stop: int, signed: bool) -> bool:
    """Whether all values of a span are finite, and where that counts no zero has a sign."""
    bad = 0
    for i in range(first, stop):
        bad |= 0 if abs(a[i]) < np.inf else 1
    if signed:
        for i in range(first, stop):
            bad |= 1 if (a[i] == 0.0) & (1.0 / a[i] < 0.0) else 0
    return bad == 0


@aside
def beside(code: Any, good: Any, s: int, after: int) -> int:
    """The next exponential mean that can be computed side by side with step ``s``; ``s`` where there is none."""
    for t in range(after + 1, min(s + AHEAD, code.shape[0])):
        ready = code[t, OP] == EWM and code[t, FIRST] == code[s, FIRST]
        if ready and good[code[t, OUT]] == UNDONE and good[code[t, LEFT]] == 1:
            return t
    return s


@aside
def average_four(program: Any, held: Any, steps: Any, rows: Any) -> None:
    """Compute four exponential means of an asset side by side, where it has enough bars; the first may be there several times."""
    (code, numbers), (values, good), (start, stop), (s, t, u, v) = program, held, rows, steps
    least = max(code[s, LEAD], code[t, LEAD], code[u, LEAD], code[v, LEAD])
    adjust = code[s, FIRST] != 0
    if start + least < stop:
        begins = (
            start + code[s, LEAD] - code[s, SECOND], start + code[t, LEAD] - code[t, SECOND], start + code[u, LEAD] - code[u, SECOND],
            start + code[v, LEAD] - code[v, SECOND],
        )  # fmt: skip
        a = values[code[s, LEFT]], values[code[t, LEFT]], values[code[u, LEFT]], values[code[v, LEFT]]
        d = values[code[s, OUT]], values[code[t, OUT]], values[code[u, OUT]], values[code[v, OUT]]
        averages(a, begins, stop, ((numbers[s, 0], numbers[t, 0], numbers[u, 0], numbers[v, 0]), adjust), d)
    for one in steps:
        first = start + code[one, LEAD]
        if first < stop:
            d = values[code[one, OUT]]
            if start + least >= stop:
                average(values[code[one, LEFT]], (first - code[one, SECOND], stop), (numbers[one, 0], adjust), d)
            if not ordinary(d, first, stop, False):
                good[code[one, OUT]] = 0


@aside
def do_steps(program: Any, held: Any, totals: Any, rows: Any, room: Any) -> None:
    """Do the steps of a program.

    Args:
        program: (steps, 7) Int64 operation, place of the result, places that it reads, bars of each asset without a value, two whole
            numbers (of a choice the second is the third place that it reads); and (steps, 2) Float64 numbers.
        held: (places, rows) Float64, and (places,) UInt8: whether a place can be used, filled here.
        totals: (2 columns, rows + 1) Int64 running totals of ticks and of their squares, (columns, 2, assets) Int64 steps of the ticks
            as fractions, and (columns, 2, assets) Float64 their squares.
        rows: (assets,) first row, (assets,) rows of each asset; (wanted,) rows that are ranked, by bar, (wanted,) the place of each among
            those of its asset, and (bars + 1,) where those of each bar begin.
        room: (rows + 1,) Float64 and (2, rows + 1) Int64 to work in.
    """
    (code, numbers), (values, good) = program, held
    starts, lengths, order, position, edges = rows
    (floats, whole), (sums, units, squares) = room, totals
    for s in range(code.shape[0]):
        good[code[s, OUT]] = UNDONE
    for s in range(code.shape[0]):
        if good[code[s, OUT]] != UNDONE:
            continue
        if code[s, OP] == EWM and good[code[s, LEFT]] == 1:
            t = beside(code, good, s, s)
            u = beside(code, good, s, t) if t > s else s
            v = beside(code, good, s, u) if u > s else s
            if t > s:
                steps = (s, t, u, v)
                for one in steps:
                    good[code[one, OUT]] = 1
                for k in range(starts.size):
                    average_four(program, held, steps, (starts[k], starts[k] + lengths[k]))
                continue
        op, lead, p, q = code[s, OP], code[s, LEAD], code[s, FIRST], code[s, SECOND]
        d, a, b = values[code[s, OUT]], values[max(code[s, LEFT], 0)], values[max(code[s, RIGHT], 0)]
        windowed = (op >= FILL) & (op <= W_STD)
        sound = windowed or (good[code[s, LEFT]] != 0 and (code[s, RIGHT] < 0 or good[code[s, RIGHT]] != 0))
        sound &= op != SELECT or good[q] != 0
        if sound and op == RANK:
            for k in range(starts.size):
                sound &= ordinary(a, starts[k] + lead, starts[k] + lengths[k], True)
            if sound:
                rank_bars(a, (order, position, edges, lead), (p, numbers[s, 0]), d, (floats, whole))
            good[code[s, OUT]] = 1 if sound else 0
            continue
        for k in range(starts.size if sound else 0):
            stop = starts[k] + lengths[k]
            first = starts[k] + lead
            if first >= stop:
                continue
            before = first - q  # where the values that a step reads begin
            if op == FILL:
                for i in range(first, stop):
                    d[i] = numbers[s, 0]
            elif windowed:
                column = code[s, LEFT]
                span = (starts[k], first, stop, p)
                if op <= W_MEAN:
                    means(sums[2 * column], span, (units[column, 0, k], units[column, 1, k], op == W_MEAN), d)
                else:
                    how = (q, squares[column, 0, k], squares[column, 1, k], op == W_STD)
                    deviations((sums[2 * column], sums[2 * column + 1]), span, how, d)
            elif op == EWM:
                average(a, (before, stop), (numbers[s, 0], p != 0), d)
            elif op in (SUM, MEAN):
                total(a, (before, stop), (p, op == MEAN), d)
            elif op in (MAX, MIN):
                sound &= ordinary(a, before, stop, True)
                highest(a, (before, stop), (p, 1.0 if op == MAX else -1.0), d, floats)
            elif op in (VAR, STD):
                spreads(a, (before, first, stop), (p, int(numbers[s, 0]), op == STD), d, floats)
            elif op == PLACE:
                places(a, (before, first, stop), (p, int(numbers[s, 1])), d)
            elif op == QUANTILE:
                sound &= ordinary(a, before, stop, True)
                quantiles(a, (before, first, stop), (p, numbers[s, 0], int(numbers[s, 1])), d, floats)
            elif op == SELECT:
                selected(d, (a, b, values[q]), starts[k] + p, (first, stop))
            elif op >= H_MAX:
                beyond(op, d, (a, b), (starts[k] + p, starts[k] + q), (first, stop))
            elif op >= GREATER:
                compared(op, d, (a, b), p, (first, stop))
            elif (op >= LOG) & (op <= SQUARE):
                curved(op, d, a, numbers[s, 0], (first, stop))
            elif op <= CHANGE:
                sound &= lagged(op, d, a, p, (first, stop))
            else:
                sound &= row_by_row(op, d, (a, b), (numbers[s, 0], numbers[s, 1]), (first, stop))
            sound &= ordinary(d, first, stop, False)
        good[code[s, OUT]] = 1 if sound else 0


@aside
def straight_from(source: Any, position: Any) -> Any:
    """Whether the rows that are kept are those of one asset as they stand, one behind the other."""
    straight = source.size > 0
    for i in range(source.size):
        straight &= (source[i] == source[0] + i) & (position[i] == position[0] + i)
    return straight


@aside
def put_step(a: Any, lead: int, rows: Any, store: Any, straight: bool) -> Any:
    """Write what was computed where a feature is kept, 0 where there is no value.

    Args:
        a: (rows,) Float64.
        lead: bars of each asset without a value.
        rows: (wanted,) Int64 the rows that are kept, in the order in which they are kept; (wanted,) place of each among those of its asset.
        store: (wanted,) Float64 values, (wanted,) UInt8 0 where there is none.
        straight: see `straight_from`.

    Returns:
        The row from which on there is a value.
    """
    (source, position), (x, ok) = rows, store
    if straight:
        b, begin = a[source[0] :], min(max(lead - position[0], 0), source.size)
        for i in range(begin):
            x[i], ok[i] = 0.0, 0
        for i in range(begin, source.size):
            x[i] = b[i]
        for i in range(begin, source.size):
            ok[i] = 1
        return begin
    last = 0
    for i in range(source.size):
        known = position[i] >= lead
        x[i] = a[source[i]] if known else 0.0
        ok[i] = 1 if known else 0
        last = last if known else i + 1
    return last
