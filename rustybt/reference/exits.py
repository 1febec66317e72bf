"""Section 6: stop loss, trailing stop, take profit on the path of the bar, and max bars at its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from rustybt.model.codes import Detail, Intrabar, Reason
from rustybt.reference.account import Account, Bar, Order, Position, Terms
from rustybt.reference.fills import Execution, commission, fill, slipped, value
from rustybt.reference.income import levy, levy_of
from rustybt.reference.increments import in_force
from rustybt.reference.isolated import last_stand, own
from rustybt.reference.orders import Phase
from rustybt.reference.rounding import ONE, downward, upward
from rustybt.reference.tariff import Rates, rates_of
from rustybt.reference.timing import arrival, barred_at, cannot_trade, finer_bars
from rustybt.reference.top_up import top_up

PRECEDENCE = (Reason.STOP_LOSS, Reason.LIQUIDATION, Reason.TRAILING_STOP)
"""Which of two stops at one price it is."""


@dataclass(frozen=True)
class Exit:
    """An exit that fires: why, at which price before slippage, and whether finer bars left the order of things open."""

    reason: Reason
    price: Decimal
    detail: Detail = Detail.NONE


def serve_exits(account: Account, phase: Phase) -> None:
    """Close every position whose stop or take lies at the open or on the path, slots in order."""
    number, bars = phase.bar, phase.bars
    for terms in account.rules.terms:
        position, bar = account.positions[terms.number], bars[terms.column]
        if bar is None or position.quantity == 0:
            continue
        if cannot_trade(barred_at(account.timing, number, terms.column), -position.quantity):
            continue
        terms = in_force(account, terms)
        fired = exit_of(account, terms, number, bar)
        if fired is not None and fired.reason is Reason.LIQUIDATION and top_up(account, phase, terms, worst(position, terms, bar)):
            fired = exit_of(account, terms, number, bar)
        if fired is not None:
            leave(account, number, (terms, bar), fired)


def serve_late_exits(account: Account, phase: Phase) -> None:
    """Stop out positions that were opened on the path of this bar, slots in order."""
    number, bars = phase.bar, phase.bars
    for terms in account.rules.terms:
        position, bar = account.positions[terms.number], bars[terms.column]
        if bar is None or position.quantity == 0 or position.opened_late != number:
            continue
        if cannot_trade(barred_at(account.timing, number, terms.column), -position.quantity):
            continue
        terms = in_force(account, terms)
        stop = stop_in(position, terms, bar)
        if stop is not None and stop.reason is Reason.LIQUIDATION and top_up(account, phase, terms, worst(position, terms, bar)):
            stop = stop_in(position, terms, bar)
        if stop is not None:
            leave(account, number, (terms, bar), no_better(stop, position))


def stop_in(position: Position, terms: Terms, bar: Bar) -> Exit | None:
    """The effective stop of a position, if a bar reaches it."""
    stop = long_stop(position, terms) if position.quantity > 0 else short_stop(position, terms)
    if stop is None or (bar.low > stop.price if position.quantity > 0 else bar.high < stop.price):
        return None
    return stop


def worst(position: Position, terms: Terms, bar: Bar) -> Decimal:
    """The worst price that a position sees of a bar: that of the bar, or its stop or trail where that comes first."""
    stops = own_stops(position, terms, below if position.quantity > 0 else above)
    prices = [stop.price for stop in stops]
    return max([bar.low, *prices]) if position.quantity > 0 else min([bar.high, *prices])


def no_better(stop: Exit, position: Position) -> Exit:
    """A liquidation on the path on which a position was opened is not at a better price than its entry."""
    if stop.reason is not Reason.LIQUIDATION:
        return stop
    return replace(stop, price=(min if position.quantity > 0 else max)(stop.price, position.entry))


def leave(account: Account, number: int, at: tuple[Terms, Bar], fired: Exit) -> None:
    """Close a position by an exit that fires, and cancel the orders of its slot."""
    terms, bar = at
    order = exit_order(account, terms.number, number, fired.reason)
    quantity = -account.positions[terms.number].quantity
    rates, taken = rates_of(account, terms), fired.reason is Reason.TAKE_PROFIT
    price = fired.price if taken else slipped(fired.price, quantity, terms, bar)
    charged = rates.resting() if taken else rates
    detail = Detail.SHORTFALL if fired.reason is Reason.LIQUIDATION and falls_short(account, terms, price, charged) else fired.detail
    fill(account, Execution(number, order, quantity, quantity, price, rates=charged, detail=detail))
    if fired.reason is Reason.LIQUIDATION:
        levy(account, number, terms, price, value(quantity, price, terms, account.rules.unit))
    account.cancel(terms.number, number, Detail.EXITED)
    remember_exit(account.positions[terms.number], terms, number)


def falls_short(account: Account, terms: Terms, price: Decimal, rates: Rates) -> bool:
    """Whether an isolated position that is liquidated at a price costs more than was set aside for it."""
    quantity, unit = account.positions[terms.number].quantity, account.rules.unit
    fee = commission(-quantity, price, terms, unit, rates)
    worth = value(quantity, price, terms, unit)
    return own(account, terms, worth) < fee + levy_of(worth, terms)


def exit_order(account: Account, slot: int, bar: int, reason: Reason) -> Order:
    """An order for the whole position of a slot, the other way round."""
    return Order(next(account.numbers), slot, bar, reason, -account.positions[slot].quantity)


def remember_exit(position: Position, terms: Terms, bar: int) -> None:
    """After an exit the slot waits for a new decision, and cools down."""
    if not terms.reentry_on_schedule:
        position.exited = True
    position.cool_down, position.exit_bar = terms.cool_down, bar


def exit_of(account: Account, terms: Terms, number: int, bar: Bar) -> Exit | None:
    """The exit of a position in a bar. Where both levels lie inside the bar its finer bars are asked, one after the other."""
    position, policy = account.positions[terms.number], account.rules.intrabar
    one_exit = long_exit if position.quantity > 0 else short_exit
    fired = one_exit(position, terms, bar, policy)
    if account.timing.finer is None or not reaches_both(position, terms, bar):
        return fired
    assert fired is not None, "a bar that reaches both levels has an exit"
    for finer in finer_bars(account.timing, number, terms.column, terms.asset, len(account.last)):
        found = one_exit(position, terms, finer, policy)
        if found is not None:
            return replace(found, price=min(max(found.price, bar.low), bar.high))
    return replace(fired, detail=Detail.UNRESOLVED)


def reaches_both(position: Position, terms: Terms, bar: Bar) -> bool:
    """Whether stop and take both lie inside a bar, and not at its open."""
    stop, take = long_levels(position, terms) if position.quantity > 0 else short_levels(position, terms)
    if stop is None or take is None:
        return False
    if position.quantity > 0:
        return stop.price < bar.open < take and bar.low <= stop.price and bar.high >= take
    return take < bar.open < stop.price and bar.high >= stop.price and bar.low <= take


def below(price: Decimal, distance: Decimal, terms: Terms) -> Decimal:
    """A level below a price, rounded toward it: to the tick in force, unless that leads past the price."""
    level = upward(price * (ONE - distance), terms.asset.tick_size)
    coarse = upward(level, terms.tick)
    return coarse if coarse <= price else level


def above(price: Decimal, distance: Decimal, terms: Terms) -> Decimal:
    """A level above a price, likewise."""
    level = downward(price * (ONE + distance), terms.asset.tick_size)
    coarse = downward(level, terms.tick)
    return coarse if coarse >= price else level


def long_stop(position: Position, terms: Terms) -> Exit | None:
    """The effective stop of a long position: the highest of stop, liquidation and trail."""
    stops = [*own_stops(position, terms, below), *liquidation(position, terms)]
    return max(sorted(stops, key=lambda level: PRECEDENCE.index(level.reason)), key=lambda level: level.price, default=None)


def short_stop(position: Position, terms: Terms) -> Exit | None:
    """The effective stop of a short position: the lowest of stop, liquidation and trail."""
    stops = [*own_stops(position, terms, above), *liquidation(position, terms)]
    return min(sorted(stops, key=lambda level: PRECEDENCE.index(level.reason)), key=lambda level: level.price, default=None)


def own_stops(position: Position, terms: Terms, side: Callable[[Decimal, Decimal, Terms], Decimal]) -> list[Exit]:
    """The stop and the trail of a position on a side of its prices, where they are set."""
    stop = [Exit(Reason.STOP_LOSS, side(position.entry, terms.stop_loss, terms))] if terms.stop_loss else []
    return stop + ([Exit(Reason.TRAILING_STOP, side(position.peak, terms.trailing, terms))] if terms.trailing else [])


def liquidation(position: Position, terms: Terms) -> list[Exit]:
    """The price at which the margin of an isolated position is used up, if there is one."""
    price = last_stand(position, terms) if terms.isolated else None
    return [] if price is None else [Exit(Reason.LIQUIDATION, price)]


def long_levels(position: Position, terms: Terms) -> tuple[Exit | None, Decimal | None]:
    """The effective stop and the take of a long position, where they are set."""
    take = above(position.entry, terms.take_profit, terms) if terms.take_profit else None
    return long_stop(position, terms), take


def short_levels(position: Position, terms: Terms) -> tuple[Exit | None, Decimal | None]:
    """The effective stop and the take of a short position, where they are set."""
    take = below(position.entry, terms.take_profit, terms) if terms.take_profit else None
    return short_stop(position, terms), take


def long_exit(position: Position, terms: Terms, bar: Bar, policy: Intrabar = Intrabar.PESSIMISTIC) -> Exit | None:
    """Sell at the open if it is beyond a level; else on the path, in the order of the policy if the bar reaches both levels."""
    stop, take = long_levels(position, terms)
    if stop is not None and bar.open <= stop.price:
        return Exit(stop.reason, bar.open)
    if take is not None and bar.open >= take:
        return Exit(Reason.TAKE_PROFIT, bar.open)
    target = Exit(Reason.TAKE_PROFIT, take) if take is not None and bar.high >= take else None
    if stop is None or bar.low > stop.price:
        return target
    return target if target is not None and target_first(policy, bar.high - bar.open, bar.open - bar.low) else stop


def short_exit(position: Position, terms: Terms, bar: Bar, policy: Intrabar = Intrabar.PESSIMISTIC) -> Exit | None:
    """The mirror image: buy back when the price rises to the stop or falls to the take."""
    stop, take = short_levels(position, terms)
    if stop is not None and bar.open >= stop.price:
        return Exit(stop.reason, bar.open)
    if take is not None and bar.open <= take:
        return Exit(Reason.TAKE_PROFIT, bar.open)
    target = Exit(Reason.TAKE_PROFIT, take) if take is not None and bar.low <= take else None
    if stop is None or bar.high < stop.price:
        return target
    return target if target is not None and target_first(policy, bar.open - bar.low, bar.high - bar.open) else stop


def target_first(policy: Intrabar, gain: Decimal, loss: Decimal) -> bool:
    """Whether a bar that goes so far from its open to either side, and reaches both levels, reaches the target first."""
    return policy is Intrabar.OPTIMISTIC or (policy is Intrabar.NEAREST and gain < loss)


def submit_max_bars(account: Account, number: int) -> None:
    """Order out of every position that has been held for the longest allowed time."""
    for terms in account.rules.terms:
        position, working = account.positions[terms.number], account.of(terms.number)
        too_long = terms.max_bars > 0 and position.quantity != 0 and position.held >= terms.max_bars
        if too_long and not any(order.reason in (Reason.MAX_BARS, Reason.LIQUIDATION) for order in working):
            account.cancel(terms.number, number, Detail.REPLACED)
            order = exit_order(account, terms.number, number, Reason.MAX_BARS)
            order.arrives = arrival(account, number, order.number)
            account.working.append(order)
            remember_exit(position, terms, number)
