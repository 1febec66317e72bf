"""Cash that is not from trading: what is received, and what a venue takes for a liquidation (section 10 of the rule book)."""

from __future__ import annotations

from rustybt.model import Reason

from .arithmetic import fits, ratio
from .compile import apart, aside
from .journal import NONE, event, fail
from .limits import BAD, HALF_EVEN, RATE, ZERO, whole
from .rates import book_of
from .state import CASH, INCOME, OVERFLOW, Desk

LIQUIDATION_FEE = whole(Reason.LIQUIDATION_FEE)


@aside
def receive(desk: Desk, slot: int, cash: int) -> bool:
    """Book income. False where an amount does not fit."""
    apart()
    money, base = desk.money, book_of(desk, slot)
    if not (fits(cash) and fits(money[base + CASH] + cash) and fits(money[base + INCOME] + cash)):
        fail(desk, OVERFLOW, max(slot, ZERO))
        return False
    money[base + CASH] += cash
    money[base + INCOME] += cash
    return True


@aside
def levy_of(desk: Desk, slot: int, notional: int) -> int:
    """What the venue takes of a liquidation worth so much; BAD where that does not fit."""
    apart()
    return ratio(abs(notional), desk.fee_liquidation[slot], RATE, HALF_EVEN) if fits(notional) else BAD


@aside
def levy(desk: Desk, t: int, slot: int, price: int, notional: int) -> None:
    """Pay it, with a row where it is something."""
    apart()
    owed = levy_of(desk, slot, notional)
    if owed != 0 and receive(desk, slot, -owed):
        event(desk, t, slot, LIQUIDATION_FEE, NONE, ZERO, price, owed)
