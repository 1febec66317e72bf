"""Ticks, lots and least notionals that change: drawn for random sessions, read and written for golden cases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

import numpy as np

from rustybt.model import INCREMENT_FIELDS, NO_INCREMENTS, Asset
from rustybt.model.decimals import from_units, to_units
from rustybt.model.panel import Ints
from rustybt.testing.rules import LARGE, Chance, World


def draw_increments(dice: Chance, world: World, bars: int) -> Ints:
    """In a third of the sessions, changes from the first bar to after the last, with steps that bite and some that do not."""
    if not dice.chance(33):
        return NO_INCREMENTS
    rows = []
    for _ in range(dice.pick((1, 2, 5, 12))):
        column = dice.integer(0, len(world.assets) - 1)
        least = min(LARGE, dice.pick((0, 0, 1, 3, 30)) * world.lot_worth[column] * dice.integer(1, 3) // 2)
        rows.append(
            (dice.pick((0, dice.integer(0, bars + 1))), column, dice.pick((1, 5, 25, 3, 10_000)), dice.pick((1, 10, 3, 100)), least)
        )
    return np.array(sorted(rows, key=lambda row: row[0]), dtype=np.int64)


def read_increments(lines: Iterable[list[str]], assets: Sequence[Asset], unit: Decimal) -> Ints:
    """``3 A tick=0.05 lot=10 least=100``: what is in force from a bar on; the asset's own sizes and no least unless given."""
    columns = {asset.symbol: column for column, asset in enumerate(assets)}
    rows = []
    for bar, name, *words in lines:
        asset, given = assets[columns[name]], dict(word.split("=") for word in words)
        tick, lot = given.get("tick", asset.tick_size), given.get("lot", asset.lot_size)
        steps = to_units(tick, asset.tick_size), to_units(lot, asset.lot_size)
        rows.append((int(bar), columns[name], *steps, to_units(given.get("least", "0"), unit)))
    return np.array(sorted(rows, key=lambda row: row[0]), dtype=np.int64).reshape(-1, len(INCREMENT_FIELDS))


def write_increments(increments: Ints, assets: Sequence[Asset], unit: Decimal) -> list[str]:
    """The lines that `read_increments` reads."""
    lines = []
    for bar, column, tick, lot, least in increments.tolist():
        asset = assets[column]
        sizes = from_units(tick, asset.tick_size), from_units(lot, asset.lot_size), from_units(least, unit)
        lines.append(f"{bar} {asset.symbol} tick={sizes[0]:f} lot={sizes[1]:f} least={sizes[2]:f}")
    return lines
