"""Section 16 of the rule book: what holding costs or earns over time, and what cannot be borrowed."""

from __future__ import annotations

from rustybt.model import EVERY_ASSET, Reason
from rustybt.model import NOWHERE as ACCOUNT

from .arithmetic import fits, ratio, worth_at
from .compile import apart, aside
from .income import receive
from .journal import NONE, event, fail
from .limits import HALF_EVEN, ZERO, whole
from .rates import PLACES
from .state import CASH, CHARGED, OVERFLOW, Desk

NOWHERE = whole(ACCOUNT)
INTEREST, CREDIT, SWAP = whole(Reason.INTEREST), whole(Reason.CREDIT), whole(Reason.SWAP)
ACCOUNTS = whole(EVERY_ASSET)
"""In place of an asset: the cash of the account's currency; one less is that of the next one, and so on."""


@aside
def charge_all(desk: Desk, t: int) -> None:
    """Charges up to a bar, in the order of their table."""
    apart()
    i = desk.count[CHARGED]
    while i < desk.charges and desk.charge_bar[i] <= t:
        if desk.charge_bar[i] == t:
            charge(desk, t, i)
        i += 1
    desk.count[CHARGED] = i


@aside
def charge(desk: Desk, t: int, i: int) -> None:
    """One charge: on cash, or on every slot that it is about."""
    apart()
    reason, asset = desk.charge_reason[i], desk.charge_asset[i]
    if reason == INTEREST or reason == CREDIT:
        on_cash(desk, t, i, ACCOUNTS - asset)
        return
    for slot in range(desk.slots):
        if desk.lots[slot] != 0 and (asset < 0 or slot % desk.assets == asset):
            on_position(desk, t, i, slot)


@aside
def on_cash(desk: Desk, t: int, i: int, currency: int) -> None:
    """One charge on the cash of a currency; of a foreign one at the first slot that is quoted in it."""
    apart()
    if currency == 0:
        due(desk, t, i, NOWHERE, desk.money[CASH], ZERO)
        return
    for slot in range(desk.assets):
        if desk.currency_of[slot] == currency:
            due(desk, t, i, slot, desk.money[currency * PLACES + CASH], ZERO)
            return


@aside
def on_position(desk: Desk, t: int, i: int, slot: int) -> None:
    """One charge on one position."""
    apart()
    asset = slot % desk.assets
    price = desk.charge_price[i] if desk.charge_price[i] != 0 else desk.last[asset]
    base = desk.lots[slot]
    if desk.charge_reason[i] != SWAP:
        base = worth_at(desk, asset, base, price)
    due(desk, t, i, slot, base, price)


@aside
def due(desk: Desk, t: int, i: int, slot: int, base: int, price: int) -> None:
    """Pay a charge on a base, or receive it, if the base is on the side that the charge is about."""
    apart()
    side, blamed = desk.charge_side[i], max(slot, ZERO)
    if not fits(base):
        fail(desk, OVERFLOW, blamed)
        return
    if side != 0:
        base = base * side
        if base <= 0:
            return
    owed = ratio(base, desk.charge_num[i], desk.charge_den[i], HALF_EVEN)
    if owed != 0 and receive(desk, slot, -owed):
        event(desk, t, slot, desk.charge_reason[i], NONE, ZERO, price, owed)


@aside
def borrowable(desk: Desk, t: int, asset: int) -> bool:
    """Whether an asset can be borrowed at a bar."""
    apart()
    for i in range(desk.hard):
        if desk.hard_asset[i] == asset and desk.hard_first[i] <= t and t <= desk.hard_last[i]:
            return False
    return True
