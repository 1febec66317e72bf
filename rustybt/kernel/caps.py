"""Section 5 of the rule book: how much of a bar's volume an order may take, and what becomes of the rest."""

from __future__ import annotations

from rustybt.model import Detail

from .arithmetic import ratio
from .compile import apart, aside
from .journal import drop
from .limits import DOWN, RATE, whole
from .state import Desk

CAPPED = whole(Detail.CAPPED)


@aside
def capped(desk: Desk, k: int, slot: int, lots: int, place: int) -> int:
    """The part of an order that the volume of a bar allows; the rest is noted."""
    apart()
    share = desk.cap_share[slot]
    allowed = lots
    if share != 0:
        most = ratio(desk.volume[place], share, RATE, DOWN)
        allowed = min(lots, most) if lots > 0 else max(lots, -most)
    desk.due_left[k] = lots - allowed
    return allowed


@aside
def rest_of(desk: Desk, t: int, k: int, slot: int) -> bool:
    """Carry on or cancel what the volume did not allow; whether there was anything."""
    apart()
    left = desk.due_left[k]
    if left == 0:
        return False
    if desk.cap_carry[slot] != 0:
        desk.order_lots[k] = left
    else:
        drop(desk, t, k, CAPPED, left)
    return True
