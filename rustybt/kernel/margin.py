"""Section 10 of the rule book: what a position asks of the account, the margin call, and what is sold because of it."""

from __future__ import annotations

from rustybt.model import NOWHERE as ACCOUNT
from rustybt.model import Detail, Reason

from .arithmetic import fits, worth_at
from .compile import apart, aside, kernel
from .flags import HAS_ISOLATED, HAS_MARGIN
from .isolated import asked, common
from .journal import NONE, awaits, cancel, event, fail, send, sweep
from .limits import CEIL, ZERO, whole
from .rates import home
from .state import DEAD, EQUITY, ERROR, OVERFLOW, Desk

NOWHERE = whole(ACCOUNT)
CALL, LIQUIDATION = whole(Reason.MARGIN_CALL), whole(Reason.LIQUIDATION)
REPLACED = whole(Detail.REPLACED)
NOTHING = whole(-1)


@kernel
def use(desk: Desk, slot: int, lots: int, worth: int) -> int:
    """What so many lots, worth so much, both without sign, take of the account: their value or their initial margin; BAD if too much."""
    if desk.flags & HAS_MARGIN == 0:
        return worth
    return asked(lots, worth, desk.margin_initial[slot], desk.margin_lot_initial[slot])


@aside
def maintenance(desk: Desk, slot: int, lots: int) -> int:
    """What so many lots, without sign, must have behind them at the last price."""
    apart()
    asset = slot % desk.assets
    worth = worth_at(desk, asset, lots, desk.last[asset])
    return home(desk, slot, asked(lots, worth, desk.margin_maintenance[slot], desk.margin_lot_maintenance[slot]), CEIL)


@aside
def watch(desk: Desk, t: int) -> None:
    """Call for margin where the equity is below what the positions ask for, and send out what has to go."""
    apart()
    owed, held, backing = 0, 0, desk.money[EQUITY]
    if desk.flags & HAS_ISOLATED != 0:
        backing = common(desk)
    for slot in range(desk.slots):
        desk.held_slots[slot] = 0
        if desk.flags & HAS_ISOLATED != 0 and desk.isolated[slot] != 0:
            desk.held_slots[slot] = 1
        elif desk.lots[slot] != 0:
            owed += maintenance(desk, slot, abs(desk.lots[slot]))
            held += 1
            if not fits(owed):
                fail(desk, OVERFLOW, slot)
                return
    if held == 0 or backing >= owed:
        return
    event(desk, t, NOWHERE, CALL, NONE, ZERO, ZERO, ZERO)
    for slot in range(desk.slots):
        if desk.busy[slot] != 0 and awaits(desk, slot, LIQUIDATION):
            cancel(desk, t, slot, REPLACED)
    while held > 0 and owed > backing and desk.count[ERROR] == 0:
        owed = send_out(desk, t, dearest(desk), owed, backing)
        held -= 1
    if desk.count[DEAD] > 0:
        sweep(desk)


@aside
def dearest(desk: Desk) -> int:
    """The slot whose position asks for most, the first of equals, among those that are not on their way out."""
    apart()
    found, most = NOTHING, ZERO
    for slot in range(desk.slots):
        if desk.lots[slot] != 0 and desk.held_slots[slot] == 0:
            asks = maintenance(desk, slot, abs(desk.lots[slot]))
            if found == NOTHING or asks > most:
                found, most = slot, asks
    return found


@aside
def send_out(desk: Desk, t: int, slot: int, owed: int, backing: int) -> int:
    """Order out the fewest lots of a position that are enough, or all of it; gives what the rest of the account asks for."""
    apart()
    desk.held_slots[slot] = 1
    held = abs(desk.lots[slot])
    others = owed - maintenance(desk, slot, held)
    low, high = 0, held
    while high - low > 1:
        middle = (low + high) // 2
        if others + maintenance(desk, slot, held - middle) <= backing:
            high = middle
        else:
            low = middle
    if desk.busy[slot] != 0:
        cancel(desk, t, slot, REPLACED)
    send(desk, t, slot, -high if desk.lots[slot] > 0 else high, ZERO, LIQUIDATION)
    return others + maintenance(desk, slot, held - high)


@kernel
def leaving(desk: Desk, slot: int) -> bool:
    """Whether a position is being liquidated."""
    return desk.flags & HAS_MARGIN != 0 and desk.busy[slot] != 0 and awaits(desk, slot, LIQUIDATION)
