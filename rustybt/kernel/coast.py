"""Spans in which nothing can happen: no event, no offer, no exit and no waiting order touched. There a bar is only a mark.

This changes how long a run takes and nothing else: every number is the one that `step` would have given.
"""

from __future__ import annotations

from rustybt.model import FillAt

from .arithmetic import fits, mul_div, worth_at
from .compile import apart, aside, kernel
from .currencies import appraise_all, to_convert
from .exits import touched
from .flags import (
    HAS_CARRY,
    HAS_CURRENCIES,
    HAS_DATED,
    HAS_FLOWS,
    HAS_GUARDS,
    HAS_INCREMENTS,
    HAS_ISOLATED,
    HAS_LEVELS,
    HAS_MARGIN,
    HAS_MOVES,
    HAS_ORDERS,
    HAS_SETTLEMENT,
    HAS_WATCH,
)
from .foresee import foresee
from .journal import asset_of, fail
from .limits import DOWN, LIMIT, ONE, ZERO, whole
from .rates import take_rates
from .state import ASKED, CASH, CHARGED, DATE, EQUITY, ERROR, EVENT, FLOWED, GROSS, INCREMENT, OFFER, ORDERS, OVERFLOW, ROW, Desk
from .valuation import backing, raise_peak
from .waiting import REACH, all_wait, untouched

NEXT_CLOSE = whole(FillAt.NEXT_CLOSE)
BLOCK = 512
"""Bars that are checked and then marked together: their prices stay in the first-level cache."""


@kernel
def quiet(desk: Desk, t: int) -> bool:
    """Whether nothing is due at a bar but what its prices might touch."""
    if desk.flags & (HAS_MARGIN | HAS_ISOLATED | HAS_SETTLEMENT | HAS_WATCH | HAS_MOVES) != 0:
        return False
    if desk.count[ORDERS] != 0 and (desk.flags & HAS_ORDERS == 0 or not all_wait(desk)):
        return False
    if desk.flags & HAS_CURRENCIES != 0 and to_convert(desk):
        return False
    cursor = desk.cursor
    if desk.flags & HAS_ORDERS != 0 and cursor[ASKED] < desk.requests and desk.request_bar[cursor[ASKED]] + cursor[ROW] <= t:
        return False
    if cursor[OFFER] < desk.offers and desk.offer_bar[cursor[OFFER]] <= t:
        return False
    if desk.flags & HAS_FLOWS != 0 and desk.count[FLOWED] < desk.flows and desk.flow_bar[desk.count[FLOWED]] <= t:
        return False
    if desk.flags & HAS_INCREMENTS != 0 and cursor[INCREMENT] < desk.increments and desk.increment_bar[cursor[INCREMENT]] <= t:
        return False
    if desk.flags & HAS_DATED != 0 and cursor[DATE] < desk.dated and desk.dated_bar[cursor[DATE]] <= t:
        return False
    if desk.flags & HAS_CARRY != 0 and desk.count[CHARGED] < desk.charges and desk.charge_bar[desk.count[CHARGED]] <= t:
        return False
    return cursor[EVENT] >= desk.events or desk.event_bar[cursor[EVENT]] > t


@kernel
def horizon(desk: Desk, t: int, stop: int) -> int:
    """The next bar at which an offer, a request, an event, a flow, a charge or a change of increments is due."""
    cursor = desk.cursor
    if cursor[EVENT] < desk.events:
        stop = min(stop, desk.event_bar[cursor[EVENT]])
    if cursor[OFFER] < desk.offers:
        stop = min(stop, desk.offer_bar[cursor[OFFER]])
    if desk.flags & HAS_FLOWS != 0 and desk.count[FLOWED] < desk.flows:
        stop = min(stop, desk.flow_bar[desk.count[FLOWED]])
    if desk.flags & HAS_INCREMENTS != 0 and cursor[INCREMENT] < desk.increments:
        stop = min(stop, desk.increment_bar[cursor[INCREMENT]])
    if desk.flags & HAS_DATED != 0 and cursor[DATE] < desk.dated:
        stop = min(stop, desk.dated_bar[cursor[DATE]])
    if desk.flags & HAS_CARRY != 0 and desk.count[CHARGED] < desk.charges:
        stop = min(stop, desk.charge_bar[desk.count[CHARGED]])
    if desk.flags & HAS_ORDERS != 0 and cursor[ASKED] < desk.requests:
        stop = min(stop, desk.request_bar[cursor[ASKED]] + cursor[ROW])
    return stop


