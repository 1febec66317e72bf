"""Section 3 of the rule book: dividends that are earned at one bar and paid at a later one."""

from __future__ import annotations

from rustybt.model import Reason, Status

from .arithmetic import fits
from .compile import apart, aside
from .journal import NONE, fail, head, paid, tail
from .limits import ZERO, whole
from .state import CASH, CLAIMS, INCOME, OVERFLOW, RECEIVABLE, Desk

DIVIDEND, PAYMENT = whole(Reason.DIVIDEND), whole(Reason.PAYMENT)
APPLIED, ACCRUED = whole(Status.APPLIED), whole(Status.ACCRUED)


@aside
def earn(desk: Desk, t: int, slot: int, money: int, key: int) -> None:
    """Book income that is owed: it counts in equity, and becomes cash at the payment of the same number."""
    apart()
    sums = desk.money
    if not (fits(money) and fits(sums[RECEIVABLE] + money) and fits(sums[INCOME] + money)):
        fail(desk, OVERFLOW, slot)
        return
    sums[RECEIVABLE] += money
    sums[INCOME] += money
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
            if not (fits(sums[CASH] + money) and fits(sums[RECEIVABLE] - money)):
                fail(desk, OVERFLOW, slot)
                return
            sums[CASH] += money
            sums[RECEIVABLE] -= money
            n = head(desk, t, t, slot, ZERO, PAYMENT)
            tail(desk, n, APPLIED, NONE, ZERO, ZERO)
            paid(desk, n, ZERO, -money, ZERO)
        else:
            desk.claim_slot[left] = slot
            desk.claim_key[left] = desk.claim_key[k]
            desk.claim_money[left] = money
            left += 1
    desk.count[CLAIMS] = left
