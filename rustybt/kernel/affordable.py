"""Section 5 of the rule book, where funds do not go round: increases are cut pro rata, to whole lots, whatever the order of frames."""

from __future__ import annotations

from .arithmetic import fits, ratio, worth_at
from .compile import apart, aside
from .fills import fee_due
from .increments import rung, rung_below, step_of
from .journal import fail
from .limits import BAD, CEIL, DOWN, RATE
from .margin import use
from .rates import home
from .state import OVERFLOW, Desk


@aside
def need(desk: Desk, k: int, quantity: int) -> int:
    """What so many lots of order k take of the headroom."""
    apart()
    if quantity == 0:
        return 0
    slot = desk.order_slot[k]
    asset = slot % desk.assets
    notional = worth_at(desk, asset, quantity, desk.due_price[k])
    worth = abs(notional)
    burden = ratio(fee_due(desk, k, slot, quantity, worth), desk.gross, RATE, CEIL)
    return home(desk, slot, use(desk, slot, quantity, worth) + burden, CEIL)


@aside
def most(desk: Desk, k: int, share: int, left: int) -> int:
    """The largest number of whole lots in force up to a share that what is left pays for."""
    apart()
    quantity, step = abs(desk.due_part[k]), step_of(desk, k)
    high = rung_below(quantity, step, share)
    if need(desk, k, rung(quantity, step, high)) <= left:
        return rung(quantity, step, high)
    low = 0
    while high - low > 1:
        middle = (low + high) // 2
        if need(desk, k, rung(quantity, step, middle)) <= left:
            low = middle
        else:
            high = middle
    return rung(quantity, step, low)


@aside
def rank(desk: Desk, increases: int) -> None:
    """Order the queue of increases by slot, then by submission, into ``ranked``."""
    apart()
    for i in range(increases):
        k, place = desk.queue[i], i
        while place > 0 and desk.order_slot[desk.ranked[place - 1]] > desk.order_slot[k]:
            desk.ranked[place] = desk.ranked[place - 1]
            place -= 1
        desk.ranked[place] = k


@aside
def cut(desk: Desk, increases: int, room: int, total: int) -> None:
    """Grant each increase its share of the room, then single lots while they fit."""
    apart()
    left = room
    rank(desk, increases)
    for i in range(increases):
        k = desk.ranked[i]
        share = ratio(abs(desk.due_part[k]), room, total, DOWN) if room > 0 else 0
        desk.due_grant[k] = most(desk, k, share, left)
        left -= need(desk, k, desk.due_grant[k])
    for i in range(increases):
        k = desk.ranked[i]
        lots, quantity, step = desk.due_grant[k], abs(desk.due_part[k]), step_of(desk, k)
        if lots < quantity:
            above = rung(quantity, step, rung_below(quantity, step, lots) + 1)
            more = need(desk, k, above) - need(desk, k, lots)
            if more <= left:
                lots = above
                left -= more
        desk.due_grant[k] = lots if desk.due_part[k] > 0 else -lots
        slot = desk.order_slot[k]
        asset = slot % desk.assets
        desk.due_notional[k] = worth_at(desk, asset, desk.due_grant[k], desk.due_price[k])
        desk.due_fee[k] = fee_due(desk, k, slot, lots, abs(desk.due_notional[k]))
        if desk.due_fee[k] == BAD or not fits(desk.due_notional[k]):
            fail(desk, OVERFLOW, slot)
