"""The double-entry journal: every movement of money as postings that add up to zero."""

from __future__ import annotations

import numpy as np
import polars as pl

from rustybt.ledger.frames import Books, coded, place, times
from rustybt.ledger.money import decimal_column
from rustybt.model import Reason, Status

CASH, POSITIONS, COMMISSION, DIVIDENDS, IN_LIEU, RECEIVABLE = range(1, 7)
ACCOUNTS = pl.Enum(
    [
        "equity:opening",
        "assets:cash",
        "assets:positions",
        "expenses:commission",
        "income:dividends",
        "income:cash_in_lieu",
        "assets:receivable",
    ]
)


def journal_frame(books: Books) -> pl.DataFrame:
    """Postings of the whole run; positive = debit. Each entry adds up to zero.

    A fill moves its notional between cash and positions (at trade value) and its fee to commission. A dividend or cash in lieu moves
    income to cash; one that is paid later moves it to a receivable at the ex-date and from there to cash at the payment. What a spin-off
    or a merger gives for a position moves between positions and cash.

    Returns:
        entry (Int64, counts up), ts, asset (null for the opening), sleeve, order, account, amount (Decimal), sorted by entry.
    """
    log = books.outcome.log
    money = log.notional + log.fee
    moved = np.flatnonzero((log.notional != 0) | (log.fee != 0))
    reason = log.reason[moved]
    kinds = [reason == Reason.DIVIDEND, reason == Reason.SPLIT, reason == Reason.PAYMENT]
    against = np.select(kinds, [DIVIDENDS, IN_LIEU, RECEIVABLE], POSITIONS)
    through = np.where(log.status[moved] == Status.ACCRUED, RECEIVABLE, CASH)
    charged = moved[log.fee[moved] != 0]
    legs = [
        (moved, through, -money[moved]),
        (moved, against, log.notional[moved]),
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
            *place(books, log.slot[row]),
            pl.Series("order", log.seq[row]),
            coded("account", account, ACCOUNTS),
            decimal_column("amount", amount, books.tables.money_scale),
        ]
    )
    return pl.concat([_opening(books, frame), frame])


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
