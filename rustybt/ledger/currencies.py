"""What each currency of a run holds and brought, in itself and in the account's, adding up to the change of equity."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.errors import LedgerError
from rustybt.ledger.books import slot_values, worths_of
from rustybt.ledger.frames import Books
from rustybt.ledger.home import AtHome, fx_of, lots_at_home
from rustybt.ledger.journal import CONVERSION, DEPOSITS, POSITIONS, RECEIVABLE, VARIATION, accounts_of
from rustybt.ledger.lots import profit_of, taken, values_of
from rustybt.ledger.match import match_fifo
from rustybt.ledger.money import decimal_column
from rustybt.model.panel import Ints

TOTAL = "total"
OWN = ("cash", "value", "realised", "unrealised", "income", "pnl")
"""Columns in the currency of their row."""
PARTS = ("realised_home", "unrealised_home", "income_home", "fx_realised", "fx_unrealised", "conversion_costs")
"""Columns in the account's currency that add up to ``pnl_home``."""
HOME = ("cash_home", "value_home", "converted_home", *PARTS, "pnl_home")
"""Columns in the account's currency."""


def currencies_frame(books: Books, currency: str = "USD") -> pl.DataFrame:
    """One row for each currency, the account's first, and one of the totals (``total``).

    Args:
        books: a finished run.
        currency: of the account.

    Returns:
        currency, and rate: what one unit is worth at the end, a fraction as text. In the currency of the row, null in the totals: cash;
        value, of positions (less what was settled of them) and dividends to come; realised, unrealised: gains of closed and open lots
        (first in, first out); income: dividends, cash in lieu, and what holding earned or cost; pnl, the three together. In
        the account's: cash_home and value_home at the last rate; converted_home, what conversions brought the account after their cost
        (negative in its own row); realised_home: gains of closed lots at the rates of their ends; unrealised_home: of open lots at the
        last rate; income_home: at the rates of its days; fx_realised, fx_unrealised: what changing rates did to the cost of lots, to
        cash and to dividends on their way, those that are gone and those still there; conversion_costs, 0 or negative; pnl_home, the
        six together.
        Amounts are Decimal. ``pnl_home`` of the totals is the change of equity less what was paid in, to the last digit, and
        that of a foreign currency is ``cash_home + value_home + converted_home``.

    Raises:
        LedgerError: the parts do not add up.

    Example:
        >>> import rustybt as rbt
        >>> result = rbt.run(rbt.Strategy("hold", target=rbt.weight(0.19)), "demo")
        >>> result.currencies["pnl_home"][-1] + result.config.cash == result.equity["equity"][-1]
        True
    """
    rows = _amounts(books)
    names = (currency,) if books.tables.currencies is None else books.tables.currencies.names
    totals = {name: int(rows[name].sum()) for name in HOME}
    if totals["pnl_home"] != profit_of(books):
        raise LedgerError(
            f"the currencies do not add up: {totals['pnl_home']} units, but the profit is {profit_of(books)}",
            where="currencies",
            do="this is a bug in RustyBT; please report it with the strategy and the data",
        )
    scale, rates = books.tables.money_scale, books.closing_rates
    shown = [f"{rate.numerator}/{rate.denominator}" if rate else None for rate in rates]
    own = [decimal_column(name, np.append(rows[name], 0), scale).set(pl.Series([*[False] * len(names), True]), None) for name in OWN]
    home = [decimal_column(name, np.append(rows[name], totals[name]), scale) for name in HOME]
    return pl.DataFrame([pl.Series("currency", [*names, TOTAL]), pl.Series("rate", [*shown, None], dtype=pl.String), *own, *home])


def _amounts(books: Books) -> dict[str, Ints]:
    """Money units of every column, by currency."""
    home, found, log = AtHome(books), match_fifo(books.outcome.log), books.outcome.log
    done, count = found.closed >= 0, len(books.closing_rates)
    values = np.zeros(len(done), dtype=np.int64)
    values[~done] = values_of(taken(found, ~done), slot_values(books))
    lots = lots_at_home(home, found, values)
    gains = np.where(done, -(found.received + found.fee_out), values) - found.spent - found.fee_in
    of_lots, of_rows, of_slots = (books.currency_of(slots) for slots in (found.slot, log.slot, np.arange(len(books.outcome.lots))))

    def by(currency: Ints, money: Ints, keep: npt.NDArray[np.bool_] | bool = True) -> Ints:
        """Sums by currency."""
        out = np.zeros(count, dtype=np.int64)
        np.add.at(out, currency, np.where(keep, money, 0))
        return out

    account, fx, parts = accounts_of(log.reason), fx_of(home, found, lots), worths_of(books)
    tolls = home.tolls()
    earned = ~np.isin(account, (POSITIONS, DEPOSITS, RECEIVABLE, VARIATION, CONVERSION))
    rows = {
        "cash": np.array([cash for cash, _, _ in parts]),
        "value": np.array([owed + sum(slots.values()) for _, owed, slots in parts]),
        "realised": by(of_lots, gains, done),
        "unrealised": by(of_lots, gains, ~done),
        "income": by(of_rows, -log.notional, earned),
        "cash_home": np.array(home.worths.cash),
        "value_home": np.array(home.worths.owed) + by(of_slots, np.array(home.worths.slots)),
        "converted_home": by(of_rows, home.log.notional + home.log.fee, account == CONVERSION) - tolls,
        "realised_home": by(of_lots, lots.price, done),
        "unrealised_home": by(of_lots, lots.price, ~done),
        "income_home": by(of_rows, -home.log.notional, earned),
        "fx_realised": by(of_lots, lots.fx, done) + np.array(fx.realised),
        "fx_unrealised": by(of_lots, lots.fx, ~done) + np.array(fx.unrealised),
        "conversion_costs": -tolls,
    }
    rows["pnl"] = rows["realised"] + rows["unrealised"] + rows["income"]
    rows["pnl_home"] = np.sum([rows[name] for name in PARTS], axis=0)
    return {name: amounts.astype(np.int64) for name, amounts in rows.items()}
