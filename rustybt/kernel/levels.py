"""Section 6 of the rule book: the levels of the exits of a position. They change only when entry or peak do, so they are kept."""

from __future__ import annotations

from .arithmetic import ratio
from .compile import apart, aside
from .flags import HAS_INCREMENTS, HAS_ISOLATED, HAS_TOP_UPS
from .isolated import last_stand, release
from .limits import BAD, CEIL, FAR, FLOOR, RATE
from .state import Desk


@aside
def level(price: int, distance: int, above: bool) -> int:
    """The price a fraction above or below, rounded toward the price it is taken from."""
    apart()
    if above:
        moved = ratio(price, RATE + distance, RATE, FLOOR)
        return FAR if moved == BAD else moved
    return ratio(price, RATE - distance, RATE, CEIL)


@aside
def level_of(desk: Desk, slot: int, price: int, distance: int, above: bool) -> int:
    """The same on the tick in force, as far as that has one on this side of the price."""
    apart()
    found = level(price, distance, above)
    if desk.flags & HAS_INCREMENTS == 0 or found == FAR:
        return found
    tick = max(1, desk.tick_now[slot % desk.assets])
    moved = found // tick * tick if above else -(-found // tick) * tick
    inside = moved >= price if above else moved <= price
    return moved if inside else found


@aside
def arm(desk: Desk, slot: int) -> None:
    """Work out stop, take and trail of a slot with a position; a level that is not set is out of reach."""
    apart()
    long = desk.lots[slot] > 0
    below, above = 0, FAR
    stop = take = trail = below
    if not long:
        stop = trail = above
    else:
        take = above
    if desk.stop[slot] != 0:
        stop = level_of(desk, slot, desk.entry[slot], desk.stop[slot], not long)
    if desk.take[slot] != 0:
        take = level_of(desk, slot, desk.entry[slot], desk.take[slot], long)
    if desk.trail[slot] != 0:
        trail = level_of(desk, slot, desk.peak[slot], desk.trail[slot], not long)
    if desk.flags & HAS_ISOLATED != 0 and desk.isolated[slot] != 0:
        stop = max(stop, last_stand(desk, slot)) if long else min(stop, last_stand(desk, slot))
    desk.stop_at[slot] = stop
    desk.take_at[slot] = take
    desk.trail_at[slot] = trail


@aside
def rearm(desk: Desk, slot: int, before: int) -> None:
    """What a fill changes beside the position: a part of what was added to its margin comes back, its levels move."""
    apart()
    if desk.flags & HAS_TOP_UPS != 0:
        release(desk, slot, before, desk.lots[slot])
    if desk.lots[slot] != 0:
        arm(desk, slot)


@aside
def is_last_stand(desk: Desk, slot: int) -> bool:
    """Whether the stop of a slot's position is the price at which its own margin is used up."""
    apart()
    if desk.isolated[slot] == 0:
        return False
    long = desk.lots[slot] > 0
    if desk.stop[slot] == 0:
        return True
    stop = level_of(desk, slot, desk.entry[slot], desk.stop[slot], not long)
    return stop < desk.stop_at[slot] if long else stop > desk.stop_at[slot]


@aside
def arm_all(desk: Desk) -> None:
    """Work out the levels of all positions anew: the settings may have changed."""
    apart()
    for slot in range(desk.slots):
        if desk.lots[slot] != 0:
            arm(desk, slot)
