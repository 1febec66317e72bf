"""Section 11 of the rule book: gains and losses of futures are paid in cash at each settlement."""

from __future__ import annotations

from rustybt.model import Reason

from .arithmetic import fits, worth_at
from .compile import apart, aside, kernel
from .flags import HAS_SETTLEMENT
from .journal import NONE, event, fail
from .limits import ZERO, whole
from .rates import book_of
from .state import CASH, DUE_BAR, OVERFLOW, SETTLED, Desk

VARIATION = whole(Reason.VARIATION)


@kernel
def unsettled(desk: Desk) -> int:
    """Cash as it would be if nothing had been settled: what equity adds the full value of positions to."""
    if desk.flags & HAS_SETTLEMENT == 0:
        return desk.money[CASH]
    return desk.money[CASH] - desk.money[SETTLED]


@aside
def vary(desk: Desk, t: int) -> None:
    """At a settlement, pay what each position that settles has gained since the last one."""
    apart()
    i = desk.count[DUE_BAR]
    while i < desk.settlements and desk.settle_bar[i] < t:
        i += 1
    desk.count[DUE_BAR] = i
    if i == desk.settlements or desk.settle_bar[i] != t:
        return
    for slot in range(desk.slots):
        if desk.settles[slot] != 0 and (desk.lots[slot] != 0 or desk.settled[slot] != 0):
            pay(desk, t, slot)


@aside
def pay(desk: Desk, t: int, slot: int) -> None:
    """Bring what a slot has settled to its value."""
    apart()
    money, asset, base = desk.money, slot % desk.assets, book_of(desk, slot)
    worth = worth_at(desk, asset, desk.lots[slot], desk.last[asset])
    if not fits(worth):
        fail(desk, OVERFLOW, slot)
        return
    gain = worth - desk.settled[slot]
    if gain == 0:
        return
    if not (fits(gain) and fits(money[base + CASH] + gain) and fits(money[base + SETTLED] + gain)):
        fail(desk, OVERFLOW, slot)
        return
    money[base + CASH] += gain
    money[base + SETTLED] += gain
    desk.settled[slot] = worth
    event(desk, t, slot, VARIATION, NONE, ZERO, desk.last[asset], -gain)
