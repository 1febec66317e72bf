"""Section 18 of the rule book: commissions with their tiers, and margin, by date."""

from __future__ import annotations

from typing import Any

import numpy as np

from rustybt.errors import DataError
from rustybt.model import DATED_FIELDS, DATED_SETTINGS, Tables
from rustybt.model.decimals import LIMIT
from rustybt.model.tables import GROUPS

from .compile import apart, aside
from .levels import arm_all
from .limits import whole
from .market import admit
from .state import DATE, HAS_DATED, HAS_FEES, HAS_ISOLATED, HAS_LIQUIDATION_FEES, HAS_MARGIN, HAS_TIERS, KINDS, TYPES, Desk

FLAT, RATE, MAKER, INITIAL, MAINTENANCE, LOT_INITIAL, LOT_MAINTENANCE, *_REST = (whole(n) for n in range(len(DATED_SETTINGS)))
LEAST, MOST, CAP, LOT_NUM, LOT_DEN, LIQUIDATION, TIER_FIRST, TIER_COUNT, TIER_GROUP, TIER_LOTS = _REST
MAY_BE_NONE = (int(MAKER), int(MOST), int(CAP))
"""Settings of which -1 says that there is none."""


@aside
def put_in_force(desk: Desk, t: int) -> None:
    """Put the settings up to a bar in force."""
    apart()
    i = desk.cursor[DATE]
    while i < desk.dated and desk.dated_bar[i] <= t:
        for slot in range(desk.dated_asset[i], desk.slots, desk.assets):
            change(desk, slot, desk.dated_setting[i], desk.dated_value[i])
        i += 1
    moved = i != desk.cursor[DATE]
    desk.cursor[DATE] = i
    if moved and desk.flags & HAS_ISOLATED != 0:
        arm_all(desk)


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
    else:
        change_bounds(desk, slot, setting, number)


@aside
def change_bounds(desk: Desk, slot: int, setting: int, number: int) -> None:
    """A bound of a commission, what it takes per lot, its tiers, or the fee of a liquidation."""
    apart()
    if setting == LEAST:
        desk.fee_min[slot] = number
    elif setting == MOST:
        desk.fee_max[slot] = number
    elif setting == CAP:
        desk.fee_cap[slot] = number
    elif setting == LOT_NUM:
        desk.fee_lot_num[slot] = number
    elif setting == LOT_DEN:
        desk.fee_lot_den[slot] = number
    elif setting == LIQUIDATION:
        desk.fee_liquidation[slot] = number
    elif setting == TIER_FIRST:
        desk.tier_first[slot] = number
    elif setting == TIER_COUNT:
        desk.tier_count[slot] = number
    elif setting == TIER_GROUP:
        desk.tier_group[slot] = number
    elif setting == TIER_LOTS:
        desk.tier_lots[slot] = number


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
    fit = number.max() < LIMIT and number.min() >= -1 and not bool(((number < 0) & ~np.isin(setting, MAY_BE_NONE)).any())
    fit = fit and not bool(((number == 0) & (setting == int(LOT_DEN))).any())
    if not (ordered and known and fit):
        what = "the dated settings are not rows of bar, asset, setting and value in the order of their bars"
        raise DataError(what, where="kernel, dated", do="sort them by bar, from 0; values from 0, -1 only where there is none")
    tiers = check_tiers(rows, tables.tiers.shape[1])
    above = np.isin(setting, (int(FLAT), int(LEAST), int(LOT_NUM))) & (number > 0)
    fees = tiers or bool((above | (np.isin(setting, MAY_BE_NONE) & (number >= 0))).any())
    margin = bool(((setting >= int(INITIAL)) & (setting <= int(LOT_MAINTENANCE)) & (number > 0)).any())
    levied = bool(((setting == int(LIQUIDATION)) & (number > 0)).any())
    flags = HAS_DATED | (HAS_FEES if fees else 0) | (HAS_MARGIN if margin else 0) | (HAS_TIERS if tiers else 0)
    flags |= HAS_LIQUIDATION_FEES if levied else 0
    columns = {f"dated_{name}": rows[:, place] for place, name in enumerate(DATED_FIELDS)}
    return {"dated": len(rows), "flags": flags} | {name: admit(column, TYPES[KINDS[name]]) for name, column in columns.items()}


def check_tiers(rows: Any, tiers: int) -> bool:
    """Whether tiers change; each time the four settings that say where they are come together.

    Raises:
        DataError: one of the four is missing, or they point beyond the tiers.
    """
    first = np.flatnonzero(rows[:, 2] == int(TIER_FIRST))
    said = int((rows[:, 2] >= int(TIER_FIRST)).sum())
    if not said:
        return False
    complete = said == 4 * len(first) and first[-1] + 3 < len(rows)
    together = complete and all(np.array_equal(rows[first + n, :3], rows[first, :3] + [0, 0, n]) for n in range(1, 4))
    if together:
        begin, count, group = (rows[first + n, 3] for n in range(3))
        together = bool(((begin + count <= tiers) & (group < GROUPS)).all())
    if not together:
        what = f"a dated setting names tiers that are not among the {tiers}, or not all of what there is to say about them"
        raise DataError(what, where="kernel, dated", do=f"give {', '.join(DATED_SETTINGS[int(TIER_FIRST) :])} in four rows")
    return bool((rows[first + 1, 3] > 0).any())


def tiers_later(tables: Tables) -> bool:
    """Whether a slot has tiers from some bar on."""
    rows = np.asarray(tables.dated, dtype=np.int64).reshape(-1, len(DATED_FIELDS))
    return bool(((rows[:, 2] == int(TIER_COUNT)) & (rows[:, 3] > 0)).any())
