"""Section 5: working orders meet a price. Reductions fill in full, increases as far as the account can carry them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from rustybt.model.codes import Detail, Reason, Sizing, Status, TargetKind
from rustybt.model.requests import OrderFlag, OrderKind, TimeInForce
from rustybt.reference.account import Account, Bar, Bars, Now, Order, Row, Terms
from rustybt.reference.carrying import can_borrow
from rustybt.reference.currencies import Holding, abroad, equity_of, use_at_home
from rustybt.reference.fills import Execution, check_price, commission, fill, value
from rustybt.reference.groups import consequences
from rustybt.reference.income import levy
from rustybt.reference.increments import accepted, in_force, lot_of
from rustybt.reference.isolated import shared
from rustybt.reference.margin import use
from rustybt.reference.pending import free
from rustybt.reference.priced import AUCTIONS, CLOSES, MARKET_MOMENT, Moment, fill_price
from rustybt.reference.rounding import ZERO, amount, toward_zero, upward
from rustybt.reference.tariff import Rates, rates_of
from rustybt.reference.timing import barred_at, cannot_trade, has_arrived, turn_away


@dataclass(frozen=True)
class Phase:
    """The moment of filling: the bar, its prices, and when in the bar it is."""

    now: Now
    bars: Bars
    moment: Moment

    @property
    def bar(self) -> int:
        """Number of the bar."""
        return self.now.bar

    def price(self, bar: Bar) -> Decimal:
        """The reference price of this phase; on the path the open."""
        return bar.close if self.moment in CLOSES else bar.open


@dataclass
class Part:
    """An order, or the part of it on one side of zero, with the price at which it would fill and the rates it would be charged by.

    ``served`` is how much of the order the volume of the bar and the increments allow, ``why`` what becomes of the rest.
    """

    order: Order
    quantity: Decimal
    price: Decimal
    terms: Terms
    share: int = 0
    rates: Rates | None = None
    served: Decimal = ZERO
    why: Detail = Detail.NONE

    @property
    def lots(self) -> int:
        """Size in whole lots, without the sign."""
        return int(abs(self.quantity) / self.terms.asset.lot_size)

    def of(self, lots: int) -> Decimal:
        """The signed quantity of so many lots."""
        size = lots * self.terms.asset.lot_size
        return size if self.quantity > 0 else -size


def serve(account: Account, phase: Phase) -> None:
    """Serve every working order that this phase fills."""
    at_market = phase.moment is MARKET_MOMENT[account.rules.fill_at]
    if account.rules.sizing is Sizing.AT_FILL and at_market:
        size_at_fill(account, phase)
    if at_market or phase.moment is Moment.OPEN:
        turn_away(account, phase.bar, (phase.moment in CLOSES, at_market, phase.moment is Moment.OPEN))
    increases: list[Part] = []
    for order in list(account.working):
        if order not in account.working or not can_be_served(account, phase, order):
            continue
        terms = in_force(account, account.rules.terms[order.slot])
        bar = phase.bars[terms.column]
        assert bar is not None, "an order is only served at a bar of its asset"
        allowed, why = accepted(account, order, capped(account, phase, order), phase.price(bar))
        price = fill_price(account, phase, order, (terms, bar), allowed)
        if price is None:
            continue
        if allowed != order.quantity and (allowed == 0 or order.time_in_force is TimeInForce.FOK):
            leave_rest(account, phase, order, ZERO, why)
            continue
        to_zero, beyond = divide(account, order, allowed)
        if OrderFlag.REDUCE_ONLY in order.flags and beyond != 0:
            serve_closing(account, phase, Part(order, to_zero, price, terms), (Status.CANCELLED, Detail.REDUCE_ONLY))
            continue
        if beyond < 0 and not can_borrow(account, phase.bar, terms.column):
            serve_closing(account, phase, Part(order, to_zero, price, terms), (Status.REJECTED, Detail.NO_BORROW))
            continue
        if to_zero != 0:
            execute(account, phase, Execution(phase.bar, order, to_zero, to_zero, price, rates=charged(account, order)))
            if order.reason is Reason.LIQUIDATION:
                levy(account, phase.bar, terms, price, value(to_zero, price, terms, account.rules.unit))
        if beyond == 0:
            leave_rest(account, phase, order, allowed, why)
        else:
            increases.append(Part(order, beyond, price, terms, served=allowed, why=why))
    if increases:
        fill_increases(account, phase, increases)


def capped(account: Account, phase: Phase, order: Order) -> Decimal:
    """The part of an order that the volume of its bar allows."""
    terms, quantity = account.rules.terms[order.slot], order.quantity or ZERO
    bar = phase.bars[terms.column]
    if terms.cap_share == 0 or bar is None:
        return quantity
    most = toward_zero(bar.volume * terms.cap_share, terms.asset.lot_size)
    return min(quantity, most) if quantity > 0 else max(quantity, -most)


def leave_rest(account: Account, phase: Phase, order: Order, served: Decimal, why: Detail) -> None:
    """What the volume did not allow stays working, from the next bar on, or is cancelled; what the increments did not is cancelled.

    A stop that was reached goes on as a market order.
    """
    rest = (order.quantity or ZERO) - served
    if rest == 0:
        account.working.remove(order)
        return
    order.quantity = rest
    one_attempt = order.time_in_force in (*AUCTIONS, TimeInForce.IOC, TimeInForce.FOK)
    if one_attempt or why is not Detail.CAPPED or not account.rules.terms[order.slot].cap_carry:
        account.end(order, phase.bar, Status.CANCELLED, why)
        return
    order.rests_after = phase.bar
    if order.kind in (OrderKind.STOP, OrderKind.MARKET_IF_TOUCHED):
        order.kind, order.stop = OrderKind.MARKET, ZERO


def can_be_served(account: Account, phase: Phase, order: Order) -> bool:
    """Whether an order's asset has a bar that lets it trade, and the order has arrived."""
    column = account.rules.terms[order.slot].column
    if phase.bars[column] is None or not has_arrived(account, order, phase.bar, phase.moment in CLOSES):
        return False
    return not cannot_trade(barred_at(account.timing, phase.bar, column), order.quantity)


