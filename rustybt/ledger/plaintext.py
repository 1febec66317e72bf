"""The books as a plain-text ledger in the Beancount language: every movement with its lots, costs and gains.

Money is exact: cash, commissions, income and gains are those of the run. A cost per unit cannot always say a lot's cost to the last digit
(a third of a cent after a split), so each transaction posts the difference to ``Equity:Rounding``, which is zero again once a lot is gone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from functools import cached_property

from rustybt.errors import ConfigError
from rustybt.ledger.books import cash_of
from rustybt.ledger.frames import Books
from rustybt.ledger.journal import CASH, COMMISSION, CONVERSION, CONVERTING, ON_CASH, POSITIONS, RECEIVABLE, against
from rustybt.ledger.naming import accounts, commodities, quoted
from rustybt.ledger.tranches import METHODS, Closing, Holding, Tranche, detaches
from rustybt.model import NOWHERE, Reason, Status
from rustybt.model.decimals import from_units

NAMES = (
    "Equity:Opening", "Assets:Cash", "Assets:Positions", "Expenses:Commission", "Income:Dividends", "Income:Cash-In-Lieu",
    "Equity:Deposits", "Assets:Receivable", "Assets:Variation",
    "Income:Gains", "Expenses:Borrow", "Expenses:Interest", "Income:Interest", "Expenses:Financing", "Expenses:Funding", "Expenses:Swap",
    "Equity:Conversion", "Expenses:Conversion", "Expenses:Liquidation",
)  # fmt: skip
"""The journal's accounts, in its order."""
GAINS, ROUNDING = NAMES[9], "Equity:Rounding"
EPOCH = date(1970, 1, 1)
WIDTH = 60
RATE_DIGITS = 12
"""Digits of a rate in a price line, which nothing is computed from."""
PER_UNIT = 4
"""Digits of a restated cost per unit beyond those of the money."""


def beancount_text(books: Books, currency: str = "USD", method: str = "fifo", title: str = "RustyBT") -> str:
    """The whole run as a Beancount file, which asserts its own closing balances.

    Args:
        books: a finished run.
        currency: of the account.
        method: which lot a closing fill takes: ``fifo``, ``lifo`` or ``hifo``. Each posting names its lot, so Beancount books the same.
        title: of the file.

    Raises:
        ConfigError: the method is none of them. Average cost has no lots to name.
    """
    if not isinstance(method, str) or method not in METHODS or method == "average":
        named = [name for name in METHODS if name != "average"]
        raise ConfigError(f"lot method {method!r} cannot be written as lots", where="method", do=f"use one of {', '.join(named)}")
    with localcontext() as context:
        context.prec = 80
        return "\n".join(_Writer(books, currency, method).lines(title)) + "\n"


