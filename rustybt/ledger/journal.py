"""The double-entry journal: every movement of money as postings that add up to zero."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.ledger.frames import Books, coded, place, times
from rustybt.ledger.money import decimal_column
from rustybt.model import NOWHERE, Reason, Status

CASH, POSITIONS, COMMISSION, DIVIDENDS, IN_LIEU, DEPOSITS, RECEIVABLE, VARIATION = range(1, 9)
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
    ]
)


AGAINST = {
    Reason.DIVIDEND: DIVIDENDS,
    Reason.SPLIT: IN_LIEU,
    Reason.DEPOSIT: DEPOSITS,
    Reason.WITHDRAWAL: DEPOSITS,
    Reason.PAYMENT: RECEIVABLE,
    Reason.VARIATION: VARIATION,
}
"""Where the notional of a row goes to, if not to the positions."""


def against(reason: int) -> int:
    """The account that a row's notional goes to, by its reason."""
    return AGAINST.get(Reason(reason), POSITIONS)


def journal_frame(books: Books) -> pl.DataFrame:
    """Postings of the whole run; positive = debit. Each entry adds up to zero.

    A fill moves its notional between cash and positions (at trade value) and its fee to commission. A dividend or cash in lieu moves
    income to cash, a deposit or withdrawal equity to cash. What futures are paid at settlements stands against their
    value in ``assets:variation``, which is back at zero once nothing is held.

    Returns:
        entry (Int64, counts up), ts, asset and sleeve (null for the opening, deposits and withdrawals), order, account,
        amount (Decimal), sorted by entry.
    """
    log = books.outcome.log
    money = log.notional + log.fee
    moved = np.flatnonzero((log.notional != 0) | (log.fee != 0))
    other = np.array([against(reason) for reason in Reason])[log.reason[moved]]
    charged = moved[log.fee[moved] != 0]
    legs = [
        (moved, np.where(log.status[moved] == Status.ACCRUED, RECEIVABLE, CASH), -money[moved]),
        (moved, other, log.notional[moved]),
        (charged, np.full(len(charged), COMMISSION), log.fee[charged]),
    ]
    row = np.concatenate([leg[0] for leg in legs])
    account = np.concatenate([leg[1] for leg in legs])
    amount = np.concatenate([leg[2] for leg in legs])
    order = np.lexsort((np.concatenate([np.full(len(leg[0]), k) for k, leg in enumerate(legs)]), row))
    row, account, amount = row[order], account[order], amount[order]
    entry = np.searchsorted(moved, row) + 1
    frame = pl.DataFrame(
        [
            pl.Series("entry", entry.astype(np.int64)),
            times(books, "ts", log.bar[row]),
            *_places(books, log.slot[row]),
            pl.Series("order", log.seq[row]),
            coded("account", account, ACCOUNTS),
            decimal_column("amount", amount, books.tables.money_scale),
        ]
    )
    return pl.concat([_opening(books, frame), frame])


def _places(books: Books, slot: npt.NDArray[np.integer]) -> list[pl.Series]:
    """Asset and sleeve, null where a row is about the account."""
    named = place(books, np.maximum(slot, 0))
    if not (slot == NOWHERE).any():
        return named
    known = pl.Series(slot != NOWHERE)
    return list(pl.DataFrame(named).select(pl.when(known).then(pl.all())).get_columns())


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
            decimal_column("amount", cash, books.tables.money_scale),
        ]
    )
    return opening.select(like.columns)
