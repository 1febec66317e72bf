"""Spans in which nothing can happen: no event, no order, no offer, no exit touched. There a bar is only a mark.

This changes how long a run takes and nothing else: every number is the one that `step` would have given.
"""

from __future__ import annotations

from rustybt.model import FillAt

from .arithmetic import fits, mul_div, value
from .compile import kernel
from .exits import touched
from .journal import asset_of, fail
from .limits import DOWN, LIMIT
from .state import CASH, EQUITY, EVENT, GROSS, HAS_GUARDS, HAS_LEVELS, MAX_BARS, ORDERS, OVERFLOW, ROW, Desk
from .valuation import raise_peak

NEXT_CLOSE = int(FillAt.NEXT_CLOSE)
BLOCK = 512
"""Bars that are checked and then marked together: their prices stay in the first-level cache."""


@kernel
def quiet(desk: Desk, t: int) -> bool:
    """Whether nothing is due at a bar but what its prices might touch."""
    if desk.state.count[ORDERS] != 0:
        return False
    row = t - desk.pad.cursor[ROW]
    if desk.offers.start[row] != desk.offers.start[row + 1]:
        return False
    events, cursor = desk.rules.events, desk.pad.cursor
    return cursor[EVENT] >= events.shape[0] or events[cursor[EVENT], 0] > t


@kernel
def horizon(desk: Desk, t: int, stop: int) -> int:
    """The first bar from ``t`` at which an offer or an event is due."""
    offers, events, cursor = desk.offers.start, desk.rules.events, desk.pad.cursor
    first = cursor[ROW]
    if cursor[EVENT] < events.shape[0]:
        stop = min(stop, events[cursor[EVENT], 0])
    row, end, none = t - first, stop - first, offers[t - first]
    while row < end and offers[row + 1] == none:
        row += 1
    return row + first


@kernel
def holdings(desk: Desk, stop: int, t: int) -> tuple[int, int]:
    """Write the slots with a position into ``pad.slots``; how many, and the bar before which no time limit is reached."""
    state, pad, slots = desk.state, desk.pad, desk.rules.slots
    count, guarded = 0, desk.rules.flags & HAS_GUARDS != 0
    for slot in range(state.lots.size):
        if state.lots[slot] != 0:
            pad.slots[count] = slot
            count += 1
            if guarded and slots[MAX_BARS, slot] != 0:
                stop = min(stop, t + max(0, slots[MAX_BARS, slot] - 1 - state.held[slot]))
        if guarded and state.cool[slot] != 0:
            stop = t
    return count, stop


@kernel
def coast(desk: Desk, t: int, stop: int) -> int:
    """Mark the quiet bars from ``t``; gives the first bar that needs a step."""
    end = horizon(desk, t, stop)
    count, end = holdings(desk, end, t)
    if count == 0:
        t = idle(desk, t, end)
    elif desk.state.lots.size == 1 and desk.rules.flags & HAS_GUARDS == 0:
        t = glide(desk, t, end)
    reached = walk(desk, t, end, count)
    remember(desk, t, reached)
    return reached


@kernel
def idle(desk: Desk, t: int, end: int) -> int:
    """Bars without a position."""
    curves, first, cash = desk.curves, desk.pad.cursor[ROW], desk.state.money[CASH]
    for row in range(t - first, end - first):
        curves.equity[row] = cash
        curves.cash[row] = cash
        curves.gross[row] = 0
    if end > t:
        remember(desk, t, end)
    return end


@kernel
def glide(desk: Desk, t: int, end: int) -> int:
    """Bars of one asset, in blocks that the processor can work on several bars at a time; ends before a block with a missing bar."""
    curves, closes, rules, first, cash = desk.curves, desk.bars.close, desk.rules, desk.pad.cursor[ROW], desk.state.money[CASH]
    lots = desk.state.lots[0]
    each = mul_div(lots, rules.up[0], 1, DOWN)
    if rules.down[0] != 1 or not fits(each):
        return t
    while t < end:
        head, tail = t - first, min(t + BLOCK, end) - first
        lowest, highest = closes[head], closes[head]
        for row in range(head, tail):
            lowest = min(lowest, closes[row])
            highest = max(highest, closes[row])
        worth = mul_div(highest, each, 1, DOWN)
        if lowest == 0 or not (fits(worth) and fits(cash + worth) and fits(mul_div(highest, rules.up[0], 1, DOWN))):
            break
        for row in range(head, tail):
            curves.equity[row] = cash + closes[row] * each
            curves.gross[row] = abs(closes[row] * each)
            curves.cash[row] = cash
        t = tail + first
        desk.state.last[0] = closes[tail - 1]
        desk.state.money[EQUITY] = curves.equity[tail - 1]
        desk.state.money[GROSS] = curves.gross[tail - 1]
    return t


@kernel
def walk(desk: Desk, t: int, end: int, count: int) -> int:
    """Bars with any positions and exits, one after the other; ends before the first bar that touches a level."""
    state, pad, rules, curves = desk.state, desk.pad, desk.rules, desk.curves
    assets, first, cash = rules.up.size, desk.pad.cursor[ROW], desk.state.money[CASH]
    guarded, levels = rules.flags & HAS_GUARDS != 0, rules.flags & HAS_LEVELS != 0
    while t < end:
        row = (t - first) * assets
        if levels:
            for i in range(count):
                if touched(desk, pad.slots[i], row + asset_of(pad.slots[i], assets)):
                    return t
        equity, gross = cash, 0
        for i in range(count):
            slot = pad.slots[i]
            asset = asset_of(slot, assets)
            price = desk.bars.close[row + asset]
            if price != 0:
                state.last[asset] = price
                if guarded:
                    if rules.fill_at != NEXT_CLOSE or state.held[slot] != 0:
                        raise_peak(desk, slot, row + asset)
                    state.held[slot] += 1
            worth = value(state.lots[slot], state.last[asset], rules.up[asset], rules.down[asset])
            equity += worth
            gross += abs(worth)
            if not (fits(worth) and fits(equity) and gross < LIMIT):
                fail(desk, OVERFLOW, slot)
                return t
        curves.equity[t - first] = equity
        curves.cash[t - first] = cash
        curves.gross[t - first] = gross
        state.money[EQUITY] = equity
        state.money[GROSS] = gross
        t += 1
    return t


@kernel
def remember(desk: Desk, t: int, reached: int) -> None:
    """Last prices of all assets after the bars from ``t`` to ``reached``."""
    last, closes, assets, first = desk.state.last, desk.bars.close, desk.rules.up.size, desk.pad.cursor[ROW]
    for asset in range(assets):
        for row in range(reached - 1 - first, t - 1 - first, -1):
            price = closes[row * assets + asset]
            if price != 0:
                last[asset] = price
                break
