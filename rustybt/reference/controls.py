"""Section 12: orders are checked when they are made, the account after every bar."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from rustybt.model.codes import NOWHERE, Detail, Reason, Status
from rustybt.model.controls import Control, Response
from rustybt.reference.account import Account, Order, Row, Terms
from rustybt.reference.currencies import abroad, at_home
from rustybt.reference.fills import check_price, value
from rustybt.reference.rounding import ONE, ZERO, amount, toward_zero, upward
from rustybt.reference.timing import arrival


@dataclass(frozen=True)
class Limits:
    """The controls of a run in human units; an asset or control that is not limited is absent.

    Attributes:
        actions: what follows, per control that is watched. quantity, position: per asset column.
        notional: money. concentration, drawdown, daily_loss: fractions. orders: per day. flatten: close all on a halt.
        restricted: (column, first day, last day). days: session per bar, empty = every bar its own.
        dates: first and last day per asset column. collar: fraction of the last price. duplicate: bars. multiples: of equity,
            by the control of exposure or leverage. deadline: sessions. move: fraction by which the last bar moved the price.
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
    dates: dict[int, tuple[int, int]] = field(default_factory=dict)
    collar: Decimal = ZERO
    duplicate: int = 0
    multiples: dict[Control, Decimal] = field(default_factory=dict)
    deadline: int = 0
    move: Decimal = ZERO


@dataclass(frozen=True)
class Wish:
    """An order that is to be checked: its slot, quantity, reason, and the prices that it names, 0 = none."""

    slot: int
    quantity: Decimal
    reason: Reason = Reason.TARGET
    limit: Decimal = ZERO
    stop: Decimal = ZERO


@dataclass
class Guard:
    """What the controls remember.

    Attributes:
        peak: highest equity. day: session. day_start: equity before it. last: of the last bar.
        deposits: as of the last bar. orders: opened today.
        halted: for how long: "", "day" or "good". due: a halt that has not yet been carried out.
        breached: limits of the account that are already noted.
        sessions: begun so far. passed: the last order of each slot that the controls left something of, and its bar.
        moved: by how much of the price before the last bar of an asset moved it.
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
    sessions: int = 0
    passed: dict[int, tuple[int, Wish]] = field(default_factory=dict)
    moved: dict[int, Decimal] = field(default_factory=dict)

    def halt(self, length: str) -> None:
        """No position is opened or increased from now on."""
        self.due = self.due or not self.halted
        self.halted = "good" if "good" in (length, self.halted) else length


def detail_of(control: Control) -> Detail:
    """The code of a control in the log."""
    return Detail[control.name]


def vet(account: Account, guard: Guard, now: tuple[int, Decimal], wish: Wish) -> tuple[Decimal, Detail]:
    """What the controls leave of an order at a bar and its equity, and the last control that took something."""
    bar, equity = now
    terms, change = account.rules.terms[wish.slot], wish.quantity
    held = account.positions[terms.number].quantity
    part = ZERO
    if held != 0 and (held > 0) != (change > 0):
        part = change if abs(change) <= abs(held) else -held
    if guard.halted and guard.limits.flatten:
        return ZERO, Detail.HALTED
    extra, cause = change - part, Detail.NONE
    for control, action in sorted(guard.limits.actions.items()):
        if extra == 0 or control.watches_account:
            continue
        room = room_for(account, guard, Opening(bar, terms, part, extra, equity, wish), control)
        if room is None or room >= abs(extra):
            continue
        account.log.append(Row(bar, bar, terms.number, 0, wish.reason, Status.VIOLATED, detail_of(control), part + extra))
        if action is Response.REDUCE:
            extra = room if extra > 0 else -room
        elif action in (Response.REJECT, Response.HALT):
            extra = ZERO
        if action is Response.HALT and control is not Control.HALTED:
            guard.halt("good")
        cause = detail_of(control)
    guard.orders += extra != 0
    if extra != 0:
        guard.passed[wish.slot] = (bar, wish)
    return part + extra, cause


@dataclass(frozen=True)
class Opening:
    """An order that opens or increases: its part that closes comes first, ``extra`` is what is beyond."""

    bar: int
    terms: Terms
    part: Decimal
    extra: Decimal
    equity: Decimal
    wish: Wish


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
    if control > Control.DAILY_LOSS:
        return room_beyond(account, guard, opening, control)
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


def room_beyond(account: Account, guard: Guard, opening: Opening, control: Control) -> Decimal | None:
    """The same under dates, price collar, duplicates and exposure."""
    limits, terms, wish = guard.limits, opening.terms, opening.wish
    if control is Control.ASSET_DATES:
        first, last = limits.dates.get(terms.column, (None, None))
        return None if first is None or last is None or first <= day_of(limits, opening.bar) <= last else ZERO
    if control is Control.PRICE_COLLAR:
        last_price = account.last[terms.column] or ZERO
        return ZERO if any(price and abs(price - last_price) > last_price * limits.collar for price in (wish.limit, wish.stop)) else None
    if control is Control.PRICE_MOVE:
        return None if abs(guard.moved.get(terms.column, ZERO)) <= limits.move else ZERO
    if control is Control.DUPLICATE:
        bar, before = guard.passed.get(terms.number, (opening.bar, None))
        same = before is not None and (before.quantity, before.limit, before.stop) == (wish.quantity, wish.limit, wish.stop)
        return ZERO if same and opening.bar - bar <= limits.duplicate else None
    unit = account.rules.unit
    money = amount(toward_zero(max(ZERO, opening.equity) * limits.multiples[control], unit), unit, "exposure", terms.asset.symbol)
    gross, net = exposure(account, opening)
    used = gross if control is Control.GROSS_EXPOSURE else net if opening.extra > 0 else -net
    return worth_of(account, terms, amount(max(ZERO, money - used), unit, "exposure", terms.asset.symbol))


def exposure(account: Account, opening: Opening) -> tuple[Decimal, Decimal]:
    """Gross and net value at last prices of what is held and of what the working orders of other slots would change."""
    unit, gross, net = account.rules.unit, ZERO, ZERO
    for terms in account.rules.terms:
        planned = account.positions[terms.number].quantity
        if terms.number == opening.terms.number:
            planned += opening.part
        else:
            for order in account.of(terms.number):
                if not order.is_dormant:
                    planned = amount(planned + (order.quantity or ZERO), terms.asset.lot_size, "exposure", terms.asset.symbol)
        worth = at_home(account, terms.currency, value(planned, account.last[terms.column] or ZERO, terms, unit))
        gross, net = gross + abs(worth), net + worth
        for total in (gross, net):
            amount(total, unit, "exposure", terms.asset.symbol)
    return gross, net


def worth_of(account: Account, terms: Terms, money: Decimal) -> Decimal:
    """The quantity that so much money buys at the last price, in whole lots."""
    price = account.last[terms.column] or ONE
    check_price(price, terms, account.rules.unit)
    return toward_zero(abroad(account, terms, money), terms.asset.lot_size, over=price * terms.asset.multiplier)


def is_restricted(limits: Limits, column: int, day: int) -> bool:
    """Whether an asset is on the restricted list on a day."""
    return any(banned == column and first <= day <= last for banned, first, last in limits.restricted)


def day_of(limits: Limits, bar: int) -> int:
    """The session of a bar."""
    return limits.days[bar] if limits.days else bar


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
