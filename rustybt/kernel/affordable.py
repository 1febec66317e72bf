"""Section 5 of the rule book, where funds do not go round: increases are cut pro rata, to whole lots, whatever the order of frames."""

from __future__ import annotations

from rustybt.model import FillAt

from .arithmetic import fits, ratio, value
from .compile import apart, aside
from .fills import fee_of
from .journal import fail
from .limits import BAD, CEIL, DOWN, RATE, whole
from .state import ORDERS, OVERFLOW, Desk

NEXT_OPEN = whole(FillAt.NEXT_OPEN)


@aside
def need(desk: Desk, k: int, quantity: int) -> int:
    """What so many lots of order k take of the headroom."""
    apart()
    if quantity == 0:
        return 0
    slot = desk.order_slot[k]
    asset = slot % desk.assets
    notional = value(quantity, desk.due_price[k], desk.up[asset], desk.down[asset])
    return abs(notional) + ratio(fee_of(desk, slot, quantity, abs(notional)), desk.gross, RATE, CEIL)


@aside
def most(desk: Desk, k: int, share: int, left: int) -> int:
    """The largest number of lots up to a share that what is left pays for."""
    apart()
    if need(desk, k, share) <= left:
        return share
    low, high = 0, share
    while high - low > 1:
        middle = (low + high) // 2
        if need(desk, k, middle) <= left:
            low = middle
        else:
            high = middle
    return low


@aside
def rank(desk: Desk, row: int, moment: int) -> int:
    """Write the increases into ``desk.queue`` by slot, then by submission; how many they are."""
    apart()
    count = 0
    prices = desk.open if moment == NEXT_OPEN else desk.close
    for k in range(desk.count[ORDERS]):
        slot = desk.order_slot[k]
        if prices[row + slot % desk.assets] == 0 or desk.order_number[k] == 0 or desk.due_part[k] == 0:
            continue
        i = count
        while i > 0 and desk.order_slot[desk.queue[i - 1]] > slot:
            desk.queue[i] = desk.queue[i - 1]
            i -= 1
        desk.queue[i] = k
        count += 1
    return count


@aside
def cut(desk: Desk, row: int, moment: int, room: int, total: int) -> None:
    """Grant each increase its share of the room, then single lots while they fit."""
    apart()
    count, left = rank(desk, row, moment), room
    for i in range(count):
        k = desk.queue[i]
        wanted = abs(desk.due_part[k])
        share = ratio(wanted, room, total, DOWN) if room > 0 else 0
        desk.due_grant[k] = most(desk, k, share, left)
        left -= need(desk, k, desk.due_grant[k])
    for i in range(count):
        k = desk.queue[i]
        lots = desk.due_grant[k]
        if lots < abs(desk.due_part[k]):
            more = need(desk, k, lots + 1) - need(desk, k, lots)
            if more <= left:
                lots += 1
                left -= more
        desk.due_grant[k] = lots if desk.due_part[k] > 0 else -lots
        slot = desk.order_slot[k]
        asset = slot % desk.assets
        desk.due_notional[k] = value(desk.due_grant[k], desk.due_price[k], desk.up[asset], desk.down[asset])
        desk.due_fee[k] = fee_of(desk, slot, lots, abs(desk.due_notional[k]))
        if desk.due_fee[k] == BAD or not fits(desk.due_notional[k]):
            fail(desk, OVERFLOW, slot)
