"""One bar, in the order of the rule book: the same function in bulk, bar by bar and live."""

from __future__ import annotations

from rustybt.model import FillAt

from .coast import coast, quiet
from .compile import aside, kernel
from .decisions import decide
from .events import accrue
from .exits import protect
from .orders import meet
from .state import (
    ACCRUE,
    CASH,
    DECIDE,
    EQUITY,
    ERROR,
    GROSS,
    LOGGED,
    MARK,
    MEET,
    ORDERS,
    ROW,
    Desk,
)
from .valuation import mark

NEXT_OPEN, NEXT_CLOSE, SAME_BAR_CLOSE = int(FillAt.NEXT_OPEN), int(FillAt.NEXT_CLOSE), int(FillAt.SAME_BAR_CLOSE)


@kernel
def step(desk: Desk, t: int) -> None:
    """One bar. Its three moments are the three policies of filling: the open, the close, and the close after the decision."""
    parts, fill_at = desk.parts, desk.rules.fill_at
    if parts & ACCRUE != 0:
        accrue(desk, t)
    for moment in range(3):
        if moment == NEXT_CLOSE and parts & MEET != 0:
            protect(desk, t)
        if moment == SAME_BAR_CLOSE and parts & DECIDE != 0:
            decide(desk, t)
        if moment == fill_at and parts & MEET != 0 and desk.state.count[ORDERS] > 0:
            meet(desk, t, moment)
        if parts & MARK != 0 and (moment == NEXT_CLOSE or (moment == SAME_BAR_CLOSE and fill_at == SAME_BAR_CLOSE)):
            mark(desk, t, moment == NEXT_CLOSE)


@aside
def run(desk: Desk, start: int, stop: int, margin: int) -> int:
    """Bars from ``start``; ends early, at the next bar to do, on an error or when less than ``margin`` log rows are free."""
    state, curves = desk.state, desk.curves
    t = start
    while t < stop:
        if state.count[LOGGED] + margin > desk.log.bar.size:
            return t
        step(desk, t)
        row = t - desk.pad.cursor[ROW]
        curves.equity[row] = state.money[EQUITY]
        curves.cash[row] = state.money[CASH]
        curves.gross[row] = state.money[GROSS]
        if state.count[ERROR] != 0:
            return t
        t += 1
        if t < stop and quiet(desk, t):
            t = coast(desk, t, stop)
            if state.count[ERROR] != 0:
                return t
    return t
