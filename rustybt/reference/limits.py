"""Sections 1 and 3: what a run refuses before it starts."""

from __future__ import annotations

from fractions import Fraction

from rustybt.errors import LedgerError
from rustybt.model.decimals import LIMIT, up_down
from rustybt.model.panel import Ints
from rustybt.model.tables import Plan, Tables

SPLIT_LIMIT = 2**31


def check_limits(tables: Tables, plan: Plan, events: Ints) -> None:
    """Targets and flows below 2^61 units; ratios of events with sides that fit.

    Raises:
        LedgerError: one does not fit.
    """
    if any(abs(value) >= LIMIT for value in plan.value.tolist()):
        raise LedgerError("a target of 2^61 units or more", where="plan", do="use a coarser lot_size or money_scale")
    if any(abs(money) >= LIMIT for _, money in tables.flows.tolist()):
        raise LedgerError(f"a flow of 2^61 units or more, asset {tables.assets[0].symbol!r}", where="flows", do="use a coarser money_scale")
    for bar, column, kind, numerator, denominator in events.tolist():
        asset = tables.assets[column]
        ratio = Fraction(numerator, denominator)
        if kind == 0:
            down = up_down(asset.tick_size, asset.lot_size, asset.multiplier, tables.money_scale)[1]
            fits = 0 < ratio.numerator < SPLIT_LIMIT and ratio.denominator < SPLIT_LIMIT and ratio.denominator * down < LIMIT
        else:
            ratio *= Fraction(asset.lot_size) * 10**tables.money_scale
            fits = ratio.numerator < LIMIT and ratio.denominator < LIMIT
        if not fits:
            name = "dividend" if kind else "split"
            where = f"asset {asset.symbol!r}, bar {bar}"
            raise LedgerError(
                f"a {name} of {numerator}/{denominator} does not fit", where=where, do="check the event, or use coarser scales"
            )
