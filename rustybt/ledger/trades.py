"""Round trips as a frame."""

from __future__ import annotations

import numpy as np
import polars as pl

from rustybt.ledger.frames import REASONS, Books, coded, columns_of, place, times
from rustybt.ledger.home import AtHome, lots_at_home
from rustybt.ledger.match import is_short, match_fifo
from rustybt.ledger.money import decimal_column, lot_sizes, steps_column, tick_sizes
from rustybt.ledger.tranches import Matches

SIDES = pl.Enum(["long", "short"])
OF_THE_EXIT = ("exit_ts", "exit_price", "exit_order", "pnl", "return", "bars_held", "exit_reason", "pnl_home", "fx_home", "return_home")


def trades_frame(books: Books) -> pl.DataFrame:
    """Round trips, matched first in, first out; trades that are still open have a null exit.

    Quantities are those at the exit (after splits); prices are as filled. Dividends and cash in lieu are income, not part of a trade.

    Returns:
        asset, sleeve, side (long, short), quantity, entry_ts, exit_ts, entry_price, exit_price, entry_order, exit_order, fees, pnl
        (Decimal, after fees),
        return (Float64, pnl over the value at entry), bars_held (Int64), exit_reason. Sorted by entry, asset, exit.
        In a run of several currencies these are in the currency of the asset, named by ``currency``; and in the account's: pnl_home, with
        the value at entry at the rate of the entry and that at exit at the rate of the exit, fx_home, what the rate made of it (both
        Decimal), return_home (Float64). See `rustybt.ledger.Lots`.
    """
    log, tables = books.outcome.log, books.tables
    found = match_fifo(log)
    done = found.closed >= 0
    leave = np.where(done, found.closed, found.opened)
    column = columns_of(books, found.slot)
    lots, ticks = lot_sizes(tables.assets), tick_sizes(tables.assets)
    pnl = -(found.spent + found.received) - found.fee_in - found.fee_out
    frame = pl.DataFrame(
        [
            *place(books, found.slot),
            coded("side", is_short(log, found).view(np.uint8), SIDES),
            steps_column("quantity", found.lots, lots, column),
            times(books, "entry_ts", log.bar[found.opened]),
            times(books, "exit_ts", log.bar[leave]),
            steps_column("entry_price", log.price[found.opened], ticks, column),
            steps_column("exit_price", log.price[leave], ticks, column),
            pl.Series("entry_order", log.seq[found.opened]),
            pl.Series("exit_order", log.seq[leave]),
            decimal_column("fees", found.fee_in + found.fee_out, tables.money_scale),
            decimal_column("pnl", pnl, tables.money_scale),
            pl.Series("return", pnl / np.maximum(np.abs(found.spent), 1)),
            pl.Series("bars_held", (log.bar[leave] - log.bar[found.opened]).astype(np.int64)),
            coded("exit_reason", log.reason[leave], REASONS),
            *home_columns(books, found),
            pl.Series("done", done),
        ]
    )
    if not done.all():
        names = [name for name in OF_THE_EXIT if name in frame.columns]
        frame = frame.with_columns(pl.when(pl.col("done")).then(pl.col(name)).alias(name) for name in names)
    return frame.drop("done").sort("entry_ts", "asset", "entry_order", "exit_order", nulls_last=True)


def home_columns(books: Books, found: Matches) -> list[pl.Series]:
    """Currency, and profits in that of the account, where a run has several."""
    given, scale = books.tables.currencies, books.tables.money_scale
    if given is None:
        return []
    home = lots_at_home(AtHome(books), found, np.zeros(len(found.slot), dtype=np.int64))
    return [
        coded("currency", books.currency_of(found.slot), pl.Enum(given.names)),
        decimal_column("pnl_home", home.gain, scale),
        decimal_column("fx_home", home.fx, scale),
        pl.Series("return_home", home.gain / np.maximum(np.abs(home.value), 1)),
    ]
