"""Section 18 of the rule book: commissions with their tiers, and margin, by date."""

from __future__ import annotations

from .compile import apart, aside
from .flags import HAS_ISOLATED
from .given import (
    CAP,
    FLAT,
    INITIAL,
    LEAST,
    LIQUIDATION,
    LOT_DEN,
    LOT_INITIAL,
    LOT_MAINTENANCE,
    LOT_NUM,
    MAINTENANCE,
    MAKER,
    MOST,
    RATE,
    TIER_COUNT,
    TIER_FIRST,
    TIER_GROUP,
    TIER_LOTS,
)
from .levels import arm_all
from .state import DATE, Desk


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
