"""Section 12: orders are checked when they are made, the account after every bar."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from rustybt.model.codes import Detail, Reason, Status
from rustybt.model.controls import Control, Response
from rustybt.reference.account import Account, Row, Terms
from rustybt.reference.currencies import abroad
from rustybt.reference.fills import check_price
from rustybt.reference.moves import Moves
from rustybt.reference.risk import Lookback, exposure_together, gains_of, worth_at_home
from rustybt.reference.rounding import ONE, ZERO, amount, toward_zero


@dataclass(frozen=True)
class Limits:
    """The controls of a run in human units; an asset or control that is not limited is absent.

    Attributes:
        actions: what follows, per control that is watched. quantity, position: per asset column.
        notional: money. concentration, drawdown, daily_loss: fractions. orders: per day. flatten: close all on a halt.
        restricted: (column, first day, last day). days: session per bar, empty = every bar its own.
        dates: first and last day per asset column. collar: fraction of the last price. duplicate: bars. multiples: of equity,
            by the control of exposure or leverage. deadline: sessions. move: fraction by which the last bar moved the price.
        risk_bars, correlated_bars: looked back at. risk_tail: of them, those that may lose more. correlated_above: correlation.
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
    risk_bars: int = 1
    risk_tail: int = 0
    correlated_bars: int = 1
    correlated_above: Decimal = ZERO


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
        moves: of prices.
    """

    limits: Limits
    moves: Moves
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
        return None if abs(guard.moves.last.get(terms.column, ZERO)) <= limits.move else ZERO
    if control is Control.DUPLICATE:
        bar, before = guard.passed.get(terms.number, (opening.bar, None))
        same = before is not None and (before.quantity, before.limit, before.stop) == (wish.quantity, wish.limit, wish.stop)
        return ZERO if same and opening.bar - bar <= limits.duplicate else None
    if control is Control.CORRELATED_EXPOSURE and guard.moves.of(limits.correlated_bars) is None:
        return None
    unit = account.rules.unit
    money = amount(toward_zero(max(ZERO, opening.equity) * limits.multiples[control], unit), unit, "exposure", terms.asset.symbol)
    if control is Control.VALUE_AT_RISK:
        return room_at_risk(account, guard, opening, money)
    gross, net = exposure(account, opening) if control is not Control.CORRELATED_EXPOSURE else (ZERO, grouped(account, guard, opening))
    used = gross if control is Control.GROSS_EXPOSURE else net if opening.extra > 0 else -net
    return worth_of(account, terms, amount(max(ZERO, money - used), unit, "exposure", terms.asset.symbol))


def exposure(account: Account, opening: Opening) -> tuple[Decimal, Decimal]:
    """Gross and net value at last prices of what is held and of what the working orders of other slots would change."""
    unit, gross, net, planned = account.rules.unit, ZERO, ZERO, planned_of(account, opening)
    for terms in account.rules.terms:
        worth = worth_at_home(account, terms, planned[terms.number])
        gross, net = gross + abs(worth), net + worth
        for total in (gross, net):
            amount(total, unit, "exposure", terms.asset.symbol)
    return gross, net


def planned_of(account: Account, opening: Opening) -> list[Decimal]:
    """What each slot holds and, for other slots than that of the order, what its working orders would add."""
    found = []
    for terms in account.rules.terms:
        planned = account.positions[terms.number].quantity
        if terms.number == opening.terms.number:
            planned += opening.part
        else:
            for order in account.of(terms.number):
                if not order.is_dormant:
                    planned = amount(planned + (order.quantity or ZERO), terms.asset.lot_size, "exposure", terms.asset.symbol)
        found.append(planned)
    return found


def grouped(account: Account, guard: Guard, opening: Opening) -> Decimal:
    """The value of what moves with the asset of an order, less that of what moves against it."""
    rows, limits = guard.moves.of(guard.limits.correlated_bars), guard.limits
    return exposure_together(account, planned_of(account, opening), rows or [], opening.terms.column, limits.correlated_above)


def room_at_risk(account: Account, guard: Guard, opening: Opening, money: Decimal) -> Decimal | None:
    """The quantity that value at risk leaves under a limit in money."""
    rows, number = guard.moves.of(guard.limits.risk_bars), opening.terms.number
    if rows is None:
        return None
    planned = planned_of(account, opening)
    past = Lookback(account, opening.terms, rows, gains_of(account, planned, rows, number), guard.limits.risk_tail)
    return past.room(planned[number], opening.extra, money, reduces=guard.limits.actions[Control.VALUE_AT_RISK] is Response.REDUCE)


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
