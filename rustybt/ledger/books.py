"""The books rebuilt from the log alone, and the verdict that they balance."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from rustybt.errors import LedgerError
from rustybt.ledger.frames import Books
from rustybt.model import Reason, Status
from rustybt.model.decimals import from_units, up_down
from rustybt.model.panel import Ints

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class BooksVerdict:
    """That the log alone gives the same cash, positions and equity as the run.

    Attributes:
        rows: log rows added up.
        cash, equity: final amounts as decimal strings.
    """

    rows: int
    cash: str
    equity: str

    def __str__(self) -> str:
        return f"books balance: {self.rows:,} log rows rebuild cash {self.cash} and equity {self.equity}"


def check_books(books: Books) -> BooksVerdict:
    """Rebuild cash, positions and final equity from the log and compare to the last digit.

    Raises:
        LedgerError: naming what differs; a run that raises this has no result.
    """
    tables, outcome, log = books.tables, books.outcome, books.outcome.log
    parts = worths_of(books)
    cash = parts[0][0]
    _same("cash", cash, int(outcome.cash[-1]))
    lots = np.zeros(len(outcome.lots), dtype=np.int64)
    if len(lots) == 1:
        lots[0] = log.filled.sum()
    else:
        np.add.at(lots, log.slot, log.filled)
    if not np.array_equal(lots, outcome.lots):
        slot = int(np.flatnonzero(lots != outcome.lots)[0])
        symbol = tables.assets[slot % len(tables.assets)].symbol
        _same(f"position of {symbol!r}", int(lots[slot]), int(outcome.lots[slot]))
    rates, worth = books.closing_rates, [left + owed + sum(slots.values()) for left, owed, slots in parts]
    equity = sum(half_even(part * rate.numerator, rate.denominator) for part, rate in zip(worth, rates, strict=True))
    _same("equity", equity, int(outcome.equity[-1]))
    unit = Decimal(1).scaleb(-tables.money_scale)
    return BooksVerdict(log.rows, format(from_units(cash, unit), "f"), format(from_units(equity, unit), "f"))


def cash_of(books: Books, currency: int) -> int:
    """Cash of one currency by the log alone, money units; 0 is the account's."""
    log = books.outcome.log
    own = in_currency(books, currency, ~log.having(Status.ACCRUED))
    return (0 if currency else books.tables.cash) - total(log.notional, own) - total(log.fee, own)


def in_currency(books: Books, currency: int, rows: Mask) -> Mask:
    """Those of some log rows that are in a currency."""
    return rows if books.tables.currencies is None else rows & (books.currency_of(books.outcome.log.slot) == currency)


def total(amounts: Ints, rows: Mask) -> int:
    """The sum of some rows. All rows and none are the usual cases, and to pick a million rows is dear."""
    if rows.all():
        return int(amounts.sum())
    return int(amounts[rows].sum()) if rows.any() else 0


def worth_by_currency(books: Books) -> list[int]:
    """What each currency holds by the log alone: cash without what was settled, what is owed, positions; money units of its own."""
    return [cash + owed + sum(slots.values()) for cash, owed, slots in worths_of(books)]


def worths_of(books: Books) -> list[tuple[int, int, dict[int, int]]]:
    """The same in parts: cash, dividends to come, and by slot the value of its position less what was settled of it."""
    log, found, values = books.outcome.log, [], slot_values(books)
    settled = np.flatnonzero(log.having(Reason.VARIATION))
    np.add.at(values, log.slot[settled], log.notional[settled])
    places = books.currency_of(np.arange(len(values)))
    for place in range(len(books.closing_rates)):
        accrued, paid = (in_currency(books, place, rows) for rows in (log.having(Status.ACCRUED), log.having(Reason.PAYMENT)))
        owed = total(log.notional, paid) - total(log.notional, accrued)
        slots = np.flatnonzero((places == place) & (values != 0)).tolist()
        found.append((cash_of(books, place), owed, {slot: int(values[slot]) for slot in slots}))
    return found


def slot_values(books: Books) -> Ints:
    """(slots,) Int64: value of each slot's position at the last price, money units."""
    tables, outcome = books.tables, books.outcome
    out = np.zeros(len(outcome.lots), dtype=np.int64)
    for slot in np.flatnonzero(outcome.lots).tolist():
        asset = tables.assets[slot % len(tables.assets)]
        up, down = up_down(asset.tick_size, asset.lot_size, asset.multiplier, tables.money_scale)
        out[slot] = half_even(int(outcome.lots[slot]) * int(outcome.last[slot % len(tables.assets)]) * up, down)
    return out


def half_even(number: int, divisor: int) -> int:
    """A quotient rounded to the nearest whole number, ties to the even one.

    Example:
        >>> half_even(5, 2), half_even(-7, 2)
        (2, -4)
    """
    quotient, rest = divmod(number, divisor)
    if 2 * rest > divisor or (2 * rest == divisor and quotient & 1):
        quotient += 1
    return quotient


def _same(what: str, rebuilt: int, kept: int) -> None:
    if rebuilt != kept:
        raise LedgerError(
            f"the books do not balance: {what} is {kept} units in the run but {rebuilt} from the log",
            where="end of run",
            do="this is a bug in RustyBT; please report it with the strategy and the data",
        )
