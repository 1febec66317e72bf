"""Section 12 of the rule book: orders are checked when they are made, the account after every bar."""

from __future__ import annotations

from rustybt.model import NOWHERE, Detail, OrderFlag, Reason, Status
from rustybt.model.controls import Control, Response

from .arithmetic import ratio
from .compile import apart, aside
from .exposure import DUPLICATE, code_of, day_of, lots_worth, remember, room_beyond, too_high, too_low
from .journal import cancel, drop, head, paid, refuse, send, sweep, tail
from .limits import CEIL, DOWN, FAR, ONE, RATE, ZERO, whole
from .orders import closing
from .risk import room_at_risk, too_risky
from .state import (
    CAUSE,
    DAY,
    DAY_START,
    DEPOSITS,
    DUE_HALT,
    EQUITY,
    HALTED,
    IN_DRAWDOWN,
    IN_LOSS,
    KNOWN_DEPOSITS,
    LAST_EQUITY,
    ORDERS,
    ORDERS_TODAY,
    PEAK,
    SESSIONS,
    STARTED,
    TOO_HIGH,
    TOO_LOW,
    TOO_RISKY,
    WISH,
    Desk,
)

VIOLATED = whole(Status.VIOLATED)
BY_CONTROL, BY_HALT = whole(Reason.CONTROL), whole(Reason.HALT)
TARGET, CALLBACK, ORDER = whole(Reason.TARGET), whole(Reason.CALLBACK), whole(Reason.ORDER)
DORMANT = whole(OrderFlag.DORMANT)
FIRST_DETAIL = whole(Detail.HALTED)
REDUCE, REJECT, HALT = whole(Response.REDUCE), whole(Response.REJECT), whole(Response.HALT)
IS_HALTED, RESTRICTED, LONG_ONLY = whole(Control.HALTED), whole(Control.RESTRICTED), whole(Control.LONG_ONLY)
PER_DAY, QUANTITY, NOTIONAL = whole(Control.ORDERS_PER_DAY), whole(Control.ORDER_QUANTITY), whole(Control.ORDER_NOTIONAL)
POSITION, CONCENTRATION = whole(Control.POSITION), whole(Control.CONCENTRATION)
DRAWDOWN, DAILY_LOSS = whole(Control.DRAWDOWN), whole(Control.DAILY_LOSS)
MAX_LEVERAGE, MIN_LEVERAGE = whole(Control.MAX_LEVERAGE), whole(Control.MIN_LEVERAGE)
PRICE_MOVE, MOST_RISK = whole(Control.PRICE_MOVE), whole(Control.MAX_VALUE_AT_RISK)
CONTROLS = whole(len(Control))
OF_NOTIONAL, OF_CONCENTRATION, OF_ORDERS, OF_DRAWDOWN, OF_LOSS, OF_FLATTEN = range(6)
"""Places in ``control_limits``."""
ACCOUNT = whole(NOWHERE)
FOR_A_DAY, FOR_GOOD = whole(1), whole(2)


@aside
def violate(desk: Desk, t: int, slot: int, reason: int, control: int, requested: int) -> None:
    """The log row of a limit that was passed."""
    apart()
    n = head(desk, t, t, slot, ZERO, reason)
    tail(desk, n, VIOLATED, code_of(control), requested, ZERO)
    paid(desk, n, ZERO, ZERO, ZERO)


# --- orders


@aside
def watches_account(control: int) -> bool:
    """Whether a control looks at no order."""
    apart()
    return control == DRAWDOWN or control == DAILY_LOSS or control == MAX_LEVERAGE or control == MIN_LEVERAGE or control == MOST_RISK


