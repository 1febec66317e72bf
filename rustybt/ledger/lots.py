"""Tax lots: what was bought when and at which cost, what was made of it, and that it adds up to the profit of the run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.errors import ConfigError, LedgerError
from rustybt.ledger.books import slot_values
from rustybt.ledger.frames import REASONS, Books, coded, columns_of, place, times
from rustybt.ledger.home import AtHome, HomeLots, fx_of, lots_at_home
from rustybt.ledger.journal import DEPOSITS, accounts_of
from rustybt.ledger.match import is_short, match_fifo
from rustybt.ledger.money import decimal_column, lot_sizes, steps_column
from rustybt.ledger.trades import SIDES
from rustybt.ledger.tranches import METHODS, Matches, match_lots, part
from rustybt.model.decimals import from_units
from rustybt.model.panel import Ints


@dataclass(frozen=True)
class Lots:
    """Tax lots of a run by one method. ``realised + unrealised + income + fx`` is the profit of the run, to the last digit.

    Attributes:
        method: ``fifo``, ``lifo``, ``hifo`` or ``average``.
        open: asset, sleeve, side, quantity, opened, days, order, cost, value, unrealised. Sorted by ``opened``.
        closed: asset, sleeve, side, quantity, opened, closed, days, open_order, close_order, cost, proceeds, realised, reason.
            Sorted by ``closed``.
        realised: gains of the closed lots, after commissions.
        unrealised: value of the open lots at the last price, less their cost.
        income: dividends, cash in lieu of fractions of a share, and what holding earned or cost.
        fx: what rates did to foreign cash, to dividends on their way and to what contracts that settle were paid, less what
            conversions cost; 0 in one currency.

    ``cost`` is the cash paid to open, with commission; ``proceeds`` the cash received on closing, after commission. Of a short they are
    negative: cash received first, paid later. ``realised`` is ``proceeds - cost`` either way. Quantities are restated by splits; costs are
    not. Amounts are Decimal, ``days`` are calendar days between the sessions.

    In a run of several currencies the columns above are in the currency of the asset, named by ``currency``, and the four sums in the
    account's. Beside them, in the account's: ``cost_home`` at the rate of the opening fill, ``proceeds_home`` at the rate of the closing
    one (``value_home`` at the last), ``realised_home`` (``unrealised_home``) their difference, and its two parts: ``price_home``, the gain
    at the later rate, and ``fx_home``, what the change of the rate did to the cost. Contracts that settle have no ``fx_home``.
    """

    method: str
    open: pl.DataFrame = field(repr=False)
    closed: pl.DataFrame = field(repr=False)
    realised: Decimal
    unrealised: Decimal
    income: Decimal
    fx: Decimal = Decimal(0)


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
    found = matched(books, method)
    done = found.closed >= 0
    shut, open_ = taken(found, done), taken(found, ~done)
    value = values_of(open_, slot_values(books))
    at_home = AtHome(books)
    home = None if books.tables.currencies is None else home_of(at_home, found, value, method)
    cost, proceeds = found.spent + found.fee_in, -(found.received + found.fee_out)
    gains = proceeds - cost
    gains[~done] = value - cost[~done]
    gains = gains if home is None else home.gain
    income, fx = at_home.income(), (0 if home is None else fx_of(at_home, found, home).total - int(at_home.tolls().sum()))
    realised, unrealised, profit = int(gains[done].sum()), int(gains[~done].sum()), profit_of(books)
    if realised + unrealised + income + fx != profit:
        raise LedgerError(
            f"the lots do not add up: {realised} + {unrealised} + {income} + {fx} units, but the profit is {profit}",
            where=f"method {method!r}",
            do="this is a bug in RustyBT; please report it with the strategy and the data",
        )
    unit = Decimal(1).scaleb(-books.tables.money_scale)
    sums = (from_units(amount, unit) for amount in (realised, unrealised, income, fx))
    frames = (
        open_frame(books, open_, value, home and taken(home, ~done)),
        closed_frame(books, shut, home and taken(home, done)),
    )
    return Lots(method, *frames, *sums)


def profit_of(books: Books) -> int:
    """What equity has become less what was paid in, money units."""
    log = books.outcome.log
    return int(books.outcome.equity[-1]) - books.tables.cash + int(log.notional[accounts_of(log.reason) == DEPOSITS].sum())


def home_of(home: AtHome, found: Matches, value: Ints, method: str) -> HomeLots:
    """All lots in the account's currency; ``value`` is of the open ones."""
    values = np.zeros(len(found.slot), dtype=np.int64)
    values[found.closed < 0] = value
    return lots_at_home(home, found, values, method)


def matched(books: Books, method: str) -> Matches:
    """Matches of a run by a method; the oldest first for all slots at once."""
    if not isinstance(method, str) or method not in METHODS:
        raise ConfigError(f"unknown lot method {method!r}", where="method", do=f"use one of {', '.join(METHODS)}")
    return match_fifo(books.outcome.log) if method == "fifo" else match_lots(books.outcome.log, method)


def taken[Rows: (Matches, HomeLots)](found: Rows, keep: npt.NDArray[np.bool_]) -> Rows:
    """The rows under a mask."""
    return replace(found, **{name: getattr(found, name)[keep] for name in found.__dataclass_fields__})


def home_columns(books: Books, found: Matches, home: HomeLots | None, names: tuple[str, str]) -> list[pl.Series]:
    """Currency and amounts in that of the account, where a run has several; ``names`` of the end and of the gain."""
    given, scale = books.tables.currencies, books.tables.money_scale
    if home is None or given is None:
        return []
    amounts = {"cost": home.cost, names[0]: home.ends, names[1]: home.gain, "price": home.price, "fx": home.fx}
    currency = coded("currency", books.currency_of(found.slot), pl.Enum(given.names))
    return [currency, *(decimal_column(f"{name}_home", money, scale) for name, money in amounts.items())]


def values_of(found: Matches, values: Ints) -> Ints:
    """What each open lot is worth: the value of its slot, shared by quantity so that the shares add up to it."""
    out = np.zeros(len(found.slot), dtype=np.int64)
    for slot in np.unique(found.slot):
        rows = np.flatnonzero(found.slot == slot)
        edges = [0, *np.cumsum(found.lots[rows]).tolist()]
        out[rows] = [part(int(values[slot]), a, b, edges[-1]) for a, b in pairwise(edges)]
    return out


def open_frame(books: Books, found: Matches, value: Ints, home: HomeLots | None = None) -> pl.DataFrame:
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
            *home_columns(books, found, home, ("value", "unrealised")),
        ]
    )
    return frame.sort("opened", "asset", "order")


def closed_frame(books: Books, found: Matches, home: HomeLots | None = None) -> pl.DataFrame:
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
            *home_columns(books, found, home, ("proceeds", "realised")),
        ]
    )
    return frame.sort("closed", "asset", "close_order", "opened", "open_order")


def sided(books: Books, found: Matches) -> list[pl.Series]:
    """The columns asset, sleeve, side and quantity."""
    side = coded("side", is_short(books.outcome.log, found).view(np.uint8), SIDES)
    quantity = steps_column("quantity", found.lots, lot_sizes(books.tables.assets), columns_of(books, found.slot))
    return [*place(books, found.slot), side, quantity]
