"""Section 14, submission: what a strategy asks for one by one becomes working orders."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from rustybt.model.codes import Detail, Reason, Status, TargetKind
from rustybt.model.decimals import RATE, WEIGHT
from rustybt.model.requests import REQUEST_FIELDS, Measure, OrderFlag, OrderKind, Requests, TimeInForce
from rustybt.reference.account import Account, Now, Order, Row, Rules
from rustybt.reference.controls import Guard, Wish, vet
from rustybt.reference.currencies import has_no_price
from rustybt.reference.decisions import cooled
from rustybt.reference.groups import announce, end_orphans, show
from rustybt.reference.increments import in_force, settle_prices
from rustybt.reference.margin import is_liquidated
from rustybt.reference.orders import size_of
from rustybt.reference.rounding import ZERO, amount
from rustybt.reference.supervision import stand_still
from rustybt.reference.timing import arrival
from rustybt.reference.trailing import start, trails

Known = tuple[Decimal, Guard | None]
"""The equity at the end of the bar, and the controls."""


@dataclass(frozen=True)
class Request:
    """An order asked for, in human units."""

    slot: int
    entry: int
    reason: Reason
    kind: OrderKind
    measure: Measure
    size: Decimal
    limit: Decimal
    stop: Decimal
    time_in_force: TimeInForce
    until: int
    flags: OrderFlag
    trail: Decimal
    trail_rate: Decimal
    offset: Decimal
    display: Decimal


def read_requests(requests: Requests | None, number: int, rules: Rules) -> list[Request]:
    """What is asked for at one bar."""
    if requests is None:
        return []
    return [read_request(row, rules) for row in requests.rows[requests.start[number] : requests.start[number + 1]].tolist()]


def read_request(row: list[int], rules: Rules) -> Request:
    """One row of `Requests` in human units."""
    given = dict(zip(REQUEST_FIELDS, row, strict=True))
    asset, measure = rules.terms[given["slot"]].asset, Measure(given["measure"])
    step = {Measure.NOTIONAL: rules.unit, Measure.WEIGHT: 1 / Decimal(WEIGHT)}.get(measure, asset.lot_size)
    return Request(
        slot=given["slot"],
        entry=given["entry"],
        reason=Reason(given["reason"]),
        kind=OrderKind(given["kind"]),
        measure=measure,
        size=given["size"] * step,
        limit=given["limit"] * asset.tick_size,
        stop=given["stop"] * asset.tick_size,
        time_in_force=TimeInForce(given["tif"]),
        until=given["until"],
        flags=OrderFlag(given["flags"]),
        trail=given["trail"] * asset.tick_size,
        trail_rate=given["trail_rate"] / Decimal(RATE),
        offset=given["offset"] * asset.tick_size,
        display=given["display"] * asset.lot_size,
    )


def read_now(requests: Requests | None, number: int) -> Now:
    """The clock of one bar."""
    if requests is None:
        return Now(number, number, number, ends=True)
    clock = requests.clock
    return Now(number, int(clock.session[number]), int(clock.ts[number]), bool(clock.ends[number]))


def accept_all(account: Account, now: Now, requests: Iterable[Request], known: Known) -> None:
    """Every request of a bar, in order."""
    for request in requests:
        accept(account, now, request, known)
    end_orphans(account, now.bar)
    if known[1] is not None:
        stand_still(account, known[1], now.bar)


def accept(account: Account, now: Now, request: Request, known: Known) -> None:
    """One request: an order, a refusal, or a cancellation."""
    if OrderFlag.CANCEL in request.flags:
        withdraw(account, now.bar, request, Detail.REQUESTED)
        return
    if OrderFlag.AMEND in request.flags:
        amend(account, now.bar, request, known)
        return
    terms, position = account.rules.terms[request.slot], account.positions[request.slot]
    price = account.last[terms.column]
    if price is None or has_no_price(account, terms):
        account.batch = 0
        refuse(account, now, request, Detail.NO_PRICE, ZERO)
        return
    joins = OrderFlag.JOIN in request.flags
    if not joins:
        account.batch = 0
    elif account.batch == 0:
        return
    if is_liquidated(account, request.slot):
        refuse(account, now, request, Detail.MARGIN_CALL, ZERO)
        return
    equity, guard = known
    quantity = sized(account, request, price, equity)
    if quantity == 0 and request.measure is not Measure.FILLED:
        return
    if position.cool_down > 0 and OrderFlag.DORMANT not in request.flags:
        allowed = cooled(position.quantity, quantity)
        if allowed == 0:
            refuse(account, now, request, Detail.COOL_DOWN, quantity)
            return
        quantity = allowed
    if guard is not None and quantity != 0 and OrderFlag.DORMANT not in request.flags:
        left, cause = vet(account, guard, (now.bar, equity), wish_of(request, quantity))
        if left == 0:
            refuse(account, now, request, cause, quantity)
            return
        quantity = left
    if OrderFlag.REPLACE in request.flags and not joins:
        withdraw(account, now.bar, request, Detail.REPLACED)
    enter(account, now, request, quantity)


def wish_of(request: Request, quantity: Decimal) -> Wish:
    """What the controls are asked about."""
    return Wish(request.slot, quantity, request.reason, request.limit, request.stop)


def refuse(account: Account, now: Now, request: Request, detail: Detail, quantity: Decimal) -> None:
    """A request that never becomes a working order."""
    head = (now.bar, now.bar, request.slot, next(account.numbers), request.reason)
    account.log.append(Row(*head, Status.REJECTED, detail, quantity))


def enter(account: Account, now: Now, request: Request, quantity: Decimal) -> None:
    """A new working order and its row."""
    until = None if request.time_in_force is TimeInForce.DAY else request.until
    order = Order(
        next(account.numbers),
        request.slot,
        now.bar,
        request.reason,
        quantity,
        kind=request.kind,
        limit=request.limit,
        stop=request.stop,
        time_in_force=request.time_in_force,
        until=until,
        flags=request.flags,
        entry=request.entry,
        trail=request.trail,
        trail_rate=request.trail_rate,
        offset=request.offset,
    )
    order.arrives = arrival(account, now.bar, order.number)
    order.flags |= OrderFlag.BY_FILL if request.measure is Measure.FILLED else OrderFlag(0)
    if OrderFlag.JOIN not in request.flags:
        account.batch = order.number
    order.batch = account.batch
    settle_prices(account, order)
    if trails(order) and not order.is_dormant:
        terms = in_force(account, account.rules.terms[order.slot])
        start(order, account.last[terms.column] or ZERO, terms)
    account.working.append(order)
    announce(account, now.bar, order, Detail.NONE)
    if request.display:
        show(account, now.bar, order, request.display)


def sized(account: Account, request: Request, price: Decimal, equity: Decimal) -> Decimal:
    """The quantity of a request."""
    terms = account.rules.terms[request.slot]
    if request.measure is Measure.POSITION:
        quantity = -account.positions[request.slot].quantity
    elif request.measure is Measure.FILLED:
        quantity = ZERO
    elif request.measure is Measure.QUANTITY:
        quantity = request.size
    else:
        quantity = size_of(account, (TargetKind(request.measure), request.size), (terms, price), equity)
    return amount(quantity, terms.asset.lot_size, "order", terms.asset.symbol)


def meant(account: Account, request: Request) -> list[Order]:
    """The working orders of the slot and entry of a request, or the one whose number it tells as a negative entry."""
    if request.entry < 0:
        return [order for order in account.of(request.slot) if order.number == -request.entry]
    return [order for order in account.of(request.slot) if order.entry == request.entry]


def withdraw(account: Account, bar: int, request: Request, detail: Detail) -> None:
    """Cancel working orders."""
    for order in meant(account, request):
        account.end(order, bar, Status.CANCELLED, detail)


def amend(account: Account, bar: int, request: Request, known: Known) -> None:
    """Give working orders another size or other prices; what a request leaves at 0 stays, and so does a size that the controls forbid."""
    equity, guard = known
    terms = account.rules.terms[request.slot]
    price = account.last[terms.column]
    size = ZERO if price is None or has_no_price(account, terms) else abs(sized(account, request, price, equity))
    for order in meant(account, request):
        if not order.quantity:
            continue
        quantity = size if order.is_buy else -size
        if guard is not None and abs(quantity) > abs(order.quantity):
            quantity = vet(account, guard, (bar, equity), wish_of(request, quantity))[0]
        if quantity != 0:
            order.quantity = quantity
        if request.limit and order.limit:
            order.limit = request.limit
        if request.stop and order.stop:
            order.stop = request.stop
        settle_prices(account, order)
        order.flags &= ~OrderFlag.RESTED
        announce(account, bar, order, Detail.AMENDED)
