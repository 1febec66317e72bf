"""Section 18 of the rule book: commissions and margin by date."""

from __future__ import annotations

from typing import Any

import numpy as np

from rustybt.errors import DataError
from rustybt.model import DATED_FIELDS, DATED_SETTINGS, Tables
from rustybt.model.decimals import LIMIT

from .compile import apart, aside
from .limits import whole
from .market import admit
from .state import DATE, HAS_DATED, HAS_FEES, HAS_MARGIN, KINDS, TYPES, Desk

FLAT, RATE, MAKER, INITIAL, MAINTENANCE, LOT_INITIAL, LOT_MAINTENANCE = (whole(n) for n in range(len(DATED_SETTINGS)))


@aside
def put_in_force(desk: Desk, t: int) -> None:
    """Put the settings up to a bar in force."""
    apart()
    i = desk.cursor[DATE]
    while i < desk.dated and desk.dated_bar[i] <= t:
        for slot in range(desk.dated_asset[i], desk.slots, desk.assets):
            change(desk, slot, desk.dated_setting[i], desk.dated_value[i])
        i += 1
    desk.cursor[DATE] = i


@aside
def change(desk: Desk, slot: int, setting: int, number: int) -> None:
    """One setting of a slot."""
    apart()
    if setting == FLAT:
        desk.fee_flat[slot] = number
    elif setting == RATE:
        desk.fee_rate[slot] = number
    elif setting == MAKER:
        desk.fee_maker[slot] = number
    elif setting == INITIAL:
        desk.margin_initial[slot] = number
    elif setting == MAINTENANCE:
        desk.margin_maintenance[slot] = number
    elif setting == LOT_INITIAL:
        desk.margin_lot_initial[slot] = number
    elif setting == LOT_MAINTENANCE:
        desk.margin_lot_maintenance[slot] = number


def dated_of(tables: Tables) -> dict[str, Any]:
    """Settings by date, by field of `Desk`, and the bits of ``flags`` that they ask for.

    Raises:
        DataError: they are not in the order of their bars, or a number is out of its range.
    """
    rows = np.asarray(tables.dated, dtype=np.int64).reshape(-1, len(DATED_FIELDS))
    if not len(rows):
        return {"flags": 0}
    bar, asset, setting, number = rows.T
    ordered = bar[0] >= 0 and not bool((bar[1:] < bar[:-1]).any())
    known = asset.min() >= 0 and asset.max() < len(tables.assets) and setting.min() >= 0 and setting.max() < len(DATED_SETTINGS)
    fit = number.max() < LIMIT and number.min() >= -1 and not bool(((number < 0) & (setting != int(MAKER))).any())
    if not (ordered and known and fit):
        what = "the dated settings are not rows of bar, asset, setting and value in the order of their bars"
        raise DataError(what, where="kernel, dated", do="sort them by bar, from 0; values from 0, -1 only for no rate of resting orders")
    fees = bool(((setting == int(FLAT)) & (number > 0)).any() or ((setting == int(MAKER)) & (number >= 0)).any())
    margin = bool(((setting >= int(INITIAL)) & (number > 0)).any())
    flags = HAS_DATED | (HAS_FEES if fees else 0) | (HAS_MARGIN if margin else 0)
    columns = {f"dated_{name}": rows[:, place] for place, name in enumerate(DATED_FIELDS)}
    return {"dated": len(rows), "flags": flags} | {name: admit(column, TYPES[KINDS[name]]) for name, column in columns.items()}