@kernel
def holdings(desk: Desk, stop: int, t: int) -> tuple[int, int]:
    """Write the slots with a position into ``desk.held_slots``; how many, and the bar before which no time limit is reached."""
    count, guarded = 0, desk.flags & HAS_GUARDS != 0
    for slot in range(desk.slots):
        if desk.lots[slot] != 0:
            desk.held_slots[count] = slot
            desk.held_ticks[count] = tick_worth(desk, slot)
            count += 1
            if guarded and desk.max_bars[slot] != 0:
                stop = min(stop, t + max(0, desk.max_bars[slot] - 1 - desk.held[slot]))
        if guarded and desk.cool[slot] != 0:
            stop = t
    return count, stop


@kernel
def tick_worth(desk: Desk, slot: int) -> int:
    """What a tick is worth to a position, money units; 0 where its worth has to be rounded, or this does not fit."""
    asset = asset_of(slot, desk.assets)
    if desk.down[asset] != 1:
        return ZERO
    each = mul_div(desk.lots[slot], desk.up[asset], ONE, DOWN)
    return each if fits(each) else ZERO


@aside
def coast(desk: Desk, t: int, stop: int) -> int:
    """Mark the quiet bars from ``t``; gives the first bar that needs a step."""
    apart()
    waiting = desk.flags & HAS_ORDERS != 0 and desk.count[ORDERS] != 0
    end = horizon(desk, t, min(stop, t + REACH) if waiting else stop)
    foresee(desk, end)
    if waiting:
        end = untouched(desk, t, end)
        foresee(desk, end)
    count, end = holdings(desk, end, t)
    if desk.flags & HAS_CURRENCIES != 0:
        reached = drift(desk, t, end, count)
        remember(desk, t, reached)
        return reached
    if count == 0:
        t = idle(desk, t, end)
    elif desk.slots == 1 and desk.flags & HAS_GUARDS == 0:
        t = glide(desk, t, end)
    elif desk.slots == 1 and desk.trail[0] == 0 and desk.fill_at != NEXT_CLOSE:
        t = keep_watch(desk, t, end)
    if t == end:
        return t
    reached = walk(desk, t, end, count)
    if reached != end:
        foresee(desk, reached)
    remember(desk, t, reached)
    return reached


@kernel
def idle(desk: Desk, t: int, end: int) -> int:
    """Bars without a position."""
    first, cash, base = desk.cursor[ROW], desk.money[CASH], backing(desk)
    for row in range(t - first, end - first):
        desk.curve_equity[row] = base
        desk.curve_cash[row] = cash
        desk.curve_gross[row] = 0
    if end > t:
        remember(desk, t, end)
    return end


@aside
def glide(desk: Desk, t: int, end: int) -> int:
    """Bars of one asset, in blocks that the processor can work on several bars at a time; ends before a block with a missing bar."""
    apart()
    closes, first, cash, base = desk.close, desk.cursor[ROW], desk.money[CASH], backing(desk)
    lots = desk.lots[0]
    each = mul_div(lots, desk.up[0], ONE, DOWN)
    if desk.down[0] != 1 or not fits(each):
        return t
    while t < end:
        head, tail = t - first, min(t + BLOCK, end) - first
        lowest, highest = closes[head], closes[head]
        for row in range(head, tail):
            lowest = min(lowest, closes[row])
            highest = max(highest, closes[row])
        worth = mul_div(highest, each, ONE, DOWN)
        if lowest == 0 or not (fits(worth) and fits(base + worth) and fits(mul_div(highest, desk.up[0], ONE, DOWN))):
            break
        for row in range(head, tail):
            desk.curve_equity[row] = base + closes[row] * each
            desk.curve_gross[row] = abs(closes[row] * each)
            desk.curve_cash[row] = cash
        t = tail + first
        desk.last[0] = closes[tail - 1]
        desk.money[EQUITY] = desk.curve_equity[tail - 1]
        desk.money[GROSS] = desk.curve_gross[tail - 1]
    return t