@dataclass
class _Writer:
    books: Books
    currency: str
    method: str
    holdings: dict[int, Holding] = field(default_factory=dict)
    costs: dict[tuple[int, int], Decimal] = field(default_factory=dict)

    @cached_property
    def unit(self) -> Decimal:
        """One unit of money."""
        return Decimal(1).scaleb(-self.books.tables.money_scale)

    @cached_property
    def money(self) -> str:
        """The currency as a commodity."""
        return commodities([self.currency])[0]

    @cached_property
    def monies(self) -> list[str]:
        """The currencies of the run as commodities, the account's first."""
        given = self.books.tables.currencies
        return [self.money] if given is None else [self.money, *commodities(given.names[1:], [self.money])]

    def money_of(self, slot: int) -> str:
        """The currency of a slot as a commodity."""
        given = self.books.tables.currencies
        return self.money if given is None or slot == NOWHERE else self.monies[int(given.of_asset[slot % len(given.of_asset)])]

    @cached_property
    def symbols(self) -> list[str]:
        """The assets as commodities."""
        return commodities([asset.symbol for asset in self.books.tables.assets], self.monies)

    @cached_property
    def places(self) -> list[str]:
        """The account of each slot."""
        assets = accounts(asset.symbol for asset in self.books.tables.assets)
        sleeves = accounts(self.books.sleeves)
        return [":".join([NAMES[2], *([sleeve] if len(sleeves) > 1 else []), asset]) for sleeve in sleeves for asset in assets]

    def lines(self, title: str) -> list[str]:
        """Header, opening, one transaction per row of the log that moved something, closing balances."""
        log = self.books.outcome.log
        rows = ((log.notional != 0) | (log.fee != 0) | (log.filled != 0)).nonzero()[0].tolist()
        body = [line for row in rows for line in self.entry(row)]
        return [*self.head(title), *body, *self.tail()]

    def head(self, title: str) -> list[str]:
        """Options, accounts, commodities, the deposit."""
        day, cash = self.day(0), from_units(self.books.tables.cash, self.unit)
        carried = sorted({against(reason) for reason in set(self.books.outcome.log.reason.tolist())} - set(range(10)))
        carried += [CONVERTING] if CONVERSION in carried else []
        opened = [NAMES[0], NAMES[1], *NAMES[3:10], *(NAMES[account] for account in carried), ROUNDING]
        used = self.used()
        width = len(self.books.tables.assets)
        return [
            f"option {quoted('title')} {quoted(title)}",
            f"option {quoted('operating_currency')} {quoted(self.money)}",
            "",
            *(f"{day} open {name} {','.join(self.monies)}" for name in opened),
            *(f'{day} open {self.places[slot]} {self.symbols[slot % width]} "STRICT"' for slot in used),
            "",
            *(
                f"{day} commodity {self.symbols[column]}\n  name: {quoted(self.books.tables.assets[column].symbol)}"
                for column in sorted({slot % width for slot in used})
            ),
            "",
            f'{day} * "opening cash"',
            self.posting(NAMES[1], cash),
            self.posting(NAMES[0], -cash),
        ]

    def used(self) -> list[int]:
        """Slots that the log names."""
        return sorted(set(self.books.outcome.log.slot.tolist()) - {NOWHERE})

    def entry(self, row: int) -> list[str]:
        """One row of the log as a transaction whose postings add up to zero exactly."""
        log = self.books.outcome.log
        slot, reason = int(log.slot[row]), Reason(int(log.reason[row]))
        notional, fee = from_units(int(log.notional[row]), self.unit), from_units(int(log.fee[row]), self.unit)
        weight, closings, lines = self.move(slot, row)
        gains = from_units(sum(c.spent + c.received for c in closings), self.unit)
        account = RECEIVABLE if log.status[row] == Status.ACCRUED else CASH
        charged = CONVERTING if reason is Reason.CONVERSION else COMMISSION
        amounts = [(NAMES[account], -notional - fee), (NAMES[charged], fee), (GAINS, gains)]
        if against(reason) != POSITIONS:
            amounts.append((NAMES[against(reason)], notional))
        amounts.append((ROUNDING, -weight - sum(amount for _, amount in amounts)))
        ts = datetime.fromtimestamp(int(self.books.ts[log.bar[row]]) // 1_000_000, UTC)
        head = [
            "",
            f"{self.day(int(log.bar[row]))} * {quoted(self.said(row, reason))}",
            f"  ts: {quoted(ts.strftime('%Y-%m-%dT%H:%M:%SZ'))}",
            *([f"  order: {int(log.seq[row])}"] if log.seq[row] else []),
        ]
        return [*head, *lines, *(self.posting(name, amount, self.money_of(slot)) for name, amount in amounts if amount)]

    def move(self, slot: int, row: int) -> tuple[Decimal, list[Closing], list[str]]:
        """Postings of lots: their weight, what they closed, the lines."""
        log = self.books.outcome.log
        if not (log.filled[row] or detaches(log, row)):
            return Decimal(0), [], []
        holding = self.holdings.setdefault(slot, Holding(METHODS[self.method]))
        before = [(t.row, -t.lots if holding.long else t.lots) for t in holding.tranches]
        if log.reason[row] == Reason.SPLIT or detaches(log, row):
            moved = [(opened, lots, self.costs[slot, opened]) for opened, lots in before]
            closings = holding.book(log, row)
            for tranche in holding.tranches:
                self.costs[slot, tranche.row] = self.restated(slot, tranche)
            moved += [(t.row, t.lots if holding.long else -t.lots, self.costs[slot, t.row]) for t in holding.tranches]
        else:
            closings = holding.book(log, row)
            side = 1 if log.filled[row] > 0 else -1
            moved = [(c.opened, side * c.lots, self.costs[slot, c.opened]) for c in closings]
            opened = int(log.filled[row]) - side * sum(c.lots for c in closings)
            if opened:
                received = log.reason[row] in (Reason.SPINOFF, Reason.MERGER)
                self.costs[slot, row] = self.restated(slot, holding.tranches[-1]) if received else self.price(slot, int(log.price[row]))
                moved.append((row, opened, self.costs[slot, row]))
        weight = sum((self.quantity(slot, lots) * cost for _, lots, cost in moved), Decimal(0))
        return weight, closings, [self.lot_posting(slot, *item) for item in moved]

    def restated(self, slot: int, tranche: Tranche) -> Decimal:
        """Cost per unit of a tranche after a split."""
        total = abs(from_units(tranche.left()[0], self.unit))
        return (total / abs(self.quantity(slot, tranche.lots))).quantize(Decimal(1).scaleb(-self.books.tables.money_scale - PER_UNIT))

    def lot_posting(self, slot: int, opened: int, lots: int, cost: Decimal) -> str:
        """A line that names its lot by cost, day and log row."""
        log, symbol = self.books.outcome.log, self.symbols[slot % len(self.symbols)]
        day, money = self.day(int(log.bar[opened])), self.money_of(slot)
        return f'  {self.places[slot]:<{WIDTH}} {self.quantity(slot, lots):f} {symbol} {{{plain(cost)} {money}, {day}, "{opened}"}}'

    def posting(self, name: str, amount: Decimal, money: str = "") -> str:
        """A line with money, the account's unless given."""
        return f"  {name:<{WIDTH}} {amount:f} {money or self.money}"

    def tail(self) -> list[str]:
        """Last prices, and balances that Beancount checks without tolerance."""
        outcome, last, count = self.books.outcome, len(self.books.ts) - 1, len(self.symbols)
        after = EPOCH + timedelta(days=int(self.books.sessions[-1]) + 1)
        held = outcome.lots.nonzero()[0].tolist()
        prices = [f"{self.day(last)} price {self.symbols[k]} {plain(self.price(k, int(outcome.last[k])))} {self.money_of(k)}"
                  for k in sorted({slot % count for slot in held})]  # fmt: skip
        cash = f"{after} balance {NAMES[CASH]} {from_units(int(outcome.cash[-1]), self.unit):f} ~ 0 {self.money}"
        foreign = [
            f"{after} balance {NAMES[CASH]} {from_units(cash_of(self.books, place), self.unit):f} ~ 0 {money}"
            for place, money in enumerate(self.monies)
            if place
        ]
        rates = zip(self.monies[1:], self.books.closing_rates[1:], strict=True)
        worth = [(money, Decimal(rate.numerator) / Decimal(rate.denominator)) for money, rate in rates if rate]
        digits = Decimal(1).scaleb(-RATE_DIGITS)
        prices += [f"{self.day(last)} price {money} {plain(rate.quantize(digits))} {self.money}" for money, rate in worth]
        units = [
            f"{after} balance {self.places[slot]} {self.quantity(slot, int(outcome.lots[slot])):f} ~ 0 {self.symbols[slot % count]}"
            for slot in self.used()
        ]
        return ["", *prices, "", cash, *foreign, *units]

    def said(self, row: int, reason: Reason) -> str:
        """What a row was, in words."""
        log = self.books.outcome.log
        if log.slot[row] == NOWHERE or reason in ON_CASH:
            return reason.name.lower()
        symbol = self.books.tables.assets[int(log.slot[row]) % len(self.symbols)].symbol
        if log.status[row] != Status.FILLED:
            return f"{reason.name.lower()} of {symbol}"
        verb = "buy" if log.filled[row] > 0 else "sell"
        return f"{verb} {symbol}: {reason.name.lower().replace('_', ' ')}"

    def day(self, bar: int) -> date:
        """The session of a bar."""
        return EPOCH + timedelta(days=int(self.books.sessions[bar]))

    def quantity(self, slot: int, lots: int) -> Decimal:
        """Lots as a quantity."""
        return from_units(lots, self.books.tables.assets[slot % len(self.books.tables.assets)].lot_size)

    def price(self, slot: int, ticks: int) -> Decimal:
        """What one unit of quantity costs at a price."""
        asset = self.books.tables.assets[slot % len(self.books.tables.assets)]
        return from_units(ticks, asset.tick_size) * asset.multiplier


def plain(number: Decimal) -> str:
    """A number without trailing zeros or exponent.

    Example:
        >>> plain(Decimal("12.500")), plain(Decimal("1E+2"))
        ('12.5', '100')
    """
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
