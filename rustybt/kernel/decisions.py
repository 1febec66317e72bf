"""Section 7 of the rule book: offered targets become working orders."""

from __future__ import annotations

from rustybt.model import Detail, Reason, TargetKind

from .arithmetic import fits, mul_div
from .compile import apart, aside, kernel
from .controls import stand_still, supervise, turn_down, vet
from .exits import expire
from .flags import HAS_CONTROLS, HAS_MARGIN, HAS_MAX_BARS, HAS_ORDERS
from .journal import asset_of, awaits, cancel, fail, refuse, send, sweep
from .limits import DOWN, ONE, ZERO, whole
from .margin import leaving, watch
from .rates import unpriced
from .sizing import lots_for
from .state import DEAD, DUE_HALT, EQUITY, OFFER, OVERFLOW, Desk

QUANTITY = whole(TargetKind.QUANTITY)
TARGET, EXPIRED = whole(Reason.TARGET), whole(Reason.MAX_BARS)
CALLED = whole(Detail.MARGIN_CALL)
REPLACED, COOLING, NO_PRICE = whole(Detail.REPLACED), whole(Detail.COOL_DOWN), whole(Detail.NO_PRICE)


@kernel
def decide(desk: Desk, t: int) -> None:
    """Margin first, the account's controls, max bars, then the targets offered at this bar, in slot order."""
    if desk.flags & HAS_MARGIN != 0:
        watch(desk, t)
    if desk.flags & HAS_CONTROLS != 0:
        supervise(desk, t)
    if desk.flags & HAS_MAX_BARS != 0:
        expire(desk, t)
    first, behind = desk.cursor[OFFER], desk.cursor[OFFER]
    while behind < desk.offers and desk.offer_bar[behind] == t:
        behind += 1
    desk.cursor[OFFER] = behind
    for i in range(first, behind):
        slot, target = desk.offer_slot[i] if desk.slots > 1 else 0, desk.offer_value[i]
        same = target == desk.target[slot]
        if same and desk.scheduled[slot] == 0:
            continue
        desk.target[slot] = target
        asset = asset_of(slot, desk.assets)
        if unpriced(desk, slot):
            if target != 0:
                refuse(desk, t, slot, TARGET, NO_PRICE, ZERO)
            continue
        if same and rests(desk, slot):
            continue
        if leaving(desk, slot):
            refuse(desk, t, slot, TARGET, CALLED, ZERO)
            continue
        desk.exited[slot] = 0
        choose(desk, t, slot, asset, target)
    if desk.flags & HAS_CONTROLS != 0 and desk.flags & HAS_ORDERS == 0 and desk.guard[DUE_HALT] != 0:
        stand_still(desk, t)
    if desk.count[DEAD] > 0:
        sweep(desk)


@kernel
def rests(desk: Desk, slot: int) -> bool:
    """Whether an unchanged target does not trade: after an exit, and while one by max bars is on its way."""
    if desk.exited[slot] != 0:
        return True
    return desk.flags & HAS_MAX_BARS != 0 and desk.busy[slot] != 0 and awaits(desk, slot, EXPIRED)


@kernel
def choose(desk: Desk, t: int, slot: int, asset: int, target: int) -> None:
    """Turn one decision into an order, or into the row that says why not."""
    kind, cooling = desk.kind[slot], desk.cool[slot] > 0
    if desk.at_fill != 0 and kind != QUANTITY and target != 0 and not cooling:
        if desk.busy[slot] != 0:
            cancel(desk, t, slot, REPLACED)
        send(desk, t, slot, ZERO, target, TARGET)
        return
    lots = target
    if kind != QUANTITY and target != 0:
        unit = mul_div(desk.last[asset], desk.up[asset], ONE, DOWN)
        lots = lots_for(desk, slot, kind, target, desk.money[EQUITY], unit)
    change = lots - desk.lots[slot]
    if not (fits(lots) and fits(change)):
        fail(desk, OVERFLOW, slot)
        return
    if cooling:
        allowed = cooled(desk.lots[slot], change)
        if allowed == 0 and change != 0:
            refuse(desk, t, slot, TARGET, COOLING, change)
            return
        change = allowed
    if desk.flags & HAS_CONTROLS != 0 and change != 0:
        left = vet(desk, t, slot, change, TARGET)
        if left == 0:
            turn_down(desk, t, slot, TARGET, change)
            return
        change = left
    if desk.busy[slot] != 0:
        cancel(desk, t, slot, REPLACED)
    if change != 0:
        send(desk, t, slot, change, ZERO, TARGET)


@aside
def cooled(held: int, change: int) -> int:
    """What a cool-down leaves of a change: nothing that opens or increases, and no way through zero."""
    apart()
    if held > 0 and change < 0:
        return max(change, -held)
    if held < 0 and change > 0:
        return min(change, -held)
    return 0


@aside
def ask(desk: Desk, t: int, slot: int, lots: int, reason: int) -> None:
    """Submit a market order for so many lots beside whatever the slot already has at work. A cool-down holds for it too."""
    if unpriced(desk, slot):
        refuse(desk, t, slot, reason, NO_PRICE, ZERO)
        return
    if desk.cool[slot] > 0:
        allowed = cooled(desk.lots[slot], lots)
        if allowed == 0:
            refuse(desk, t, slot, reason, COOLING, lots)
            return
        lots = allowed
    if desk.flags & HAS_CONTROLS != 0:
        left = vet(desk, t, slot, lots, reason)
        if left == 0:
            turn_down(desk, t, slot, reason, lots)
            return
        lots = left
    send(desk, t, slot, lots, ZERO, reason)


@aside
def recall(desk: Desk, t: int, slot: int) -> None:
    """Cancel the working orders of a slot."""
    cancel(desk, t, slot, REPLACED)
    sweep(desk)
