"""Section 5: working market orders meet a price. Reductions fill in full, increases as far as the account can carry them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from rustybt.model.codes import Detail, Status, TargetKind
from rustybt.reference.account import Account, Bar, Bars, Order, Row, Terms, not_filled
from rustybt.reference.fills import Execution, check_price, commission, fill, slipped, value
from rustybt.reference.margin import use
from rustybt.reference.rounding import ZERO, amount, toward_zero, upward
from rustybt.reference.tariff import Rates, rates_of
from rustybt.reference.timing import barred_at, cannot_trade, has_arrived, turn_away


@dataclass(frozen=True)
class Phase:
    """The moment of filling: the bar, its prices, and whether they are taken at the close."""

    bar: int
    bars: Bars
    at_close: bool

    def price(self, bar: Bar) -> Decimal:
        """The price of this phase."""
        return bar.close if self.at_close else bar.open


@dataclass
class Part:
    """An order, or the part of it on one side of zero, with the price at which it would fill and the rates it would be charged by.

    ``served`` is how much of the order the volume of the bar allows.
    """

    order: Order
    quantity: Decimal
    price: Decimal
    terms: Terms
    share: int = 0
    rates: Rates | None = None
    served: Decimal = ZERO

    @property
    def lots(self) -> int:
        """Size in whole lots, without the sign."""
        return int(abs(self.quantity) / self.terms.asset.lot_size)

    def of(self, lots: int) -> Decimal:
        """The signed quantity of so many lots."""
        size = lots * self.terms.asset.lot_size
        return size if self.quantity > 0 else -size


def fill_market_orders(account: Account, phase: Phase) -> None:
    """Serve every working order whose asset has a bar."""
    here = (order for order in account.working.values() if can_be_served(account, phase, order))
    due = sorted(here, key=lambda order: order.number)
    if any(order.quantity is None for order in due):
        size_at_fill(account, phase, due)
    turn_away(account, phase.bar, phase.at_close)
    due = [order for order in due if order.slot in account.working and can_be_served(account, phase, order)]
    increases: list[Part] = []
    for order in due:
        allowed = capped(account, phase, order)
        if allowed == 0 and order.quantity != 0:
            leave_rest(account, phase, order, ZERO)
            continue
        del account.working[order.slot]
        to_zero, beyond = divide(account, order, allowed)
        if to_zero != 0:
            reduction = part(account, phase, order, to_zero, allowed)
            fill(account, Execution(phase.bar, order, to_zero, to_zero, reduction.price))
        if beyond != 0:
            increases.append(part(account, phase, order, beyond, allowed))
        else:
            leave_rest(account, phase, order, allowed)
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


def leave_rest(account: Account, phase: Phase, order: Order, served: Decimal) -> None:
    """What the volume did not allow stays working, or is cancelled."""
    account.working.pop(order.slot, None)
    rest = (order.quantity or ZERO) - served
    if rest == 0:
        return
    order.quantity = rest
    if account.rules.terms[order.slot].cap_carry:
        account.working[order.slot] = order
    else:
        account.log.append(not_filled(order, phase.bar, Status.CANCELLED, Detail.CAPPED))


def can_be_served(account: Account, phase: Phase, order: Order) -> bool:
    """Whether an order's asset has a bar that lets it trade, and the order has arrived."""
    column = account.rules.terms[order.slot].column
    if phase.bars[column] is None or not has_arrived(account, order, phase.bar, phase.at_close):
        return False
    return not cannot_trade(barred_at(account.timing, phase.bar, column), order.quantity)


def size_at_fill(account: Account, phase: Phase, due: list[Order]) -> None:
    """Turn weights and notionals into lots with the equity of this moment, before any fill of the phase."""
    equity = amount(account.unsettled + account.receivable, account.rules.unit, "equity", account.rules.terms[due[0].slot].asset.symbol)
    for terms, worth in values(account, phase):
        equity = amount(equity + worth, account.rules.unit, "equity", terms.asset.symbol)
    for order in due:
        if order.quantity is None:
            terms = account.rules.terms[order.slot]
            price = reference_price(account, phase, terms)
            change = wanted(order.target, terms, price, equity, account.rules.unit) - account.positions[order.slot].quantity
            order.quantity = amount(change, terms.asset.lot_size, "order", terms.asset.symbol)


