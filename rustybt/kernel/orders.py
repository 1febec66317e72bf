"""Section 5 of the rule book: working market orders meet the open or the close of a bar."""

from __future__ import annotations

from rustybt.model import Detail, FillAt, OrderFlag, Status, TimeInForce

from .affordable import cut
from .arithmetic import fits, mul_div, worth_at
from .caps import capped, rest_of
from .carrying import borrowable
from .compile import apart, aside, kernel
from .currencies import AT_CLOSE, AT_OPEN, room_at
from .fills import fee_due, fee_of, record, slipped
from .flags import (
    HAS_BARS,
    HAS_CAPS,
    HAS_CARRY,
    HAS_CLAIMS,
    HAS_CURRENCIES,
    HAS_INCREMENTS,
    HAS_ISOLATED,
    HAS_LATENCY,
    HAS_LIQUIDATION_FEES,
    HAS_ORDERS,
    HAS_PENDING,
    HAS_SETTLEMENT,
    HAS_TIERS,
)
from .income import levy
from .isolated import shared
from .journal import LIQUIDATION, NONE, asset_of, fail, finish, head, paid, slot_of, sweep, tail
from .limits import CEIL, DOWN, RATE, ZERO, whole
from .margin import use
from .pending import free
from .priced import REOPEN, met, out_of_reach
from .rates import home
from .sizing import size_all
from .state import DEAD, ERROR, ORDERS, OVERFLOW, PHASE, RECEIVABLE, ROW, Desk
from .timing import held_up, turn_away
from .variation import unsettled

NEXT_OPEN = whole(FillAt.NEXT_OPEN)
NEXT_CLOSE, SAME_BAR_CLOSE = whole(FillAt.NEXT_CLOSE), whole(FillAt.SAME_BAR_CLOSE)
REJECTED, CANCELLED = whole(Status.REJECTED), whole(Status.CANCELLED)
NO_BORROW, UNSETTLED = whole(Detail.NO_BORROW), whole(Detail.UNSETTLED)
UNAFFORDABLE, REDUCE_ONLY = whole(Detail.UNAFFORDABLE), whole(Detail.REDUCE_ONLY)
FOK, ONLY_REDUCE = whole(TimeInForce.FOK), whole(OrderFlag.REDUCE_ONLY)
CUTS = HAS_CAPS | HAS_INCREMENTS
"""What may leave a part of an order unserved."""


@kernel
def quote(desk: Desk, moment: int, place: int) -> int:
    """The price of a phase, on the path the open; 0 where the asset has no bar."""
    return desk.close[place] if moment == NEXT_CLOSE or moment == SAME_BAR_CLOSE else desk.open[place]


@kernel
def closing(held: int, lots: int) -> int:
    """The part of an order that only reduces a position."""
    if held > 0 and lots < 0:
        return max(lots, -held)
    if held < 0 and lots > 0:
        return min(lots, -held)
    return 0


