"""Section 7: targets known at the end of a bar become orders."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from rustybt.model.codes import Detail, Reason, Sizing, Status, TargetKind
from rustybt.reference.account import Account, Order, Row, Terms
from rustybt.reference.controls import Guard, Wish, vet
from rustybt.reference.currencies import has_no_price
from rustybt.reference.margin import is_liquidated
from rustybt.reference.orders import wanted
from rustybt.reference.rounding import ZERO, amount
from rustybt.reference.timing import arrival

Offer = tuple[int, Decimal]
"""A slot and its target: a quantity, an amount of money or a weight."""


def decide(account: Account, bar: int, offers: Iterable[Offer], equity: Decimal, guard: Guard | None = None) -> None:
    """Let every slot with a target decide, in slot order."""
    for slot, target in offers:
        terms, position = account.rules.terms[slot], account.positions[slot]
        previous, position.remembered = position.remembered, target
        if not terms.scheduled and target == previous:
            continue
        price = account.last[terms.column]
        if price is None or has_no_price(account, terms):
            if target != 0:
                reject(account, bar, slot, Detail.NO_PRICE, ZERO)
            continue
        if target == previous and (position.exited or is_leaving(account, slot)):
            continue
        if is_liquidated(account, slot):
            reject(account, bar, slot, Detail.MARGIN_CALL, ZERO)
            continue
        position.exited = False
        trade(account, bar, (terms, target, guard), price, equity)


def is_leaving(account: Account, slot: int) -> bool:
    """Whether a ``max_bars`` order is working."""
    return any(order.reason is Reason.MAX_BARS for order in account.of(slot))


def trade(account: Account, bar: int, decision: tuple[Terms, Decimal, Guard | None], price: Decimal, equity: Decimal) -> None:
    """Replace the working order of a slot by the one that its target asks for, unless the cool-down drops it."""
    terms, target, guard = decision
    slot, position = terms.number, account.positions[terms.number]
    sized_later = account.rules.sizing is Sizing.AT_FILL and terms.kind is not TargetKind.QUANTITY
    if sized_later and target != 0 and position.cool_down == 0:
        account.cancel(slot, bar, Detail.REPLACED)
        send(account, bar, slot, None, target)
        return
    change = wanted(account, target, (terms, price), equity) - position.quantity
    amount(change, terms.asset.lot_size, "order", terms.asset.symbol)
    if change != 0 and position.cool_down > 0:
        allowed = cooled(position.quantity, change)
        if allowed == 0:
            reject(account, bar, slot, Detail.COOL_DOWN, change)
            return
        change = allowed
    if guard is not None and change != 0:
        left, cause = vet(account, guard, (bar, equity), Wish(terms.number, change))
        if left == 0:
            reject(account, bar, slot, cause, change)
            return
        change = left
    account.cancel(slot, bar, Detail.REPLACED)
    if change != 0:
        send(account, bar, slot, change)


def send(account: Account, bar: int, slot: int, quantity: Decimal | None, target: Decimal = ZERO) -> None:
    """A new working order."""
    number = next(account.numbers)
    account.working.append(Order(number, slot, bar, Reason.TARGET, quantity, target, arrival(account, bar, number)))


def cooled(held: Decimal, change: Decimal) -> Decimal:
    """What a cool-down leaves of a change: nothing that opens or increases, and no way through zero."""
    if held == 0 or (held > 0) == (change > 0):
        return ZERO
    return -held if abs(change) > abs(held) else change


def reject(account: Account, bar: int, slot: int, detail: Detail, quantity: Decimal) -> None:
    """A decision that never becomes a working order."""
    account.log.append(Row(bar, bar, slot, next(account.numbers), Reason.TARGET, Status.REJECTED, detail, quantity))
