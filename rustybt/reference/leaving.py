"""From human units back to the integers of `Outcome`."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from rustybt.model.codes import Reason
from rustybt.model.panel import Ints
from rustybt.model.tables import Log, Outcome
from rustybt.reference.account import Account

Curves = tuple[Sequence[Decimal], Sequence[Decimal], Sequence[Decimal], Sequence[Decimal]]
"""Equity, cash, gross exposure and what is set aside after each bar; none of the last where no margin is isolated."""


def steps(values: Sequence[Decimal], sizes: Sequence[Decimal]) -> Ints:
    """Each value as a whole number of its steps; one that is not whole is a bug and raises."""
    whole = [int((value / size).to_integral_exact()) for value, size in zip(values, sizes, strict=True)]
    return np.array(whole, dtype=np.int64)


def write_log(account: Account) -> Log:
    """The log in ticks, lots and money units."""
    rows, unit = account.log, account.rules.unit
    assets = [account.rules.terms[max(row.slot, 0)].asset for row in rows]  # rows of the account have neither lots nor a price
    ticks, lots, units = ([a.tick_size for a in assets], [a.lot_size for a in assets], [unit] * len(rows))
    asked = [unit if row.reason is Reason.TOP_UP else lot for row, lot in zip(rows, lots, strict=True)]
    return Log(
        bar=np.array([row.bar for row in rows], dtype=np.int32),
        submitted=np.array([row.submitted for row in rows], dtype=np.int32),
        slot=np.array([row.slot for row in rows], dtype=np.int32),
        seq=np.array([row.number for row in rows], dtype=np.int64),
        reason=np.array([row.reason for row in rows], dtype=np.int8),
        status=np.array([row.status for row in rows], dtype=np.int8),
        detail=np.array([row.detail for row in rows], dtype=np.int8),
        requested=steps([row.requested for row in rows], asked),
        filled=steps([row.filled for row in rows], lots),
        price=steps([row.price for row in rows], ticks),
        notional=steps([row.notional for row in rows], units),
        fee=steps([row.fee for row in rows], units),
    )


def write_outcome(account: Account, curves: Curves) -> Outcome:
    """Everything that a simulation gives back."""
    terms, unit = account.rules.terms, account.rules.unit
    equity, cash, gross, aside = (steps(curve, [unit] * len(curve)) for curve in curves)
    lots = steps([position.quantity for position in account.positions], [term.asset.lot_size for term in terms])
    ticks = [term.asset.tick_size for term in terms[: len(account.last)]]
    return Outcome(write_log(account), equity, cash, gross, lots, steps([price or Decimal(0) for price in account.last], ticks), aside)