def execute(account: Account, phase: Phase, execution: Execution) -> None:
    """A fill, and what it does to the other orders of its batch."""
    fill(account, execution)
    consequences(account, (phase.now, phase.moment), execution.order, execution.quantity, execution.price)


def charged(account: Account, order: Order) -> Rates:
    """The rates of an order's next fill."""
    rates = rates_of(account, account.rules.terms[order.slot])
    return rates.resting() if order.is_maker else rates


def serve_closing(account: Account, phase: Phase, closing: Part, why: tuple[Status, Detail]) -> None:
    """Fill what an order closes that may do no more; the rest, or all of it, is gone."""
    order, (status, detail) = closing.order, why
    if closing.quantity == 0:
        account.end(order, phase.bar, status, detail)
        return
    requested = order.quantity or ZERO
    rates = charged(account, order)
    execute(account, phase, Execution(phase.bar, order, requested, closing.quantity, closing.price, short=detail, rates=rates))
    account.working.remove(order)


def size_at_fill(account: Account, phase: Phase) -> None:
    """Turn weights and notionals into lots with the equity of this moment, before any fill of the phase."""
    due = [order for order in account.working if order.quantity is None and can_be_served(account, phase, order)]
    if not due:
        return
    equity = equity_of(account, values(account, phase))
    for order in due:
        terms = account.rules.terms[order.slot]
        price = reference_price(account, phase, terms)
        change = wanted(account, order.target, (terms, price), equity) - account.positions[order.slot].quantity
        order.quantity = amount(change, terms.asset.lot_size, "order", terms.asset.symbol)


def wanted(account: Account, target: Decimal, at: tuple[Terms, Decimal], equity: Decimal) -> Decimal:
    """The quantity that a target asks for at a price, cut toward zero to whole lots."""
    if target == 0:
        return ZERO
    return size_of(account, (at[0].kind, target), at, equity)


def size_of(account: Account, asked: tuple[TargetKind, Decimal], at: tuple[Terms, Decimal], equity: Decimal) -> Decimal:
    """The quantity that a quantity, a notional or a weight stands for at a price; money is first brought into the asset's currency."""
    (terms, price), (kind, size) = at, asked
    asset, unit = terms.asset, account.rules.unit
    if kind is TargetKind.QUANTITY:
        return amount(size, asset.lot_size, "target quantity", asset.symbol)
    if kind is TargetKind.WEIGHT:
        money = toward_zero(abroad(account, terms, equity) * size, unit)
    else:
        money = abroad(account, terms, size)
    amount(money, unit, "target notional", asset.symbol)
    check_price(price, terms, unit)
    quantity = toward_zero(money, asset.lot_size, over=price * asset.multiplier)
    return amount(quantity, asset.lot_size, "target quantity", asset.symbol)


def divide(account: Account, order: Order, quantity: Decimal) -> tuple[Decimal, Decimal]:
    """The part of a quantity that reduces the position to zero at most, and the part that opens or increases one."""
    held = account.positions[order.slot].quantity
    if held == 0 or (held > 0) == (quantity > 0):
        return ZERO, quantity
    if abs(quantity) <= abs(held):
        return quantity, ZERO
    return -held, quantity + held


def reference_price(account: Account, phase: Phase, terms: Terms) -> Decimal:
    """The price of the phase for an asset with a bar, else its last price, 0 before its first bar."""
    bar = phase.bars[terms.column]
    return (account.last[terms.column] or ZERO) if bar is None else phase.price(bar)


