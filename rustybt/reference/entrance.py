"""From integers to human units: ticks become prices, lots quantities, money units money."""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import Protocol

from rustybt.model.codes import EventKind, FillAt, Intrabar, Sizing, TargetKind
from rustybt.model.controls import Control, Response
from rustybt.model.decimals import RATE, WEIGHT, up_down
from rustybt.model.events import widened
from rustybt.model.panel import Ints
from rustybt.model.tables import DATED_SETTINGS, MARGIN_FIELDS, TIER_SETTINGS, Plan, Tables
from rustybt.model.tape import Tape
from rustybt.model.timing import Timing
from rustybt.reference.account import Account, Bar, Bars, Position, Purse, Rules, Terms, Toll
from rustybt.reference.controls import Guard, Limits
from rustybt.reference.decisions import Offer
from rustybt.reference.impact import Impact
from rustybt.reference.moves import Moves
from rustybt.reference.rounding import ZERO
from rustybt.reference.succession import Action
from rustybt.reference.tariff import read_ladder

PER_RATE = 1 / Decimal(RATE)
PER_WEIGHT = 1 / Decimal(WEIGHT)


class Market(Protocol):
    """Bars: four (bars, assets) Int64 arrays of ticks, 0 = no bar. A `rustybt.model.Panel` is one."""

    @property
    def open(self) -> Ints:
        """First price of each bar."""

    @property
    def high(self) -> Ints:
        """Highest price."""

    @property
    def low(self) -> Ints:
        """Lowest price."""

    @property
    def close(self) -> Ints:
        """Last price."""


def read_rules(tables: Tables) -> Rules:
    """The rules of a run in human units."""
    unit = Decimal(1).scaleb(-tables.money_scale)
    terms = tuple(read_terms(tables, slot, unit) for slot in range(tables.sleeves * len(tables.assets)))
    hard = () if tables.carry is None else tuple((int(column), int(first), int(last)) for column, first, last in tables.carry.hard)
    moments, inside = (FillAt(tables.fill_at), Sizing(tables.sizing)), Intrabar(tables.intrabar)
    given, toll, converts = tables.currencies, Toll(), True
    if given is not None:
        toll, converts = Toll(given.cost_rate * PER_RATE, given.cost_minimum * unit, given.least * unit), given.convert
    return Rules(
        unit,
        tables.gross * PER_RATE,
        *moments,
        terms,
        inside,
        tables.delays,
        hard,
        tables.pending_days,
        uses_margin(tables),
        converts,
        toll,
    )


def uses_margin(tables: Tables) -> bool:
    """Whether any slot ever asks for margin; the gross limit then bounds margin and not exposure."""
    later = any(number > 0 and DATED_SETTINGS[place].startswith("margin") for _, _, place, number in tables.dated.tolist())
    return later or any(bool(tables.row(name).any()) for name in MARGIN_FIELDS)


def read_terms(tables: Tables, slot: int, unit: Decimal) -> Terms:
    """The terms of one slot."""
    column = slot % len(tables.assets)
    asset = tables.assets[column]

    def setting(name: str) -> int:
        return int(tables.row(name)[slot])

    return Terms(
        number=slot,
        column=column,
        asset=asset,
        down=Decimal(up_down(asset.tick_size, asset.lot_size, asset.multiplier, tables.money_scale)[1]),
        fee_flat=setting("fee_flat") * unit,
        fee_per_lot=setting("fee_lot_num") * unit,
        fee_lots=Decimal(setting("fee_lot_den")),
        fee_rate=setting("fee_rate") * PER_RATE,
        fee_minimum=setting("fee_min") * unit,
        fee_maximum=None if setting("fee_max") < 0 else setting("fee_max") * unit,
        fee_cap=None if setting("fee_cap") < 0 else setting("fee_cap") * PER_RATE,
        slip_rate=setting("slip_rate") * PER_RATE,
        slip=setting("slip_ticks") * asset.tick_size,
        stop_loss=setting("stop") * PER_RATE,
        take_profit=setting("take") * PER_RATE,
        trailing=setting("trail") * PER_RATE,
        max_bars=setting("max_bars"),
        cool_down=setting("cool_down"),
        reentry_on_schedule=bool(setting("reentry_schedule")),
        scheduled=bool(setting("scheduled")),
        kind=TargetKind(setting("kind")),
        fee_maker=None if setting("fee_maker") < 0 else setting("fee_maker") * PER_RATE,
        ladder=read_ladder(tables, {name: setting(name) for name in TIER_SETTINGS}, unit),
        cap_share=setting("cap_share") * PER_RATE,
        cap_carry=bool(setting("cap_carry")),
        slip_buy=read_impact(tables, setting("slip_buy"), asset.tick_size),
        slip_sell=read_impact(tables, setting("slip_sell"), asset.tick_size),
        margin_initial=setting("margin_initial") * PER_RATE,
        margin_maintenance=setting("margin_maintenance") * PER_RATE,
        margin_lot_initial=setting("margin_lot_initial") * unit,
        margin_lot_maintenance=setting("margin_lot_maintenance") * unit,
        settles=bool(setting("settles")),
        day_ends=bool(setting("day_ends")),
        isolated=bool(setting("isolated")),
        top_up=bool(setting("top_up")),
        fee_liquidation=setting("fee_liquidation") * PER_RATE,
        unit=unit,
        currency=0 if tables.currencies is None else int(tables.currencies.of_asset[column]),
    )


