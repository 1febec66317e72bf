"""What margin did: calls, top-ups of isolated positions, and what the venue took for liquidations."""

from __future__ import annotations

import numpy as np
import polars as pl

from rustybt.ledger.frames import DETAILS, REASONS, Books, coded, columns_of, place, take, times
from rustybt.ledger.journal import currency_column
from rustybt.ledger.money import decimal_column, steps_column, tick_sizes
from rustybt.model import Reason

KINDS = (Reason.MARGIN_CALL, Reason.TOP_UP, Reason.LIQUIDATION_FEE)


def margin_frame(books: Books) -> pl.DataFrame:
    """What margin did beside orders and fills, in order.

    Returns:
        ts, kind (margin_call, top_up, liquidation_fee), asset and sleeve (null for a call), price (Decimal: of a top-up the price that it
        carries the position through, of a fee that of the fill; null for a call), amount (Decimal: set aside by a top-up, paid as a fee;
        null for a call), detail (``unaffordable``: a top-up of all that was free, and less than it takes), with several currencies also
        the currency of the amount.
    """
    log = books.outcome.log
    log = take(log, np.isin(log.reason, KINDS))
    slot, amount = np.maximum(log.slot, 0), np.where(log.reason == Reason.TOP_UP, log.requested, log.notional)
    frame = pl.DataFrame(
        [
            times(books, "ts", log.bar),
            coded("kind", log.reason, REASONS),
            *place(books, slot),
            steps_column("price", log.price, tick_sizes(books.tables.assets), columns_of(books, slot)),
            decimal_column("amount", amount, books.tables.money_scale),
            coded("detail", log.detail, DETAILS),
            *currency_column(books, books.currency_of(log.slot)),
        ]
    )
    named = ("asset", "sleeve", "price", "amount")
    return frame.with_columns(pl.when(pl.Series(log.slot >= 0)).then(pl.col(name)).alias(name) for name in named)