def values(account: Account, phase: Phase) -> list[Holding]:
    """The value of every position at reference prices, in slot order."""
    rules = account.rules
    held = ((terms, account.positions[terms.number].quantity) for terms in rules.terms)
    return [Holding(terms, value(lots, reference_price(account, phase, terms), terms, rules.unit)) for terms, lots in held if lots != 0]


def need(increase: Part, lots: int, account: Account) -> Decimal:
    """What so many lots take from the room under the gross limit: their value, and the fee times the limit."""
    if lots == 0:
        return ZERO
    unit, terms = account.rules.unit, increase.terms
    quantity = increase.of(lots)
    fee = commission(quantity, increase.price, terms, unit, increase.rates)
    fee = amount(upward(account.rules.gross * fee, unit), unit, "need of an order", terms.asset.symbol)
    worth = value(quantity, increase.price, terms, unit)
    taken = amount(use(quantity, worth, terms, account.rules) + fee, unit, "need of an order", terms.asset.symbol)
    return use_at_home(account, terms, taken)


def room(account: Account, phase: Phase, symbol: str) -> Decimal:
    """What the gross limit leaves for increases, after the reductions."""
    unit = account.rules.unit
    holdings, gross = values(account, phase), ZERO
    left = [Holding(held.terms, shared(account, held.terms, held.worth)) for held in holdings]
    equity = equity_of(account, left, spendable=True)
    for held in (held for held in holdings if not held.terms.isolated):
        taken = use(account.positions[held.terms.number].quantity, held.worth, held.terms, account.rules)
        gross = amount(gross + use_at_home(account, held.terms, taken), unit, "use", held.terms.asset.symbol)
    limit = amount(toward_zero(equity * account.rules.gross, unit), unit, "gross limit", symbol)
    return amount(limit - gross, unit, "room under the gross limit", symbol)


def fill_increases(account: Account, phase: Phase, increases: list[Part]) -> None:
    """Fill all in full if there is room for all; else share the room, pro rata first, then one lot more each."""
    left, short = room(account, phase, increases[0].terms.asset.symbol), Detail.UNAFFORDABLE
    if account.rules.pending_days and free(account) < left:
        left, short = free(account), Detail.UNSETTLED
    total = ZERO
    for increase in increases:
        increase.rates = charged(account, increase.order)
    for increase in increases:
        total = amount(total + need(increase, increase.lots, account), account.rules.unit, "sum of needs", increase.terms.asset.symbol)
    if total <= left:
        for increase in increases:
            increase.share = increase.lots
    else:
        share(account, increases, left, total)
    for increase in increases:
        book(account, phase, increase, short)


def share(account: Account, increases: list[Part], left: Decimal, total: Decimal) -> None:
    """The affordable cut: pro rata in a first pass, one residual lot each in a second, both by slot, then submission."""
    available = left
    in_order = sorted(increases, key=lambda increase: (increase.order.slot, increase.order.number))
    for increase in in_order:
        limit = int(toward_zero(increase.lots * available, Decimal(1), over=total)) if available > 0 else 0
        increase.share = most(increase, limit, left, account)
        left -= need(increase, increase.share, account)
    for increase in in_order:
        if increase.share < increase.lots:
            step = lot_of(account, increase.order, increase.terms)
            more = increase.share + step if increase.share else (increase.lots - 1) % step + 1
            extra = need(increase, more, account) - need(increase, increase.share, account)
            if extra <= left:
                increase.share = more
                left -= extra


def most(increase: Part, limit: int, left: Decimal, account: Account) -> int:
    """The largest number of lots, at most ``limit``, whose need is within what is left: all of them, or whole lots in force less."""
    step = lot_of(account, increase.order, increase.terms)
    least = (increase.lots - 1) % step + 1
    if limit < least:
        return 0
    low, high = -1, (limit - least) // step
    while low < high:
        middle = (low + high + 1) // 2
        if need(increase, least + middle * step, account) <= left:
            low = middle
        else:
            high = middle - 1
    return 0 if low < 0 else least + low * step


def book(account: Account, phase: Phase, increase: Part, short: Detail) -> None:
    """Fill the share of an increase; what is beyond it is cancelled. An order of all or nothing that was cut fills nothing."""
    order = increase.order
    if order not in account.working:
        return
    if increase.share < increase.lots and order.time_in_force is TimeInForce.FOK:
        increase.share = 0
    if increase.share > 0:
        quantity = increase.of(increase.share)
        late = phase.moment not in (Moment.OPEN, Moment.REOPEN)
        execute(account, phase, Execution(phase.bar, order, increase.quantity, quantity, increase.price, late, short, increase.rates))
    else:
        head = (phase.bar, order.submitted, order.slot, order.number, order.reason)
        account.log.append(Row(*head, Status.REJECTED, short, increase.quantity))
    leave_rest(account, phase, order, increase.served, increase.why)
