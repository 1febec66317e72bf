"""Section 12 of the rule book: how prices moved."""

from __future__ import annotations

from .arithmetic import ratio
from .compile import apart, aside
from .limits import BAD, HALF_EVEN, RATE, ZERO, whole
from .state import MARKED, ROW, Desk

MOST_MOVE = whole(1000) * RATE
"""Every move beyond it counts as it: 1,000 times the price."""


@aside
def note_moves(desk: Desk, t: int) -> None:
    """Remember how far a bar moves each price, before its close becomes the last one. Where there was none before it is no move."""
    apart()
    row, window = (t - desk.cursor[ROW]) * desk.assets, desk.window
    place = desk.guard[MARKED] % window if window != 0 else ZERO
    for asset in range(desk.assets):
        price, before, move = desk.close[row + asset], desk.last[asset], ZERO
        if price != 0 and before != 0:
            move = ratio(price - before, RATE, before, HALF_EVEN)
            if move == BAD or move > MOST_MOVE:
                move = MOST_MOVE
        if price != 0:
            desk.moved[asset] = move
        if window != 0:
            desk.moves[asset * window + place] = move
    desk.guard[MARKED] += 1


@aside
def move_at(desk: Desk, asset: int, back: int) -> int:
    """By how much a bar before the last one moved a price; 0 = the last bar itself."""
    apart()
    return desk.moves[asset * desk.window + (desk.guard[MARKED] - 1 - back) % desk.window]
