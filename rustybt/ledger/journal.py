"""The double-entry journal: every movement of money and of shares as postings that add up to zero."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.ledger.books import slot_values
from rustybt.ledger.frames import Books, coded, columns_of, place, times
from rustybt.ledger.money import decimal_column, lot_sizes, steps_column
from rustybt.model import NOWHERE, Reason, Status
from rustybt.model.panel import Ints

CASH, POSITIONS, COMMISSION, DIVIDENDS, IN_LIEU, DEPOSITS, RECEIVABLE, VARIATION, TRADING = range(1, 10)
BORROW, INTEREST, CREDIT, FINANCING, FUNDING, SWAP = range(10, 16)
CONVERSION, CONVERTING, LIQUIDATION = 16, 17, 18
ACCOUNTS = pl.Enum(
    [
        "equity:opening",
        "assets:cash",
        "assets:positions",
        "expenses:commission",
        "income:dividends",
        "income:cash_in_lieu",
        "equity:deposits",
        "assets:receivable",
        "assets:variation",
        "income:trading",
        "expenses:borrow",
        "expenses:interest",
        "income:interest",
        "expenses:financing",
        "expenses:funding",
        "expenses:swap",
        "equity:conversion",
        "expenses:conversion",
        "expenses:liquidation",
    ]
)


ON_CASH = (Reason.INTEREST, Reason.CREDIT, Reason.CONVERSION)
"""Reasons of rows about the cash of a currency: of a foreign one at the first slot that is quoted in it."""
AGAINST = {
    Reason.DIVIDEND: DIVIDENDS,
    Reason.SPLIT: IN_LIEU,
    Reason.DEPOSIT: DEPOSITS,
    Reason.WITHDRAWAL: DEPOSITS,
    Reason.PAYMENT: RECEIVABLE,
    Reason.VARIATION: VARIATION,
    Reason.BORROW: BORROW,
    Reason.INTEREST: INTEREST,
    Reason.CREDIT: CREDIT,
    Reason.FINANCING: FINANCING,
    Reason.FUNDING: FUNDING,
    Reason.SWAP: SWAP,
    Reason.CONVERSION: CONVERSION,
    Reason.LIQUIDATION_FEE: LIQUIDATION,
}
"""Where the notional of a row goes to, if not to the positions."""


def against(reason: int) -> int:
    """The account that a row's notional goes to, by its reason."""
    return AGAINST.get(Reason(reason), POSITIONS)


def accounts_of(reason: npt.NDArray[np.integer]) -> Ints:
    """The same for rows of a log."""
    return np.asarray(np.array([against(code) for code in Reason])[reason], dtype=np.int64)


def journal_frame(books: Books) -> pl.DataFrame:
    """Postings of the whole run; positive = debit. Each entry adds up to zero.

    A fill moves its notional between cash and positions (at trade value) and its fee to commission. A dividend or cash in lieu moves
    income to cash, a deposit or withdrawal equity to cash. A split changes a quantity. At the end each slot has a closing entry, which
    takes what trading it gained (``income:trading`` is negative then) to positions, so that they are carried at the last price.
    What holding costs, and what a venue takes for a liquidation, goes to an account of its kind. A top-up of isolated margin has no
    entry: the money stays cash of the account. In a run of several currencies each entry is in one, and a conversion is two entries
    against ``equity:conversion``, its cost an expense of its own.
    What futures are paid at settlements stands against their value in ``assets:variation``, which is back at zero once nothing is held.

    Returns:
        entry (Int64, counts up), ts, asset and sleeve (null for the opening, deposits, withdrawals, interest and conversions), order,
        account, quantity (Decimal, signed change of the position; null where none moves), amount (Decimal), with several currencies also
        currency, sorted by entry. Cash, positions and equity follow from it alone: `replay`.
    """
    log = books.outcome.log
    moved = np.flatnonzero((log.notional != 0) | (log.fee != 0) | (log.filled != 0))
    row, account, amount = _postings(books, moved)
    slot, balance = log.slot[row].astype(np.int64), account == POSITIONS
    lots = np.where(balance, log.filled[row], 0)
    closing = _closing(books, slot[balance], amount[balance])
    bars = np.concatenate([log.bar[row], np.full(2 * len(closing[0]), len(books.ts) - 1)])
    entry = np.concatenate([np.searchsorted(moved, row) + 1, np.repeat(np.arange(len(closing[0])) + len(moved) + 1, 2)])
    slot = np.concatenate([slot, np.repeat(closing[0], 2)])
    account = np.concatenate([account, np.tile([POSITIONS, TRADING], len(closing[0]))])
    amount = np.concatenate([amount, np.column_stack([closing[1], -closing[1]]).ravel()])
    lots = np.concatenate([lots, np.zeros(2 * len(closing[0]), dtype=np.int64)])
    quantity = steps_column("quantity", lots, lot_sizes(books.tables.assets), columns_of(books, slot))
    frame = pl.DataFrame(
        [
            pl.Series("entry", entry.astype(np.int64)),
            times(books, "ts", bars),
            *_places(books, named_slot(np.concatenate([log.reason[row], np.zeros(2 * len(closing[0]), dtype=np.int8)]), slot)),
            pl.Series("order", np.concatenate([log.seq[row], np.zeros(2 * len(closing[0]), dtype=np.int64)])),
            coded("account", account, ACCOUNTS),
            quantity.set(pl.Series(lots == 0), None),
            decimal_column("amount", amount, books.tables.money_scale),
            *currency_column(books, books.currency_of(slot)),
        ]
    )
    return pl.concat([_opening(books, frame), frame])


