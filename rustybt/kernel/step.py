"""One bar, in the order of the rule book: the same function in bulk, bar by bar and live."""

from __future__ import annotations

from rustybt.model import FillAt

from .coast import coast, quiet
from .compile import MODE, entry, kernel
from .decisions import decide
from .events import accrue
from .exits import protect
from .limits import whole
from .orders import meet
from .state import (
    ACCRUE,
    CASH,
    DECIDE,
    EQUITY,
    ERROR,
    GROSS,
    HAS_LEVELS,
    LOGGED,
    MARK,
    MEET,
    ORDERS,
    ROW,
    Desk,
)
from .valuation import mark

if MODE != "python":
    from . import native as native  # noqa: PLC0414 - makes `Desk` known to numba

NEXT_OPEN, NEXT_CLOSE, SAME_BAR_CLOSE = whole(FillAt.NEXT_OPEN), whole(FillAt.NEXT_CLOSE), whole(FillAt.SAME_BAR_CLOSE)


@kernel
def step(desk: Desk, t: int) -> None:
    """One bar. Its three moments are the three policies of filling: the open, the close, and the close after the decision."""
    parts, fill_at = desk.parts, desk.fill_at
    if parts & ACCRUE != 0:
        accrue(desk, t)
    for moment in range(3):
        if moment == NEXT_CLOSE and parts & MEET != 0 and desk.flags & HAS_LEVELS != 0:
            protect(desk, t)
        if moment == SAME_BAR_CLOSE and parts & DECIDE != 0:
            decide(desk, t)
        if moment == fill_at and parts & MEET != 0 and desk.count[ORDERS] > 0:
            meet(desk, t, moment)
        if parts & MARK != 0 and (moment == NEXT_CLOSE or (moment == SAME_BAR_CLOSE and fill_at == SAME_BAR_CLOSE)):
            mark(desk, t, moment == NEXT_CLOSE)


@entry
def run(desk: Desk, start: int, stop: int, margin: int) -> int:
    """Bars from ``start``; ends early, at the next bar to do, on an error or when less than ``margin`` log rows are free."""
    t = start
    while t < stop:
        if desk.count[LOGGED] + margin > desk.log_size:
            return t
        step(desk, t)
        row = t - desk.cursor[ROW]
        desk.curve_equity[row] = desk.money[EQUITY]
        desk.curve_cash[row] = desk.money[CASH]
        desk.curve_gross[row] = desk.money[GROSS]
        if desk.count[ERROR] != 0:
            return t
        t += 1
        if t < stop and quiet(desk, t):
            t = coast(desk, t, stop)
            if desk.count[ERROR] != 0:
                return t
    return t
