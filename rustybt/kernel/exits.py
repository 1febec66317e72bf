"""Section 6 of the rule book: stop loss, trailing stop and take profit on the path of a bar; max bars when it is over."""

from __future__ import annotations

from rustybt.model import Detail, Reason

from .arithmetic import value
from .compile import aside, kernel
from .fills import book, fee_of, slipped
from .journal import awaits, cancel, submit, sweep
from .state import COOL_DOWN, DEAD, HAS_LEVELS, MAX_BARS, NUMBER, REENTRY, ROW, Desk

STOP_LOSS, TRAILING_STOP, TAKE_PROFIT = int(Reason.STOP_LOSS), int(Reason.TRAILING_STOP), int(Reason.TAKE_PROFIT)
EXPIRED = int(Reason.MAX_BARS)
REPLACED, EXITED = int(Detail.REPLACED), int(Detail.EXITED)
NOTHING = -1


@kernel
def protect(desk: Desk, t: int) -> None:
    """Fire the exits that the bar touches, slots in order."""
    if desk.rules.flags & HAS_LEVELS == 0:
        return
    state, assets = desk.state, desk.rules.up.size
    row = (t - desk.pad.cursor[ROW]) * assets
    for base in range(0, state.lots.size, assets):
        for asset in range(assets):
            if state.lots[base + asset] != 0 and touched(desk, base + asset, row + asset):
                leave(desk, t, base + asset, row + asset)
    if state.count[DEAD] > 0:
        sweep(desk)


@kernel
def touched(desk: Desk, slot: int, place: int) -> bool:
    """Whether the bar reaches a level of a slot's position. An asset without a bar reaches none."""
    state, low, high = desk.state, desk.bars.low[place], desk.bars.high[place]
    if high == 0:
        return False
    if state.lots[slot] > 0:
        return low <= state.stop[slot] or low <= state.trail[slot] or high >= state.take[slot]
    return high >= state.stop[slot] or high >= state.trail[slot] or low <= state.take[slot]


@aside
def exit_price(start: int, worst: int, best: int, stop: int, take: int) -> tuple[int, bool]:
    """The price of the exit of a long position, and whether it is the stop; a short is asked with all signs turned."""
    if start <= stop:
        return start, True
    if start >= take:
        return start, False
    if worst <= stop:
        return stop, True
    return take, False


@aside
def leave(desk: Desk, t: int, slot: int, place: int) -> None:
    """Close a position whose level was touched: the fill, then its cancelled orders."""
    state, bars, rules = desk.state, desk.bars, desk.rules
    lots = state.lots[slot]
    stop, trail, take = state.stop[slot], state.trail[slot], state.take[slot]
    reason = STOP_LOSS
    if lots > 0:
        if trail > stop:
            stop, reason = trail, TRAILING_STOP
        price, stopped = exit_price(bars.open[place], bars.low[place], bars.high[place], stop, take)
    else:
        if trail < stop:
            stop, reason = trail, TRAILING_STOP
        price, stopped = exit_price(-bars.open[place], -bars.high[place], -bars.low[place], -stop, -take)
        price = -price
    if stopped:
        price = slipped(desk, slot, price, lots < 0, place)
    else:
        reason = TAKE_PROFIT
    asset = slot % rules.up.size
    notional = value(-lots, price, rules.up[asset], rules.down[asset])
    state.count[NUMBER] += 1
    book(desk, t, slot, -lots, price, fee_of(desk, slot, abs(lots), abs(notional)), state.count[NUMBER], reason)
    if state.busy[slot] != 0:
        cancel(desk, t, slot, EXITED)
    after_exit(desk, slot, 1)


@aside
def after_exit(desk: Desk, slot: int, extra: int) -> None:
    """Mark a slot as exited and start its cool-down; ``extra`` is for the step 5 still to come in this bar."""
    state, slots = desk.state, desk.rules.slots
    if slots[REENTRY, slot] == 0:
        state.exited[slot] = 1
    if slots[COOL_DOWN, slot] != 0:
        state.cool[slot] = slots[COOL_DOWN, slot] + extra


@aside
def expire(desk: Desk, t: int) -> None:
    """Send out the positions that were held long enough."""
    state = desk.state
    for slot in range(state.lots.size):
        longest = desk.rules.slots[MAX_BARS, slot]
        if longest == 0 or state.lots[slot] == 0 or state.held[slot] < longest:
            continue
        if state.busy[slot] != 0:
            if awaits(desk, slot, EXPIRED):
                continue
            cancel(desk, t, slot, REPLACED)
        submit(desk, t, slot, -state.lots[slot], 0, EXPIRED)
        after_exit(desk, slot, 0)