@aside
def meet(desk: Desk, t: int, moment: int) -> None:
    """Serve the working orders that a phase fills: reductions in full, then increases as far as the funds go."""
    apart()
    assets, orders = desk.assets, desk.count[ORDERS]
    if orders == 0:
        return
    row = (t - desk.cursor[ROW]) * assets
    if desk.flags & HAS_ORDERS != 0:
        desk.cursor[PHASE] = moment
    if desk.at_fill != 0 and moment == desk.fill_at:
        size_all(desk, t, moment)
    if desk.flags & HAS_BARS != 0 and (moment == desk.fill_at or moment == NEXT_OPEN):
        turn_away(desk, t, row, moment)
    served, increases, total = ZERO, ZERO, ZERO
    for k in range(orders):
        if desk.flags & HAS_ORDERS != 0 and desk.order_number[k] == 0:
            continue
        slot, lots = slot_of(desk, k), desk.order_lots[k]
        asset = asset_of(slot, assets)
        price = quote(desk, moment, row + asset)
        if desk.flags & HAS_ORDERS != 0 and desk.flags & CUTS == 0 and out_of_reach(desk, k, moment, row + asset):
            continue
        if price == 0 or (desk.flags & (HAS_LATENCY | HAS_BARS) != 0 and held_up(desk, t, k, row + asset, moment)):
            continue
        if desk.flags & CUTS != 0:
            lots = capped(desk, k, slot, lots, row + asset, price)
        if desk.flags & HAS_ORDERS != 0:
            desk.due_part[k] = lots
            price = met(desk, t, k, moment, row + asset)
            if price == 0:
                continue
        if desk.flags & CUTS != 0 and none_served(desk, k, lots) and rest_of(desk, t, k, slot):
            continue
        served += 1
        part = closing(desk.lots[slot], lots)
        if desk.flags & HAS_ORDERS != 0:
            if desk.order_flags[k] & ONLY_REDUCE != 0 and part != lots:
                reduce(desk, t, k, part, price, CANCELLED, REDUCE_ONLY)
                continue
        elif lots != 0:
            price = slipped(desk, slot, price, lots, row + asset)
        if desk.flags & HAS_CARRY != 0 and lots < part and not borrowable(desk, t, asset):
            reduce(desk, t, k, part, price, REJECTED, NO_BORROW)
            continue
        if part != 0:
            notional = worth_at(desk, asset, part, price)
            record(desk, t, k, part, part, price, notional, fee_due(desk, k, slot, abs(part), abs(notional)), NONE)
            if desk.flags & HAS_LIQUIDATION_FEES != 0 and desk.order_reason[k] == LIQUIDATION:
                levy(desk, t, slot, price, notional)
        if part == lots:
            done(desk, t, k, slot)
        elif desk.flags & HAS_ORDERS == 0 and orders == 1 and alone(desk, t, row, moment, lots - part, price):
            done(desk, t, k, slot)
        else:
            desk.queue[increases] = k
            increases += 1
            if desk.flags & HAS_TIERS == 0:
                total += claim(desk, k, slot, lots - part, price, total)
            else:
                desk.due_part[k] = lots - part
                desk.due_price[k] = price
    if increases != 0 and desk.count[ERROR] == 0:
        grant(desk, t, row, moment, increases, total)
    if served == orders and desk.flags & CUTS == 0:
        desk.count[ORDERS] = 0
        desk.count[DEAD] = 0
    elif desk.flags & HAS_ORDERS != 0:
        desk.count[DEAD] += served  # they are swept once, when the bar is over
    elif served != 0 or desk.count[DEAD] != 0:
        sweep(desk)


@aside
def none_served(desk: Desk, k: int, lots: int) -> bool:
    """Whether the volume allows nothing of an order, or not all of one that wants all or nothing."""
    apart()
    if desk.due_left[k] != 0 and desk.flags & HAS_ORDERS != 0 and desk.order_tif[k] == FOK:
        desk.due_left[k] = desk.order_lots[k]
        return True
    return lots == 0


@aside
def reduce(desk: Desk, t: int, k: int, part: int, price: int, status: int, detail: int) -> None:
    """Serve an order that may only reduce and is for more lots than there are to close."""
    apart()
    slot, lots = desk.order_slot[k], desk.order_lots[k]
    desk.due_left[k] = 0
    if part == 0:
        finish(desk, t, k, status, detail, lots)
        return
    asset = slot % desk.assets
    notional = worth_at(desk, asset, part, price)
    record(desk, t, k, lots, part, price, notional, fee_due(desk, k, slot, abs(part), abs(notional)), detail)
    done(desk, t, k, slot)


@kernel
def alone(desk: Desk, t: int, row: int, moment: int, lots: int, price: int) -> bool:
    """Fill the increase of the only order at once where there is room for it; False leaves it to the queue."""
    slot = slot_of(desk, ZERO)
    asset = asset_of(slot, desk.assets)
    notional = worth_at(desk, asset, lots, price)
    fee = fee_of(desk, slot, abs(lots), abs(notional))
    need = use(desk, slot, abs(lots), abs(notional)) + fee
    if (
        desk.gross != RATE
        or desk.flags & HAS_CURRENCIES != 0
        or not (fits(notional) and fits(fee) and fits(need))
        or need > headroom(desk, row, moment)
    ):
        return False
    if desk.flags & HAS_PENDING != 0 and need > free(desk):
        return False
    record(desk, t, ZERO, lots, lots, price, notional, fee, NONE)
    return True


@kernel
def done(desk: Desk, t: int, k: int, slot: int) -> None:
    """Order k is over, unless sizing it has already ended it or some of it stays working."""
    if desk.flags & CUTS != 0 and rest_of(desk, t, k, slot):
        return
    if desk.order_number[k] != 0:
        desk.order_number[k] = 0
        desk.busy[slot] -= 1


