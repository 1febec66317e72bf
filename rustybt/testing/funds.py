"""Random settings of the account: money in and out, margin, settlement of futures and of sales."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rustybt.model import MARGIN_FIELDS, SLOT_FIELDS, Tables
from rustybt.model.panel import Ints
from rustybt.testing.rules import LARGE, Chance, World


def draw_flows(dice: Chance, world: World, bars: int) -> Ints:
    """Deposits and withdrawals, some of nothing, some of more than there is, some after the last bar; in half of the sessions none."""
    rows: list[tuple[int, int]] = []
    for _ in range(dice.pick((0, 0, 0, 1, 3, 8))):
        most = min(LARGE, max(10, dice.pick((world.cash, world.cash // 10, world.lot_worth[0], 2 * world.cash))))
        rows.append((dice.integer(0, bars + 1), 0 if dice.chance(10) else dice.integer(-most, most)))
    return np.array(sorted(rows, key=lambda row: row[0]), dtype=np.int64).reshape(-1, 2)


def draw_margin(dice: Chance, world: World, tables: Tables) -> Ints:
    """The settings of all slots, in a third of the sessions with margin: by value, by lot, both, or not in every slot."""
    slots = tables.slots.copy()
    if not dice.chance(33):
        return slots
    levied = dice.pick(((0,), (10**6, 0, 1, 333_333, 5 * 10**7)))
    for slot in range(slots.shape[1]):
        slots[SLOT_FIELDS.index("fee_liquidation"), slot] = dice.pick(levied)
        worth = world.lot_worth[slot % len(world.assets)]
        initial = dice.pick((5 * 10**7, 10**8, 10**7, 0, 33_333_333))
        each = dice.pick((0, 0, max(1, worth // 10), 1))
        rows = (initial, dice.pick((initial, initial // 2, 9 * initial // 10, 0)), each, dice.pick((each, each // 2, 0)))
        for name, units in zip(MARGIN_FIELDS, rows, strict=True):
            slots[SLOT_FIELDS.index(name), slot] = units
    return slots


def draw_isolated(dice: Chance, tables: Tables) -> Tables:
    """In half of the sessions with margin some slots keep theirs for each position, and in most of these it is topped up in some."""
    if not any(bool(tables.row(name).any()) for name in MARGIN_FIELDS) or not dice.chance(50):
        return tables
    slots, often = tables.slots.copy(), dice.pick((0, 100, 60))
    for slot in range(slots.shape[1]):
        slots[SLOT_FIELDS.index("isolated"), slot] = int(dice.chance(60))
        slots[SLOT_FIELDS.index("top_up"), slot] = int(dice.chance(often))
    return replace(tables, slots=slots)


def draw_settlements(dice: Chance, tables: Tables, bars: int) -> Tables:
    """In a third of the sessions some assets settle, at every bar or at some."""
    if not dice.chance(33):
        return tables
    slots, often = tables.slots.copy(), dice.pick((100, 50, 15))
    for column in range(len(tables.assets)):
        if dice.chance(60):
            slots[SLOT_FIELDS.index("settles"), column :: len(tables.assets)] = 1
    due = [bar for bar in range(bars + 1) if dice.chance(often)]
    return replace(tables, slots=slots, settlements=np.array(due, dtype=np.int64))


def draw_policies(dice: Chance, tables: Tables) -> Tables:
    """In a quarter of the sessions requested orders end with their session, in all slots or in some."""
    if not dice.chance(25):
        return tables
    slots, often = tables.slots.copy(), dice.pick((100, 50))
    slots[SLOT_FIELDS.index("day_ends")] = [int(dice.chance(often)) for _ in range(slots.shape[1])]
    return replace(tables, slots=slots)


def draw_pending(dice: Chance, tables: Tables, bars: int) -> Tables:
    """In a quarter of the sessions sales are settled some sessions later; sessions of one bar or of several."""
    if not dice.chance(25):
        return tables
    often = dice.pick((100, 50, 20))
    turns = [bar for bar in range(1, bars + 1) if dice.chance(often)]
    return replace(tables, pending_days=dice.pick((1, 2, 3, 16)), turns=np.array(turns, dtype=np.int64))
