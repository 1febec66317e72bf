"""Section 3 of the rule book: corporate actions in their order; splits and dividends on positions, working orders and prices."""

from __future__ import annotations

from rustybt.model import Detail, EventKind, Reason, Status

from .arithmetic import fits, ratio, value
from .claims import earn, redeem
from .compile import apart, aside, kernel
from .fills import shut
from .flags import HAS_FLOWS, HAS_INCREMENTS, HAS_LEVELS, HAS_ORDERS
from .flows import transfer
from .income import receive
from .journal import NONE, drop, event, fail, head, paid, sweep, tail
from .levels import arm
from .limits import DOWN, HALF_EVEN, LIMIT, ONE, ZERO, whole
from .state import DEAD, EVENT, ORDERS, OVERFLOW, Desk
from .succession import close_out, remainder, roll, spin_off
from .ticks import settle_prices
from .trailing import trails

SPLIT, DIVIDEND = whole(Reason.SPLIT), whole(Reason.DIVIDEND)
OF_SPLIT, OF_DIVIDEND, OF_PAYMENT = whole(EventKind.SPLIT), whole(EventKind.DIVIDEND), whole(EventKind.PAYMENT)
OF_SPINOFF, OF_ROLL = whole(EventKind.SPINOFF), whole(EventKind.ROLL)
BY_SPLIT = whole(Detail.SPLIT)
APPLIED = whole(Status.APPLIED)


@kernel
def accrue(desk: Desk, t: int) -> None:
    """Apply the events of a bar, then the flows."""
    cursor = desk.cursor
    if cursor[EVENT] < desk.events and desk.event_bar[cursor[EVENT]] <= t:
        apply_all(desk, t)
    if desk.flags & HAS_FLOWS != 0:
        transfer(desk, t)


@aside
def apply_all(desk: Desk, t: int) -> None:
    """Events up to a bar, in the order of their table."""
    apart()
    cursor = desk.cursor
    i = cursor[EVENT]
    while i < desk.events and desk.event_bar[i] <= t:
        asset = desk.event_asset[i]
        if desk.event_bar[i] == t:
            if desk.event_kind[i] == OF_PAYMENT:
                redeem(desk, t, desk.event_claim[i])
            elif desk.last[asset] != 0:
                apply_one(desk, t, i, asset)
        i += 1
    cursor[EVENT] = i
    if desk.count[DEAD] > 0:
        sweep(desk)


@aside
def apply_one(desk: Desk, t: int, i: int, asset: int) -> None:
    """The event of one row on an asset that has a price."""
    apart()
    kind, new, old = desk.event_kind[i], desk.event_new[i], desk.event_old[i]
    if kind == OF_SPLIT:
        split(desk, t, asset, new, old)
    elif kind == OF_DIVIDEND:
        distribute(desk, t, asset, new, old, desk.event_claim[i])
    elif kind == OF_SPINOFF:
        spin_off(desk, t, i, asset)
    elif kind == OF_ROLL:
        roll(desk, t, i, asset)
    else:
        close_out(desk, t, i, asset)


@aside
def split(desk: Desk, t: int, asset: int, new: int, old: int) -> None:
    """``new`` lots for ``old``, in every slot of the asset; what is left of a lot is paid in cash."""
    apart()
    price = restated(desk.last[asset], new, old)
    if not fits(price):
        fail(desk, OVERFLOW, asset)
        return
    desk.last[asset] = price
    assets = desk.assets
    for slot in range(asset, desk.slots, assets):
        if desk.lots[slot] != 0:
            split_position(desk, t, slot, asset, new, old)
        if desk.busy[slot] != 0:
            split_orders(desk, t, slot, new, old)


