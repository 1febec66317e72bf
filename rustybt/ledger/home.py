"""What money of other currencies was worth to the account when it moved, and lots and cash at those rates.

One rate for each bar: the one in force at its mark, at which the account is valued and foreign cash converted. An amount of the log is
brought into the account's currency at the rate of its bar, half-even, once. Everything here is in whole money units.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from rustybt.errors import LedgerError
from rustybt.ledger.books import half_even, worths_of
from rustybt.ledger.frames import Books
from rustybt.ledger.journal import CONVERSION, DEPOSITS, POSITIONS, RECEIVABLE, VARIATION, accounts_of
from rustybt.ledger.match import match_fifo
from rustybt.ledger.tranches import Matches, match_lots
from rustybt.model import Log, Reason, Status
from rustybt.model.decimals import LIMIT
from rustybt.model.panel import Ints


def at_rates(books: Books, slot: npt.NDArray[np.integer], bar: npt.NDArray[np.integer], money: Ints) -> Ints:
    """Amounts of the currencies of slots in that of the account, each at the rate of a bar, half-even; nothing where none was known.

    Raises:
        LedgerError: an amount does not fit.
    """
    out = money.astype(np.int64, copy=True)
    currency = books.currency_of(slot)
    for place in np.unique(currency[(currency > 0) & (money != 0)]).tolist():
        rows = np.flatnonzero((currency == place) & (money != 0))
        num, den = (side[bar[rows], place].tolist() for side in books.rates)
        found = [half_even(amount * n, d) for amount, n, d in zip(money[rows].tolist(), num, den, strict=True)]
        if max(map(abs, found)) >= LIMIT:
            raise LedgerError(
                f"an amount of {max(map(abs, found))} units in the account's currency does not fit below 2^61",
                where=f"lots and currencies, currency place {place}",
                do="use a smaller money_scale",
            )
        out[rows] = found
    return out


@dataclass(frozen=True)
class AtHome:
    """A finished run in the currency of its account."""

    books: Books

    @cached_property
    def log(self) -> Log:
        """The log with ``notional`` and ``fee`` in the account's currency, each row at the rate of its bar."""
        books, log = self.books, self.books.outcome.log
        if books.tables.currencies is None:
            return log
        return replace(log, notional=at_rates(books, log.slot, log.bar, log.notional), fee=at_rates(books, log.slot, log.bar, log.fee))

    @cached_property
    def worths(self) -> HomeWorths:
        """What each currency holds at the end."""
        return home_worths(self.books)

    def tolls(self) -> Ints:
        """What conversions of each currency cost: the fee of the row of the account that follows that of the currency."""
        log, out = self.books.outcome.log, np.zeros(len(self.books.closing_rates), dtype=np.int64)
        rows = np.flatnonzero(log.having(Reason.CONVERSION) & (log.slot >= 0))
        np.add.at(out, self.books.currency_of(log.slot[rows]), log.fee[rows + 1])
        return out

    def income(self, currency: int | None = None) -> int:
        """Dividends, cash in lieu and what holding earned or cost, of one currency or of all."""
        rows = ~np.isin(accounts_of(self.log.reason), (POSITIONS, DEPOSITS, RECEIVABLE, VARIATION, CONVERSION))
        if currency is not None:
            rows &= self.books.currency_of(self.log.slot) == currency
        return -int(self.log.notional[rows].sum())


@dataclass(frozen=True)
class HomeLots:
    """Money of matched lots in the account's currency, one number for each of them.

    Attributes:
        cost: at the rate of the opening fill. ends: proceeds at the rate of the closing fill, or value at the last rate.
        gain: ``ends - cost``. price: the gain in the lot's own currency at the rate of ``ends``. fx: the rest, what the rate did to cost.
        value: at entry, signed, without commission, at the rate of ``cost``.

    Of contracts that settle only the gain is exposed to the rate: all of it is ``price``, and the cost is told at the rate of ``ends``.
    """

    cost: Ints
    ends: Ints
    price: Ints
    value: Ints

    @property
    def gain(self) -> Ints:
        """What came of the lots."""
        return self.ends - self.cost

    @property
    def fx(self) -> Ints:
        """The part of the gain that the rate made."""
        return self.gain - self.price


def lots_at_home(home: AtHome, found: Matches, values: Ints, method: str = "fifo") -> HomeLots:
    """Matched lots in the account's currency.

    Args:
        home: a finished run.
        found: its matches by ``method``.
        values: of open lots in their own currency, 0 for closed ones.
        method: by which they were matched.
    """
    books, log = home.books, home.log
    again = match_fifo(log) if method == "fifo" else match_lots(log, method, books.outcome.log)
    done = found.closed >= 0
    last = np.where(done, books.outcome.log.bar[np.maximum(found.closed, 0)], len(books.ts) - 1).astype(np.int64)
    own_cost, own_ends = found.spent + found.fee_in, np.where(done, -(found.received + found.fee_out), values)
    price = at_rates(books, found.slot, last, own_ends - own_cost)
    ends = np.where(done, -(again.received + again.fee_out), shared_values(home.worths, found, done))
    cost = again.spent + again.fee_in
    settles = books.tables.row("settles")[found.slot] != 0
    if settles.any():
        flat = at_rates(books, found.slot, last, own_ends)
        ends, cost = np.where(settles, flat, ends), np.where(settles, flat - price, cost)
    return HomeLots(cost, ends, price, again.spent)


