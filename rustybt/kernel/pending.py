"""Section 17 of the rule book: money from sales that is not there yet."""

from __future__ import annotations

from typing import Any

import numpy as np

from rustybt.errors import DataError
from rustybt.model import Tables

from .arithmetic import fits
from .compile import apart, aside
from .journal import fail
from .market import admit
from .state import CASH, HAS_PENDING, KINDS, OVERFLOW, PENDING, TURNED, TYPES, WAITING, Desk


@aside
def deliver(desk: Desk, t: int) -> None:
    """At the first bar of a session, what was sold so many sessions before is settled, and the rest is a session nearer."""
    apart()
    i, oldest = desk.count[TURNED], desk.pending_days - 1
    while i < desk.turns and desk.turn_bar[i] <= t:
        desk.money[PENDING] -= desk.waiting[oldest]
        for age in range(oldest, 0, -1):
            desk.waiting[age] = desk.waiting[age - 1]
        desk.waiting[0] = 0
        i += 1
    desk.count[TURNED] = i


@aside
def set_aside(desk: Desk, slot: int, proceeds: int) -> None:
    """Note what a fill brings in; futures bring no money."""
    apart()
    if proceeds <= 0 or desk.settles[slot] != 0:
        return
    if not fits(desk.money[PENDING] + proceeds):
        fail(desk, OVERFLOW, slot)
        return
    desk.money[PENDING] += proceeds
    desk.waiting[0] += proceeds


@aside
def free(desk: Desk) -> int:
    """Cash that can be spent or withdrawn."""
    apart()
    return desk.money[CASH] - desk.money[PENDING]


def pending_of(tables: Tables) -> dict[str, Any]:
    """When sessions turn, by field of `Desk`, with the bit of ``flags`` that it asks for.

    Raises:
        DataError: bars that do not increase, or a number of sessions that is none.
    """
    turns = np.asarray(tables.turns, dtype=np.int64)
    if len(turns) and (turns[0] < 0 or bool((turns[1:] <= turns[:-1]).any())):
        raise DataError("the sessions do not begin at increasing bars", where="kernel, turns", do="sort them by bar, from 0")
    if not 0 <= tables.pending_days <= WAITING:
        raise DataError(f"sales settle after {tables.pending_days} sessions", where="kernel, pending_days", do=f"use 0 to {WAITING}")
    flags = HAS_PENDING if tables.pending_days else 0
    return {"turn_bar": admit(turns, TYPES[KINDS["turn_bar"]]), "turns": len(turns), "pending_days": tables.pending_days, "flags": flags}