@aside
def split_position(desk: Desk, t: int, slot: int, asset: int, new: int, old: int) -> None:
    """Restate one position."""
    apart()
    price = desk.last[asset]
    before = desk.lots[slot]
    after = ratio(before, new, old, DOWN)
    if not fits(after):
        fail(desk, OVERFLOW, slot)
        return
    rest = remainder(before, new, old)
    cash = value(rest, price, desk.up[asset], desk.down[asset] * old)
    if not receive(desk, slot, cash):
        return
    desk.lots[slot] = after
    if after == 0:
        shut(desk, slot)
        desk.added[slot] = ZERO
    else:
        desk.entry[slot] = restated(desk.entry[slot], new, old)
        desk.peak[slot] = restated(desk.peak[slot], new, old)
        if desk.flags & HAS_LEVELS != 0:
            arm(desk, slot)
    n = head(desk, t, t, slot, ZERO, SPLIT)
    tail(desk, n, APPLIED, NONE, after - before, after - before)
    paid(desk, n, price, -cash, ZERO)


@aside
def split_orders(desk: Desk, t: int, slot: int, new: int, old: int) -> None:
    """Restate the working orders of a slot that are already in lots."""
    apart()
    for k in range(desk.count[ORDERS]):
        if desk.order_slot[k] != slot or desk.order_number[k] == 0:
            continue
        if desk.order_lots[k] == 0:
            if desk.flags & HAS_ORDERS != 0:
                split_prices(desk, k, new, old)
        else:
            lots = ratio(desk.order_lots[k], new, old, DOWN)
            if not fits(lots):
                fail(desk, OVERFLOW, slot)
            elif lots == 0:
                drop(desk, t, k, BY_SPLIT, desk.order_lots[k])
            else:
                desk.order_lots[k] = lots
                if desk.flags & HAS_ORDERS != 0:
                    split_prices(desk, k, new, old)


@aside
def split_prices(desk: Desk, k: int, new: int, old: int) -> None:
    """Restate the limit and the stop of a working order, and what is shown of it."""
    apart()
    if desk.order_display[k] != 0:
        desk.order_display[k] = max(ratio(desk.order_display[k], new, old, DOWN), ONE)
        if not fits(desk.order_display[k]):
            fail(desk, OVERFLOW, desk.order_slot[k])
    if desk.order_limit[k] != 0:
        desk.order_limit[k] = restated(desk.order_limit[k], new, old)
    if desk.order_stop[k] != 0:
        desk.order_stop[k] = restated(desk.order_stop[k], new, old)
    if trails(desk, k):
        desk.order_peak[k] = restated(desk.order_peak[k], new, old)
        if desk.order_trail[k] != 0:
            desk.order_trail[k] = restated(desk.order_trail[k], new, old)
        if desk.order_offset[k] != 0:
            desk.order_offset[k] = restated(desk.order_offset[k], new, old)
        if not (fits(desk.order_peak[k]) and fits(desk.order_trail[k]) and fits(desk.order_offset[k])):
            fail(desk, OVERFLOW, desk.order_slot[k])
    if not (fits(desk.order_limit[k]) and fits(desk.order_stop[k])):
        fail(desk, OVERFLOW, desk.order_slot[k])
    elif desk.flags & HAS_INCREMENTS != 0:
        settle_prices(desk, k)


@aside
def distribute(desk: Desk, t: int, asset: int, numerator: int, denominator: int, claim: int) -> None:
    """Pay a dividend to every slot that holds the asset, now or under the number of a claim; a short pays it."""
    apart()
    for slot in range(asset, desk.slots, desk.assets):
        if desk.lots[slot] != 0:
            cash = ratio(desk.lots[slot], numerator, denominator, HALF_EVEN)
            if claim != 0:
                earn(desk, t, slot, cash, claim)
            elif receive(desk, slot, cash):
                event(desk, t, slot, DIVIDEND, NONE, ZERO, ZERO, -cash)


@aside
def restated(price: int, new: int, old: int) -> int:
    """A price after a split: at least 1 tick; far beyond every limit where it does not fit."""
    apart()
    moved = ratio(price, old, new, HALF_EVEN)
    if not fits(moved):
        return 2 * LIMIT
    return max(moved, 1)
