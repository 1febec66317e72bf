"""What lies ahead is asked for before it is read: a step after a span that was passed over would wait for memory, column by column."""

from __future__ import annotations

from .compile import apart, aside, fetch
from .flags import HAS_CONTROLS, HAS_LEVELS, HAS_ORDERS
from .state import OFFER, ROW, Desk

AHEAD = 3
"""Offers between one that is taken and the one whose fill is asked for: memory answers after about one of them."""


@aside
def foresee(desk: Desk, t: int) -> None:
    """Ask for what a step at a bar will read, while there is something else to do: it lies far from what was read so far."""
    apart()
    first, assets = desk.cursor[ROW], desk.assets
    row = t - first
    place = row * assets
    fetch(desk.open, place)
    fetch(desk.close, place)
    if desk.flags & (HAS_ORDERS | HAS_LEVELS) != 0:
        fetch(desk.high, place)
        fetch(desk.low, place)
    offer = desk.cursor[OFFER] + AHEAD
    if offer < desk.offers:  # its order is filled at the open of the next bar
        fetch(desk.open, (desk.offer_bar[offer] + 1 - first) * assets)
    if desk.flags & HAS_ORDERS != 0:
        fetch(desk.clock_session, row)
        fetch(desk.clock_ends, row)
    if desk.flags & HAS_CONTROLS != 0:
        fetch(desk.control_days, row)