@aside
def vet(desk: Desk, t: int, slot: int, change: int, reason: int) -> int:
    """What the controls leave of an order; its part that only reduces a position is never touched."""
    apart()
    guard = desk.guard
    part = closing(desk.lots[slot], change)
    if guard[HALTED] != 0 and desk.control_limits[OF_FLATTEN] != 0:
        guard[CAUSE] = FIRST_DETAIL
        return ZERO
    extra = change - part
    desk.watch[WISH] = change
    for control in range(CONTROLS):
        action = desk.control_action[control]
        if extra == 0 or action < 0 or watches_account(control):
            continue
        room = room_for(desk, t, slot, control, part, extra)
        if room >= abs(extra):
            continue
        violate(desk, t, slot, reason, control, part + extra)
        if action == REDUCE:
            extra = room if extra > 0 else -room
        elif action >= REJECT:
            extra = ZERO
        if action == HALT and control != IS_HALTED:
            halt(desk, FOR_GOOD)
        guard[CAUSE] = code_of(control)
    if extra != 0:
        guard[ORDERS_TODAY] += 1
        if desk.control_action[DUPLICATE] >= 0:
            remember(desk, t, slot)
    return part + extra


@aside
def room_for(desk: Desk, t: int, slot: int, control: int, part: int, extra: int) -> int:
    """The most lots, unsigned, by which an order may open or increase under one control."""
    apart()
    asset, limits = slot % desk.assets, desk.control_limits
    if control == IS_HALTED:
        return ZERO if desk.guard[HALTED] != 0 else FAR
    if control == RESTRICTED:
        return ZERO if is_banned(desk, asset, day_of(desk, t)) else FAR
    if control == LONG_ONLY:
        return ZERO if extra < 0 else FAR
    if control == PER_DAY:
        return FAR if desk.guard[ORDERS_TODAY] < limits[OF_ORDERS] else ZERO
    if control == QUANTITY:
        return desk.control_quantity[asset] if desk.control_quantity[asset] >= 0 else FAR
    if control == NOTIONAL:
        return lots_worth(desk, asset, limits[OF_NOTIONAL])
    if control > PRICE_MOVE:
        return room_at_risk(desk, slot, control, part, extra)
    if control > DAILY_LOSS:
        return room_beyond(desk, t, slot, control, part, extra)
    held = abs(desk.lots[slot] + part)
    if control == POSITION:
        return max(ZERO, desk.control_position[asset] - held) if desk.control_position[asset] >= 0 else FAR
    for other in range(asset, desk.slots, desk.assets):
        if other != slot:
            held += abs(desk.lots[other])
    money = ratio(max(ZERO, desk.money[EQUITY]), limits[OF_CONCENTRATION], RATE, DOWN)
    return max(ZERO, lots_worth(desk, asset, money) - held)


@aside
def is_banned(desk: Desk, asset: int, day: int) -> bool:
    """Whether an asset is on the restricted list on a day."""
    apart()
    for i in range(desk.bans):
        if desk.ban_asset[i] == asset and desk.ban_first[i] <= day and day <= desk.ban_last[i]:
            return True
    return False


@aside
def turn_down(desk: Desk, t: int, slot: int, reason: int, change: int) -> None:
    """The row of an order of which the controls left nothing."""
    apart()
    refuse(desk, t, slot, reason, desk.guard[CAUSE], change)


# --- the account


