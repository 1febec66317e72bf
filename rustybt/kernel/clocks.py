"""Section 14 of the rule book, time in force: which orders have come to the end of their time, and which bars are auctions."""

from __future__ import annotations

from rustybt.model import Detail, OrderFlag, OrderKind, Status, TimeInForce

from .compile import apart, aside, kernel
from .flags import HAS_CAPS, HAS_DAY_ENDS, HAS_INCREMENTS, HAS_LATENCY
from .groups import is_dormant, orphans
from .journal import asset_of, drop, finish, sweep
from .limits import FAR, ONE, ZERO, whole
from .state import DEAD, NO_BATCHES, NO_CLOSE, NO_LIMITS, NO_STOPS, ORDERS, ROW, UNWANTED, Desk
from .timing import NEXT_CLOSE, NEXT_OPEN, under_way
from .trailing import follow, trails

MARKET, LIMIT, STOP, STOP_LIMIT = (whole(OrderKind[name]) for name in ("MARKET", "LIMIT", "STOP", "STOP_LIMIT"))
DAY, UNTIL_BAR, UNTIL_SESSION, UNTIL_TS = (whole(TimeInForce[name]) for name in ("DAY", "UNTIL_BAR", "UNTIL_SESSION", "UNTIL_TS"))
IOC, FOK, AT_OPEN, AT_CLOSE = (whole(TimeInForce[name]) for name in ("IOC", "FOK", "AT_OPEN", "AT_CLOSE"))
RESTED, JOIN = whole(OrderFlag.RESTED), whole(OrderFlag.JOIN)
EXPIRED, TIME, UNMET = whole(Status.EXPIRED), whole(Detail.TIME), whole(Detail.UNMET)
END_OF_DAY = whole(Detail.END_OF_DAY)
EVERYTHING = whole(NO_STOPS | NO_LIMITS | NO_CLOSE | NO_BATCHES)
NEXT_SESSION = -FAR
"""Session of an order whose day has not begun."""


@kernel
def is_opening(desk: Desk, t: int, asset: int) -> bool:
    """Whether a bar of an asset is its first in a session."""
    return desk.seen[asset] != desk.clock_session[t - desk.cursor[ROW]] + 1


@kernel
def is_closing(desk: Desk, t: int) -> bool:
    """Whether a bar is known to end its session."""
    return desk.clock_ends[t - desk.cursor[ROW]] != 0


@kernel
def end_of(tif: int, until: int) -> int:
    """Until when an order works at its submission; the session of a day order is that of the next bar."""
    return NEXT_SESSION if tif == DAY else until


@kernel
def moment(desk: Desk, t: int, tif: int) -> int:
    """What the clock says in the measure of a time in force."""
    row = t - desk.cursor[ROW]
    if tif == UNTIL_BAR:
        return t
    return desk.clock_ts[row] if tif == UNTIL_TS else desk.clock_session[row]


@kernel
def is_dated(tif: int) -> bool:
    """Whether an order ends at some moment."""
    return tif == DAY or tif == UNTIL_SESSION or tif == UNTIL_BAR or tif == UNTIL_TS


@kernel
def left_alone(desk: Desk, k: int) -> int:
    """The phases in which order k is certainly not filled in the bar to come, dormant or not; and whether it belongs to no other."""
    kind, bits = desk.order_kind[k], NO_STOPS | NO_LIMITS
    if kind == STOP or kind == STOP_LIMIT:
        bits &= ~NO_STOPS
    if kind != MARKET and kind != STOP:
        bits &= ~NO_LIMITS
    if desk.order_tif[k] != AT_CLOSE:
        bits |= NO_CLOSE
    if desk.order_flags[k] & JOIN == 0:
        bits |= NO_BATCHES
    return bits


