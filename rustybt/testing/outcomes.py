"""Exact comparison of two simulations: every column of the log, every balance, every position."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import numpy as np

from rustybt.errors import ConfigError, LedgerError
from rustybt.model import Log, Outcome, Plan, Status, Tables, Tape
from rustybt.model.panel import Ints
from rustybt.testing.generators import Grid, Session

CURVES = ("equity", "cash", "gross", "lots", "last", "aside")
DAY = 86_400_000_000
Simulate = Callable[[Tables, Grid, Plan, Ints, Tape | None], Outcome]


def run_or_error(simulate: Simulate, session: Session) -> Outcome | None:
    """The outcome of a session, None if an amount or an increment did not fit."""
    try:
        return simulate(*session)
    except (LedgerError, ConfigError):
        return None


def differences(one: Outcome | None, other: Outcome | None) -> list[str]:
    """What differs, one sentence each; empty when the two are equal to the last digit and have the same types.

    Example:
        >>> from rustybt.reference import simulate
        >>> from rustybt.testing.generators import session
        >>> differences(simulate(*session(2)), simulate(*session(2)))
        []
    """
    if one is None or other is None:
        return [] if one is other else [f"the {'second' if one is not None else 'first'} alone stopped with an error"]
    pairs = [(f"log.{field.name}", getattr(one.log, field.name), getattr(other.log, field.name)) for field in fields(Log)]
    pairs += [(name, getattr(one, name), getattr(other, name)) for name in CURVES]
    found = []
    for name, left, right in pairs:
        if left.dtype != right.dtype:
            found.append(f"{name}: types {left.dtype} and {right.dtype}")
        if left.shape != right.shape:
            found.append(f"{name}: {left.shape} and {right.shape} entries")
        elif not np.array_equal(left, right):
            at = int(np.flatnonzero(left != right)[0])
            found.append(f"{name}[{at}]: {left[at]} and {right[at]}")
    return found


def float_columns(session: Session, outcome: Outcome) -> list[str]:
    """Columns of the frames and arrays of a run that are floats, but for returns of trades, which are no money.

    Example:
        >>> from rustybt.reference import simulate
        >>> from rustybt.testing.generators import session
        >>> float_columns(session(2), simulate(*session(2)))
        []
    """
    from rustybt.ledger import carry, frames, journal, margin, trades

    bars, sleeves = len(outcome.cash), tuple(f"s{number}" for number in range(session.tables.sleeves))
    books = frames.Books(session.tables, outcome, np.arange(bars) * DAY, np.arange(bars, dtype=np.int32), sleeves)
    made = {
        "fills": frames.fills_frame(books),
        "orders": frames.orders_frame(books),
        "equity": frames.equity_frame(books),
        "flows": frames.flows_frame(books),
        "positions": frames.positions_frame(books),
        "journal": journal.journal_frame(books),
        "carry": carry.carry_frame(books),
        "margin": margin.margin_frame(books),
        "trades": trades.trades_frame(books).drop("return", "return_home", strict=False),
    }
    found = [f"{name}.{column}" for name, frame in made.items() for column, kind in frame.schema.items() if kind.is_float()]
    arrays = [(f"log.{field.name}", getattr(outcome.log, field.name)) for field in fields(Log)]
    arrays += [(name, getattr(outcome, name)) for name in CURVES]
    return found + [name for name, array in arrays if not np.issubdtype(array.dtype, np.integer)]


def identity_breaches(session: Session, outcome: Outcome) -> list[str]:
    """Books rebuilt from the log alone that do not give the cash curve and the final positions.

    Independent of both simulators: cash of the account's currency after a bar is the opening cash less the notionals and fees of the
    rows up to it.
    """
    log = outcome.log
    bars = len(session.market.close)
    flow = [0] * bars
    held = [0] * len(outcome.lots)
    given = session.tables.currencies
    currency = np.zeros(log.rows, dtype=np.int64) if given is None else given.of_slots(log.slot)
    for row in range(log.rows):
        if log.status[row] == Status.ACCRUED:
            continue
        if currency[row] == 0:
            flow[int(log.bar[row])] -= int(log.notional[row]) + int(log.fee[row])
        held[int(log.slot[row])] += int(log.filled[row])
    cash, found = session.tables.cash, []
    for bar in range(bars):
        cash += flow[bar]
        if cash != int(outcome.cash[bar]):
            found.append(f"cash at bar {bar}: {outcome.cash[bar]}, the log gives {cash}")
    if held != outcome.lots.tolist():
        found.append(f"positions {outcome.lots.tolist()}, the log gives {held}")
    return found
