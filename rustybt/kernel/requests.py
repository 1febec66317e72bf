"""Section 14 of the rule book: what a strategy asks for one by one becomes working orders."""

from __future__ import annotations

from rustybt.model import REQUEST_FIELDS, TOLD_FIELDS, Detail, Measure, OrderFlag

from .arithmetic import fits, ratio
from .clocks import NEXT_SESSION, end_of
from .compile import apart, aside, kernel
from .controls import stand_still, turn_down, vet
from .decisions import CALLED, COOLING, NO_PRICE, REPLACED, cooled
from .flags import HAS_CONTROLS, HAS_INCREMENTS, HAS_ORDERS
from .groups import orphans
from .journal import NONE, announce, asset_of, drop, fail, refuse, show, submit, sweep
from .limits import DOWN, ONE, ZERO, whole
from .margin import leaving
from .rates import unpriced
from .sizing import lots_for
from .state import ASKED, BATCH, DEAD, DUE_HALT, EQUITY, HINT, ORDERS, OVERFLOW, ROW, SURVEYED, WISH_LIMIT, WISH_STOP, Desk
from .ticks import settle_prices
from .trailing import start, trails

WIDTH, TOLD = whole(len(REQUEST_FIELDS)), whole(len(TOLD_FIELDS))
_, ENTRY, REASON, KIND, MEASURE, _, _, _, TIF, UNTIL, FLAGS, TRAIL, RATE, OFFSET, DISPLAY = (whole(n) for n in range(len(REQUEST_FIELDS)))
"""Places in the pattern of a request."""
SLOT, SIZE, LIMIT, STOP, PATTERN = (whole(n) for n in range(len(TOLD_FIELDS)))
"""Places in its row."""
QUANTITY, POSITION, FILLED = whole(Measure.QUANTITY), whole(Measure.POSITION), whole(Measure.FILLED)
JOIN, DORMANT, BY_FILL = whole(OrderFlag.JOIN), whole(OrderFlag.DORMANT), whole(OrderFlag.BY_FILL)
REPLACE, CANCEL, AMEND, RESTED = (whole(OrderFlag[name]) for name in ("REPLACE", "CANCEL", "AMEND", "RESTED"))
REQUESTED, AMENDED = whole(Detail.REQUESTED), whole(Detail.AMENDED)


@kernel
def short_of_room(desk: Desk) -> bool:
    """Whether the table might not hold what is asked for at the busiest bar."""
    if desk.flags & HAS_ORDERS == 0 or desk.order_room == 0:
        return False
    return desk.count[ORDERS] + desk.busiest > desk.order_room


@aside
def accept_all(desk: Desk, t: int) -> None:
    """Every request of a bar, in order."""
    apart()
    row, i = t - desk.cursor[ROW], desk.cursor[ASKED]
    while i < desk.requests and desk.request_bar[i] == row:
        accept(desk, t, i * TOLD)
        i += 1
    desk.cursor[ASKED] = i
    orphans(desk, t)
    if desk.flags & HAS_CONTROLS != 0 and desk.guard[DUE_HALT] != 0:
        stand_still(desk, t)
    if desk.count[DEAD] > 0:
        sweep(desk)


@kernel
def pattern_of(desk: Desk, at: int) -> int:
    """Where the pattern of the request at a place begins."""
    return desk.request[at + PATTERN] * WIDTH


@aside
def accept(desk: Desk, t: int, at: int) -> None:
    """One request: an order, a refusal, or a cancellation."""
    apart()
    request, pattern, of = desk.request, desk.pattern, pattern_of(desk, at)
    slot, reason, flags, measure = request[at + SLOT], pattern[of + REASON], pattern[of + FLAGS], pattern[of + MEASURE]
    if flags & CANCEL != 0:
        withdraw(desk, t, slot, pattern[of + ENTRY], REQUESTED)
        return
    if flags & AMEND != 0:
        amend_all(desk, t, at, slot)
        return
    if unpriced(desk, slot):
        desk.cursor[BATCH] = 0
        refuse(desk, t, slot, reason, NO_PRICE, ZERO)
        return
    joins, dormant = flags & JOIN != 0, flags & DORMANT != 0
    if not joins:
        desk.cursor[BATCH] = 0
    elif desk.cursor[BATCH] == 0:
        return
    if leaving(desk, slot):
        refuse(desk, t, slot, reason, CALLED, ZERO)
        return
    lots = sized(desk, slot, measure, request[at + SIZE])
    if not fits(lots):
        fail(desk, OVERFLOW, slot)
        return
    if lots == 0 and measure != FILLED:
        return
    if desk.cool[slot] > 0 and not dormant:
        allowed = cooled(desk.lots[slot], lots)
        if allowed == 0:
            refuse(desk, t, slot, reason, COOLING, lots)
            return
        lots = allowed
    if desk.flags & HAS_CONTROLS != 0 and lots != 0 and not dormant:
        ask_at(desk, request[at + LIMIT], request[at + STOP])
        left = vet(desk, t, slot, lots, reason)
        ask_at(desk, ZERO, ZERO)
        if left == 0:
            turn_down(desk, t, slot, reason, lots)
            return
        lots = left
    if flags & REPLACE != 0 and not joins and desk.busy[slot] != 0:
        withdraw(desk, t, slot, pattern[of + ENTRY], REPLACED)
    enter(desk, t, at, slot, lots)


