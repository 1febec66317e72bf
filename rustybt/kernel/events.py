"""Section 3 of the rule book: corporate actions on positions, working orders and prices."""

from __future__ import annotations

from rustybt.model import Detail, Reason, Status

from .arithmetic import fits, ratio, value
from .compile import aside, kernel
from .fills import shut
from .journal import NONE, drop, fail, head, paid, sweep, tail
from .levels import arm
from .limits import DOWN, HALF_EVEN, LIMIT
from .state import CASH, DEAD, EVENT, HAS_LEVELS, INCOME, ORDERS, OVERFLOW, Desk

SPLIT, DIVIDEND = int(Reason.SPLIT), int(Reason.DIVIDEND)
BY_SPLIT = int(Detail.SPLIT)
APPLIED = int(Status.APPLIED)


@kernel
def accrue(desk: Desk, t: int) -> None:
    """Apply the events of a bar."""
    events, cursor = desk.rules.events, desk.pad.cursor
    if cursor[EVENT] < events.shape[0] and events[cursor[EVENT], 0] <= t:
        apply_all(desk, t)


@aside
def apply_all(desk: Desk, t: int) -> None:
    """Events up to a bar, in the order of their table."""
    events, cursor = desk.rules.events, desk.pad.cursor
    i = cursor[EVENT]
    while i < events.shape[0] and events[i, 0] <= t:
        asset = events[i, 1]
        if events[i, 0] == t and desk.state.last[asset] != 0:
            if events[i, 2] == 0:
                split(desk, t, asset, events[i, 3], events[i, 4])
            else:
                distribute(desk, t, asset, events[i, 3], events[i, 4])
        i += 1
    cursor[EVENT] = i
    if desk.state.count[DEAD] > 0:
        sweep(desk)


@aside
def split(desk: Desk, t: int, asset: int, new: int, old: int) -> None:
    """``new`` lots for ``old``, in every slot of the asset; what is left of a lot is paid in cash."""
    state = desk.state
    price = restated(state.last[asset], new, old)
    if not fits(price):
        fail(desk, OVERFLOW, asset)
        return
    state.last[asset] = price
    assets = desk.rules.up.size
    for slot in range(asset, state.lots.size, assets):
        if state.lots[slot] != 0:
            split_position(desk, t, slot, asset, new, old)
        if state.busy[slot] != 0:
            split_orders(desk, t, slot, new, old)


@aside
def split_position(desk: Desk, t: int, slot: int, asset: int, new: int, old: int) -> None:
    """Restate one position."""
    state, rules, price = desk.state, desk.rules, desk.state.last[asset]
    before = state.lots[slot]
    after = ratio(before, new, old, DOWN)
    if not fits(after):
        fail(desk, OVERFLOW, slot)
        return
    rest = remainder(before, new, old)
    cash = value(rest, price, rules.up[asset], rules.down[asset] * old)
    if not receive(desk, slot, cash):
        return
    state.lots[slot] = after
    if after == 0:
        shut(desk, slot)
    else:
        state.entry[slot] = restated(state.entry[slot], new, old)
        state.peak[slot] = restated(state.peak[slot], new, old)
        if rules.flags & HAS_LEVELS != 0:
            arm(desk, slot)
    n = head(desk, t, t, slot, 0, SPLIT)
    tail(desk, n, APPLIED, NONE, after - before, after - before)
    paid(desk, n, price, -cash, 0)


@aside
def split_orders(desk: Desk, t: int, slot: int, new: int, old: int) -> None:
    """Restate the working orders of a slot that are already in lots."""
    state = desk.state
    for k in range(state.count[ORDERS]):
        if state.order_slot[k] == slot and state.order_number[k] != 0 and state.order_lots[k] != 0:
            lots = ratio(state.order_lots[k], new, old, DOWN)
            if not fits(lots):
                fail(desk, OVERFLOW, slot)
            elif lots == 0:
                drop(desk, t, k, BY_SPLIT, state.order_lots[k])
            else:
                state.order_lots[k] = lots


@aside
def distribute(desk: Desk, t: int, asset: int, numerator: int, denominator: int) -> None:
    """Pay a dividend to every slot that holds the asset; a short pays it."""
    state = desk.state
    for slot in range(asset, state.lots.size, desk.rules.up.size):
        if state.lots[slot] != 0:
            cash = ratio(state.lots[slot], numerator, denominator, HALF_EVEN)
            if receive(desk, slot, cash):
                n = head(desk, t, t, slot, 0, DIVIDEND)
                tail(desk, n, APPLIED, NONE, 0, 0)
                paid(desk, n, 0, -cash, 0)


@kernel
def receive(desk: Desk, slot: int, cash: int) -> bool:
    """Book income. False where an amount does not fit."""
    money = desk.state.money
    if not (fits(cash) and fits(money[CASH] + cash) and fits(money[INCOME] + cash)):
        fail(desk, OVERFLOW, slot)
        return False
    money[CASH] += cash
    money[INCOME] += cash
    return True


@aside
def restated(price: int, new: int, old: int) -> int:
    """A price after a split: at least 1 tick; far beyond every limit where it does not fit."""
    moved = ratio(price, old, new, HALF_EVEN)
    if not fits(moved):
        return 2 * LIMIT
    return max(moved, 1)


@aside
def remainder(lots: int, new: int, old: int) -> int:
    """What truncation leaves of ``lots x new / old``, in parts of 1 / old lot, with the sign of the lots."""
    rest = abs(lots) % old * (new % old) % old
    return rest if lots > 0 else -rest
