"""Section 3 of the rule book: deposits and withdrawals, after the corporate actions of a bar and before its open."""

from __future__ import annotations

from rustybt.model import NOWHERE as ACCOUNT
from rustybt.model import Detail, Reason, Status

from .arithmetic import fits, ratio, worth_at
from .compile import apart, aside
from .currencies import AT_LAST, AT_OPEN, room_at
from .flags import HAS_CURRENCIES, HAS_ISOLATED, HAS_PENDING
from .isolated import shared
from .journal import NONE, event, fail, head, paid, tail
from .limits import DOWN, RATE, ZERO, whole
from .margin import use
from .pending import free
from .state import CASH, DEPOSITS, FLOWED, OVERFLOW, RECEIVABLE, Desk
from .variation import unsettled

NOWHERE = whole(ACCOUNT)
DEPOSIT, WITHDRAWAL = whole(Reason.DEPOSIT), whole(Reason.WITHDRAWAL)
REJECTED = whole(Status.REJECTED)
UNAFFORDABLE, UNSETTLED = whole(Detail.UNAFFORDABLE), whole(Detail.UNSETTLED)


@aside
def transfer(desk: Desk, t: int) -> None:
    """Flows up to a bar, in the order of their table."""
    apart()
    i = desk.count[FLOWED]
    while i < desk.flows and desk.flow_bar[i] <= t:
        money = desk.flow_money[i]
        if desk.flow_bar[i] == t and money != 0:
            waits = desk.flags & HAS_PENDING != 0 and money < 0 and free(desk) < -money and -money <= desk.money[CASH]
            if money > 0 or (not waits and spare(desk, -money)):
                pay_in(desk, t, money)
            else:
                n = head(desk, t, t, NOWHERE, ZERO, WITHDRAWAL)
                tail(desk, n, REJECTED, UNSETTLED if waits else UNAFFORDABLE, ZERO, ZERO)
                paid(desk, n, ZERO, ZERO, ZERO)
        i += 1
    desk.count[FLOWED] = i


@aside
def pay_in(desk: Desk, t: int, money: int) -> None:
    """Book money that comes in, or goes out where it is negative."""
    apart()
    cash, deposits = desk.money[CASH] + money, desk.money[DEPOSITS] + money
    if not (fits(cash) and fits(deposits)):
        fail(desk, OVERFLOW, ZERO)
        return
    desk.money[CASH] = cash
    desk.money[DEPOSITS] = deposits
    event(desk, t, NOWHERE, DEPOSIT if money > 0 else WITHDRAWAL, NONE, ZERO, ZERO, -money)


@aside
def spare(desk: Desk, money: int) -> bool:
    """Whether so much can leave: it is there in cash, and what stays carries the positions at last prices."""
    apart()
    if money > desk.money[CASH]:
        return False
    return room_now(desk, ZERO, AT_LAST, money) >= 0


@aside
def room_now(desk: Desk, row: int, prices: int, leaving: int) -> int:
    """The gross limit on what equity can be spent, less what leaves the account and what positions take; at last prices or at the open."""
    apart()
    if desk.flags & HAS_CURRENCIES != 0:
        return room_at(desk, row, prices, leaving)
    equity, gross = unsettled(desk) + min(0, desk.money[RECEIVABLE]), 0
    if not fits(equity):
        fail(desk, OVERFLOW, ZERO)
        return ZERO
    for slot in range(desk.slots):
        if desk.lots[slot] != 0:
            asset = slot % desk.assets
            price = desk.last[asset]
            if prices == AT_OPEN and desk.open[row + asset] != 0:
                price = desk.open[row + asset]
            worth = worth_at(desk, asset, desk.lots[slot], price)
            if desk.flags & HAS_ISOLATED != 0 and desk.isolated[slot] != 0:
                worth = shared(desk, slot, worth)
            else:
                gross += use(desk, slot, abs(desk.lots[slot]), abs(worth))
            equity += worth
            if not (fits(worth) and fits(equity) and fits(gross)):
                fail(desk, OVERFLOW, slot)
                return ZERO
    limit = ratio(equity - leaving, desk.gross, RATE, DOWN)
    if not fits(limit):
        fail(desk, OVERFLOW, ZERO)
        return ZERO
    return limit - gross
