"""From rows of corporate actions to the arrays of the kernel: ratios reduced to lots, cash to money units per lot."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from rustybt.errors import DataError, LedgerError
from rustybt.model import EVENT_FIELDS, Asset, EventKind, Tables, widened
from rustybt.model.decimals import LIMIT, RATE
from rustybt.model.panel import Ints

from .assemble import typed, worth_of
from .flags import HAS_CLAIMS

if TYPE_CHECKING:
    from .state import Desk

RATIO_LIMIT = 2**31
"""Both sides of a ratio of lots stay below this, so that their product fits."""
BAR, ASSET, KIND, NEW, OLD, OTHER, CASH_NEW, CASH_OLD, PRICE, PART, CLAIM = range(len(EVENT_FIELDS))
FIELDS = ("bar", "asset", "kind", "new", "old", "other", "cash_new", "cash_old", "price", "part", "claim")
HEIRS = (EventKind.SPINOFF, EventKind.MERGER, EventKind.ROLL)
"""Events that may give another asset."""


def events_of(tables: Tables, events: Any) -> dict[str, Any]:
    """Corporate actions, by field of `Desk`.

    Raises:
        DataError: the events are not rows that name assets of the run.
        LedgerError: an event does not fit.
    """
    rows = exact_events(tables, events)
    if not len(rows):
        return {"events": 0}
    return {f"event_{name}": typed(f"event_{name}", rows[:, column]) for column, name in enumerate(FIELDS)} | {"events": len(rows)}


def flags_of_events(acts: dict[str, Any]) -> int:
    """What the events need of the rules."""
    return HAS_CLAIMS if acts["events"] and (acts["event_claim"] != 0).any() else 0


def claims_of(desk: Desk) -> int:
    """The most claims that the events of a desk can leave open."""
    return int(((desk.event_claim != 0) & (desk.event_kind == int(EventKind.DIVIDEND))).sum()) * desk.sleeves


def exact_events(tables: Tables, events: Any) -> Ints:
    """Rows as in `EVENT_FIELDS`, sorted, with ratios of lots and cash in money units per lot."""
    given = widened(events)
    if not len(given):
        return given
    check_rows(tables, given)
    rows = given[np.lexsort((given[:, KIND], given[:, ASSET], given[:, BAR]))].copy()
    for row in rows:
        asset, other = tables.assets[row[ASSET]], tables.assets[row[OTHER]] if row[OTHER] >= 0 else None
        try:
            reduce_row(row, asset, other, tables.money_scale)
        except OverflowError:
            raise LedgerError(
                f"a {EventKind(int(row[KIND])).name.lower()} of {row[NEW]}/{row[OLD]} does not fit",
                where=f"asset {asset.symbol!r}, bar {row[BAR]}",
                do="check the event, or use a coarser lot_size or a smaller money_scale",
            ) from None
    return rows


def check_rows(tables: Tables, rows: Ints) -> None:
    """What no door lets through.

    Raises:
        DataError: an unknown asset or kind, or a ratio or price that is none.
    """
    kind, assets = rows[:, KIND], len(tables.assets)
    known = (rows[:, ASSET] >= 0) & (rows[:, ASSET] < assets) & (kind >= 0) & (kind < len(EventKind))
    positive = (rows[:, [NEW, CASH_NEW, CASH_OLD, PRICE, PART, CLAIM]] >= 0).all(axis=1) & (rows[:, OLD] > 0)
    gives = np.isin(kind, HEIRS) & (rows[:, NEW] != 0)
    heir = (rows[:, OTHER] >= 0) & (rows[:, OTHER] < assets) & (rows[:, OTHER] != rows[:, ASSET])
    priced = (rows[:, PRICE] > 0) | (kind == EventKind.ROLL)
    parts = (rows[:, PART] <= RATE) & ((kind != EventKind.MERGER) | (rows[:, CASH_OLD] > 0))
    if not (known & positive & parts & (~gives | (heir & priced))).all():
        raise DataError("an event names no asset of the run, or has no positive ratio", where="kernel, events", do="check the events")


def reduce_row(row: Ints, asset: Asset, other: Asset | None, money_scale: int) -> None:
    """Make the numbers of one row those of the kernel.

    Raises:
        OverflowError: one does not fit.
    """
    kind, unit = int(row[KIND]), Fraction(10**money_scale)
    exact = Fraction(int(row[NEW]), int(row[OLD]))
    if kind == EventKind.DIVIDEND:
        row[NEW], row[OLD] = fitting(exact * Fraction(asset.lot_size) * unit, LIMIT)
    elif kind == EventKind.SPLIT or (kind in HEIRS and (exact or kind != EventKind.MERGER)):
        heir = asset if other is None or kind == EventKind.SPLIT else other
        row[NEW], row[OLD] = fitting(exact * Fraction(asset.lot_size) / Fraction(heir.lot_size), RATIO_LIMIT)
        if not row[NEW] or int(row[OLD]) * worth_of(heir, money_scale)[1] >= LIMIT or row[PRICE] >= LIMIT:
            raise OverflowError
    if kind in (EventKind.MERGER, EventKind.DELISTING, EventKind.EXPIRY) and row[CASH_OLD]:
        cash = Fraction(int(row[CASH_NEW]), int(row[CASH_OLD]))
        if kind != EventKind.MERGER:
            row[PRICE] = fitting(Fraction(round(cash / (Fraction(asset.multiplier) * Fraction(asset.tick_size)))), LIMIT)[0]
        row[CASH_NEW], row[CASH_OLD] = fitting(cash * Fraction(asset.lot_size) * unit, LIMIT)


def fitting(exact: Fraction, limit: int) -> tuple[int, int]:
    """Both sides of a fraction, below a limit.

    Raises:
        OverflowError: one is not.
    """
    if exact.numerator >= limit or exact.denominator >= limit:
        raise OverflowError
    return exact.numerator, exact.denominator
