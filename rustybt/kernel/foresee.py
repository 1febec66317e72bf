"""What lies ahead is asked for before it is read: a step after a span that was passed over would wait for memory, column by column."""

from __future__ import annotations

from .compile import apart, aside, fetch
from .flags import HAS_CONTROLS, HAS_ORDERS
from .state import ROW, Desk


@aside
def foresee(desk: Desk, t: int) -> None:
    """Ask for what a step at a bar will read, while there is something else to do: it lies far from what was read so far."""
    apart()
    row = t - desk.cursor[ROW]
    place = row * desk.assets
    fetch(desk.open, place)
    fetch(desk.high, place)
    fetch(desk.low, place)
    fetch(desk.close, place)
    if desk.flags & HAS_ORDERS != 0:
        fetch(desk.clock_session, row)
        fetch(desk.clock_ends, row)
    if desk.flags & HAS_CONTROLS != 0:
        fetch(desk.control_days, row)
