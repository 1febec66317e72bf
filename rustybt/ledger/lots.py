"""Tax lots: what was bought when and at which cost, what was made of it, and that it adds up to the profit of the run."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

import numpy as np
import polars as pl

from rustybt.errors import ConfigError, LedgerError
from rustybt.ledger.books import slot_values
from rustybt.ledger.frames import REASONS, Books, coded, columns_of, place, times
from rustybt.ledger.journal import DEPOSITS, POSITIONS, RECEIVABLE, VARIATION, against
from rustybt.ledger.match import is_short, match_fifo
from rustybt.ledger.money import decimal_column, lot_sizes, steps_column
from rustybt.ledger.trades import SIDES
from rustybt.ledger.tranches import METHODS, Matches, match_lots, part
from rustybt.model import Reason
from rustybt.model.decimals import from_units
from rustybt.model.panel import Ints


@dataclass(frozen=True)
class Lots:
    """Tax lots of a run by one method. ``realised + unrealised + income`` is the profit of the run, to the last digit.

    Attributes:
        method: ``fifo``, ``lifo``, ``hifo`` or ``average``.
        open: asset, sleeve, side, quantity, opened, days, order, cost, value, unrealised. Sorted by ``opened``.
        closed: asset, sleeve, side, quantity, opened, closed, days, open_order, close_order, cost, proceeds, realised, reason.
            Sorted by ``closed``.
        realised: gains of the closed lots, after commissions.
        unrealised: value of the open lots at the last price, less their cost.
        income: dividends and cash in lieu of fractions of a share.

    ``cost`` is the cash paid to open, with commission; ``proceeds`` the cash received on closing, after commission. Of a short they are
    negative: cash received first, paid later. ``realised`` is ``proceeds - cost`` either way. Quantities are restated by splits; costs are
    not. Amounts are Decimal, ``days`` are calendar days between the sessions.
    """

    method: str
    open: pl.DataFrame = field(repr=False)
    closed: pl.DataFrame = field(repr=False)
    realised: Decimal
    unrealised: Decimal
    income: Decimal


def lots_of(books: Books, method: str = "fifo") -> Lots:
    """The tax lots of a run.

    Args:
        books: a finished run.
        method: ``fifo`` (oldest first), ``lifo`` (newest first), ``hifo`` (highest cost per lot first) or ``average`` (one average cost,
            dates oldest first).

    Raises:
        ConfigError: there is no such method.
        LedgerError: the lots do not add up to the profit of the run.
    """
    if books.tables.currencies is not None:
        names = ", ".join(books.tables.currencies.names)
        what = f"lots in {names} do not add up to one profit"
        raise ConfigError(what, where="lots", do="use Result.to_beancount: it has the lots, costs and gains of each currency")
    found = matched(books, method)
    outcome, tables, log = books.outcome, books.tables, books.outcome.log
    done = found.closed >= 0
    cost, proceeds = found.spent + found.fee_in, -(found.received + found.fee_out)
    shut, open_ = taken(found, done), taken(found, ~done)
    value = values_of(open_, slot_values(books))
    realised, unrealised = int((proceeds - cost)[done].sum()), int(value.sum()) - int(cost[~done].sum())
    account = np.array([against(reason) for reason in Reason])[log.reason]
    income = -int(log.notional[~np.isin(account, (POSITIONS, DEPOSITS, RECEIVABLE, VARIATION))].sum())
    profit = int(outcome.equity[-1]) - tables.cash + int(log.notional[account == DEPOSITS].sum())
    if realised + unrealised + income != profit:
        raise LedgerError(
            f"the lots do not add up: {realised} + {unrealised} + {income} units, but the profit is {profit}",
            where=f"method {method!r}",
            do="this is a bug in RustyBT; please report it with the strategy and the data",
        )
    unit = Decimal(1).scaleb(-tables.money_scale)
    sums = (from_units(amount, unit) for amount in (realised, unrealised, income))
    return Lots(method, open_frame(books, open_, value), closed_frame(books, shut), *sums)


def matched(books: Books, method: str) -> Matches:
    """Matches of a run by a method; the oldest first for all slots at once."""
    if method not in METHODS:
        raise ConfigError(f"unknown lot method {method!r}", where="method", do=f"use one of {', '.join(METHODS)}")
    return match_fifo(books.outcome.log) if method == "fifo" else match_lots(books.outcome.log, method)


def taken(found: Matches, keep: np.ndarray) -> Matches:
    """The matches under a mask."""
    return Matches(*(getattr(found, name)[keep] for name in Matches.__dataclass_fields__))


def values_of(found: Matches, values: Ints) -> Ints:
    """What each open lot is worth: the value of its slot, shared by quantity so that the shares add up to it."""
    out = np.zeros(len(found.slot), dtype=np.int64)
    for slot in np.unique(found.slot):
        rows = np.flatnonzero(found.slot == slot)
        edges = [0, *np.cumsum(found.lots[rows]).tolist()]
        out[rows] = [part(int(values[slot]), a, b, edges[-1]) for a, b in pairwise(edges)]
    return out


def open_frame(books: Books, found: Matches, value: Ints) -> pl.DataFrame:
    """The lots that are still open; see `Lots`."""
    log, scale = books.outcome.log, books.tables.money_scale
    cost = found.spent + found.fee_in
    bar = log.bar[found.opened]
    frame = pl.DataFrame(
        [
            *sided(books, found),
            times(books, "opened", bar),
            pl.Series("days", (books.sessions[-1] - books.sessions[bar]).astype(np.int64)),
            pl.Series("order", log.seq[found.opened]),
            decimal_column("cost", cost, scale),
            decimal_column("value", value, scale),
            decimal_column("unrealised", value - cost, scale),
        ]
    )
    return frame.sort("opened", "asset", "order")


def closed_frame(books: Books, found: Matches) -> pl.DataFrame:
    """The lots that were closed; see `Lots`."""
    log, scale = books.outcome.log, books.tables.money_scale
    cost, proceeds = found.spent + found.fee_in, -(found.received + found.fee_out)
    start, end = log.bar[found.opened], log.bar[found.closed]
    frame = pl.DataFrame(
        [
            *sided(books, found),
            times(books, "opened", start),
            times(books, "closed", end),
            pl.Series("days", (books.sessions[end] - books.sessions[start]).astype(np.int64)),
            pl.Series("open_order", log.seq[found.opened]),
            pl.Series("close_order", log.seq[found.closed]),
            decimal_column("cost", cost, scale),
            decimal_column("proceeds", proceeds, scale),
            decimal_column("realised", proceeds - cost, scale),
            coded("reason", log.reason[found.closed], REASONS),
        ]
    )
    return frame.sort("closed", "asset", "close_order", "opened", "open_order")


def sided(books: Books, found: Matches) -> list[pl.Series]:
    """The columns asset, sleeve, side and quantity."""
    side = coded("side", is_short(books.outcome.log, found).view(np.uint8), SIDES)
    quantity = steps_column("quantity", found.lots, lot_sizes(books.tables.assets), columns_of(books, found.slot))
    return [*place(books, found.slot), side, quantity]
