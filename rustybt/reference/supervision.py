"""Section 12: the account is checked after every bar, and a halt is carried out."""

from __future__ import annotations

from decimal import Decimal

from rustybt.model.codes import NOWHERE, Detail, Reason, Status
from rustybt.model.controls import Control, Response
from rustybt.reference.account import Account, Order, Row
from rustybt.reference.controls import Guard, day_of, detail_of
from rustybt.reference.risk import gains_of
from rustybt.reference.rounding import ONE, ZERO, toward_zero, upward
from rustybt.reference.timing import arrival


def supervise(account: Account, guard: Guard, bar: int, standing: tuple[Decimal, Decimal]) -> None:
    """Check the account, its equity and gross exposure, after a bar and before its decisions."""
    equity = standing[0]
    limits, day, flowed = guard.limits, day_of(guard.limits, bar), account.deposits - guard.deposits
    guard.peak, guard.last, guard.deposits = guard.peak + flowed, guard.last + flowed, account.deposits
    if day != guard.day:
        guard.day, guard.day_start, guard.orders = day, guard.last, 0
        guard.sessions += 1
        guard.breached.discard(Control.DAILY_LOSS)
        guard.halted = "" if guard.halted == "day" else guard.halted
    else:
        guard.day_start += flowed
    guard.peak, guard.last = max(guard.peak, equity), equity
    for control, base, most in (
        (Control.DRAWDOWN, guard.peak, limits.drawdown),
        (Control.DAILY_LOSS, guard.day_start, limits.daily_loss),
    ):
        if control not in limits.actions:
            continue
        below = equity < upward(base * (ONE - most), account.rules.unit)
        if below and control not in guard.breached:
            account.log.append(Row(bar, bar, NOWHERE, 0, Reason.CONTROL, Status.VIOLATED, detail_of(control)))
            if limits.actions[control] is Response.HALT:
                guard.halt("good" if control is Control.DRAWDOWN else "day")
        if below:
            guard.breached.add(control)
        elif control is Control.DRAWDOWN:
            guard.breached.discard(control)
    check_leverage(account, guard, bar, standing)
    check_risk(account, guard, bar, equity)
    stand_still(account, guard, bar)


def check_leverage(account: Account, guard: Guard, bar: int, standing: tuple[Decimal, Decimal]) -> None:
    """Whether gross exposure is outside its multiples of equity; the first time that it is, a row and what follows."""
    equity, gross = max(ZERO, standing[0]), standing[1]
    limits, unit = guard.limits, account.rules.unit
    for control in (Control.MAX_LEVERAGE, Control.MIN_LEVERAGE):
        if control not in limits.actions:
            continue
        bound = equity * limits.multiples[control]
        if control is Control.MAX_LEVERAGE:
            passed = gross > toward_zero(bound, unit)
        else:
            passed = guard.sessions > limits.deadline and gross < upward(bound, unit)
        if passed and control not in guard.breached:
            account.log.append(Row(bar, bar, NOWHERE, 0, Reason.CONTROL, Status.VIOLATED, detail_of(control)))
            if limits.actions[control] is Response.HALT:
                guard.halt("good")
        (guard.breached.add if passed else guard.breached.discard)(control)


def check_risk(account: Account, guard: Guard, bar: int, equity: Decimal) -> None:
    """Whether what is held has more value at risk than the account may have; the first time that it does, a row and what follows."""
    control, limits, unit = Control.MAX_VALUE_AT_RISK, guard.limits, account.rules.unit
    rows = guard.moves.of(limits.risk_bars) if control in limits.actions else None
    if rows is None:
        return
    gains = gains_of(account, [position.quantity for position in account.positions], rows, None)
    bound = toward_zero(max(ZERO, equity) * limits.multiples[control], unit)
    passed = sum(-gain > bound for gain in gains) > limits.risk_tail
    if passed and control not in guard.breached:
        account.log.append(Row(bar, bar, NOWHERE, 0, Reason.CONTROL, Status.VIOLATED, detail_of(control)))
        if limits.actions[control] is Response.HALT:
            guard.halt("good")
    (guard.breached.add if passed else guard.breached.discard)(control)


def opens(account: Account, order: Order) -> bool:
    """Whether an order of a decision does more than reduce."""
    held, quantity = account.positions[order.slot].quantity, order.quantity or ZERO
    reduces = held != 0 and (held > 0) != (quantity > 0) and abs(quantity) <= abs(held)
    return order.reason in (Reason.TARGET, Reason.CALLBACK, Reason.ORDER) and not reduces and not order.is_dormant


def stand_still(account: Account, guard: Guard, bar: int) -> None:
    """Carry out a halt: cancel the orders that open; with ``flatten`` all orders, and order every position closed."""
    if not guard.due:
        return
    guard.due = False
    for terms in account.rules.terms:
        for order in account.of(terms.number):
            if guard.limits.flatten or opens(account, order):
                account.end(order, bar, Status.CANCELLED, Detail.HALTED)
    for terms in account.rules.terms:
        held = account.positions[terms.number].quantity
        if guard.limits.flatten and held != 0:
            order = Order(next(account.numbers), terms.number, bar, Reason.HALT, -held)
            order.arrives = arrival(account, bar, order.number)
            account.working.append(order)
