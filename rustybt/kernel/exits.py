"""Section 6 of the rule book: stop loss, trailing stop and take profit on the path of a bar; max bars when it is over."""

from __future__ import annotations

from rustybt.model import Detail, Reason

from .arithmetic import fits, worth_at
from .compile import apart, aside, kernel
from .fills import book, fee_of, resting_fee, slipped
from .flags import HAS_BARS, HAS_FINER, HAS_ISOLATED, HAS_LIQUIDATION_FEES, HAS_TOP_UPS
from .income import levy, levy_of
from .inside import both_inside, exit_price, finer_exit
from .isolated import own
from .journal import NONE, awaits, cancel, place_of, send, sweep
from .levels import is_last_stand
from .limits import BAD, ONE, ZERO, whole
from .margin import leaving
from .state import DEAD, LOGGED, NUMBER, ROW, Desk
from .timing import is_barred
from .top_up import top_up

STOP_LOSS, TRAILING_STOP, TAKE_PROFIT = whole(Reason.STOP_LOSS), whole(Reason.TRAILING_STOP), whole(Reason.TAKE_PROFIT)
EXPIRED, LIQUIDATION = whole(Reason.MAX_BARS), whole(Reason.LIQUIDATION)
SHORTFALL = whole(Detail.SHORTFALL)
REPLACED, EXITED, UNRESOLVED = whole(Detail.REPLACED), whole(Detail.EXITED), whole(Detail.UNRESOLVED)


@aside
def protect(desk: Desk, t: int) -> None:
    """Fire the exits that the bar touches, slots in order."""
    apart()
    assets = desk.assets
    row = (t - desk.cursor[ROW]) * assets
    for sleeve in range(desk.sleeves):
        base = sleeve * assets
        for asset in range(assets):
            lots = desk.lots[base + asset]
            if lots == 0 or not touched(desk, base + asset, row + asset):
                continue
            if desk.flags & HAS_BARS == 0 or not is_barred(desk, row + asset, -lots):
                leave(desk, t, base + asset, row + asset)
    if desk.count[DEAD] > 0:
        sweep(desk)


@kernel
def touched(desk: Desk, slot: int, place: int) -> bool:
    """Whether the bar reaches a level of a slot's position. An asset without a bar reaches none."""
    low, high = desk.low[place], desk.high[place]
    if high == 0:
        return False
    if desk.lots[slot] > 0:
        return low <= desk.stop_at[slot] or low <= desk.trail_at[slot] or high >= desk.take_at[slot]
    return high >= desk.stop_at[slot] or high >= desk.trail_at[slot] or low <= desk.take_at[slot]


@aside
def leave(desk: Desk, t: int, slot: int, place: int) -> None:
    """Close a position whose level was touched: the fill, then its cancelled orders."""
    apart()
    price, reason, detail = exit_of(desk, slot, place)
    if desk.flags & HAS_TOP_UPS != 0 and reason == LIQUIDATION and top_up(desk, t, slot, place):
        if not touched(desk, slot, place):
            return
        price, reason, detail = exit_of(desk, slot, place)
    if reason != TAKE_PROFIT:
        price = slipped(desk, slot, price, -desk.lots[slot], place)
    quit_at(desk, t, slot, price, reason, detail)


@aside
def exit_of(desk: Desk, slot: int, place: int) -> tuple[int, int, int]:
    """The exit of a position whose level is touched: its price before slippage, why, and a detail."""
    apart()
    lots, take = desk.lots[slot], desk.take_at[slot]
    stop, reason = stop_of(desk, slot)
    detail = NONE
    if desk.flags & HAS_FINER != 0:
        price, stopped, detail = looked_up(desk, place, lots > 0, stop, take)
    elif lots > 0:
        price, stopped = exit_price(desk.open[place], desk.low[place], desk.high[place], stop, take, desk.intrabar)
    else:
        price, stopped = exit_price(-desk.open[place], -desk.high[place], -desk.low[place], -stop, -take, desk.intrabar)
        price = -price
    return price, reason if stopped else TAKE_PROFIT, detail


@aside
def stop_of(desk: Desk, slot: int) -> tuple[int, int]:
    """The level at which a position is stopped, and why."""
    apart()
    stop, trail = desk.stop_at[slot], desk.trail_at[slot]
    if trail > stop if desk.lots[slot] > 0 else trail < stop:
        return trail, TRAILING_STOP
    return stop, stop_reason(desk, slot)


@kernel
def stop_reason(desk: Desk, slot: int) -> int:
    """Why the stop of a slot fires where the trailing one does not."""
    if desk.flags & HAS_ISOLATED != 0 and is_last_stand(desk, slot):
        return LIQUIDATION
    return STOP_LOSS


