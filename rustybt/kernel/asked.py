"""Passes over all orders that are asked for: their rows are laid out, and what the kernel could not serve is found."""

from __future__ import annotations

from typing import Any

import numpy as np

from rustybt.model import REQUEST_FIELDS, TOLD_FIELDS, Measure, OrderFlag, OrderKind

from .compile import entry, kernel
from .limits import BAD, LIMIT, whole

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


@kernel
def price_of(of: int, places: Any, exact: Any, priced: Any) -> Any:
    """What a request has in a row of ``exact``, or a price in ticks, half-even; BAD where that is less than one, too large or none."""
    (k, row, asset), (prices, per_price) = places, priced
    if of < exact.shape[0]:
        return exact[of, k]
    ticks = np.rint(prices[of - exact.shape[0], row] * per_price[asset])
    return int(ticks) if ticks >= 1 and ticks < LIMIT else BAD


@entry
def tally(counts: Any, places: Any, at: Any, heads: Any) -> bool:
    """Count the requests of each bar.

    Args:
        counts: (bars + 1,) Int32; item b + 1 grows by the requests of bar b.
        places: (2, rows) Int32 bar and asset of each evaluated row.
        at: (requests,) Int64 the row of each.
        heads: (2, parts) Int64 where the requests of each part begin, and end.

    Returns:
        False where the requests of a part are not in order of their assets.
    """
    for part in range(heads.shape[1]):
        before = 0
        for k in range(heads[0, part], heads[1, part]):
            asset = places[1, at[k]]
            if asset < before:
                return False
            before = asset
            counts[places[0, at[k]] + 1] += 1
    return True


@entry
def add_up(counts: Any) -> int:
    """Make each count the sum of all up to it. Gives the largest count."""
    total, most = 0, 0
    for i in range(counts.shape[0]):
        most = max(most, counts[i])
        total += counts[i]
        counts[i] = total
    return most


@entry
def lay_out(written: Any, ends: Any, heads: Any, places: Any, at: Any, known: Any, exact: Any, priced: Any, slots: Any) -> int:
    """Write the rows of requests in the order in which they are served: by bar, then slot, then part.

    Args:
        written: here: (requests,) Int32 the bar of each, and (requests, len(TOLD_FIELDS)) Int64.
        ends: (bars + 1,) Int32 where the next request of each bar goes.
        heads: (3, parts) Int64 where the requests of each part begin, end and begin. The first become the second.
        places: (2, rows) Int32 bar and asset of each evaluated row.
        at: (requests,) Int64 the row of each.
        known: by part what its requests have in common of size, limit and stop; the row of ``exact`` in which each has its own, or of
            ``priced`` behind these, or -1; its pattern, or that of its first request.
        exact: (fields, requests) Int64.
        priced: (fields, rows) Float64 prices, and how many ticks a price of one is, by asset.
        slots: that of the first asset, and whether each request has a pattern of its own.

    Returns:
        Where something is no price, its request and, times the number of requests, its row of ``priced``; else -1.
    """
    (bars, told), (common, source, patterns), (first_slot, apart) = written, known, slots
    bad = -1
    while True:
        asset = -1
        for part in range(heads.shape[1]):
            if heads[0, part] < heads[1, part]:
                here = places[1, at[heads[0, part]]]
                asset = here if asset < 0 else min(asset, here)
        if asset < 0:
            return bad
        for part in range(heads.shape[1]):
            k, end = heads[0, part], heads[1, part]
            size, limit, stop = common[part, 0], common[part, 1], common[part, 2]
            of_size, of_limit, of_stop = source[part, 0], source[part, 1], source[part, 2]
            while k < end and places[1, at[k]] == asset:
                row = at[k]
                if of_size >= 0:
                    size = exact[of_size, k]
                if of_limit >= 0:
                    limit = price_of(of_limit, (k, row, asset), exact, priced)
                    bad = (of_limit - exact.shape[0]) * at.shape[0] + k if limit == BAD else bad
                if of_stop >= 0:
                    stop = price_of(of_stop, (k, row, asset), exact, priced)
                    bad = (of_stop - exact.shape[0]) * at.shape[0] + k if stop == BAD else bad
                n = ends[places[0, row]]
                ends[places[0, row]] = n + 1
                bars[n] = places[0, row]
                told[n, SLOT] = first_slot + asset
                told[n, SIZE] = size
                told[n, LIMIT_AT] = limit
                told[n, STOP_AT] = stop
                told[n, PATTERN] = patterns[part] + (k - heads[2, part] if apart else 0)
                k += 1
            heads[0, part] = k


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
