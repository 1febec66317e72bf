"""Section 14 of the rule book: at which price an order meets a phase of the bar, if it does."""

from __future__ import annotations

from rustybt.model import Detail, FillAt, Intrabar, OrderFlag, OrderKind, Status, TimeInForce

from .clocks import is_closing, is_opening
from .compile import apart, aside, kernel
from .fills import slipped
from .flags import HAS_FINER
from .groups import is_dormant
from .journal import NONE, asset_of, finish, head, paid, tail
from .limits import ONE, ZERO, whole
from .precedence import gives_way
from .state import Desk

NEXT_OPEN, NEXT_CLOSE = whole(FillAt.NEXT_OPEN), whole(FillAt.NEXT_CLOSE)
STOPS, LIMITS, REOPEN, LATE = (whole(len(FillAt) + n) for n in range(4))
"""The phases on the path, beside those of `FillAt`; and those for orders that a fill at the open or on the path has sent."""
MARKET, LIMIT, STOP, STOP_LIMIT = (whole(OrderKind[name]) for name in ("MARKET", "LIMIT", "STOP", "STOP_LIMIT"))
MARKET_IF_TOUCHED, PESSIMISTIC = whole(OrderKind.MARKET_IF_TOUCHED), whole(Intrabar.PESSIMISTIC)
IOC, FOK, AT_OPEN, AT_CLOSE = (whole(TimeInForce[name]) for name in ("IOC", "FOK", "AT_OPEN", "AT_CLOSE"))
ONLY_POST, RESTED = whole(OrderFlag.POST_ONLY), whole(OrderFlag.RESTED)
REJECTED, TRIGGERED, POST_ONLY = whole(Status.REJECTED), whole(Status.TRIGGERED), whole(Detail.POST_ONLY)


@kernel
def out_of_reach(desk: Desk, k: int, phase: int, place: int) -> bool:
    """Whether a limit or a stop is seen at a glance not to be filled in a phase; what is not seen `met` finds out."""
    kind = desk.order_kind[k]
    if (kind != LIMIT and kind != STOP) or desk.order_tif[k] >= IOC or phase == REOPEN or phase == LATE:
        return False
    if phase == NEXT_OPEN:
        lowest, highest = desk.open[place], desk.open[place]
    elif phase == (LIMITS if kind == LIMIT else STOPS):
        lowest, highest = desk.low[place], desk.high[place]
    else:
        return True
    if (desk.order_lots[k] > 0) == (kind == LIMIT):
        return lowest > (desk.order_limit[k] if kind == LIMIT else desk.order_stop[k])
    return highest < (desk.order_limit[k] if kind == LIMIT else desk.order_stop[k])


@aside
def met(desk: Desk, t: int, k: int, phase: int, place: int) -> int:
    """The fill price of order k in a phase of a bar of its asset, after slippage; 0 where it is not filled now."""
    apart()
    kind, tif, asset = desk.order_kind[k], desk.order_tif[k], asset_of(desk.order_slot[k], desk.assets)
    desk.due_maker[k] = 0
    if is_dormant(desk, k):
        return ZERO
    if phase == REOPEN or phase == LATE:
        return after_parent(desk, t, k, phase, place)
    if desk.order_rest[k] == (-(t + 1) if phase == NEXT_OPEN else t + 1):
        return ZERO
    if kind == MARKET:
        return at_market(desk, t, k, phase, place)
    if tif == AT_OPEN or tif == AT_CLOSE:
        due = phase == NEXT_OPEN and is_opening(desk, t, asset) if tif == AT_OPEN else phase == NEXT_CLOSE and is_closing(desk, t)
        price = desk.open[place] if tif == AT_OPEN else desk.close[place]
        return price if due and within(desk, k, price) else ZERO
    if phase == NEXT_OPEN:
        return at_open(desk, t, k, place)
    if phase == STOPS:
        return on_stop(desk, t, k, place) if kind == STOP or kind == STOP_LIMIT else ZERO
    return on_limit(desk, t, k, place) if phase == LIMITS and kind != STOP and kind != STOP_LIMIT else ZERO


@kernel
def at_market(desk: Desk, t: int, k: int, phase: int, place: int) -> int:
    """A market order is filled in the phase of the run, or in the auction that it asks for."""
    tif = desk.order_tif[k]
    if tif == AT_OPEN:
        due = phase == NEXT_OPEN and is_opening(desk, t, desk.order_slot[k] % desk.assets)
    elif tif == AT_CLOSE:
        due = phase == NEXT_CLOSE and is_closing(desk, t)
    else:
        due = phase == desk.fill_at
    if not due:
        return ZERO
    price = desk.open[place] if phase == NEXT_OPEN else desk.close[place]
    lots = desk.due_part[k]
    return price if lots == 0 else slipped(desk, desk.order_slot[k], price, lots, place)


@kernel
def within(desk: Desk, k: int, price: int) -> bool:
    """Whether a limit allows a price."""
    return price <= desk.order_limit[k] if desk.order_lots[k] > 0 else price >= desk.order_limit[k]


