"""Section 4 of the rule book: the price of a fill, its cost, and what it does to cash and position."""

from __future__ import annotations

from rustybt.model import FillAt, Status

from .arithmetic import fits, ratio, share_of, worth_at
from .compile import apart, aside, kernel
from .flags import HAS_FEES, HAS_IMPACT, HAS_INCREMENTS, HAS_LEVELS, HAS_ORDERS, HAS_PENDING, HAS_SLIPPAGE, HAS_TIERS
from .groups import consequences
from .impact import impact
from .journal import NONE, fail, head, paid, slot_of, sweep, tail
from .levels import rearm
from .limits import BAD, CEIL, HALF_EVEN, LIMIT, ONE, RATE, ZERO, whole
from .pending import set_aside
from .rates import book_of
from .state import CASH, FEES, NO_BATCHES, ORDERS, OVERFLOW, PHASE, TRADED, UNWANTED, Desk
from .tariff import count_traded, tier_of

FILLED = whole(Status.FILLED)
NEXT_CLOSE = whole(FillAt.NEXT_CLOSE)
NOWHERE = whole(-1)


@aside
def slip(desk: Desk, slot: int, price: int, lots: int, place: int) -> int:
    """A price moved against the trader, inside the bar."""
    apart()
    buy, low, high, rate = lots > 0, desk.low[place], desk.high[place], desk.slip_rate[slot]
    model = (desk.slip_buy[slot] if buy else desk.slip_sell[slot]) if desk.flags & HAS_IMPACT != 0 else 0
    if model != 0:
        moved = impact(desk, model - 1, price, abs(lots), place)
    else:
        moved = ratio(price, rate, RATE, CEIL) if rate != 0 else 0
    if moved == BAD:
        return high if buy else low
    if model == 0:
        moved += desk.slip_ticks[slot]
    away = price + moved if buy else price - moved
    if desk.flags & HAS_INCREMENTS != 0 and moved != 0:
        tick = max(1, desk.tick_now[slot % desk.assets])
        away = -(-away // tick) * tick if buy else away // tick * tick
    return min(max(away, low), high) if buy else max(min(away, high), low)


@kernel
def slipped(desk: Desk, slot: int, price: int, lots: int, place: int) -> int:
    """The price of a market order or a stop of so many lots after slippage. ``place`` is that of the bar."""
    if desk.flags & HAS_SLIPPAGE == 0:
        return price
    return slip(desk, slot, price, lots, place)


@aside
def commission(desk: Desk, slot: int, quantity: int, notional: int, resting: int) -> int:
    """The fee of so many lots, worth so much, of an order that rested at its price or did not; BAD where a part does not fit."""
    apart()
    if quantity == 0:
        return 0
    num, den, rate, maker = desk.fee_lot_num[slot], desk.fee_lot_den[slot], desk.fee_rate[slot], desk.fee_maker[slot]
    if desk.tier_count[slot] != 0:
        k = tier_of(desk, slot)
        num, den, rate, maker = desk.tiers_lot_num[k], desk.tiers_lot_den[k], desk.tiers_rate[k], desk.tiers_maker[k]
    if resting != 0 and maker >= 0:
        rate = maker
    by_lot = ratio(quantity, num, den, HALF_EVEN)
    by_rate = ratio(notional, rate, RATE, HALF_EVEN)
    if not (fits(by_lot) and fits(by_rate) and fits(desk.fee_flat[slot] + by_lot)):
        return BAD
    fee = desk.fee_flat[slot] + by_lot + by_rate
    if not fits(fee):
        return BAD
    fee = max(fee, desk.fee_min[slot])
    if desk.fee_max[slot] >= 0:
        fee = min(fee, desk.fee_max[slot])
    if desk.fee_cap[slot] >= 0:
        cap = ratio(notional, desk.fee_cap[slot], RATE, HALF_EVEN)
        if not fits(cap):
            return BAD
        fee = min(fee, cap)
    return fee


@kernel
def fee_of(desk: Desk, slot: int, quantity: int, notional: int) -> int:
    """Commission, with the short way where there is only a rate. A notional that is BAD gives BAD."""
    if not fits(notional):
        return BAD
    if desk.flags & HAS_FEES != 0:
        return commission(desk, slot, quantity, notional, ZERO)
    fee = share_of(notional, desk.fee_rate[slot], RATE)
    return fee if fee < LIMIT else BAD


@kernel
def resting_fee(desk: Desk, slot: int, quantity: int, notional: int) -> int:
    """The same for an order that rested at its price."""
    if desk.flags & HAS_FEES == 0 or not fits(notional):
        return fee_of(desk, slot, quantity, notional)
    return commission(desk, slot, quantity, notional, ONE)


@kernel
def fee_due(desk: Desk, k: int, slot: int, quantity: int, notional: int) -> int:
    """The commission of order k of the table; a requested one may have rested."""
    if desk.flags & HAS_ORDERS != 0 and desk.due_maker[k] != 0:
        return resting_fee(desk, slot, quantity, notional)
    return fee_of(desk, slot, quantity, notional)


@kernel
def settle(desk: Desk, slot: int, notional: int, fee: int) -> bool:
    """Pay for a fill. False where an amount does not fit."""
    money, base = desk.money, book_of(desk, slot)
    cash, traded, fees = money[base + CASH] - (notional + fee), money[base + TRADED] + notional, money[base + FEES] + fee
    if not (fits(notional) and fits(fee) and fits(cash) and fits(traded) and fits(fees)):
        fail(desk, OVERFLOW, slot)
        return False
    money[base + CASH] = cash
    money[base + TRADED] = traded
    money[base + FEES] = fees
    return True


@aside
def average(entry: int, price: int, lots: int, before: int) -> int:
    """The entry price after adding lots at a price."""
    apart()
    return entry + ratio(price - entry, abs(lots), abs(before) + abs(lots), HALF_EVEN)


@kernel
def move(desk: Desk, slot: int, lots: int, price: int) -> bool:
    """Change a position: open it, add to it at the average price, reduce it, turn it round. False where it does not fit."""
    before = desk.lots[slot]
    after = before + lots
    if not fits(after):
        fail(desk, OVERFLOW, slot)
        return False
    desk.lots[slot] = after
    if after == 0:
        shut(desk, slot)
    elif before == 0 or (before > 0) != (after > 0):
        desk.entry[slot] = price
        desk.peak[slot] = price
        desk.held[slot] = 0
    elif (before > 0) == (lots > 0):
        entry = average(desk.entry[slot], price, lots, before)
        desk.entry[slot] = entry
        desk.peak[slot] = max(desk.peak[slot], entry) if after > 0 else min(desk.peak[slot], entry)
    if desk.flags & HAS_LEVELS != 0:
        rearm(desk, slot, before)
    return True


@kernel
def shut(desk: Desk, slot: int) -> None:
    """Forget what belonged to a position that is gone."""
    desk.entry[slot] = 0
    desk.peak[slot] = 0
    desk.held[slot] = 0


@kernel
def trade(desk: Desk, slot: int, lots: int, price: int, notional: int, fee: int) -> bool:
    """Pay for a fill, change the position and count what was traded. False where it does not fit."""
    if not (settle(desk, slot, notional, fee) and move(desk, slot, lots, price)):
        return False
    if desk.flags & HAS_TIERS != 0:
        count_traded(desk, slot, lots, price)
    if desk.flags & HAS_PENDING != 0:
        set_aside(desk, slot, -(notional + fee))
    return True


@kernel
def record(desk: Desk, t: int, k: int, requested: int, lots: int, price: int, notional: int, fee: int, detail: int) -> None:
    """Book a fill of order k of the table and log it."""
    slot = slot_of(desk, k)
    if trade(desk, slot, lots, price, notional, fee):
        n = head(desk, t, desk.order_bar[k], slot, desk.order_number[k], desk.order_reason[k])
        tail(desk, n, FILLED, detail, requested, lots)
        paid(desk, n, price, notional, fee)
        if desk.flags & HAS_ORDERS != 0 and desk.cursor[UNWANTED] & NO_BATCHES == 0:
            consequences(desk, t, k, desk.order_number[k], lots, price)


@aside
def book(desk: Desk, t: int, slot: int, lots: int, price: int, fee: int, number: int, reason: int) -> None:
    """Book a fill of an order that is not in the table, an exit."""
    apart()
    asset = slot % desk.assets
    notional = worth_at(desk, asset, lots, price)
    if trade(desk, slot, lots, price, notional, fee):
        n = head(desk, t, t, slot, number, reason)
        tail(desk, n, FILLED, NONE, lots, lots)
        paid(desk, n, price, notional, fee)


@aside
def book_reported(desk: Desk, t: int, slot: int, lots: int, price: int, fee: int, number: int, reason: int) -> None:
    """Book a fill that a broker reports. With the number of a working order it fills that, wholly or in part."""
    apart()
    asset, requested, submitted, place = slot % desk.assets, lots, t, NOWHERE
    for k in range(desk.count[ORDERS]):
        if desk.order_number[k] == number and number != 0:
            place = k
            requested, submitted, reason = desk.order_lots[k], desk.order_bar[k], desk.order_reason[k]
            left = requested - lots
            desk.order_lots[k] = left
            if left == 0 or (left > 0) != (requested > 0):
                desk.order_number[k] = 0
                desk.busy[slot] -= 1
    notional = worth_at(desk, asset, lots, price)
    if trade(desk, slot, lots, price, notional, fee):
        n = head(desk, t, submitted, slot, number, reason)
        tail(desk, n, FILLED, NONE, requested, lots)
        paid(desk, n, price, notional, fee)
        if desk.flags & HAS_ORDERS != 0 and place >= 0:
            desk.cursor[PHASE] = NEXT_CLOSE
            consequences(desk, t, place, number, lots, price)
    sweep(desk)