@aside
def supervise(desk: Desk, t: int) -> None:
    """Check the account after a bar, before its decisions."""
    apart()
    guard, watch, equity, day = desk.guard, desk.watch, desk.money[EQUITY], day_of(desk, t)
    if guard[STARTED] == 0:
        watch[PEAK] = desk.money[DEPOSITS]
        watch[LAST_EQUITY] = desk.money[DEPOSITS]
    flowed = desk.money[DEPOSITS] - watch[KNOWN_DEPOSITS] if guard[STARTED] != 0 else 0
    watch[PEAK] += flowed
    watch[LAST_EQUITY] += flowed
    watch[KNOWN_DEPOSITS] = desk.money[DEPOSITS]
    if guard[STARTED] == 0 or day != guard[DAY]:
        watch[DAY_START] = watch[LAST_EQUITY]
        guard[STARTED], guard[DAY], guard[ORDERS_TODAY], guard[IN_LOSS] = 1, day, 0, 0
        guard[SESSIONS] += 1
        if guard[HALTED] == FOR_A_DAY:
            guard[HALTED] = 0
    else:
        watch[DAY_START] += flowed
    watch[PEAK] = max(watch[PEAK], equity)
    watch[LAST_EQUITY] = equity
    limits = desk.control_limits
    guard[IN_DRAWDOWN] = check_loss(desk, t, DRAWDOWN, watch[PEAK], limits[OF_DRAWDOWN], guard[IN_DRAWDOWN])
    guard[IN_LOSS] = check_loss(desk, t, DAILY_LOSS, watch[DAY_START], limits[OF_LOSS], guard[IN_LOSS])
    guard[TOO_HIGH] = check_state(desk, t, MAX_LEVERAGE, too_high(desk), guard[TOO_HIGH])
    guard[TOO_LOW] = check_state(desk, t, MIN_LEVERAGE, too_low(desk), guard[TOO_LOW])
    if desk.control_action[MOST_RISK] >= 0:
        guard[TOO_RISKY] = check_state(desk, t, MOST_RISK, too_risky(desk), guard[TOO_RISKY])
    if guard[DUE_HALT] != 0:
        stand_still(desk, t)


@aside
def check_state(desk: Desk, t: int, control: int, passed: bool, before: int) -> int:
    """Whether a limit of the account is passed; when that begins, a row and what follows."""
    apart()
    action = desk.control_action[control]
    if action < 0 or not passed:
        return ZERO
    if before == 0:
        violate(desk, t, ACCOUNT, BY_CONTROL, control, ZERO)
        if action == HALT:
            halt(desk, FOR_GOOD)
    return ONE


@aside
def check_loss(desk: Desk, t: int, control: int, base: int, most: int, before: int) -> int:
    """Whether equity is below a base by more than a fraction; the first time it is, a row and what follows."""
    apart()
    action = desk.control_action[control]
    if action < 0 or desk.money[EQUITY] >= ratio(base, RATE - most, RATE, CEIL):
        return ZERO if control == DRAWDOWN else before
    if before == 0:
        violate(desk, t, ACCOUNT, BY_CONTROL, control, ZERO)
        if action == HALT:
            halt(desk, FOR_GOOD if control == DRAWDOWN else FOR_A_DAY)
    return ONE


@aside
def halt(desk: Desk, length: int) -> None:
    """No position is opened or increased from now on."""
    apart()
    if desk.guard[HALTED] == 0:
        desk.guard[DUE_HALT] = 1
    desk.guard[HALTED] = max(desk.guard[HALTED], length)


@aside
def stand_still(desk: Desk, t: int) -> None:
    """Cancel the orders that open; with ``flatten`` all orders, and order every position closed."""
    apart()
    desk.guard[DUE_HALT] = 0
    flatten = desk.control_limits[OF_FLATTEN] != 0
    for slot in range(desk.slots):
        if desk.busy[slot] != 0 and flatten:
            cancel(desk, t, slot, FIRST_DETAIL)
        elif desk.busy[slot] != 0:
            for k in range(desk.count[ORDERS]):
                reason = desk.order_reason[k]
                decided = reason == TARGET or reason == CALLBACK or (reason == ORDER and desk.order_flags[k] & DORMANT == 0)
                lots = desk.order_lots[k]
                opens = decided and closing(desk.lots[slot], lots) != lots
                if desk.order_number[k] != 0 and desk.order_slot[k] == slot and opens:
                    drop(desk, t, k, FIRST_DETAIL, lots)
    sweep(desk)
    for slot in range(desk.slots):
        if flatten and desk.lots[slot] != 0:
            send(desk, t, slot, -desk.lots[slot], ZERO, BY_HALT)
