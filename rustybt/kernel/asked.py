"""Passes over all orders that are asked for: their rows are laid out, and what the kernel could not serve is found."""

from __future__ import annotations

from typing import Any

from rustybt.model import REQUEST_FIELDS, TOLD_FIELDS, Measure, OrderFlag, OrderKind

from .compile import entry
from .limits import LIMIT, whole

KIND, MEASURE, FLAGS, TRAIL, RATE, OFFSET, DISPLAY = (
    whole(REQUEST_FIELDS.index(name)) for name in ("kind", "measure", "flags", "trail", "trail_rate", "offset", "display")
)
SLOT, SIZE, LIMIT_AT, STOP_AT, PATTERN = (whole(n) for n in range(len(TOLD_FIELDS)))
MARKET, FOR_LIMIT, STOP, STOP_LIMIT = (whole(OrderKind[name]) for name in ("MARKET", "LIMIT", "STOP", "STOP_LIMIT"))
LIMIT_IF_TOUCHED, FILLED = whole(OrderKind.LIMIT_IF_TOUCHED), whole(Measure.FILLED)
WAITS, UNSENT = whole(OrderFlag.JOIN | OrderFlag.DORMANT), whole(OrderFlag.CANCEL | OrderFlag.AMEND)
NO_SLOT, NO_FILL, NO_STOP, NO_PRICE, HIDDEN, TOO_MUCH, NO_PATTERN = (1 << bit for bit in range(7))
"""Bits of what is wrong: a slot that is none; a size by a fill that is not waited for; what trails is no stop; a price that lacks or one
too many; less than nothing shown; a number that does not fit; a pattern that is none."""


@entry
def lay_out(told: Any, ends: Any, heads: Any, bars: Any, of: Any, common: Any, fields: Any, columns: Any) -> bool:
    """Write the rows of requests in the order in which they are served: by bar, then slot, then part.

    Args:
        told: (requests, len(TOLD_FIELDS)) Int64, written here.
        ends: (bars + 1,) zeros; becomes where the requests of each bar begin, and behind the last one their number.
        heads: (2, parts) where the requests of each part begin, and end. The first become the second.
        bars: (requests,) the bar of each.
        of: (requests,) the pattern of each; none where it is the number of its part.
        common: (parts, len(TOLD_FIELDS)) what the requests of a part have in common.
        fields: places in a row in which requests of a part differ.
        columns: (fields, requests) what each has there.

    Returns:
        False, and nothing is written, where the requests of a part are not in order of their slots.
    """
    first = -1
    for place in range(fields.shape[0]):
        first = place if fields[place] == SLOT else first
    parts, most = heads.shape[1], 0
    for part in range(parts):
        before = 0
        for k in range(heads[0, part], heads[1, part]):
            slot = columns[first, k] if first >= 0 else common[part, SLOT]
            if slot < before:
                return False
            before = slot
        most = max(most, before)
    for k in range(bars.shape[0]):
        ends[bars[k] + 1] += 1
    before = 0
    for b in range(1, ends.shape[0]):  # where bar b - 1 begins, from which on its requests are counted up below
        ends[b], before = before, before + ends[b]
    for slot in range(most + 1):
        for part in range(parts):
            k, end = heads[0, part], heads[1, part]
            while k < end and (columns[first, k] if first >= 0 else common[part, SLOT]) == slot:
                at = ends[bars[k] + 1]
                ends[bars[k] + 1] = at + 1
                for field in range(common.shape[1]):
                    told[at, field] = common[part, field]
                for place in range(fields.shape[0]):
                    told[at, fields[place]] = columns[place, k]
                told[at, PATTERN] = of[k] if of.shape[0] > 0 else part
                k += 1
            heads[0, part] = k
    return True


@entry
def faults_of(told: Any, patterns: Any, needs: Any, slots: int) -> int:
    """What is wrong with any of the requests, or with any pattern.

    Args:
        told: (requests, len(TOLD_FIELDS)) Int64, writeable: arrays that are not are another type to the compiler.
        patterns: (patterns, len(REQUEST_FIELDS)) Int64, likewise.
        needs: (patterns,) scratch: which prices a request of each has to have.
        slots: how many there are.

    Returns:
        The bits of this module; 0 = nothing.
    """
    found, most, least = 0, 0, 0
    for row in range(patterns.shape[0]):
        kind, flags, trails = patterns[row, KIND], patterns[row, FLAGS], patterns[row, TRAIL] > 0 or patterns[row, RATE] > 0
        if patterns[row, MEASURE] == FILLED and flags & WAITS != WAITS:
            found |= NO_FILL
        if trails and kind != STOP and kind != STOP_LIMIT:
            found |= NO_STOP
        if patterns[row, DISPLAY] < 0:
            found |= HIDDEN
        needs_limit = not trails and (kind == FOR_LIMIT or kind == STOP_LIMIT or kind == LIMIT_IF_TOUCHED)
        needs_stop = not trails and kind != MARKET and kind != FOR_LIMIT
        needs[row] = -1 if flags & UNSENT != 0 else (1 if needs_limit else 0) + (2 if needs_stop else 0)
        for place in range(TRAIL, DISPLAY + 1):
            most, least = max(most, patterns[row, place]), min(least, patterns[row, place])
    for i in range(told.shape[0]):
        row = told[i, PATTERN]
        if row < 0 or row >= patterns.shape[0]:
            found |= NO_PATTERN
            continue
        if told[i, SLOT] < 0 or told[i, SLOT] >= slots:
            found |= NO_SLOT
        has = (1 if told[i, LIMIT_AT] > 0 else 0) + (2 if told[i, STOP_AT] > 0 else 0)
        if has != needs[row] and needs[row] >= 0:
            found |= NO_PRICE
        for place in range(SIZE, STOP_AT + 1):
            most, least = max(most, told[i, place]), min(least, told[i, place])
    return found | TOO_MUCH if most >= LIMIT or least <= -LIMIT else found