def wanted(target: Decimal, terms: Terms, price: Decimal, equity: Decimal, unit: Decimal) -> Decimal:
    """The quantity that a target asks for at a price, cut toward zero to whole lots."""
    asset = terms.asset
    if target == 0:
        return ZERO
    if terms.kind is TargetKind.QUANTITY:
        return amount(target, asset.lot_size, "target quantity", asset.symbol)
    money = target
    if terms.kind is TargetKind.WEIGHT:
        money = toward_zero(equity * target, unit)
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


def part(account: Account, phase: Phase, order: Order, quantity: Decimal, served: Decimal) -> Part:
    """A part of what is served of an order, with its price after slippage."""
    terms = account.rules.terms[order.slot]
    bar = phase.bars[terms.column]
    assert bar is not None, "an order is only served at a bar of its asset"
    return Part(order, quantity, slipped(phase.price(bar), served, terms, bar), terms, served=served)


def reference_price(account: Account, phase: Phase, terms: Terms) -> Decimal:
    """The price of the phase for an asset with a bar, else its last price, 0 before its first bar."""
    bar = phase.bars[terms.column]
    return (account.last[terms.column] or ZERO) if bar is None else phase.price(bar)


def values(account: Account, phase: Phase) -> list[tuple[Terms, Decimal]]:
    """The value of every position at reference prices, in slot order."""
    rules = account.rules
    held = ((terms, account.positions[terms.number].quantity) for terms in rules.terms)
    return [(terms, value(lots, reference_price(account, phase, terms), terms, rules.unit)) for terms, lots in held if lots != 0]


def need(increase: Part, lots: int, account: Account) -> Decimal:
    """What so many lots take from the room under the gross limit: their value, and the fee times the limit."""
    if lots == 0:
        return ZERO
    unit, terms = account.rules.unit, increase.terms
    quantity = increase.of(lots)
    fee = commission(quantity, increase.price, terms, unit, increase.rates)
    fee = amount(upward(account.rules.gross * fee, unit), unit, "need of an order", terms.asset.symbol)
    worth = value(quantity, increase.price, terms, unit)
    return amount(use(quantity, worth, terms, account.rules) + fee, unit, "need of an order", terms.asset.symbol)


def room(account: Account, phase: Phase, symbol: str) -> Decimal:
    """What the gross limit leaves for increases, after the reductions."""
    unit = account.rules.unit
    equity, gross = amount(account.unsettled + min(ZERO, account.receivable), unit, "equity", symbol), ZERO
    for terms, worth in values(account, phase):
        equity = amount(equity + worth, unit, "equity", terms.asset.symbol)
        gross = amount(gross + use(account.positions[terms.number].quantity, worth, terms, account.rules), unit, "use", terms.asset.symbol)
    limit = amount(toward_zero(equity * account.rules.gross, unit), unit, "gross limit", symbol)
    return amount(limit - gross, unit, "room under the gross limit", symbol)


def fill_increases(account: Account, phase: Phase, increases: list[Part]) -> None:
    """Fill all in full if there is room for all; else share the room, pro rata first, then one lot more each."""
    left = room(account, phase, increases[0].terms.asset.symbol)
    total = ZERO
    for increase in increases:
        increase.rates = rates_of(account, increase.terms)
    for increase in increases:
        total = amount(total + need(increase, increase.lots, account), account.rules.unit, "sum of needs", increase.terms.asset.symbol)
    if total <= left:
        for increase in increases:
            increase.share = increase.lots
    else:
        share(account, increases, left, total)
    for increase in increases:
        book(account, phase, increase)
        leave_rest(account, phase, increase.order, increase.served)


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
            extra = need(increase, increase.share + 1, account) - need(increase, increase.share, account)
            if extra <= left:
                increase.share += 1
                left -= extra


def most(increase: Part, limit: int, left: Decimal, account: Account) -> int:
    """The largest number of lots, at most ``limit``, whose need is within what is left."""
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        if need(increase, middle, account) <= left:
            low = middle
        else:
            high = middle - 1
    return low


def book(account: Account, phase: Phase, increase: Part) -> None:
    """Fill the share of an increase; what is beyond it is cancelled."""
    if increase.share > 0:
        quantity = increase.of(increase.share)
        fill(account, Execution(phase.bar, increase.order, increase.quantity, quantity, increase.price, phase.at_close, increase.rates))
    else:
        order = increase.order
        head = (phase.bar, order.submitted, order.slot, order.number, order.reason)
        account.log.append(Row(*head, Status.REJECTED, Detail.UNAFFORDABLE, increase.quantity))
