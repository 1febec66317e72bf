"""What holding cost or earned, as a frame."""

from __future__ import annotations

import numpy as np
import polars as pl

from rustybt.ledger.frames import REASONS, Books, coded, columns_of, place, take, times
from rustybt.ledger.journal import currency_column, named_slot
from rustybt.ledger.money import decimal_column, steps_column, tick_sizes
from rustybt.model import NOWHERE, Reason

KINDS = (Reason.BORROW, Reason.INTEREST, Reason.CREDIT, Reason.FINANCING, Reason.FUNDING, Reason.SWAP)
"""Reasons of rows that are charges of section 16."""


def carry_frame(books: Books) -> pl.DataFrame:
    """Every charge for holding, in order.

    Returns:
        ts (of the bar before whose open it was booked), kind, asset and sleeve (null for interest on cash), price (Decimal, that of the
        position; null on cash), amount (Decimal; negative = paid), with several currencies also the currency of the amount.
    """
    log = books.outcome.log
    log = take(log, np.isin(log.reason, KINDS))
    slot = np.maximum(log.slot, 0)
    frame = pl.DataFrame(
        [
            times(books, "ts", log.bar),
            coded("kind", log.reason, REASONS),
            *place(books, slot),
            steps_column("price", log.price, tick_sizes(books.tables.assets), columns_of(books, slot)),
            decimal_column("amount", -log.notional, books.tables.money_scale),
            *currency_column(books, books.currency_of(log.slot)),
        ]
    )
    known = pl.Series(named_slot(log.reason, log.slot) != NOWHERE)
    return frame.with_columns(pl.when(known).then(pl.col("asset", "sleeve", "price")))