def read_impact(tables: Tables, number: int, tick: Decimal) -> Impact | None:
    """One column of the impacts, from 1 on."""
    if number == 0:
        return None
    rate, ticks, square, root, sigma, *feeds = (int(setting) for setting in tables.impacts[:, number - 1])
    return Impact(rate * PER_RATE, ticks * tick, square * PER_RATE, root * PER_RATE, sigma * PER_RATE, *feeds)


MULTIPLES = (
    *(Control.GROSS_EXPOSURE, Control.NET_EXPOSURE, Control.MAX_LEVERAGE, Control.MIN_LEVERAGE),
    *(Control.VALUE_AT_RISK, Control.MAX_VALUE_AT_RISK, Control.CORRELATED_EXPOSURE),
)
"""Controls that are told as multiples of equity."""


def read_guard(tables: Tables, account: Account) -> Guard | None:
    """The controls in human units, and what they remember at the start."""
    given, unit = tables.controls, account.rules.unit
    if given is None:
        return None
    sizes = {column: asset.lot_size for column, asset in enumerate(tables.assets)}

    def per_asset(lots: Ints) -> dict[int, Decimal]:
        return {column: int(lots[column]) * size for column, size in sizes.items() if lots[column] >= 0}

    limits = Limits(
        {control: Response(given.action(control)) for control in Control if given.action(control) >= 0},
        per_asset(given.quantity),
        per_asset(given.position),
        given.notional * unit,
        given.concentration * PER_RATE,
        given.orders,
        given.drawdown * PER_RATE,
        given.daily_loss * PER_RATE,
        given.flatten,
        tuple((int(column), int(first), int(last)) for column, first, last in given.restricted),
        tuple(given.days.tolist()),
        {int(column): (int(first), int(last)) for column, first, last in given.dates},
        given.collar * PER_RATE,
        given.duplicate,
        {control: getattr(given, control.name.lower()) * PER_RATE for control in MULTIPLES},
        given.deadline,
        given.move * PER_RATE,
        given.risk_bars,
        given.risk_tail,
        given.correlated_bars,
        given.correlated_above * PER_RATE,
    )
    return Guard(limits, Moves(deque(maxlen=given.window)), account.cash, account.cash, account.deposits)


def open_account(tables: Tables, rules: Rules, timing: Timing | None = None) -> Account:
    """An account with the opening cash and nothing else."""
    positions = tuple(Position() for _ in rules.terms)
    cash = tables.cash * rules.unit
    purses = {currency: Purse() for currency in range(1, 0 if tables.currencies is None else len(tables.currencies.names))}
    last: list[Decimal | None] = [None] * len(tables.assets)
    return Account(rules=rules, cash=cash, positions=positions, last=last, deposits=cash, timing=timing or Timing(), purses=purses)


def read_bars(market: Market, number: int, tables: Tables, tape: Tape | None = None) -> Bars:
    """The bars of one instant."""
    bars: list[Bar | None] = []
    for column, asset in enumerate(tables.assets):
        prices = (market.open, market.high, market.low, market.close)
        ticks = [int(price[number, column]) for price in prices]
        volume, feeds = ZERO, tuple[Decimal, ...]()
        if tape is not None and tape.volume is not None:
            volume = int(tape.volume[number, column]) * asset.lot_size
        if tape is not None and tape.feeds is not None:
            feeds = tuple(Decimal(int(term)) for term in tape.feeds[number, :, column])
        bars.append(Bar(*(tick * asset.tick_size for tick in ticks), volume=volume, feeds=feeds) if ticks[3] else None)
    return tuple(bars)


def read_offers(plan: Plan, number: int, rules: Rules) -> list[Offer]:
    """The targets of one bar: quantities, money or weights by the kind of their slot."""
    offers: list[Offer] = []
    for row in range(int(plan.start[number]), int(plan.start[number + 1])):
        slot, value = int(plan.slot[row]), int(plan.value[row])
        terms = rules.terms[slot]
        steps = {TargetKind.QUANTITY: terms.asset.lot_size, TargetKind.NOTIONAL: rules.unit, TargetKind.WEIGHT: PER_WEIGHT}
        offers.append((slot, value * steps[terms.kind]))
    return offers


def read_actions(events: Ints) -> dict[int, list[Action]]:
    """Corporate actions by the bar at which they are effective."""
    actions: dict[int, list[Action]] = {}
    for bar, column, kind, numerator, denominator, other, cash, per, price, part, claim in widened(events).tolist():
        ratio, paid = (Decimal(numerator), Decimal(denominator)), (Decimal(cash), Decimal(per))
        action = Action(column, EventKind(kind), *ratio, other, *paid, Decimal(price), part * PER_RATE, claim)
        actions.setdefault(bar, []).append(action)
    return actions


def read_flows(tables: Tables, unit: Decimal) -> dict[int, list[Decimal]]:
    """Deposits, and negative withdrawals, by the bar at which they are effective. One of nothing is none."""
    flows: dict[int, list[Decimal]] = {}
    for bar, money in tables.flows.tolist():
        if money != 0:
            flows.setdefault(bar, []).append(money * unit)
    return flows
