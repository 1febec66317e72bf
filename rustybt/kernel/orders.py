"""Section 5 of the rule book: working market orders meet the open or the close of a bar."""

from __future__ import annotations

from rustybt.model import Detail, FillAt, Status

from .affordable import cut
from .arithmetic import fits, mul_div, value
from .compile import apart, aside, kernel
from .fills import fee_of, record, slipped
from .journal import NONE, asset_of, fail, head, paid, sweep, tail
from .limits import CEIL, DOWN, RATE, ZERO, whole
from .sizing import size_all
from .state import CASH, ERROR, ORDERS, OVERFLOW, ROW, Desk

NEXT_OPEN = whole(FillAt.NEXT_OPEN)
REJECTED = whole(Status.REJECTED)
UNAFFORDABLE = whole(Detail.UNAFFORDABLE)


@kernel
def quote(desk: Desk, moment: int, place: int) -> int:
    """The price of a phase; 0 where the asset has no bar."""
    return desk.open[place] if moment == NEXT_OPEN else desk.close[place]


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
    """Serve the working orders whose asset has a bar: reductions in full, then increases as far as the funds go."""
    apart()
    assets = desk.assets
    row = (t - desk.cursor[ROW]) * assets
    if desk.at_fill != 0:
        size_all(desk, t, moment)
    increases = 0
    for group in range(2):
        if group == 1:
            if increases == 0 or desk.count[ERROR] != 0:
                break
            fund(desk, row, moment)
        for k in range(desk.count[ORDERS]):
            slot = desk.order_slot[k]
            asset = asset_of(slot, assets)
            price = quote(desk, moment, row + asset)
            if price == 0 or desk.order_number[k] == 0:
                continue
            if group == 0:
                part = closing(desk.lots[slot], desk.order_lots[k])
                desk.due_part[k] = desk.order_lots[k] - part
                increases += desk.due_part[k] != 0
                if part != 0:
                    price = slipped(desk, slot, price, part > 0, row + asset)
                    notional = value(part, price, desk.up[asset], desk.down[asset])
                    record(desk, t, k, part, part, price, notional, fee_of(desk, slot, abs(part), abs(notional)), NONE)
            elif desk.due_part[k] != 0:
                give(desk, t, k)
            if desk.due_part[k] == 0 or group == 1:
                done(desk, k, slot)
    sweep(desk)


@kernel
def done(desk: Desk, k: int, slot: int) -> None:
    """Order k is over."""
    desk.order_number[k] = 0
    desk.busy[slot] -= 1


@kernel
def give(desk: Desk, t: int, k: int) -> None:
    """Fill an increase as far as it was granted."""
    part, lots = desk.due_part[k], desk.due_grant[k]
    if lots != 0:
        detail = NONE if lots == part else UNAFFORDABLE
        record(desk, t, k, part, lots, desk.due_price[k], desk.due_notional[k], desk.due_fee[k], detail)
    else:
        n = head(desk, t, desk.order_bar[k], desk.order_slot[k], desk.order_number[k], desk.order_reason[k])
        tail(desk, n, REJECTED, UNAFFORDABLE, part, ZERO)
        paid(desk, n, ZERO, ZERO, ZERO)


@kernel
def fund(desk: Desk, row: int, moment: int) -> None:
    """Work out what each increase costs and whether all can be had; if not, cut them."""
    assets, gross = desk.assets, desk.gross
    room = headroom(desk, row, moment)
    total = 0
    for k in range(desk.count[ORDERS]):
        slot = desk.order_slot[k]
        asset = asset_of(slot, assets)
        price = quote(desk, moment, row + asset)
        if price == 0 or desk.order_number[k] == 0 or desk.due_part[k] == 0:
            continue
        price = slipped(desk, slot, price, desk.due_part[k] > 0, row + asset)
        notional = value(desk.due_part[k], price, desk.up[asset], desk.down[asset])
        fee = fee_of(desk, slot, abs(desk.due_part[k]), abs(notional))
        burden = fee if gross == RATE else mul_div(fee, gross, RATE, CEIL)
        need = abs(notional) + burden
        if not (fits(notional) and fits(fee) and fits(burden) and fits(need) and fits(total + need)):
            fail(desk, OVERFLOW, slot)
            return
        total += need
        desk.due_grant[k] = desk.due_part[k]
        desk.due_price[k] = price
        desk.due_notional[k] = notional
        desk.due_fee[k] = fee
    if total > room:
        cut(desk, row, moment, room, total)


@kernel
def headroom(desk: Desk, row: int, moment: int) -> int:
    """The gross limit on equity at the prices of this phase, less what is held."""
    equity, gross, assets = desk.money[CASH], 0, desk.assets
    for base in range(0, desk.slots, assets):
        for asset in range(assets):
            lots = desk.lots[base + asset]
            if lots != 0:
                price = quote(desk, moment, row + asset)
                if price == 0:
                    price = desk.last[asset]
                worth = value(lots, price, desk.up[asset], desk.down[asset])
                equity += worth
                gross += abs(worth)
                if not (fits(worth) and fits(equity) and fits(gross)):
                    fail(desk, OVERFLOW, base + asset)
                    return 0
    limit = equity if desk.gross == RATE else mul_div(equity, desk.gross, RATE, DOWN)
    if not (fits(limit) and fits(limit - gross)):
        fail(desk, OVERFLOW, ZERO)
        return 0
    return limit - gross
