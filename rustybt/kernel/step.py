"""One bar, in the order of the rule book: the same function in bulk, bar by bar and live."""

from __future__ import annotations

from rustybt.model import FillAt
from rustybt.model.usage import BLOCK

from .carrying import charge_all
from .clocks import lapse, overdue
from .coast import coast, quiet
from .compile import MODE, apart, aside, entry, kernel
from .dated import put_in_force
from .decisions import decide
from .errands import do_errand
from .events import accrue
from .exits import protect, protect_late
from .flags import (
    HAS_CARRY,
    HAS_CURRENCIES,
    HAS_DATED,
    HAS_GUARDS,
    HAS_INCREMENTS,
    HAS_ISOLATED,
    HAS_LEVELS,
    HAS_MOVES,
    HAS_ORDERS,
    HAS_PENDING,
    HAS_TIERS,
)
from .increments import change
from .isolated import all_set_apart
from .journal import put_down, sweep
from .limits import whole
from .moves import note_moves
from .orders import meet
from .pending import deliver
from .priced import LATE, LIMITS, REOPEN, STOPS
from .rates import take_rates
from .requests import accept_all, short_of_room
from .state import (
    ACCRUE,
    ASIDE,
    CASH,
    DEAD,
    DECIDE,
    EQUITY,
    ERROR,
    GATHERED,
    GROSS,
    LOGGED,
    MARK,
    MEET,
    NO_CLOSE,
    NO_LIMITS,
    NO_STOPS,
    ROW,
    SENT,
    SURVEYED,
    UNWANTED,
    USED,
    Desk,
)
from .tariff import turn_month
from .usage import add_up
from .valuation import age, mark

if MODE != "python":
    from . import native as native  # noqa: PLC0414 - makes `Desk` known to numba

NEXT_OPEN, NEXT_CLOSE, SAME_BAR_CLOSE = whole(FillAt.NEXT_OPEN), whole(FillAt.NEXT_CLOSE), whole(FillAt.SAME_BAR_CLOSE)


@aside
def meet_priced(desk: Desk, t: int) -> None:
    """Steps 2 to 4 of a bar where orders are asked for one by one (section 14)."""
    apart()
    overdue(desk, t)
    meet(desk, t, NEXT_OPEN)
    if desk.cursor[SENT] == t + 1:
        meet(desk, t, REOPEN)
    if desk.flags & HAS_LEVELS != 0:
        protect(desk, t)
    if desk.cursor[UNWANTED] & NO_STOPS == 0:
        meet(desk, t, STOPS)
    if desk.cursor[UNWANTED] & NO_LIMITS == 0:
        meet(desk, t, LIMITS)
    if desk.cursor[SENT] == t + 1:
        meet(desk, t, LATE)
    if desk.flags & HAS_LEVELS != 0:
        protect_late(desk, t)
    if desk.flags & HAS_CURRENCIES != 0:
        take_rates(desk, t)
    if desk.cursor[UNWANTED] & NO_CLOSE == 0:
        meet(desk, t, NEXT_CLOSE)
    lapse(desk, t)


@kernel
def step(desk: Desk, t: int) -> None:
    """One bar, or the parts of it that the desk asks for."""
    parts, fill_at = desk.parts, desk.fill_at
    if desk.flags & HAS_TIERS != 0:
        turn_month(desk, t)
    if desk.flags & HAS_INCREMENTS != 0:
        change(desk, t)
    if desk.flags & HAS_DATED != 0:
        put_in_force(desk, t)
    if parts & ACCRUE != 0:
        if desk.flags & HAS_PENDING != 0:
            deliver(desk, t)
        if desk.flags & HAS_CARRY != 0:
            charge_all(desk, t)
        accrue(desk, t)
    if parts & MEET != 0:
        if desk.flags & HAS_ORDERS != 0:
            meet_priced(desk, t)
        else:
            if fill_at == NEXT_OPEN:
                meet(desk, t, NEXT_OPEN)
            if desk.flags & HAS_LEVELS != 0:
                protect(desk, t)
            if desk.flags & HAS_CURRENCIES != 0:
                take_rates(desk, t)
            if fill_at == NEXT_CLOSE:
                meet(desk, t, NEXT_CLOSE)
    if parts & MARK != 0:
        if desk.flags & HAS_MOVES != 0:
            note_moves(desk, t)
        mark(desk, t)
        if desk.flags & HAS_GUARDS != 0:
            age(desk, t)
    if parts & DECIDE != 0:
        decide(desk, t)
        if desk.flags & HAS_ORDERS != 0:
            accept_all(desk, t)
        if fill_at == SAME_BAR_CLOSE and parts & MEET != 0:
            meet(desk, t, SAME_BAR_CLOSE)
            if desk.count[DEAD] > 0:
                sweep(desk)
            mark(desk, t)


@kernel
def bars(desk: Desk, start: int, stop: int, margin: int) -> int:
    """Bar after bar, as `run` says."""
    t = start
    while t < stop:
        if desk.count[LOGGED] + margin > desk.log_size or short_of_room(desk):
            return t
        step(desk, t)
        row = t - desk.cursor[ROW]
        desk.curve_equity[row] = desk.money[EQUITY]
        desk.curve_cash[row] = desk.money[CASH]
        desk.curve_gross[row] = desk.money[GROSS]
        if desk.flags & HAS_ISOLATED != 0:
            desk.money[ASIDE] = all_set_apart(desk)
            desk.curve_aside[row] = desk.money[ASIDE]
        if desk.count[ERROR] != 0:
            return t
        t += 1
        if t < stop and quiet(desk, t):
            t = coast(desk, t, stop)
            if desk.count[ERROR] != 0:
                return t
        if desk.cursor[USED] < desk.blocks and (desk.cursor[USED] + 1) * BLOCK <= t:
            add_up(desk, t)
    return t


@entry
def run(desk: Desk, start: int, stop: int, margin: int) -> int:
    """Bars from ``start``; ends early, at the next bar to do, on an error or when less than ``margin`` log rows or too few orders are free.

    Where there is an errand: that, and no bar.
    """
    if desk.flags & HAS_MOVES != 0:
        desk.risk[GATHERED] = 0
        desk.risk[SURVEYED] = 0
    if desk.errand != 0:
        do_errand(desk, start)
        return start
    reached = bars(desk, start, stop, margin)
    if desk.tray != 0:
        put_down(desk)
    return reached
