"""Section 6: stop loss, trailing stop, take profit on the path of the bar, and max bars at its end."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from rustybt.model.codes import Detail, Reason
from rustybt.reference.account import Account, Bar, Bars, Order, Position, Terms
from rustybt.reference.fills import Execution, fill, slipped
from rustybt.reference.rounding import ONE, downward, upward
from rustybt.reference.tariff import rates_of


@dataclass(frozen=True)
class Exit:
    """An exit that fires: why, and at which price before slippage."""

    reason: Reason
    price: Decimal


def serve_exits(account: Account, number: int, bars: Bars) -> None:
    """Close every position whose stop or take lies at the open or on the path, slots in order."""
    for terms in account.rules.terms:
        position, bar = account.positions[terms.number], bars[terms.column]
        if bar is None or position.quantity == 0:
            continue
        fired = long_exit(position, terms, bar) if position.quantity > 0 else short_exit(position, terms, bar)
        if fired is None:
            continue
        leave(account, number, (terms, bar), fired)


def serve_late_exits(account: Account, number: int, bars: Bars) -> None:
    """Stop out positions that were opened on the path of this bar, slots in order."""
    for terms in account.rules.terms:
        position, bar = account.positions[terms.number], bars[terms.column]
        if bar is None or position.quantity == 0 or position.opened_late != number:
            continue
        stop = long_stop(position, terms) if position.quantity > 0 else short_stop(position, terms)
        if stop is not None and (bar.low <= stop.price if position.quantity > 0 else bar.high >= stop.price):
            leave(account, number, (terms, bar), stop)


def leave(account: Account, number: int, at: tuple[Terms, Bar], fired: Exit) -> None:
    """Close a position by an exit that fires, and cancel the orders of its slot."""
    terms, bar = at
    order = exit_order(account, terms.number, number, fired.reason)
    quantity = -account.positions[terms.number].quantity
    rates = rates_of(account, terms)
    if fired.reason is Reason.TAKE_PROFIT:
        fill(account, Execution(number, order, quantity, quantity, fired.price, rates=rates.resting()))
    else:
        fill(account, Execution(number, order, quantity, quantity, slipped(fired.price, quantity, terms, bar), rates=rates))
    account.cancel(terms.number, number, Detail.EXITED)
    remember_exit(account.positions[terms.number], terms, number)


def exit_order(account: Account, slot: int, bar: int, reason: Reason) -> Order:
    """An order for the whole position of a slot, the other way round."""
    return Order(next(account.numbers), slot, bar, reason, -account.positions[slot].quantity)


def remember_exit(position: Position, terms: Terms, bar: int) -> None:
    """After an exit the slot waits for a new decision, and cools down."""
    if not terms.reentry_on_schedule:
        position.exited = True
    position.cool_down, position.exit_bar = terms.cool_down, bar


def long_stop(position: Position, terms: Terms) -> Exit | None:
    """The effective stop of a long position: the higher of stop and trail."""
    tick = terms.asset.tick_size
    stops: list[Exit] = []
    if terms.stop_loss:
        stops.append(Exit(Reason.STOP_LOSS, upward(position.entry * (ONE - terms.stop_loss), tick)))
    if terms.trailing:
        stops.append(Exit(Reason.TRAILING_STOP, upward(position.peak * (ONE - terms.trailing), tick)))
    return max(stops, key=lambda level: level.price, default=None)


def short_stop(position: Position, terms: Terms) -> Exit | None:
    """The effective stop of a short position: the lower of stop and trail."""
    tick = terms.asset.tick_size
    stops: list[Exit] = []
    if terms.stop_loss:
        stops.append(Exit(Reason.STOP_LOSS, downward(position.entry * (ONE + terms.stop_loss), tick)))
    if terms.trailing:
        stops.append(Exit(Reason.TRAILING_STOP, downward(position.peak * (ONE + terms.trailing), tick)))
    return min(stops, key=lambda level: level.price, default=None)


def long_exit(position: Position, terms: Terms, bar: Bar) -> Exit | None:
    """Sell at the open if it is beyond a level; else on the path, the stop before the take."""
    tick = terms.asset.tick_size
    stop = long_stop(position, terms)
    take = downward(position.entry * (ONE + terms.take_profit), tick) if terms.take_profit else None
    if stop is not None and bar.open <= stop.price:
        return Exit(stop.reason, bar.open)
    if take is not None and bar.open >= take:
        return Exit(Reason.TAKE_PROFIT, bar.open)
    if stop is not None and bar.low <= stop.price:
        return stop
    if take is not None and bar.high >= take:
        return Exit(Reason.TAKE_PROFIT, take)
    return None


def short_exit(position: Position, terms: Terms, bar: Bar) -> Exit | None:
    """The mirror image: buy back when the price rises to the stop or falls to the take."""
    tick = terms.asset.tick_size
    stop = short_stop(position, terms)
    take = upward(position.entry * (ONE - terms.take_profit), tick) if terms.take_profit else None
    if stop is not None and bar.open >= stop.price:
        return Exit(stop.reason, bar.open)
    if take is not None and bar.open <= take:
        return Exit(Reason.TAKE_PROFIT, bar.open)
    if stop is not None and bar.high >= stop.price:
        return stop
    if take is not None and bar.low <= take:
        return Exit(Reason.TAKE_PROFIT, take)
    return None


def submit_max_bars(account: Account, number: int) -> None:
    """Order out of every position that has been held for the longest allowed time."""
    for terms in account.rules.terms:
        position, working = account.positions[terms.number], account.of(terms.number)
        too_long = terms.max_bars > 0 and position.quantity != 0 and position.held >= terms.max_bars
        if too_long and not any(order.reason is Reason.MAX_BARS for order in working):
            account.cancel(terms.number, number, Detail.REPLACED)
            account.working.append(exit_order(account, terms.number, number, Reason.MAX_BARS))
            remember_exit(position, terms, number)
