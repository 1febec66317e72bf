"""Sections 1 and 3: what a run refuses before it starts."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from rustybt.errors import LedgerError
from rustybt.model.codes import EventKind
from rustybt.model.decimals import LIMIT, up_down
from rustybt.model.events import widened
from rustybt.model.panel import Ints
from rustybt.model.requests import REQUEST_FIELDS
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
    rows = [] if plan.requests is None else plan.requests.rows.tolist()
    sized = [REQUEST_FIELDS.index(name) for name in ("size", "limit", "stop", "trail", "trail_rate", "offset", "display")]
    if any(abs(row[place]) >= LIMIT for row in rows for place in sized):
        raise LedgerError("an order of 2^61 units or more", where="plan", do="use a coarser lot_size or money_scale")
    for row in widened(events).tolist():
        check_event(tables, Row(*row))


class Row(NamedTuple):
    """One row of the events, by the names of `rustybt.model.EVENT_FIELDS`."""

    bar: int
    asset: int
    kind: int
    numerator: int
    denominator: int
    other: int
    cash_numerator: int
    cash_denominator: int
    price: int
    part: int
    claim: int


def check_event(tables: Tables, row: Row) -> None:
    """The numbers of one event fit.

    Raises:
        LedgerError: they do not.
    """
    asset, kind, ratio = tables.assets[row.asset], EventKind(row.kind), Fraction(row.numerator, row.denominator)
    unit, fits = 10**tables.money_scale, True
    if kind is EventKind.DIVIDEND:
        fits = below(ratio * Fraction(asset.lot_size) * unit, LIMIT)
    elif kind is not EventKind.PAYMENT and (kind is EventKind.SPLIT or (row.numerator and row.other >= 0)):
        heir = asset if kind is EventKind.SPLIT else tables.assets[row.other]
        per_lot = ratio * Fraction(asset.lot_size) / Fraction(heir.lot_size)
        down = up_down(heir.tick_size, heir.lot_size, heir.multiplier, tables.money_scale)[1]
        fits = per_lot > 0 and below(per_lot, SPLIT_LIMIT) and per_lot.denominator * down < LIMIT and row.price < LIMIT
    if kind in (EventKind.MERGER, EventKind.DELISTING, EventKind.EXPIRY) and row.cash_denominator:
        cash = Fraction(row.cash_numerator, row.cash_denominator)
        ticks = round(cash / (Fraction(asset.multiplier) * Fraction(asset.tick_size)))
        fits = fits and below(cash * Fraction(asset.lot_size) * unit, LIMIT) and (ticks < LIMIT or kind is EventKind.MERGER)
    if not fits:
        where = f"asset {asset.symbol!r}, bar {row.bar}"
        raise LedgerError(
            f"a {kind.name.lower()} of {row.numerator}/{row.denominator} does not fit",
            where=where,
            do="check the event, or use coarser scales",
        )


def below(ratio: Fraction, limit: int) -> bool:
    """Whether both sides of a reduced fraction are below a limit."""
    return ratio.numerator < limit and ratio.denominator < limit
