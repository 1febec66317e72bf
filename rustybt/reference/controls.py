"""Section 12: orders are checked when they are made, the account after every bar."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from rustybt.model.codes import NOWHERE, Detail, Reason, Status
from rustybt.model.controls import Control, Response
from rustybt.reference.account import Account, Order, Row, Terms
from rustybt.reference.fills import check_price
from rustybt.reference.rounding import ONE, ZERO, amount, toward_zero, upward
from rustybt.reference.timing import arrival


@dataclass(frozen=True)
class Limits:
    """The controls of a run in human units; an asset or control that is not limited is absent.

    Attributes:
        actions: what follows, per control that is watched. quantity, position: per asset column.
        notional: money. concentration, drawdown, daily_loss: fractions. orders: per day. flatten: close all on a halt.
        restricted: (column, first day, last day). days: session per bar, empty = every bar its own.
    """

    actions: dict[Control, Response] = field(default_factory=dict)
    quantity: dict[int, Decimal] = field(default_factory=dict)
    position: dict[int, Decimal] = field(default_factory=dict)
    notional: Decimal = ZERO
    concentration: Decimal = ZERO
    orders: int = 0
    drawdown: Decimal = ZERO
    daily_loss: Decimal = ZERO
    flatten: bool = False
    restricted: tuple[tuple[int, int, int], ...] = ()
    days: tuple[int, ...] = ()


@dataclass
class Guard:
    """What the controls remember.

    Attributes:
        peak: highest equity. day: session. day_start: equity before it. last: of the last bar.
        deposits: as of the last bar. orders: opened today.
        halted: for how long: "", "day" or "good". due: a halt that has not yet been carried out. breached: losses that are already noted.
    """

    limits: Limits
    peak: Decimal
    last: Decimal
    deposits: Decimal
    day_start: Decimal = ZERO
    day: int | None = None
    orders: int = 0
    halted: str = ""
    due: bool = False
    breached: set[Control] = field(default_factory=set)

    def halt(self, length: str) -> None:
        """No position is opened or increased from now on."""
        self.due = self.due or not self.halted
        self.halted = "good" if "good" in (length, self.halted) else length


def detail_of(control: Control) -> Detail:
    """The code of a control in the log."""
    return Detail(Detail.HALTED + control)


def vet(
    account: Account, guard: Guard, bar: int, order: tuple[Terms, Decimal, Decimal], reason: Reason = Reason.TARGET
) -> tuple[Decimal, Detail]:
    """What the controls leave of an order (its terms, quantity, and the equity), and the last control that took something."""
    terms, change, equity = order
    held = account.positions[terms.number].quantity
    part = ZERO
    if held != 0 and (held > 0) != (change > 0):
        part = change if abs(change) <= abs(held) else -held
    if guard.halted and guard.limits.flatten:
        return ZERO, Detail.HALTED
    extra, cause = change - part, Detail.NONE
    for control, action in sorted(guard.limits.actions.items()):
        if extra == 0 or control in (Control.DRAWDOWN, Control.DAILY_LOSS):
            continue
        room = room_for(account, guard, Opening(bar, terms, part, extra, equity), control)
        if room is None or room >= abs(extra):
            continue
        account.log.append(Row(bar, bar, terms.number, 0, reason, Status.VIOLATED, detail_of(control), part + extra))
        if action is Response.REDUCE:
            extra = room if extra > 0 else -room
        elif action in (Response.REJECT, Response.HALT):
            extra = ZERO
        if action is Response.HALT and control is not Control.HALTED:
            guard.halt("good")
        cause = detail_of(control)
    guard.orders += extra != 0
    return part + extra, cause


@dataclass(frozen=True)
class Opening:
    """An order that opens or increases: its part that closes comes first, ``extra`` is what is beyond."""

    bar: int
    terms: Terms
    part: Decimal
    extra: Decimal
    equity: Decimal


def room_for(account: Account, guard: Guard, opening: Opening, control: Control) -> Decimal | None:
    """The largest quantity by which an order may open or increase under one control; None = any."""
    terms, equity = opening.terms, opening.equity
    limits, column = guard.limits, terms.column
    held = abs(account.positions[terms.number].quantity + opening.part)
    blocked = {
        Control.HALTED: bool(guard.halted),
        Control.RESTRICTED: is_restricted(limits, column, day_of(limits, opening.bar)),
        Control.LONG_ONLY: opening.extra < 0,
        Control.ORDERS_PER_DAY: guard.orders >= limits.orders,
    }
    if control in blocked:
        return ZERO if blocked[control] else None
    if control is Control.ORDER_QUANTITY:
        return limits.quantity.get(column)
    if control is Control.ORDER_NOTIONAL:
        return worth_of(account, terms, limits.notional)
    if control is Control.POSITION:
        return max(ZERO, limits.position[column] - held) if column in limits.position else None
    others = [other for other in account.rules.terms if other.column == column and other.number != terms.number]
    held += sum((abs(account.positions[other.number].quantity) for other in others), ZERO)
    unit = account.rules.unit
    money = amount(toward_zero(max(ZERO, equity) * limits.concentration, unit), unit, "limit of a position", terms.asset.symbol)
    return max(ZERO, worth_of(account, terms, money) - held)


def worth_of(account: Account, terms: Terms, money: Decimal) -> Decimal:
    """The quantity that so much money buys at the last price, in whole lots."""
    price = account.last[terms.column] or ONE
    check_price(price, terms, account.rules.unit)
    return toward_zero(money, terms.asset.lot_size, over=price * terms.asset.multiplier)


def is_restricted(limits: Limits, column: int, day: int) -> bool:
    """Whether an asset is on the restricted list on a day."""
    return any(banned == column and first <= day <= last for banned, first, last in limits.restricted)


def day_of(limits: Limits, bar: int) -> int:
    """The session of a bar."""
    return limits.days[bar] if limits.days else bar


def supervise(account: Account, guard: Guard, bar: int, equity: Decimal) -> None:
    """Check the account after a bar, before its decisions."""
    limits, day, flowed = guard.limits, day_of(guard.limits, bar), account.deposits - guard.deposits
    guard.peak, guard.last, guard.deposits = guard.peak + flowed, guard.last + flowed, account.deposits
    if day != guard.day:
        guard.day, guard.day_start, guard.orders = day, guard.last, 0
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
    stand_still(account, guard, bar)


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
