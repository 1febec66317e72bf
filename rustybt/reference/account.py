"""The nouns of a simulation in human units: terms of a slot, bar, position, order, log row and the account that holds them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count

from rustybt.model.asset import Asset
from rustybt.model.codes import Detail, FillAt, Intrabar, Reason, Sizing, Status, TargetKind
from rustybt.model.requests import OrderFlag, OrderKind, TimeInForce
from rustybt.model.timing import Timing
from rustybt.reference.impact import Impact
from rustybt.reference.rounding import ZERO
from rustybt.reference.tariff import Ladder, Rates

NO_FLAGS = OrderFlag(0)


@dataclass(frozen=True)
class Terms:
    """What one slot (sleeve, asset) trades, at what cost and under which exits.

    Attributes:
        number: of the slot. column: of its asset. asset: with its increments. down: so many lots at one tick are worth whole money units.
        fee_flat, fee_minimum: money. fee_maximum: money or None. fee_rate, fee_cap: fraction of the notional; the cap may be None.
        fee_per_lot: money for ``fee_lots`` lots. slip_rate: fraction of the price. slip: price.
        stop_loss, take_profit, trailing: fractions, 0 = not set. max_bars, cool_down: bars, 0 = not set.
        fee_maker: fraction for resting orders, None = fee_rate. ladder: tiers instead of the rates, or None.
        slip_buy, slip_sell: slippage by volume and feeds instead of the plain one, or None.
        cap_share: most of a bar's volume for an order, 0 = no cap. cap_carry: what is beyond it stays working.
        reentry_on_schedule, scheduled: as in section 6 and 7. kind: what a target number means.
        margin_initial, margin_maintenance: fractions of the value. margin_lot_initial, margin_lot_maintenance: money for one lot.
        isolated: whether margin is set aside for each position. top_up: and added to before it is used up. unit: of money.
        fee_liquidation: what the venue takes of a liquidated value, as a fraction.
        settles: whether gains are paid in cash at settlements.
        day_ends: whether requested orders end with their session.
        tick_in_force: where it is not that of the asset.
        currency: 0 = that of the account.
    """

    number: int
    column: int
    asset: Asset
    down: Decimal
    fee_flat: Decimal
    fee_per_lot: Decimal
    fee_lots: Decimal
    fee_rate: Decimal
    fee_minimum: Decimal
    fee_maximum: Decimal | None
    fee_cap: Decimal | None
    slip_rate: Decimal
    slip: Decimal
    stop_loss: Decimal
    take_profit: Decimal
    trailing: Decimal
    max_bars: int
    cool_down: int
    reentry_on_schedule: bool
    scheduled: bool
    kind: TargetKind
    fee_maker: Decimal | None = None
    ladder: Ladder | None = None
    slip_buy: Impact | None = None
    slip_sell: Impact | None = None
    cap_share: Decimal = ZERO
    cap_carry: bool = False
    margin_initial: Decimal = ZERO
    margin_maintenance: Decimal = ZERO
    margin_lot_initial: Decimal = ZERO
    margin_lot_maintenance: Decimal = ZERO
    settles: bool = False
    day_ends: bool = False
    isolated: bool = False
    top_up: bool = False
    fee_liquidation: Decimal = ZERO
    unit: Decimal = Decimal(1)
    tick_in_force: Decimal | None = None
    currency: int = 0

    @property
    def tick(self) -> Decimal:
        """The tick in force."""
        return self.tick_in_force or self.asset.tick_size

    @property
    def rates(self) -> Rates:
        """What fills are charged by where there are no tiers."""
        return Rates(self.fee_rate, self.fee_maker, self.fee_per_lot, self.fee_lots)


@dataclass(frozen=True)
class Toll:
    """What a conversion costs: a part of what it brings or takes, at least so much money; worth less than ``least`` cash waits."""

    rate: Decimal = ZERO
    minimum: Decimal = ZERO
    least: Decimal = ZERO


@dataclass(frozen=True)
class Rules:
    """What holds for the whole run: unit, gross limit, moments of filling and sizing, terms per slot, inside a bar, delays, end of day.

    ``hard``: bars (asset, first, last) at which an asset cannot be borrowed. ``pending_days``: sessions after which a sale is settled.
    ``converts``: whether foreign cash becomes cash of the account at each mark. ``toll``: what that costs.
    """

    unit: Decimal
    gross: Decimal
    fill_at: FillAt
    sizing: Sizing
    terms: tuple[Terms, ...]
    intrabar: Intrabar = Intrabar.PESSIMISTIC
    delays: tuple[int, ...] = ()
    hard: tuple[tuple[int, int, int], ...] = ()
    pending_days: int = 0
    uses_margin: bool = False
    converts: bool = True
    toll: Toll = Toll()


@dataclass(frozen=True)
class Bar:
    """The prices of one asset at one instant, the quantity traded, and the terms of slippage: as whole numbers of their unit."""

    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal = field(default=ZERO, kw_only=True)
    feeds: tuple[Decimal, ...] = field(default=(), kw_only=True)


Bars = tuple[Bar | None, ...]
"""The bars of one instant, by asset; None where the asset has no bar."""


@dataclass
class Position:
    """What a slot holds and remembers.

    Attributes:
        quantity: signed. entry: average entry price. peak: best price of completed bars since the entry. held: bars.
        opened_late: bar on whose path or at whose close it was opened, None otherwise.
        settled: the part of its value that has been paid in cash. added: to its margin, in money.
        remembered: last target. exited: an exit has fired since. cool_down: bars left. exit_bar: bar of the last exit.
    """

    quantity: Decimal = ZERO
    entry: Decimal = ZERO
    peak: Decimal = ZERO
    held: int = 0
    opened_late: int | None = None
    remembered: Decimal = ZERO
    settled: Decimal = ZERO
    added: Decimal = ZERO
    exited: bool = False
    cool_down: int = 0
    exit_bar: int | None = None

    def close(self) -> None:
        """Nothing is held any more; what is remembered stays."""
        self.quantity = self.entry = self.peak = self.added = ZERO
        self.held, self.opened_late = 0, None


AT_ONCE = -(2**62)
"""Before any instant of a clock."""


@dataclass(eq=False)
class Order:
    """An order. ``quantity`` is None until an order sized at the fill is sized; ``target`` is then its weight or notional.

    Attributes:
        arrives: when it reaches the market, by the market's clock; one that is arranged beforehand is there at once.
        kind, limit, stop, time_in_force, until, flags, entry: of a requested order; ``until`` is None for a day that has not begun.
        rests_after: bar on whose path it was triggered, None otherwise. is_maker: its next fill is charged as one that rested.
        served: how much of it the volume of the bar allows.
        batch: number of the first order of its batch. session: the one whose end may cancel it, None before it has begun.
            sent: bar at which a fill sent it, and whether at the open.
            since: price of that fill.
        trail, trail_rate, offset, best: of a trailing stop: its distance as a price or a fraction, how far beyond it the limit lies, and
            the best price so far.
        display: how much of it is shown, 0 = all.
    """

    number: int
    slot: int
    submitted: int
    reason: Reason
    quantity: Decimal | None
    target: Decimal = ZERO
    arrives: int = AT_ONCE
    kind: OrderKind = OrderKind.MARKET
    limit: Decimal = ZERO
    stop: Decimal = ZERO
    time_in_force: TimeInForce = TimeInForce.GTC
    until: int | None = 0
    flags: OrderFlag = NO_FLAGS
    entry: int = 0
    rests_after: int | None = None
    is_maker: bool = False
    served: Decimal = ZERO
    batch: int = 0
    session: int | None = None
    sent: tuple[int, bool] | None = None
    since: Decimal = ZERO
    trail: Decimal = ZERO
    trail_rate: Decimal = ZERO
    offset: Decimal = ZERO
    best: Decimal = ZERO
    display: Decimal = ZERO

    @property
    def is_dormant(self) -> bool:
        """Whether it waits for the first order of its batch."""
        return OrderFlag.DORMANT in self.flags

    @property
    def is_buy(self) -> bool:
        """Which side it is on."""
        return self.quantity is not None and self.quantity > 0

    def allows(self, price: Decimal) -> bool:
        """Whether its limit allows a price."""
        return price <= self.limit if self.is_buy else price >= self.limit


@dataclass(frozen=True)
class Now:
    """What the clock says at a bar: the session as a day number, the instant, and whether the session is known to end."""

    bar: int
    session: int
    ts: int
    ends: bool


@dataclass(frozen=True)
class Claim:
    """A dividend that is earned and not yet paid: the number it is paid under, whose it is, how much."""

    number: int
    slot: int
    money: Decimal


@dataclass(frozen=True)
class Row:
    """One row of the log, in human units."""

    bar: int
    submitted: int
    slot: int
    number: int
    reason: Reason
    status: Status
    detail: Detail = Detail.NONE
    requested: Decimal = ZERO
    """A quantity; of a top-up money."""
    filled: Decimal = ZERO
    price: Decimal = ZERO
    notional: Decimal = ZERO
    fee: Decimal = ZERO


@dataclass(kw_only=True)
class Purse:
    """The book of one currency.

    Attributes:
        cash, deposits, traded, fees, income: running sums, money. ``deposits`` starts at the opening cash.
        receivable: the sum of the claims.
        settled: the value of positions that has been paid in cash.
        pending: what sales brought in and is not settled, with the session in which it will be. session: how many have begun.
        converted: what came from books of other currencies, negative where it went there.
    """

    cash: Decimal = ZERO
    deposits: Decimal = ZERO
    settled: Decimal = ZERO
    traded: Decimal = ZERO
    fees: Decimal = ZERO
    income: Decimal = ZERO
    receivable: Decimal = ZERO
    converted: Decimal = ZERO

    @property
    def unsettled(self) -> Decimal:
        """Cash as it would be if no gain had been settled: what equity adds the full value of positions to."""
        return self.cash - self.settled


@dataclass(kw_only=True)
class Account(Purse):
    """The state of a run. It is the book of its own currency; those of others are in ``purses``.

    Attributes:
        purses: by currency, from 1 on. rates: what one unit of a currency is worth, as a fraction, where it is known.
        positions: per slot. last: last price per asset, None before its first bar.
        timing: what is known about the bars beside their prices.
        sessions: session of the last bar per asset, None before its first.
        working: orders not yet filled, in submission sequence. batch: first order of the batch that is being submitted.
        ticks, lots, least: tick, lot and least notional in force, per asset.
        month, traded_in_month: what was traded in the month, by group of tiers.
    """

    rules: Rules
    positions: tuple[Position, ...]
    last: list[Decimal | None]
    purses: dict[int, Purse] = field(default_factory=dict)
    rates: dict[int, tuple[Decimal, Decimal]] = field(default_factory=dict)
    timing: Timing = field(default_factory=Timing)
    session: int = 0
    pending: list[tuple[int, Decimal]] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    sessions: dict[int, int] = field(default_factory=dict)
    working: list[Order] = field(default_factory=list)
    batch: int = 0
    log: list[Row] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    ticks: list[Decimal] = field(init=False)
    lots: list[Decimal] = field(init=False)
    least: list[Decimal] = field(init=False)
    month: tuple[int, int] | None = None
    traded_in_month: dict[int, Decimal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assets = [terms.asset for terms in self.rules.terms[: len(self.last)]]
        self.ticks, self.lots = [asset.tick_size for asset in assets], [asset.lot_size for asset in assets]
        self.least = [ZERO for _ in assets]

    def purse(self, terms: Terms) -> Purse:
        """The book of a slot's currency."""
        return self.purses[terms.currency] if terms.currency else self

    def all_purses(self) -> list[tuple[int, Purse]]:
        """Every book with the number of its currency, the account's own first."""
        return [(0, self), *sorted(self.purses.items(), key=lambda item: item[0])]

    def of(self, slot: int) -> list[Order]:
        """The working orders of a slot."""
        return [order for order in self.working if order.slot == slot]

    def cancel(self, slot: int, bar: int, detail: Detail) -> None:
        """Cancel the working orders of a slot."""
        for order in self.of(slot):
            self.end(order, bar, Status.CANCELLED, detail)

    def end(self, order: Order, bar: int, status: Status, detail: Detail) -> None:
        """Take an order out, with a row that says why."""
        self.working.remove(order)
        self.log.append(not_filled(order, bar, status, detail))


def not_filled(order: Order, bar: int, status: Status, detail: Detail) -> Row:
    """The log row of an order of which nothing was filled."""
    requested = ZERO if order.quantity is None else order.quantity
    return Row(bar, order.submitted, order.slot, order.number, order.reason, status, detail, requested)
