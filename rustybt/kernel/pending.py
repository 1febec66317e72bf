"""Section 17 of the rule book: money from sales that is not there yet."""

from __future__ import annotations

from .arithmetic import fits
from .compile import apart, aside
from .journal import fail
from .state import CASH, OVERFLOW, PENDING, TURNED, Desk


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