@kernel
def rested(desk: Desk, k: int, price: int) -> int:
    """The limit of an order that waits for a price to come to it, if it does: it is the one that rested."""
    if not within(desk, k, price):
        return ZERO
    desk.due_maker[k] = 1
    return desk.order_limit[k]


@kernel
def rises(desk: Desk, k: int) -> bool:
    """Whether a trigger waits for the price to rise to it: a stop of a buy, an if-touched of a sell."""
    buy, stop = desk.order_lots[k] > 0, desk.order_kind[k] == STOP or desk.order_kind[k] == STOP_LIMIT
    return buy == stop


@kernel
def taken(desk: Desk, k: int, price: int, place: int) -> int:
    """A price after slippage, and after the limit of a stop-limit or limit if touched."""
    lots, limit = desk.due_part[k], desk.order_limit[k]
    if lots == 0:
        return price
    price = slipped(desk, desk.order_slot[k], price, lots, place)
    if limit != 0:
        price = min(price, limit) if lots > 0 else max(price, limit)
    return price


@aside
def trigger(desk: Desk, t: int, k: int, path: int) -> None:
    """Turn a stop-limit or limit if touched into a limit order; one triggered on the path rests until the next bar."""
    apart()
    n = head(desk, t, desk.order_bar[k], desk.order_slot[k], desk.order_number[k], desk.order_reason[k])
    tail(desk, n, TRIGGERED, NONE, desk.order_lots[k], ZERO)
    paid(desk, n, desk.order_limit[k], ZERO, ZERO)
    desk.order_kind[k] = LIMIT
    desk.order_stop[k] = 0
    desk.order_rest[k] = t + 1 if path != 0 else 0
    if path != 0:
        desk.order_flags[k] |= RESTED


@aside
def after_parent(desk: Desk, t: int, k: int, phase: int, place: int) -> int:
    """Orders that a fill has sent in this bar: sent at the open, they meet the open; sent on the path, only their stops meet the rest."""
    apart()
    kind = desk.order_kind[k]
    if phase == REOPEN:
        return at_open(desk, t, k, place) if desk.order_rest[k] == -(t + 1) and kind != MARKET else ZERO
    if desk.order_rest[k] != t + 1 or (kind != STOP and kind != STOP_LIMIT):
        return ZERO
    stop, since = desk.order_stop[k], desk.order_peak[k]
    if desk.high[place] < stop if rises(desk, k) else desk.low[place] > stop:
        return ZERO
    stop = max(stop, since) if rises(desk, k) else min(stop, since)
    if kind == STOP:
        return taken(desk, k, stop, place)
    trigger(desk, t, k, ONE)
    return taken(desk, k, stop, place) if within(desk, k, stop) else rested(desk, k, desk.close[place])


@kernel
def at_open(desk: Desk, t: int, k: int, place: int) -> int:
    """The open fills what lies beyond it."""
    price, kind, stop = desk.open[place], desk.order_kind[k], desk.order_stop[k]
    if kind == LIMIT:
        if not within(desk, k, price):
            return ZERO
        if desk.order_flags[k] & ONLY_POST != 0 and desk.order_flags[k] & RESTED == 0:
            finish(desk, t, k, REJECTED, POST_ONLY, desk.order_lots[k])
            return ZERO
        desk.due_maker[k] = 1 if desk.order_flags[k] & RESTED != 0 else 0
        return price
    if price < stop if rises(desk, k) else price > stop:
        return ZERO
    if kind == STOP or kind == MARKET_IF_TOUCHED:
        return taken(desk, k, price, place)
    trigger(desk, t, k, ZERO)
    return taken(desk, k, price, place) if within(desk, k, price) else ZERO


@kernel
def on_stop(desk: Desk, t: int, k: int, place: int) -> int:
    """Stops that the path reaches. The close is the one price that certainly comes after the trigger."""
    stop = desk.order_stop[k]
    if desk.high[place] < stop if rises(desk, k) else desk.low[place] > stop:
        return ZERO
    if (desk.intrabar != PESSIMISTIC or desk.flags & HAS_FINER != 0) and gives_way(desk, t, k, place):
        return ZERO
    if desk.order_kind[k] == STOP:
        return taken(desk, k, stop, place)
    trigger(desk, t, k, ONE)
    if within(desk, k, stop):
        return taken(desk, k, stop, place)
    return rested(desk, k, desk.close[place])


@kernel
def on_limit(desk: Desk, t: int, k: int, place: int) -> int:
    """Limits and touches that the path reaches. A limit beyond its trigger is reached after it."""
    kind, stop, buy = desk.order_kind[k], desk.order_stop[k], desk.order_lots[k] > 0
    best = desk.low[place] if buy else desk.high[place]
    if kind == LIMIT:
        due = desk.order_tif[k] != IOC and desk.order_tif[k] != FOK
        return rested(desk, k, best) if due else ZERO
    if desk.high[place] < stop if rises(desk, k) else desk.low[place] > stop:
        return ZERO
    if kind == MARKET_IF_TOUCHED:
        return taken(desk, k, stop, place)
    trigger(desk, t, k, ONE)
    if within(desk, k, stop):
        return taken(desk, k, stop, place)
    return rested(desk, k, best)
