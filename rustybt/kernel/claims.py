"""Section 3 of the rule book: dividends that are earned at one bar and paid at a later one."""

from __future__ import annotations

from rustybt.model import Reason, Status

from .arithmetic import fits
from .compile import apart, aside
from .journal import NONE, event, fail, head, paid, tail
from .limits import ZERO, whole
from .rates import book_of
from .state import CASH, CLAIMS, INCOME, OVERFLOW, RECEIVABLE, Desk

DIVIDEND, PAYMENT = whole(Reason.DIVIDEND), whole(Reason.PAYMENT)
ACCRUED = whole(Status.ACCRUED)


@aside
def earn(desk: Desk, t: int, slot: int, money: int, key: int) -> None:
    """Book income that is owed: it counts in equity, and becomes cash at the payment of the same number."""
    apart()
    sums, base = desk.money, book_of(desk, slot)
    if not (fits(money) and fits(sums[base + RECEIVABLE] + money) and fits(sums[base + INCOME] + money)):
        fail(desk, OVERFLOW, slot)
        return
    sums[base + RECEIVABLE] += money
    sums[base + INCOME] += money
    k = desk.count[CLAIMS]
    desk.claim_slot[k] = slot
    desk.claim_key[k] = key
    desk.claim_money[k] = money
    desk.count[CLAIMS] = k + 1
    n = head(desk, t, t, slot, ZERO, DIVIDEND)
    tail(desk, n, ACCRUED, NONE, ZERO, ZERO)
    paid(desk, n, ZERO, -money, ZERO)


@aside
def redeem(desk: Desk, t: int, key: int) -> None:
    """Turn the claims of a number into cash, in the order in which they were earned."""
    apart()
    sums, left = desk.money, ZERO
    for k in range(desk.count[CLAIMS]):
        slot, money = desk.claim_slot[k], desk.claim_money[k]
        if desk.claim_key[k] == key:
            base = book_of(desk, slot)
            if not (fits(sums[base + CASH] + money) and fits(sums[base + RECEIVABLE] - money)):
                fail(desk, OVERFLOW, slot)
                return
            sums[base + CASH] += money
            sums[base + RECEIVABLE] -= money
            event(desk, t, slot, PAYMENT, NONE, ZERO, ZERO, -money)
        else:
            desk.claim_slot[left] = slot
            desk.claim_key[left] = desk.claim_key[k]
            desk.claim_money[left] = money
            left += 1
    desk.count[CLAIMS] = left
