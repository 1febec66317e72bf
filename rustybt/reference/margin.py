"""Section 10: what a position asks of the account, the margin call, and what is sold because of it."""

from __future__ import annotations

from decimal import Decimal

from rustybt.model.codes import NOWHERE, Detail, Reason, Status
from rustybt.reference.account import Account, Order, Row, Rules, Terms
from rustybt.reference.currencies import use_at_home
from rustybt.reference.fills import value
from rustybt.reference.isolated import asked, common
from rustybt.reference.rounding import ZERO, amount


def use(quantity: Decimal, worth: Decimal, terms: Terms, rules: Rules) -> Decimal:
    """What a quantity worth so much takes of the account: its value, or its initial margin."""
    if not rules.uses_margin:
        return abs(worth)
    return asked(quantity, worth, terms, (terms.margin_initial, terms.margin_lot_initial), rules.unit)


def maintenance(account: Account, terms: Terms, quantity: Decimal) -> Decimal:
    """What a quantity must have behind it at the last price."""
    unit = account.rules.unit
    worth = value(quantity, account.last[terms.column] or ZERO, terms, unit)
    asks = asked(quantity, worth, terms, (terms.margin_maintenance, terms.margin_lot_maintenance), unit)
    return use_at_home(account, terms, asks)


def watch_margin(account: Account, bar: int, equity: Decimal) -> None:
    """Call for margin where the equity is below what the positions ask for, and send out what has to go."""
    rules = account.rules
    if not rules.uses_margin:
        return
    held = [terms for terms in rules.terms if account.positions[terms.number].quantity != 0 and not terms.isolated]
    owed, equity = ZERO, common(account, equity)
    for terms in held:
        asks = maintenance(account, terms, account.positions[terms.number].quantity)
        owed = amount(owed + asks, rules.unit, "margin", terms.asset.symbol)
    if not held or equity >= owed:
        return
    account.log.append(Row(bar, bar, NOWHERE, 0, Reason.MARGIN_CALL, Status.APPLIED))
    for terms in rules.terms:
        if is_liquidated(account, terms.number):
            account.cancel(terms.number, bar, Detail.REPLACED)
    dearest_first = sorted(held, key=lambda terms: -maintenance(account, terms, account.positions[terms.number].quantity))
    for terms in dearest_first:
        if owed > equity:
            owed = send_out(account, bar, terms, (owed, equity))


def send_out(account: Account, bar: int, terms: Terms, margin: tuple[Decimal, Decimal]) -> Decimal:
    """Order out the fewest lots of a position that are enough, or all of it; what the rest of the account asks for."""
    owed, equity = margin
    quantity, lot = account.positions[terms.number].quantity, terms.asset.lot_size
    others = owed - maintenance(account, terms, quantity)

    def left(lots: int) -> Decimal:
        return others + maintenance(account, terms, abs(quantity) - lots * lot)

    few, enough = 0, int(abs(quantity) / lot)
    while enough - few > 1:
        middle = (few + enough) // 2
        if left(middle) <= equity:
            enough = middle
        else:
            few = middle
    account.cancel(terms.number, bar, Detail.REPLACED)
    out = enough * lot if quantity < 0 else -enough * lot
    account.working.append(Order(next(account.numbers), terms.number, bar, Reason.LIQUIDATION, out))
    return left(enough)


def is_liquidated(account: Account, slot: int) -> bool:
    """Whether a position is on its way out because of a margin call."""
    return any(order.reason is Reason.LIQUIDATION for order in account.of(slot))
