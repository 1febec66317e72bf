"""Section 5 of the rule book: working market orders meet the open or the close of a bar."""

from __future__ import annotations

from rustybt.model import Detail, FillAt, Status

from .affordable import cut
from .arithmetic import fits, mul_div, value
from .compile import kernel
from .fills import fee_of, record, slipped
from .journal import NONE, asset_of, fail, head, paid, sweep, tail
from .limits import CEIL, DOWN, RATE
from .sizing import size_all
from .state import CASH, ERROR, ORDERS, OVERFLOW, ROW, Desk

NEXT_OPEN = int(FillAt.NEXT_OPEN)
REJECTED = int(Status.REJECTED)
UNAFFORDABLE = int(Detail.UNAFFORDABLE)


@kernel
def quote(desk: Desk, moment: int, place: int) -> int:
    """The price of a phase; 0 where the asset has no bar."""
    return desk.bars.open[place] if moment == NEXT_OPEN else desk.bars.close[place]


@kernel
def closing(held: int, lots: int) -> int:
    """The part of an order that only reduces a position."""
    if held > 0 and lots < 0:
        return max(lots, -held)
    if held < 0 and lots > 0:
        return min(lots, -held)
    return 0


@kernel
def meet(desk: Desk, t: int, moment: int) -> None:
    """Serve the working orders whose asset has a bar: reductions in full, then increases as far as the funds go."""
    state, pad, assets = desk.state, desk.pad, desk.rules.up.size
    row = (t - pad.cursor[ROW]) * assets
    if desk.rules.at_fill != 0:
        size_all(desk, t, moment)
    increases = 0
    for group in range(2):
        if group == 1:
            if increases == 0 or state.count[ERROR] != 0:
                break
            fund(desk, row, moment)
        for k in range(state.count[ORDERS]):
            slot = state.order_slot[k]
            asset = asset_of(slot, assets)
            price = quote(desk, moment, row + asset)
            if price == 0 or state.order_number[k] == 0:
                continue
            if group == 0:
                part = closing(state.lots[slot], state.order_lots[k])
                pad.part[k] = state.order_lots[k] - part
                increases += pad.part[k] != 0
                if part != 0:
                    price = slipped(desk, slot, price, part > 0, row + asset)
                    notional = value(part, price, desk.rules.up[asset], desk.rules.down[asset])
                    record(desk, t, k, part, part, price, notional, fee_of(desk, slot, abs(part), abs(notional)), NONE)
            elif pad.part[k] != 0:
                give(desk, t, k)
            if pad.part[k] == 0 or group == 1:
                done(desk, k, slot)
    sweep(desk)


@kernel
def done(desk: Desk, k: int, slot: int) -> None:
    """Order k is over."""
    desk.state.order_number[k] = 0
    desk.state.busy[slot] -= 1


@kernel
def give(desk: Desk, t: int, k: int) -> None:
    """Fill an increase as far as it was granted."""
    state, pad = desk.state, desk.pad
    part, lots = pad.part[k], pad.grant[k]
    if lots != 0:
        detail = NONE if lots == part else UNAFFORDABLE
        record(desk, t, k, part, lots, pad.price[k], pad.notional[k], pad.fee[k], detail)
    else:
        n = head(desk, t, state.order_bar[k], state.order_slot[k], state.order_number[k], state.order_reason[k])
        tail(desk, n, REJECTED, UNAFFORDABLE, part, 0)
        paid(desk, n, 0, 0, 0)


@kernel
def fund(desk: Desk, row: int, moment: int) -> None:
    """Work out what each increase costs and whether all can be had; if not, cut them."""
    state, pad, rules = desk.state, desk.pad, desk.rules
    assets, gross = rules.up.size, rules.gross
    room = headroom(desk, row, moment)
    total = 0
    for k in range(state.count[ORDERS]):
        slot = state.order_slot[k]
        asset = asset_of(slot, assets)
        price = quote(desk, moment, row + asset)
        if price == 0 or state.order_number[k] == 0 or pad.part[k] == 0:
            continue
        price = slipped(desk, slot, price, pad.part[k] > 0, row + asset)
        notional = value(pad.part[k], price, rules.up[asset], rules.down[asset])
        fee = fee_of(desk, slot, abs(pad.part[k]), abs(notional))
        burden = fee if gross == RATE else mul_div(fee, gross, RATE, CEIL)
        need = abs(notional) + burden
        if not (fits(notional) and fits(fee) and fits(burden) and fits(need) and fits(total + need)):
            fail(desk, OVERFLOW, slot)
            return
        total += need
        pad.grant[k] = pad.part[k]
        pad.price[k] = price
        pad.notional[k] = notional
        pad.fee[k] = fee
    if total > room:
        cut(desk, row, moment, room, total)


@kernel
def headroom(desk: Desk, row: int, moment: int) -> int:
    """The gross limit on equity at the prices of this phase, less what is held."""
    state, rules = desk.state, desk.rules
    equity, gross, assets = state.money[CASH], 0, rules.up.size
    for base in range(0, state.lots.size, assets):
        for asset in range(assets):
            lots = state.lots[base + asset]
            if lots != 0:
                price = quote(desk, moment, row + asset)
                if price == 0:
                    price = state.last[asset]
                worth = value(lots, price, rules.up[asset], rules.down[asset])
                equity += worth
                gross += abs(worth)
                if not (fits(worth) and fits(equity) and fits(gross)):
                    fail(desk, OVERFLOW, base + asset)
                    return 0
    limit = equity if rules.gross == RATE else mul_div(equity, rules.gross, RATE, DOWN)
    if not (fits(limit) and fits(limit - gross)):
        fail(desk, OVERFLOW, 0)
        return 0
    return limit - gross
