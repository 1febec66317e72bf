"""Section 2: one bar, in order."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext

from rustybt.model.codes import Detail, FillAt, Status
from rustybt.model.currencies import CurrencyTable
from rustybt.model.panel import Ints
from rustybt.model.tables import Outcome, Plan, Tables
from rustybt.model.tape import Tape
from rustybt.reference.account import Account, Bars, Now, not_filled
from rustybt.reference.carrying import apply_charges, read_charges
from rustybt.reference.clocks import end_lapsed, end_overdue
from rustybt.reference.controls import Guard
from rustybt.reference.currencies import at_last, convert_all, equity_of, gross_of, take_rates
from rustybt.reference.dated import date_terms, read_settings
from rustybt.reference.decisions import Offer, decide
from rustybt.reference.entrance import Market, open_account, read_actions, read_bars, read_flows, read_guard, read_offers, read_rules
from rustybt.reference.events import apply_events
from rustybt.reference.exits import serve_exits, serve_late_exits, submit_max_bars
from rustybt.reference.flows import apply_flows
from rustybt.reference.identity import check_identity, check_log
from rustybt.reference.increments import put_in_force, read_changes
from rustybt.reference.isolated import all_set_apart
from rustybt.reference.leaving import write_outcome
from rustybt.reference.limits import check_limits
from rustybt.reference.margin import watch_margin
from rustybt.reference.orders import Phase, serve
from rustybt.reference.pending import deliver
from rustybt.reference.priced import Moment
from rustybt.reference.requests import Request, accept_all, read_now, read_requests
from rustybt.reference.rounding import EXACT
from rustybt.reference.supervision import supervise
from rustybt.reference.tariff import turn_month
from rustybt.reference.variation import settle_variation


def simulate(tables: Tables, market: Market, plan: Plan, events: Ints, tape: Tape | None = None) -> Outcome:
    """Run the rule book over all bars.

    Args:
        tables: the rules of the run.
        market: open, high, low, close as (bars, assets) Int64 ticks, 0 = no bar.
        plan: the targets offered at each bar.
        events: rows of corporate actions as in `rustybt.model.EVENT_FIELDS`, or their first five columns, sorted by bar, column, kind.
        tape: what the rules read of the market beside its prices.

    Returns:
        The same outcome as ``rustybt.kernel.simulate``, to the last digit.

    Raises:
        LedgerError: an amount does not fit below 2^61 units, or the books do not balance.

    Example:
        >>> from rustybt.testing.generators import session
        >>> drawn = session(7)
        >>> len(simulate(*drawn).equity) == len(drawn.market.close)
        True
    """
    with localcontext(EXACT):
        check_limits(tables, plan, events)
        account = open_account(tables, read_rules(tables), getattr(market, "timing", None))
        opening, actions, flows = account.cash, read_actions(events), read_flows(tables, account.rules.unit)
        due, charges = set(tables.settlements.tolist()), read_charges(tables)
        changes, settings = read_changes(tables, account.rules.unit), read_settings(tables, account.rules.unit)
        guard, turns = read_guard(tables, account), set(tables.turns.tolist())
        equity: list[Decimal] = []
        cash: list[Decimal] = []
        gross: list[Decimal] = []
        aside: list[Decimal] = []
        isolates = any(terms.isolated for terms in account.rules.terms)
        for number in range(len(market.close)):
            if tape is not None and tape.day is not None:
                turn_month(account, int(tape.day[number]))
            bars, offers = (read_bars(market, number, tables, tape), read_offers(plan, number, account.rules))
            asked = Asked(offers, read_requests(plan.requests, number, account.rules), guard, number in due, tables.currencies)
            put_in_force(account, number, changes)
            date_terms(account, number, settings)
            if number in turns:
                deliver(account)
            apply_charges(account, number, charges.get(number, ()))
            apply_events(account, number, actions.get(number, ()))
            apply_flows(account, number, flows.get(number, ()))
            worth, exposure = after_events(account, read_now(plan.requests, number), bars, asked)
            check_identity(account, number)
            equity.append(worth)
            cash.append(account.cash)
            gross.append(exposure)
            aside += [all_set_apart(account)] if isolates else []
        report_working(account, len(market.close) - 1)
        check_log(account, opening)
        return write_outcome(account, (equity, cash, gross, aside))


@dataclass(frozen=True)
class Asked:
    """What a bar is asked for: targets and orders one by one, under which controls, whether it settles futures; rates."""

    offers: list[Offer]
    requests: list[Request]
    guard: Guard | None
    settles: bool
    currencies: CurrencyTable | None


def after_events(account: Account, now: Now, bars: Bars, asked: Asked) -> tuple[Decimal, Decimal]:
    """Steps 2 to 6 of a bar; equity and gross exposure after it."""
    number, guard, settles = now.bar, asked.guard, asked.settles
    end_overdue(account, now)
    serve(account, Phase(now, bars, Moment.OPEN))
    serve(account, Phase(now, bars, Moment.REOPEN))
    serve_exits(account, Phase(now, bars, Moment.STOPS))
    serve(account, Phase(now, bars, Moment.STOPS))
    serve(account, Phase(now, bars, Moment.LIMITS))
    serve(account, Phase(now, bars, Moment.LATE))
    serve_late_exits(account, Phase(now, bars, Moment.LATE))
    take_rates(account, number, asked.currencies)
    serve(account, Phase(now, bars, Moment.CLOSE))
    end_lapsed(account, now, bars)
    if guard is not None:
        guard.moves.note(account, bars)
    take_closes(account, bars)
    equity, gross = mark(account, number)
    if settles:
        settle_variation(account, number)
    age(account, number, bars)
    watch_margin(account, number, equity)
    if guard is not None:
        supervise(account, guard, number, (equity, gross))
    submit_max_bars(account, number)
    decide(account, number, asked.offers, equity, guard)
    accept_all(account, now, asked.requests, (equity, guard))
    if account.rules.fill_at is FillAt.SAME_BAR_CLOSE:
        serve(account, Phase(now, bars, Moment.SAME_BAR))
        equity, gross = mark(account, number)
        if settles:
            settle_variation(account, number)
    return equity, gross


def take_closes(account: Account, bars: Bars) -> None:
    """Each asset with a bar takes its close as last price."""
    for column, bar in enumerate(bars):
        if bar is not None:
            account.last[column] = bar.close


def mark(account: Account, bar: int) -> tuple[Decimal, Decimal]:
    """Foreign cash is converted; then equity and gross exposure at last prices."""
    convert_all(account, bar)
    holdings = at_last(account)
    return equity_of(account, holdings), gross_of(account, holdings)


def age(account: Account, number: int, bars: Bars) -> None:
    """Peaks, bars held and cool-downs move where the asset has a bar."""
    for terms in account.rules.terms:
        position, bar = account.positions[terms.number], bars[terms.column]
        if bar is None:
            continue
        if position.quantity != 0:
            position.held += 1
            if position.opened_late != number:
                position.peak = max(position.peak, bar.high) if position.quantity > 0 else min(position.peak, bar.low)
        if position.cool_down > 0 and position.exit_bar != number:
            position.cool_down -= 1


def report_working(account: Account, last_bar: int) -> None:
    """Orders that the end of the data leaves working."""
    for order in account.working:
        account.log.append(not_filled(order, last_bar, Status.WORKING, Detail.NONE))
