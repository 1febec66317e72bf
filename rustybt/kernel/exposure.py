"""Section 12 of the rule book: dates, price collar, duplicates, exposure and leverage."""

from __future__ import annotations

from rustybt.model import Control, Detail, OrderFlag

from .arithmetic import fits, ratio, worth_at
from .compile import apart, aside
from .journal import fail
from .limits import CEIL, DOWN, FAR, HALF_EVEN, ONE, RATE, ZERO, whole
from .rates import home, local
from .state import EQUITY, GROSS, ORDERS, OVERFLOW, ROW, SESSIONS, WISH, WISH_LIMIT, WISH_STOP, Desk

ASSET_DATES, PRICE_COLLAR, DUPLICATE = whole(Control.ASSET_DATES), whole(Control.PRICE_COLLAR), whole(Control.DUPLICATE)
GROSS_EXPOSURE, PRICE_MOVE = whole(Control.GROSS_EXPOSURE), whole(Control.PRICE_MOVE)
DORMANT = whole(OrderFlag.DORMANT)
OF_COLLAR, OF_DUPLICATE, OF_GROSS, OF_NET, OF_HIGHEST, OF_LOWEST, OF_DEADLINE, OF_MOVE = range(6, 14)
"""Places in ``control_limits``."""
DETAILS = tuple(int(Detail[control.name]) for control in Control)
"""The detail in the log of each control."""


@aside
def code_of(control: int) -> int:
    """The detail in the log of a control."""
    apart()
    return DETAILS[control]


@aside
def day_of(desk: Desk, t: int) -> int:
    """The session of a bar."""
    apart()
    return desk.control_days[t - desk.cursor[ROW]] if desk.has_days != 0 else t


@aside
def lots_worth(desk: Desk, asset: int, money: int) -> int:
    """How many lots so much money buys at the last price."""
    apart()
    unit, money = ratio(desk.last[asset], desk.up[asset], ONE, DOWN), local(desk, asset, money)
    if not (fits(unit) and fits(money)):
        fail(desk, OVERFLOW, asset)
        return ZERO
    lots = ratio(money, desk.down[asset], unit, DOWN)
    return lots if fits(lots) else FAR


@aside
def room_beyond(desk: Desk, t: int, slot: int, control: int, part: int, extra: int) -> int:
    """The most lots by which an order may open or increase under a control of this module."""
    apart()
    asset = slot % desk.assets
    if control == ASSET_DATES:
        day = day_of(desk, t)
        return FAR if desk.date_first[asset] <= day and day <= desk.date_last[asset] else ZERO
    if control == PRICE_COLLAR:
        return FAR if near(desk, asset, desk.watch[WISH_LIMIT]) and near(desk, asset, desk.watch[WISH_STOP]) else ZERO
    if control == DUPLICATE:
        return ZERO if repeats(desk, t, slot) else FAR
    if control == PRICE_MOVE:
        return FAR if abs(desk.moved[asset]) <= desk.control_limits[OF_MOVE] else ZERO
    return room_of_exposure(desk, slot, control, part, extra)


@aside
def near(desk: Desk, asset: int, price: int) -> bool:
    """Whether a price lies within the collar about the last price; 0 is none."""
    apart()
    width, last = desk.control_limits[OF_COLLAR], desk.last[asset]
    return price == 0 or (ratio(last, RATE - width, RATE, CEIL) <= price and price <= ratio(last, RATE + width, RATE, DOWN))


@aside
def repeats(desk: Desk, t: int, slot: int) -> bool:
    """Whether the order that is being checked is the last one of its slot once more, within so many bars."""
    apart()
    watch = desk.watch
    recent = desk.asked_bar[slot] != 0 and t - (desk.asked_bar[slot] - 1) <= desk.control_limits[OF_DUPLICATE]
    same = desk.asked_lots[slot] == watch[WISH] and desk.asked_limit[slot] == watch[WISH_LIMIT]
    return recent and same and desk.asked_stop[slot] == watch[WISH_STOP]


@aside
def remember(desk: Desk, t: int, slot: int) -> None:
    """Note an order that passed the controls."""
    apart()
    desk.asked_bar[slot] = t + 1
    desk.asked_lots[slot] = desk.watch[WISH]
    desk.asked_limit[slot] = desk.watch[WISH_LIMIT]
    desk.asked_stop[slot] = desk.watch[WISH_STOP]


@aside
def plan(desk: Desk, slot: int, part: int) -> None:
    """The lots of all slots with those of the working orders of other slots, and with the reducing part of the order that is checked."""
    apart()
    for other in range(desk.slots):
        desk.planned[other] = desk.lots[other]
    desk.planned[slot] += part
    for k in range(desk.count[ORDERS]):
        other = desk.order_slot[k]
        if desk.order_number[k] != 0 and other != slot and desk.order_flags[k] & DORMANT == 0:
            desk.planned[other] += desk.order_lots[k]
            if not fits(desk.planned[other]):
                fail(desk, OVERFLOW, other)
                return


@aside
def room_of_exposure(desk: Desk, slot: int, control: int, part: int, extra: int) -> int:
    """How many lots the gross or net exposure leaves, with equity of step 5."""
    apart()
    plan(desk, slot, part)
    gross, total, assets = control == GROSS_EXPOSURE, ZERO, desk.assets
    for other in range(desk.slots):
        asset = other % assets
        worth = home(desk, other, worth_at(desk, asset, desk.planned[other], desk.last[asset]), HALF_EVEN)
        total += abs(worth) if gross else worth
        if not (fits(worth) and fits(total)):
            fail(desk, OVERFLOW, other)
            return ZERO
    money = ratio(max(ZERO, desk.money[EQUITY]), desk.control_limits[OF_GROSS if gross else OF_NET], RATE, DOWN)
    if not fits(money):
        fail(desk, OVERFLOW, slot)
        return ZERO
    return lots_worth(desk, slot % assets, max(ZERO, money + total if not gross and extra < 0 else money - total))


@aside
def too_high(desk: Desk) -> bool:
    """Whether gross exposure is more than the largest multiple of equity."""
    apart()
    bound = ratio(max(ZERO, desk.money[EQUITY]), desk.control_limits[OF_HIGHEST], RATE, DOWN)
    return fits(bound) and desk.money[GROSS] > bound


@aside
def too_low(desk: Desk) -> bool:
    """Whether gross exposure is less than the smallest multiple of equity, after the sessions of grace."""
    apart()
    bound = ratio(max(ZERO, desk.money[EQUITY]), desk.control_limits[OF_LOWEST], RATE, CEIL)
    return desk.guard[SESSIONS] > desk.control_limits[OF_DEADLINE] and (not fits(bound) or desk.money[GROSS] < bound)