def currency_column(books: Books, place: Ints) -> list[pl.Series]:
    """The currency of each row, where a run has several."""
    given = books.tables.currencies
    return [] if given is None else [coded("currency", place, pl.Enum(given.names))]


def named_slot(reason: npt.NDArray[np.integer], slot: npt.NDArray[np.integer]) -> npt.NDArray[np.integer]:
    """The slots of rows, `NOWHERE` where a row is about the cash of a currency and its slot only says of which."""
    return np.where(np.isin(reason, ON_CASH), NOWHERE, slot)


def _places(books: Books, slot: npt.NDArray[np.integer]) -> list[pl.Series]:
    """Asset and sleeve, null where a row is about the account."""
    named = place(books, np.maximum(slot, 0))
    if not (slot == NOWHERE).any():
        return named
    known = pl.Series(slot != NOWHERE)
    return list(pl.DataFrame(named).select(pl.when(known).then(pl.all())).get_columns())


def _postings(books: Books, moved: Ints) -> tuple[Ints, Ints, Ints]:
    """Row of the log, account and amount of the postings of everything that moved, in order."""
    log = books.outcome.log
    money, reason = log.notional[moved] + log.fee[moved], log.reason[moved]
    other = accounts_of(reason)
    paid, charged = moved[money != 0], moved[log.fee[moved] != 0]
    named = (other == POSITIONS) | (log.notional[moved] != 0)
    restated = moved[(other != POSITIONS) & (log.filled[moved] != 0)]
    legs = [
        (paid, np.where(log.status[paid] == Status.ACCRUED, RECEIVABLE, CASH), -money[money != 0]),
        (moved[named], other[named], log.notional[moved[named]]),
        (restated, np.full(len(restated), POSITIONS), np.zeros(len(restated), dtype=np.int64)),
        (charged, np.where(log.reason[charged] == Reason.CONVERSION, CONVERTING, COMMISSION), log.fee[charged]),
    ]
    row = np.concatenate([leg[0] for leg in legs])
    order = np.lexsort((np.concatenate([np.full(len(leg[0]), k) for k, leg in enumerate(legs)]), row))
    return row[order], np.concatenate([leg[1] for leg in legs])[order], np.concatenate([leg[2] for leg in legs])[order]


def _closing(books: Books, slot: Ints, amount: Ints) -> tuple[Ints, Ints]:
    """Slots whose positions are not yet carried at their value, and what is missing."""
    missing = slot_values(books)
    np.subtract.at(missing, slot, amount)
    found = np.flatnonzero(missing)
    return found, missing[found]


def _opening(books: Books, like: pl.DataFrame) -> pl.DataFrame:
    cash = np.array([books.tables.cash, -books.tables.cash], dtype=np.int64)
    opening = pl.DataFrame(
        [
            pl.Series("entry", [0, 0], dtype=pl.Int64),
            times(books, "ts", np.zeros(2, dtype=np.int64)),
            pl.Series("asset", [None, None], dtype=books.symbols),
            pl.Series("sleeve", [None, None], dtype=pl.Enum(books.sleeves)),
            pl.Series("order", [0, 0], dtype=pl.Int64),
            pl.Series("account", ["assets:cash", "equity:opening"], dtype=ACCOUNTS),
            pl.Series("quantity", [None, None], dtype=like["quantity"].dtype),
            decimal_column("amount", cash, books.tables.money_scale),
            *currency_column(books, np.zeros(2, dtype=np.int64)),
        ]
    )
    return opening.select(like.columns)