@kernel
def claim(desk: Desk, k: int, slot: int, lots: int, price: int, total: int) -> int:
    """Note an increase and what it needs; gives that, on top of a total of needs."""
    asset, gross = asset_of(slot, desk.assets), desk.gross
    notional = worth_at(desk, asset, lots, price)
    fee = fee_due(desk, k, slot, abs(lots), abs(notional))
    burden = fee if gross == RATE else mul_div(fee, gross, RATE, CEIL)
    need = home(desk, slot, use(desk, slot, abs(lots), abs(notional)) + burden, CEIL)
    if not (fits(notional) and fits(fee) and fits(burden) and fits(need) and fits(total + need)):
        fail(desk, OVERFLOW, slot)
        return ZERO
    desk.due_part[k] = lots
    desk.due_grant[k] = lots
    desk.due_price[k] = price
    desk.due_notional[k] = notional
    desk.due_fee[k] = fee
    return need


@kernel
def grant(desk: Desk, t: int, row: int, moment: int, increases: int, total: int) -> None:
    """Fill the increases of the queue, cut where their needs are more than there is."""
    if desk.flags & HAS_TIERS != 0:
        total = claim_all(desk, increases)
    room, short_of = headroom(desk, row, moment), UNAFFORDABLE
    if desk.flags & HAS_PENDING != 0 and free(desk) < room:
        room, short_of = free(desk), UNSETTLED
    if total > room:
        cut(desk, increases, room, total)
    for i in range(increases):
        k = desk.queue[i]
        if desk.flags & HAS_ORDERS != 0 and desk.order_number[k] == 0:
            continue
        slot, part, lots = slot_of(desk, k), desk.due_part[k], desk.due_grant[k]
        if desk.flags & HAS_ORDERS != 0 and desk.order_tif[k] == FOK and lots != part:
            lots = ZERO
        if lots != 0:
            record(desk, t, k, part, lots, desk.due_price[k], desk.due_notional[k], desk.due_fee[k], NONE if lots == part else short_of)
            if desk.flags & HAS_ORDERS != 0 and moment != NEXT_OPEN and moment != REOPEN and opened(desk.lots[slot], lots):
                desk.late[slot] = t + 1
        else:
            n = head(desk, t, desk.order_bar[k], slot, desk.order_number[k], desk.order_reason[k])
            tail(desk, n, REJECTED, short_of, part, ZERO)
            paid(desk, n, ZERO, ZERO, ZERO)
        done(desk, t, k, slot)


@aside
def claim_all(desk: Desk, increases: int) -> int:
    """The needs of the queue by the commissions in force after the reductions; gives their sum."""
    apart()
    total = ZERO
    for i in range(increases):
        k = desk.queue[i]
        total += claim(desk, k, slot_of(desk, k), desk.due_part[k], desk.due_price[k], total)
    return total


@kernel
def opened(held: int, lots: int) -> bool:
    """Whether the last fill, of so many lots, opened the position that is held, or turned it round."""
    before = held - lots
    return held != 0 and (before == 0 or (before > 0) != (held > 0))


@kernel
def headroom(desk: Desk, row: int, moment: int) -> int:
    """The gross limit on equity at the prices of this phase, less what is held; with margin the initial margin of that."""
    if desk.flags & HAS_CURRENCIES != 0:
        return room_at(desk, row, AT_CLOSE if moment == NEXT_CLOSE or moment == SAME_BAR_CLOSE else AT_OPEN, ZERO)
    equity, gross, assets = unsettled(desk), 0, desk.assets
    if desk.flags & (HAS_CLAIMS | HAS_SETTLEMENT) != 0:
        equity += min(0, desk.money[RECEIVABLE])
        if not fits(equity):
            fail(desk, OVERFLOW, ZERO)
    for sleeve in range(desk.sleeves):
        base = sleeve * assets
        for asset in range(assets):
            lots = desk.lots[base + asset]
            if lots != 0:
                price = quote(desk, moment, row + asset)
                if price == 0:
                    price = desk.last[asset]
                worth = worth_at(desk, asset, lots, price)
                if desk.flags & HAS_ISOLATED != 0 and desk.isolated[base + asset] != 0:
                    worth = shared(desk, base + asset, worth)
                else:
                    gross += use(desk, base + asset, abs(lots), abs(worth))
                equity += worth
                if not (fits(worth) and fits(equity) and fits(gross)):
                    fail(desk, OVERFLOW, base + asset)
                    return 0
    limit = equity if desk.gross == RATE else mul_div(equity, desk.gross, RATE, DOWN)
    if not (fits(limit) and fits(limit - gross)):
        fail(desk, OVERFLOW, ZERO)
        return 0
    return limit - gross
