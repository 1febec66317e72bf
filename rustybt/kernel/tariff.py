"""Section 4 of the rule book: commissions that fall with what was traded in the calendar month."""

from __future__ import annotations

from .arithmetic import fits, ratio, worth_at
from .compile import apart, aside
from .journal import fail
from .limits import DOWN, ONE, ZERO
from .state import MONTH, OVERFLOW, ROW, Desk


@aside
def turn_month(desk: Desk, t: int) -> None:
    """Forget what was traded when a bar is in another month than the one before."""
    apart()
    month = desk.month[t - desk.cursor[ROW]]
    if desk.tally[MONTH] != month:
        for group in range(MONTH):
            desk.tally[group] = ZERO
        desk.tally[MONTH] = month


@aside
def tier_of(desk: Desk, slot: int) -> int:
    """The column of the tiers that is in force for a slot."""
    apart()
    place, traded = desk.tier_first[slot], desk.tally[desk.tier_group[slot]]
    last = place + desk.tier_count[slot] - 1
    while place < last and desk.tiers_floor[place + 1] <= traded:
        place += 1
    return place


@aside
def count_traded(desk: Desk, slot: int, lots: int, price: int) -> None:
    """Add a fill to what was traded in the month."""
    apart()
    if desk.tier_count[slot] == 0:
        return
    group, each = desk.tier_group[slot], desk.tier_lots[slot]
    asset = slot % desk.assets
    added = ratio(abs(lots), each, ONE, DOWN) if each != 0 else abs(worth_at(desk, asset, lots, price))
    total = desk.tally[group] + added
    if not (fits(added) and fits(total)):
        fail(desk, OVERFLOW, slot)
        return
    desk.tally[group] = total
