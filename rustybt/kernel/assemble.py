"""From the nouns of `rustybt.model` to the arrays of the kernel."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from rustybt.errors import DataError, LedgerError
from rustybt.model import FillAt, Plan, Sizing, Tables
from rustybt.model.decimals import up_down
from rustybt.model.panel import Ints

from .limits import AMOUNT, COUNT, LIMIT
from .market import admit
from .state import (
    FEE_CAP,
    FEE_FLAT,
    FEE_LOT_NUM,
    FEE_MAX,
    FEE_MIN,
    HAS_FEES,
    HAS_GUARDS,
    HAS_LEVELS,
    HAS_MAX_BARS,
    HAS_SLIPPAGE,
    MAX_BARS,
    SLIP_RATE,
    SLIP_TICKS,
    STOP,
    TAKE,
    TRAIL,
    Offers,
    Rules,
)

RATIO_LIMIT = 2**31
"""Both sides of a split ratio stay below this, so that their product fits."""


def rules_of(tables: Tables, events: Any) -> Rules:
    """The settings of a run as arrays.

    Raises:
        DataError: the events are not rows of five that name assets of the run.
        LedgerError: an asset's increments, or an event, do not fit.
    """
    worth = [up_down(asset.tick_size, asset.lot_size, asset.multiplier, tables.money_scale) for asset in tables.assets]
    up, down = (np.array([pair[side] for pair in worth], dtype=np.int64) for side in (0, 1))
    return Rules(
        up=admit(up, AMOUNT),
        down=admit(down, AMOUNT),
        slots=admit(tables.slots, COUNT),
        events=admit(exact_events(tables, events, down), COUNT),
        gross=int(tables.gross),
        fill_at=int(tables.fill_at if tables.fill_at in list(FillAt) else FillAt.NEXT_OPEN),
        at_fill=int(tables.sizing == Sizing.AT_FILL),
        flags=flags_of(tables.slots),
    )


def flags_of(slots: Ints) -> int:
    """What the settings use at all."""
    fees = any(slots[row].any() for row in (FEE_FLAT, FEE_LOT_NUM, FEE_MIN)) or (slots[FEE_MAX : FEE_CAP + 1] >= 0).any()
    levels, max_bars = slots[[STOP, TAKE, TRAIL]].any(), slots[MAX_BARS].any()
    bits = (
        (fees, HAS_FEES),
        (slots[SLIP_RATE].any() or slots[SLIP_TICKS].any(), HAS_SLIPPAGE),
        (levels, HAS_LEVELS),
        (max_bars, HAS_MAX_BARS),
        (levels or max_bars, HAS_GUARDS),
    )
    return sum(bit for used, bit in bits if used)


def exact_events(tables: Tables, events: Any, down: Ints) -> Ints:
    """Rows of (bar, column, kind, numerator, denominator): ratios reduced, dividends in money units per lot."""
    given = np.asarray(events, dtype=np.int64).reshape(-1, 5)
    if not len(given):
        return given
    if given[:, 1].min() < 0 or given[:, 1].max() >= len(tables.assets) or given[:, 3].min() < 0 or given[:, 4].min() <= 0:
        raise DataError("an event names no asset of the run, or has no positive ratio", where="kernel, events", do="check the events")
    order = np.lexsort((given[:, 2], given[:, 1], given[:, 0]))
    rows = given[order].copy()
    for row in rows:
        asset, split = tables.assets[row[1]], row[2] == 0
        exact = Fraction(int(row[3]), int(row[4]))
        if not split:
            exact *= Fraction(asset.lot_size) * 10**tables.money_scale
        limit = RATIO_LIMIT if split else LIMIT
        wide = exact.denominator * int(down[row[1]]) if split else exact.denominator
        if exact.numerator >= limit or exact.denominator >= limit or wide >= LIMIT or (split and exact == 0):
            raise LedgerError(
                f"a {'split' if split else 'dividend'} of {row[3]}/{row[4]} does not fit",
                where=f"asset {asset.symbol!r}, bar {row[0]}",
                do="check the event, or use a coarser lot_size or a smaller money_scale",
            )
        row[3], row[4] = exact.numerator, exact.denominator
    return rows


def offers_of(plan: Plan, bars: int, slots: int) -> Offers:
    """The plan as arrays.

    Raises:
        DataError: it is not a plan for so many bars and slots.
    """
    start, slot, value = np.asarray(plan.start), np.asarray(plan.slot), np.asarray(plan.value)
    fits_bars = len(start) == bars + 1 and start[0] == 0 and bool((start[1:] >= start[:-1]).all())
    if not fits_bars or start[-1] != len(slot) or len(slot) != len(value):
        raise DataError(f"the plan does not hold the offers of {bars} bars", where="kernel, plan", do="give bars + 1 starts, the last one the number of offers")
    if len(slot) and (slot.min() < 0 or slot.max() >= slots):
        raise DataError(f"the plan names a slot outside 0..{slots - 1}", where="kernel, plan", do="check its slots")
    if len(value) and (value.min() <= -LIMIT or value.max() >= LIMIT):
        raise LedgerError("a target is 2^61 units or more", where="kernel, plan", do="use smaller targets or a coarser lot_size")
    return Offers(admit(start, COUNT), admit(slot, COUNT), admit(value, AMOUNT))
