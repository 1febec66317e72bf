"""Section 6 of the rule book: the levels of the exits of a position. They change only when entry or peak do, so they are kept."""

from __future__ import annotations

from .arithmetic import ratio
from .compile import aside
from .limits import BAD, CEIL, FAR, FLOOR, RATE
from .state import STOP, TAKE, TRAIL, Desk


@aside
def level(price: int, distance: int, above: bool) -> int:
    """The price a fraction above or below, rounded toward the price it is taken from."""
    if above:
        moved = ratio(price, RATE + distance, RATE, FLOOR)
        return FAR if moved == BAD else moved
    return ratio(price, RATE - distance, RATE, CEIL)


@aside
def arm(desk: Desk, slot: int) -> None:
    """Work out stop, take and trail of a slot with a position; a level that is not set is out of reach."""
    state, slots = desk.state, desk.rules.slots
    long = state.lots[slot] > 0
    below, above = 0, FAR
    stop = take = trail = below
    if not long:
        stop = trail = above
    else:
        take = above
    if slots[STOP, slot] != 0:
        stop = level(state.entry[slot], slots[STOP, slot], not long)
    if slots[TAKE, slot] != 0:
        take = level(state.entry[slot], slots[TAKE, slot], long)
    if slots[TRAIL, slot] != 0:
        trail = level(state.peak[slot], slots[TRAIL, slot], not long)
    state.stop[slot] = stop
    state.take[slot] = take
    state.trail[slot] = trail
