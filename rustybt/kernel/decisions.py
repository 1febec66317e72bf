"""Section 7 of the rule book: offered targets become working orders."""

from __future__ import annotations

from rustybt.model import Detail, Reason, TargetKind

from .arithmetic import fits, mul_div
from .compile import aside, kernel
from .exits import expire
from .journal import asset_of, awaits, cancel, fail, refuse, submit, sweep
from .limits import DOWN
from .sizing import wanted
from .state import DEAD, EQUITY, HAS_MAX_BARS, KIND, OVERFLOW, ROW, SCHEDULED, Desk

QUANTITY = int(TargetKind.QUANTITY)
TARGET, EXPIRED = int(Reason.TARGET), int(Reason.MAX_BARS)
REPLACED, COOLING, NO_PRICE = int(Detail.REPLACED), int(Detail.COOL_DOWN), int(Detail.NO_PRICE)


@kernel
def decide(desk: Desk, t: int) -> None:
    """Max bars first, then the targets offered at this bar, in slot order."""
    state, offers, slots = desk.state, desk.offers, desk.rules.slots
    if desk.rules.flags & HAS_MAX_BARS != 0:
        expire(desk, t)
    row = t - desk.pad.cursor[ROW]
    for i in range(offers.start[row], offers.start[row + 1]):
        slot, target = offers.slot[i], offers.value[i]
        same = target == state.target[slot]
        if same and slots[SCHEDULED, slot] == 0:
            continue
        state.target[slot] = target
        asset = asset_of(slot, desk.rules.up.size)
        if state.last[asset] == 0:
            if target != 0:
                refuse(desk, t, slot, TARGET, NO_PRICE, 0)
            continue
        if same and rests(desk, slot):
            continue
        state.exited[slot] = 0
        choose(desk, t, slot, asset, target)
    if state.count[DEAD] > 0:
        sweep(desk)


@kernel
def rests(desk: Desk, slot: int) -> bool:
    """Whether an unchanged target does not trade: after an exit, and while one by max bars is on its way."""
    if desk.state.exited[slot] != 0:
        return True
    return desk.rules.flags & HAS_MAX_BARS != 0 and desk.state.busy[slot] != 0 and awaits(desk, slot, EXPIRED)


@kernel
def choose(desk: Desk, t: int, slot: int, asset: int, target: int) -> None:
    """Turn one decision into an order, or into the row that says why not."""
    state, rules = desk.state, desk.rules
    kind, cooling = rules.slots[KIND, slot], state.cool[slot] > 0
    if rules.at_fill != 0 and kind != QUANTITY and target != 0 and not cooling:
        if state.busy[slot] != 0:
            cancel(desk, t, slot, REPLACED)
        submit(desk, t, slot, 0, target, TARGET)
        return
    lots = target
    if kind != QUANTITY and target != 0:
        unit = mul_div(state.last[asset], rules.up[asset], 1, DOWN)
        lots = wanted(kind, target, state.money[EQUITY], unit, rules.down[asset])
    change = lots - state.lots[slot]
    if not (fits(lots) and fits(change)):
        fail(desk, OVERFLOW, slot)
        return
    if cooling:
        allowed = cooled(state.lots[slot], change)
        if allowed == 0 and change != 0:
            refuse(desk, t, slot, TARGET, COOLING, change)
            return
        change = allowed
    if state.busy[slot] != 0:
        cancel(desk, t, slot, REPLACED)
    if change != 0:
        submit(desk, t, slot, change, 0, TARGET)


@aside
def cooled(held: int, change: int) -> int:
    """What a cool-down leaves of a change: nothing that opens or increases, and no way through zero."""
    if held > 0 and change < 0:
        return max(change, -held)
    if held < 0 and change > 0:
        return min(change, -held)
    return 0