@aside
def overdue(desk: Desk, t: int) -> None:
    """Before anything is served: end the orders whose last moment has passed, and note what unwanted waits for."""
    apart()
    unwanted = EVERYTHING
    for k in range(desk.count[ORDERS]):
        tif = desk.order_tif[k]
        unwanted &= left_alone(desk, k)
        if is_dormant(desk, k):
            continue
        if is_dated(tif):
            now = moment(desk, t, tif)
            if desk.order_until[k] == NEXT_SESSION:
                desk.order_until[k] = now
            if now > desk.order_until[k]:
                finish(desk, t, k, EXPIRED, TIME, desk.order_lots[k])
                continue
        if desk.flags & HAS_DAY_ENDS != 0:
            end_with_day(desk, t, k, ZERO)
    if desk.count[DEAD] > 0:
        sweep(desk)
    if desk.fill_at == NEXT_CLOSE:
        unwanted &= ~NO_CLOSE
    if desk.flags & (HAS_CAPS | HAS_INCREMENTS) != 0:  # they look at every order in every phase, and may find that it does not fit
        unwanted &= NO_BATCHES
    desk.cursor[UNWANTED] = unwanted


@aside
def end_with_day(desk: Desk, t: int, k: int, closing: int) -> bool:
    """Cancel a requested order whose session is over, or ends with this bar."""
    apart()
    session = desk.clock_session[t - desk.cursor[ROW]]
    if desk.order_batch[k] == 0 or desk.day_ends[desk.order_slot[k]] == 0:
        return False
    if closing != 0:
        over = session == desk.order_session[k] and is_closing(desk, t)
    else:
        if desk.order_session[k] == NEXT_SESSION:
            desk.order_session[k] = session
        over = session > desk.order_session[k]
    if over:
        drop(desk, t, k, END_OF_DAY, desk.order_lots[k])
    return over


@aside
def lapse(desk: Desk, t: int) -> None:
    """After everything is served: end the orders whose last moment this bar was, or whose one attempt it was."""
    apart()
    assets = desk.assets
    row = (t - desk.cursor[ROW]) * assets
    for k in range(desk.count[ORDERS]):
        tif, asset = desk.order_tif[k], asset_of(desk.order_slot[k], assets)
        if desk.order_number[k] == 0 or is_dormant(desk, k):
            continue
        present = desk.close[row + asset] != 0
        if desk.flags & HAS_LATENCY != 0 and under_way(desk, t, k, NEXT_CLOSE if tif == AT_CLOSE else NEXT_OPEN):
            present = False
        if is_dated(tif):
            now = moment(desk, t, tif)
            session = tif == DAY or tif == UNTIL_SESSION
            if now == desk.order_until[k] and (not session or is_closing(desk, t)):
                finish(desk, t, k, EXPIRED, TIME, desk.order_lots[k])
                continue
        elif present and desk.order_kind[k] == LIMIT and had_its_attempt(desk, t, tif, asset):
            finish(desk, t, k, EXPIRED, UNMET, desk.order_lots[k])
            continue
        if desk.flags & HAS_DAY_ENDS != 0 and end_with_day(desk, t, k, ONE):
            continue
        if present and desk.order_rest[k] != t + 1:
            desk.order_flags[k] |= RESTED
            if trails(desk, k):
                follow(desk, k, desk.high[row + asset], desk.low[row + asset])
    if desk.cursor[UNWANTED] & NO_BATCHES == 0:
        orphans(desk, t)
    desk.cursor[UNWANTED] = 0
    if desk.count[DEAD] > 0:
        sweep(desk)
    for asset in range(assets):
        if desk.close[row + asset] != 0:
            desk.seen[asset] = desk.clock_session[t - desk.cursor[ROW]] + 1


@kernel
def had_its_attempt(desk: Desk, t: int, tif: int, asset: int) -> bool:
    """Whether this bar of its asset was the one at which a limit order could be filled."""
    if tif == AT_OPEN:
        return is_opening(desk, t, asset)
    if tif == AT_CLOSE:
        return is_closing(desk, t)
    return tif == IOC or tif == FOK