@aside
def ask_at(desk: Desk, limit: int, stop: int) -> None:
    """Tell the controls the prices that a request names."""
    apart()
    desk.watch[WISH_LIMIT] = limit
    desk.watch[WISH_STOP] = stop


@kernel
def sized(desk: Desk, slot: int, measure: int, size: int) -> int:
    """The lots of a request; BAD where they do not fit."""
    if measure == QUANTITY:
        return size
    if measure == POSITION:
        return -desk.lots[slot]
    if measure == FILLED:
        return 0
    asset = asset_of(slot, desk.assets)
    unit = ratio(desk.last[asset], desk.up[asset], ONE, DOWN)
    return lots_for(desk, slot, measure, size, desk.money[EQUITY], unit)


@kernel
def enter(desk: Desk, t: int, at: int, slot: int, lots: int) -> None:
    """Put a requested order into the table."""
    pattern, of, k = desk.pattern, pattern_of(desk, at), desk.count[ORDERS]
    tif, flags = pattern[of + TIF], pattern[of + FLAGS]
    sent = submit(desk, t, slot, lots, ZERO, pattern[of + REASON])
    if flags & JOIN == 0:
        desk.cursor[BATCH] = sent
    desk.order_kind[k] = pattern[of + KIND]
    desk.order_limit[k] = desk.request[at + LIMIT]
    desk.order_stop[k] = desk.request[at + STOP]
    desk.order_tif[k] = tif
    desk.order_until[k] = end_of(tif, pattern[of + UNTIL])
    desk.order_flags[k] = flags | BY_FILL if pattern[of + MEASURE] == FILLED else flags
    desk.order_entry[k] = pattern[of + ENTRY]
    desk.order_rest[k] = 0
    desk.order_peak[k] = 0
    desk.order_trail[k] = pattern[of + TRAIL]
    desk.order_rate[k] = pattern[of + RATE]
    desk.order_offset[k] = pattern[of + OFFSET]
    desk.order_batch[k] = desk.cursor[BATCH]
    desk.order_session[k] = NEXT_SESSION
    desk.order_display[k] = 0
    if desk.flags & HAS_INCREMENTS != 0:
        settle_prices(desk, k)
    if flags & DORMANT == 0 and trails(desk, k):
        start(desk, k, desk.last[asset_of(slot, desk.assets)])
    announce(desk, t, k, NONE)
    if pattern[of + DISPLAY] != 0:
        show(desk, t, k, pattern[of + DISPLAY])


@kernel
def meant(desk: Desk, k: int, slot: int, which: int) -> bool:
    """Whether order k is one of an entry of a slot, or has the number that is told as its negative."""
    if desk.order_number[k] == 0 or desk.order_slot[k] != slot:
        return False
    return desk.order_number[k] == -which if which < 0 else desk.order_entry[k] == which


@aside
def withdraw(desk: Desk, t: int, slot: int, which: int, detail: int) -> None:
    """Cancel working orders of a slot. As in `rustybt.kernel.journal.cancel` the search for a single one goes on where the last ended."""
    apart()
    left, n, k = desk.busy[slot], desk.count[ORDERS], desk.cursor[HINT]
    if left > 1 or k >= n:
        k = 0
    for _ in range(n):
        if left == 0:
            break
        if desk.order_number[k] != 0 and desk.order_slot[k] == slot:
            left -= 1
            if meant(desk, k, slot, which):
                drop(desk, t, k, detail, desk.order_lots[k])
        k = k + 1 if k + 1 < n else 0
    desk.cursor[HINT] = k


@aside
def amend_all(desk: Desk, t: int, at: int, slot: int) -> None:
    """Give working orders of a slot another size or other prices; what a request leaves at 0 or the controls forbid stays."""
    apart()
    request, pattern, of = desk.request, desk.pattern, pattern_of(desk, at)
    lots = abs(sized(desk, slot, pattern[of + MEASURE], request[at + SIZE])) if not unpriced(desk, slot) else ZERO
    if not fits(lots):
        fail(desk, OVERFLOW, slot)
        return
    for k in range(desk.count[ORDERS]):
        if meant(desk, k, slot, pattern[of + ENTRY]) and desk.order_lots[k] != 0:
            change = lots if desk.order_lots[k] > 0 else -lots
            if desk.flags & HAS_CONTROLS != 0 and lots > abs(desk.order_lots[k]):
                ask_at(desk, request[at + LIMIT], request[at + STOP])
                change = vet(desk, t, slot, change, pattern[of + REASON])
                ask_at(desk, ZERO, ZERO)
            if change != 0:
                desk.order_lots[k] = change
                desk.risk[SURVEYED] = 0
            if request[at + LIMIT] != 0 and desk.order_limit[k] != 0:
                desk.order_limit[k] = request[at + LIMIT]
            if request[at + STOP] != 0 and desk.order_stop[k] != 0:
                desk.order_stop[k] = request[at + STOP]
            if desk.flags & HAS_INCREMENTS != 0:
                settle_prices(desk, k)
            desk.order_flags[k] &= ~RESTED
            announce(desk, t, k, AMENDED)


@aside
def request_one(desk: Desk, t: int) -> None:
    """The one request that the desk holds, between bars."""
    accept(desk, t, ZERO)
    desk.cursor[ASKED] = desk.requests
    orphans(desk, t)
    if desk.count[DEAD] > 0:
        sweep(desk)
