"""Section 5 of the rule book, where funds do not go round: increases are cut pro rata, to whole lots, never in favour of an order of frames."""

from __future__ import annotations

from rustybt.model import FillAt

from .arithmetic import fits, ratio, value
from .compile import aside
from .fills import fee_of
from .journal import fail
from .limits import BAD, CEIL, DOWN, RATE
from .state import ORDERS, OVERFLOW, Desk

NEXT_OPEN = int(FillAt.NEXT_OPEN)


@aside
def need(desk: Desk, k: int, quantity: int) -> int:
    """What so many lots of order k take of the headroom."""
    if quantity == 0:
        return 0
    slot, rules = desk.state.order_slot[k], desk.rules
    asset = slot % rules.up.size
    notional = value(quantity, desk.pad.price[k], rules.up[asset], rules.down[asset])
    return abs(notional) + ratio(fee_of(desk, slot, quantity, abs(notional)), rules.gross, RATE, CEIL)


@aside
def most(desk: Desk, k: int, share: int, left: int) -> int:
    """The largest number of lots up to a share that what is left pays for."""
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
    """Write the increases into ``pad.index`` by slot, then by submission; how many they are."""
    state, pad, count = desk.state, desk.pad, 0
    prices = desk.bars.open if moment == NEXT_OPEN else desk.bars.close
    for k in range(state.count[ORDERS]):
        slot = state.order_slot[k]
        if prices[row + slot % desk.rules.up.size] == 0 or state.order_number[k] == 0 or pad.part[k] == 0:
            continue
        i = count
        while i > 0 and state.order_slot[pad.index[i - 1]] > slot:
            pad.index[i] = pad.index[i - 1]
            i -= 1
        pad.index[i] = k
        count += 1
    return count


@aside
def cut(desk: Desk, row: int, moment: int, room: int, total: int) -> None:
    """Grant each increase its share of the room, then single lots while they fit."""
    pad, rules = desk.pad, desk.rules
    count, left = rank(desk, row, moment), room
    for i in range(count):
        k = pad.index[i]
        wanted = abs(pad.part[k])
        share = ratio(wanted, room, total, DOWN) if room > 0 else 0
        pad.grant[k] = most(desk, k, share, left)
        left -= need(desk, k, pad.grant[k])
    for i in range(count):
        k = pad.index[i]
        lots = pad.grant[k]
        if lots < abs(pad.part[k]):
            more = need(desk, k, lots + 1) - need(desk, k, lots)
            if more <= left:
                lots += 1
                left -= more
        pad.grant[k] = lots if pad.part[k] > 0 else -lots
        slot = desk.state.order_slot[k]
        asset = slot % rules.up.size
        pad.notional[k] = value(pad.grant[k], pad.price[k], rules.up[asset], rules.down[asset])
        pad.fee[k] = fee_of(desk, slot, lots, abs(pad.notional[k]))
        if pad.fee[k] == BAD or not fits(pad.notional[k]):
            fail(desk, OVERFLOW, slot)