@aside
def falls_short(desk: Desk, slot: int, notional: int, fee: int) -> bool:
    """Whether an isolated position that is liquidated costs more than was set aside for it."""
    apart()
    left = own(desk, slot, -notional)
    if desk.flags & HAS_LIQUIDATION_FEES != 0 and fits(left):
        taken = levy_of(desk, slot, notional)
        left = left - taken if fits(taken) else BAD
    return fits(left) and fits(fee) and left < fee


@aside
def quit_at(desk: Desk, t: int, slot: int, price: int, reason: int, detail: int) -> None:
    """Close a position at a price, cancel its orders, and note the exit."""
    apart()
    asset, lots = slot % desk.assets, desk.lots[slot]
    notional = worth_at(desk, asset, -lots, price)
    size, worth = abs(lots), abs(notional)
    fee = resting_fee(desk, slot, size, worth) if reason == TAKE_PROFIT else fee_of(desk, slot, size, worth)
    if desk.flags & HAS_ISOLATED != 0 and reason == LIQUIDATION and falls_short(desk, slot, notional, fee):
        detail = SHORTFALL
    desk.count[NUMBER] += 1
    row = desk.count[LOGGED]
    book(desk, t, slot, -lots, price, fee, desk.count[NUMBER], reason)
    if desk.count[LOGGED] > row:
        desk.tray_detail[place_of(desk, row)] = detail
    if desk.flags & HAS_LIQUIDATION_FEES != 0 and reason == LIQUIDATION:
        levy(desk, t, slot, price, notional)
    if desk.busy[slot] != 0:
        cancel(desk, t, slot, EXITED)
    after_exit(desk, slot, ONE)


@aside
def looked_up(desk: Desk, place: int, long: bool, stop: int, take: int) -> tuple[int, bool, int]:
    """Price of an exit, whether it is the stop, and a detail: the finer bars decide where both levels lie inside the bar."""
    apart()
    start, worst, best = desk.open[place], desk.low[place], desk.high[place]
    sign = ONE
    if not long:
        start, worst, best, stop, take, sign = -start, -desk.high[place], -desk.low[place], -stop, -take, -ONE
    detail = NONE
    if both_inside(start, worst, best, stop, take):
        price, verdict = finer_exit(desk, place, long, stop, take)
        if verdict != 0:
            return sign * min(max(price, worst), best), verdict == 1, detail
        detail = UNRESOLVED
    price, stopped = exit_price(start, worst, best, stop, take, desk.intrabar)
    return sign * price, stopped, detail


@aside
def protect_late(desk: Desk, t: int) -> None:
    """Fire the stops of positions that were opened on the path of this bar, slots in order."""
    apart()
    row = (t - desk.cursor[ROW]) * desk.assets
    for slot in range(desk.slots):
        lots, place = desk.lots[slot], row + slot % desk.assets
        if lots == 0 or desk.late[slot] != t + 1:
            continue
        if desk.flags & HAS_BARS != 0 and is_barred(desk, place, -lots):
            continue
        stop, reason = stop_of(desk, slot)
        if desk.flags & HAS_TOP_UPS != 0 and reason == LIQUIDATION and reached(desk, place, lots, stop) and top_up(desk, t, slot, place):
            stop, reason = stop_of(desk, slot)
        if reached(desk, place, lots, stop):
            if reason == LIQUIDATION:
                stop = min(stop, desk.entry[slot]) if lots > 0 else max(stop, desk.entry[slot])
            quit_at(desk, t, slot, slipped(desk, slot, stop, -lots, place), reason, NONE)
    if desk.count[DEAD] > 0:
        sweep(desk)


@kernel
def reached(desk: Desk, place: int, lots: int, stop: int) -> bool:
    """Whether a bar reaches the stop of so many lots."""
    return desk.low[place] <= stop if lots > 0 else desk.high[place] >= stop


@aside
def after_exit(desk: Desk, slot: int, extra: int) -> None:
    """Mark a slot as exited and start its cool-down; ``extra`` is for the step 5 still to come in this bar."""
    apart()
    if desk.reentry_schedule[slot] == 0:
        desk.exited[slot] = 1
    if desk.cool_down[slot] != 0:
        desk.cool[slot] = desk.cool_down[slot] + extra


@aside
def expire(desk: Desk, t: int) -> None:
    """Send out the positions that were held long enough."""
    apart()
    for slot in range(desk.slots):
        longest = desk.max_bars[slot]
        if longest == 0 or desk.lots[slot] == 0 or desk.held[slot] < longest:
            continue
        if desk.busy[slot] != 0:
            if awaits(desk, slot, EXPIRED) or leaving(desk, slot):
                continue
            cancel(desk, t, slot, REPLACED)
        send(desk, t, slot, -desk.lots[slot], ZERO, EXPIRED)
        after_exit(desk, slot, ZERO)
    if desk.count[DEAD] > 0:
        sweep(desk)
