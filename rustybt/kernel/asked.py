"""Passes over all orders that are asked for: their rows are laid out, and what the kernel could not serve is found."""

from __future__ import annotations

from typing import Any

from rustybt.model import REQUEST_FIELDS, Measure, OrderFlag, OrderKind

from .compile import entry
from .limits import LIMIT, whole

SLOT, KIND, MEASURE, SIZE, LIMIT_AT, STOP_AT, FLAGS, TRAIL, RATE, OFFSET, DISPLAY = (
    whole(REQUEST_FIELDS.index(name))
    for name in ("slot", "kind", "measure", "size", "limit", "stop", "flags", "trail", "trail_rate", "offset", "display")
)
MARKET, FOR_LIMIT, STOP, STOP_LIMIT = (whole(OrderKind[name]) for name in ("MARKET", "LIMIT", "STOP", "STOP_LIMIT"))
LIMIT_IF_TOUCHED, FILLED = whole(OrderKind.LIMIT_IF_TOUCHED), whole(Measure.FILLED)
WAITS, UNSENT = whole(OrderFlag.JOIN | OrderFlag.DORMANT), whole(OrderFlag.CANCEL | OrderFlag.AMEND)
NO_SLOT, NO_FILL, NO_STOP, NO_PRICE, HIDDEN, TOO_MUCH = (1 << bit for bit in range(6))
"""Bits of what is wrong: a slot that is none; a size by a fill that is not waited for; what trails is no stop; a price that lacks or one
too many; less than nothing shown; a number that does not fit."""


@entry
def lay_out(rows: Any, order: Any, owner: Any, patterns: Any, fields: Any, columns: Any) -> None:
    """Write the rows of requests in the order in which they are served.

    Args:
        rows: (requests, len(REQUEST_FIELDS)) Int64, written here.
        order: (requests,) which request comes next.
        owner: (requests,) the pattern of each.
        patterns: (patterns, len(REQUEST_FIELDS)) what its requests have in common.
        fields: those in which they differ.
        columns: (fields or more, requests) what each has in them.
    """
    for i in range(order.shape[0]):
        k = order[i]
        pattern = owner[k]
        for field in range(patterns.shape[1]):
            rows[i, field] = patterns[pattern, field]
        for place in range(fields.shape[0]):
            rows[i, fields[place]] = columns[place, k]


@entry
def faults_of(rows: Any, slots: int) -> int:
    """What is wrong with any of the requests.

    Args:
        rows: (requests, len(REQUEST_FIELDS)) Int64, writeable: arrays that are not are another type to the compiler.
        slots: how many there are.

    Returns:
        The bits of this module; 0 = nothing.
    """
    found = 0
    for i in range(rows.shape[0]):
        kind, flags = rows[i, KIND], rows[i, FLAGS]
        trails, has_limit, has_stop = rows[i, TRAIL] > 0 or rows[i, RATE] > 0, rows[i, LIMIT_AT] > 0, rows[i, STOP_AT] > 0
        if rows[i, SLOT] < 0 or rows[i, SLOT] >= slots:
            found |= NO_SLOT
        if rows[i, MEASURE] == FILLED and flags & WAITS != WAITS:
            found |= NO_FILL
        if trails and kind != STOP and kind != STOP_LIMIT:
            found |= NO_STOP
        needs_limit = not trails and (kind == FOR_LIMIT or kind == STOP_LIMIT or kind == LIMIT_IF_TOUCHED)
        needs_stop = not trails and kind != MARKET and kind != FOR_LIMIT
        if flags & UNSENT == 0 and (has_limit != needs_limit or has_stop != needs_stop):
            found |= NO_PRICE
        if rows[i, DISPLAY] < 0:
            found |= HIDDEN
        most, least = 0, 0
        for place in range(SIZE, STOP_AT + 1):
            most, least = max(most, rows[i, place]), min(least, rows[i, place])
        for place in range(TRAIL, DISPLAY + 1):
            most, least = max(most, rows[i, place]), min(least, rows[i, place])
        if most >= LIMIT or least <= -LIMIT:
            found |= TOO_MUCH
    return found
