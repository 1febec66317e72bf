"""The kernel's log becomes books: orders, fills, balances, positions, trades, tax lots and a double-entry journal, all in Decimal.

In: `rustybt.model` Tables and Outcome. Out: Polars frames with exact money, and a verdict that the books balance.
To add a view of the books: one function here that reads the log and nothing else.
"""

from typing import TYPE_CHECKING

from rustybt._lazy import lazily

if TYPE_CHECKING:
    from rustybt.ledger.books import BooksVerdict, check_books
    from rustybt.ledger.carry import carry_frame
    from rustybt.ledger.currencies import currencies_frame
    from rustybt.ledger.frames import equity_frame, fills_frame, flows_frame, orders_frame, positions_frame
    from rustybt.ledger.journal import journal_frame
    from rustybt.ledger.lots import Lots, lots_of
    from rustybt.ledger.margin import margin_frame
    from rustybt.ledger.money import decimal_column
    from rustybt.ledger.plaintext import beancount_text
    from rustybt.ledger.replay import Replay, check_journal, replay
    from rustybt.ledger.trades import trades_frame
    from rustybt.ledger.violations import violations_frame, warned
else:
    lazily(
        __name__,
        {
            "books": ("BooksVerdict", "check_books"),
            "carry": ("carry_frame",),
            "currencies": ("currencies_frame",),
            "frames": ("equity_frame", "fills_frame", "flows_frame", "orders_frame", "positions_frame"),
            "journal": ("journal_frame",),
            "lots": ("Lots", "lots_of"),
            "margin": ("margin_frame",),
            "money": ("decimal_column",),
            "plaintext": ("beancount_text",),
            "replay": ("Replay", "check_journal", "replay"),
            "trades": ("trades_frame",),
            "violations": ("violations_frame", "warned"),
        },
    )

__all__ = [
    "BooksVerdict",
    "Lots",
    "Replay",
    "beancount_text",
    "carry_frame",
    "check_books",
    "check_journal",
    "currencies_frame",
    "decimal_column",
    "equity_frame",
    "fills_frame",
    "flows_frame",
    "journal_frame",
    "lots_of",
    "margin_frame",
    "orders_frame",
    "positions_frame",
    "replay",
    "trades_frame",
    "violations_frame",
    "warned",
]