@aside
def keep_watch(desk: Desk, t: int, end: int) -> int:
    """Bars of one asset with a stop or a target that stands still, up to the first that touches one or is missing."""
    apart()
    highs, lows, first, long = desk.high, desk.low, desk.cursor[ROW], desk.lots[0] > 0
    stop, take, row, last = desk.stop_at[0], desk.take_at[0], t - first, end - first
    if long:
        while row < last and highs[row] != 0 and lows[row] > stop and highs[row] < take:
            row += 1
    else:
        while row < last and highs[row] != 0 and highs[row] < stop and lows[row] > take:
            row += 1
    reached = glide(desk, t, row + first)
    peak = desk.peak[0]
    for row in range(t - first, reached - first):
        peak = max(peak, highs[row]) if long else min(peak, lows[row])
    desk.peak[0] = peak
    desk.held[0] += reached - t
    return reached


@kernel
def any_touched(desk: Desk, row: int, count: int) -> bool:
    """Whether a bar touches a level of one of the held slots."""
    for i in range(count):
        if touched(desk, desk.held_slots[i], row + asset_of(desk.held_slots[i], desk.assets)):
            return True
    return False


@kernel
def live(desk: Desk, slot: int, asset: int, place: int, guarded: bool) -> None:
    """What a bar does to a position that is only held: its last price, and the peak and age of one with exits."""
    price = desk.close[place]
    if price == 0:
        return
    desk.last[asset] = price
    if guarded:
        if desk.fill_at != NEXT_CLOSE or desk.held[slot] != 0:
            raise_peak(desk, slot, place)
        desk.held[slot] += 1


@aside
def walk(desk: Desk, t: int, end: int, count: int) -> int:
    """Bars with any positions and exits, one after the other; ends before the first bar that touches a level."""
    apart()
    assets, first, cash, base = desk.assets, desk.cursor[ROW], desk.money[CASH], backing(desk)
    guarded, levels = desk.flags & HAS_GUARDS != 0, desk.flags & HAS_LEVELS != 0
    while t < end:
        row = (t - first) * assets
        if levels and any_touched(desk, row, count):
            return t
        equity, gross = base, 0
        for i in range(count):
            slot = desk.held_slots[i]
            asset = asset_of(slot, assets)
            live(desk, slot, asset, row + asset, guarded)
            price, each = desk.last[asset], desk.held_ticks[i]
            worth = mul_div(price, each, ONE, DOWN) if each != 0 else worth_at(desk, asset, desk.lots[slot], price)
            equity += worth
            gross += abs(worth)
            if not (fits(equity) and gross < LIMIT):  # a worth that does not fit is too much for one of the two
                fail(desk, OVERFLOW, slot)
                return t
        desk.curve_equity[t - first] = equity
        desk.curve_cash[t - first] = cash
        desk.curve_gross[t - first] = gross
        desk.money[EQUITY] = equity
        desk.money[GROSS] = gross
        t += 1
    return t


@aside
def drift(desk: Desk, t: int, end: int, count: int) -> int:
    """Bars of several currencies, whose rates move while nothing else does; ends before the first bar that touches a level."""
    apart()
    assets, first = desk.assets, desk.cursor[ROW]
    guarded, levels = desk.flags & HAS_GUARDS != 0, desk.flags & HAS_LEVELS != 0
    while t < end:
        row = (t - first) * assets
        if levels and any_touched(desk, row, count):
            return t
        take_rates(desk, t)
        for i in range(count):
            slot = desk.held_slots[i]
            asset = asset_of(slot, assets)
            live(desk, slot, asset, row + asset, guarded)
        appraise_all(desk, t)
        if desk.count[ERROR] != 0:
            return t
        desk.curve_equity[t - first] = desk.money[EQUITY]
        desk.curve_cash[t - first] = desk.money[CASH]
        desk.curve_gross[t - first] = desk.money[GROSS]
        t += 1
    return t


@aside
def remember(desk: Desk, t: int, reached: int) -> None:
    """Last prices (and sessions) of all assets after the bars from ``t`` to ``reached``."""
    apart()
    last, closes, assets, first = desk.last, desk.close, desk.assets, desk.cursor[ROW]
    for asset in range(assets):
        for row in range(reached - 1 - first, t - 1 - first, -1):
            price = closes[row * assets + asset]
            if price != 0:
                last[asset] = price
                if desk.flags & HAS_ORDERS != 0:
                    desk.seen[asset] = desk.clock_session[row] + 1
                break