def shared_values(worth: HomeWorths, found: Matches, done: npt.NDArray[np.bool_]) -> Ints:
    """Value of each open lot in the account's currency: shares of that of its slot, which add up to it; 0 for closed lots."""
    out = np.zeros(len(found.slot), dtype=np.int64)
    for slot in np.unique(found.slot[~done]).tolist():
        rows = np.flatnonzero((found.slot == slot) & ~done)
        edges = np.cumsum(found.lots[rows]).tolist()
        out[rows] = stepwise(worth.slots[slot] * edge // edges[-1] for edge in edges)
    return out


@dataclass(frozen=True)
class HomeWorths:
    """What each currency holds at the end in the account's: parts of one conversion, which add up to it.

    Attributes:
        cash, owed: by currency: cash, and dividends to come.
        slots: by slot: value of the position, less what was settled.
    """

    cash: list[int]
    owed: list[int]
    slots: list[int]


def home_worths(books: Books) -> HomeWorths:
    """Split the converted worth of each currency: sums of its parts, in order, are rounded, and a part is the difference of two."""
    found = HomeWorths([], [], [0] * len(books.outcome.lots))
    for place, (cash, owed, slots) in enumerate(worths_of(books)):
        rate, parts = books.closing_rates[place], [cash, owed, *slots.values()]
        sums = np.cumsum(np.array(parts, dtype=object)).tolist()
        worth = stepwise(half_even(part * rate.numerator, rate.denominator) for part in sums)
        found.cash.append(worth[0])
        found.owed.append(worth[1])
        for slot, money in zip(slots, worth[2:], strict=True):
            found.slots[slot] = money
    return found


def stepwise(sums: Iterable[int]) -> list[int]:
    """The steps from one running sum to the next, from 0 on.

    Example:
        >>> stepwise([3, 7, 7])
        [3, 4, 0]
    """
    before, out = 0, []
    for after in sums:
        out.append(after - before)
        before = after
    return out


@dataclass
class Pool:
    """Money of one foreign currency at average cost in the account's; what leaves it at another rate gains or loses.

    Attributes:
        amount: of the currency, signed: below 0 it is owed.
        basis: what it cost in the account's currency.
        gained: by what has left so far.
    """

    amount: int = 0
    basis: int = 0
    gained: int = 0

    def move(self, amount: int, worth: int) -> None:
        """Take in an amount worth so much, or give it away; through zero the rest begins anew.

        Example:
            >>> pool = Pool()
            >>> pool.move(100, 110), pool.move(-50, -60), pool
            (None, None, Pool(amount=50, basis=55, gained=5))
        """
        if amount == 0 or (amount > 0) == (self.amount > 0) or self.amount == 0:
            self.amount, self.basis = self.amount + amount, self.basis + worth
            return
        if abs(amount) > abs(self.amount):
            leaving = half_even(worth * abs(self.amount), abs(amount))
            rest = (amount + self.amount, worth - leaving)
            self.move(-self.amount, leaving)
            self.move(*rest)
            return
        cost = half_even(self.basis * abs(amount), abs(self.amount))
        self.gained -= worth + cost
        self.amount, self.basis = self.amount + amount, self.basis - cost


@dataclass(frozen=True)
class Fx:
    """What rates did to foreign cash, to dividends on their way and to what contracts that settle were paid, by currency.

    Attributes:
        realised: by money that has left since. unrealised: by money that is still there.
    """

    realised: list[int]
    unrealised: list[int]

    @property
    def total(self) -> int:
        """Of all currencies."""
        return sum(self.realised) + sum(self.unrealised)


def fx_of(home: AtHome, found: Matches, lots: HomeLots) -> Fx:
    """What rates did beside lots; ``found`` and ``lots`` are all lots of the run.

    Cash of a currency, and claims on dividends, are pools at average cost. Contracts that settle are paid day by day, at the rates of those
    days, for a gain that their lots tell at the rate of their end: the difference is here.
    """
    books, log, worth = home.books, home.log, home.worths
    fx = Fx([0] * len(worth.cash), [0] * len(worth.cash))
    currency, account, settling = books.currency_of(log.slot), accounts_of(log.reason), books.tables.row("settles") != 0
    for place in range(1, len(worth.cash)):
        rows = np.flatnonzero(currency == place)
        accrued, paid = log.status[rows] == Status.ACCRUED, log.reason[rows] == Reason.PAYMENT
        cash = pool(home, rows[~accrued], -np.ones(len(rows[~accrued]), dtype=np.int64))
        claims = accrued | paid
        owed = pool(home, rows[claims], np.where(paid[claims], 1, -1))
        fx.realised[place] += cash.gained + owed.gained
        fx.unrealised[place] += worth.cash[place] - cash.basis + worth.owed[place] - owed.basis
    own = np.isin(account, (POSITIONS, VARIATION)) & settling[np.maximum(log.slot, 0)] & (log.slot >= 0)
    moved = np.zeros(len(settling), dtype=np.int64)
    np.add.at(moved, log.slot[own], -(log.notional[own] + log.fee[own]))
    np.subtract.at(moved, found.slot, lots.gain)
    for slot in np.flatnonzero(settling).tolist():
        fx.realised[int(books.currency_of(np.array([slot]))[0])] += int(moved[slot]) + worth.slots[slot]
    return fx


def pool(home: AtHome, rows: Ints, sign: Ints) -> Pool:
    """Money that rows of the log move, one after the other."""
    own, log, found = home.books.outcome.log, home.log, Pool()
    amounts, worths = sign * (own.notional[rows] + own.fee[rows]), sign * (log.notional[rows] + log.fee[rows])
    for amount, worth in zip(amounts.tolist(), worths.tolist(), strict=True):
        found.move(amount, worth)
    return found
