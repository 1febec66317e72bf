"""Commissions and margin by date: drawn for random sessions, read and written for golden cases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from rustybt.model import DATED_FIELDS, DATED_SETTINGS, NO_DATED, Asset
from rustybt.model.decimals import RATE, from_units, to_units
from rustybt.model.panel import Ints
from rustybt.testing.rules import LARGE, Chance, World

PER_RATE = 1 / Decimal(RATE)
RATES = (0, 10**5, 33_333, 5 * 10**7)
MARGINS = (0, 10**8, 5 * 10**7, 33_333_333)


def draw_dated(dice: Chance, world: World, bars: int, *, margin: bool) -> Ints:
    """In a third of the sessions, settings from the first bar to after the last; those of margin mostly where there is some."""
    if not dice.chance(33):
        return NO_DATED
    rows = []
    for _ in range(dice.pick((1, 2, 5, 12))):
        column = dice.integer(0, len(world.assets) - 1)
        name = dice.pick(DATED_SETTINGS if margin or dice.chance(20) else DATED_SETTINGS[:3])
        worth = min(LARGE, world.lot_worth[column])
        values = {"fee_flat": (0, 1, worth), "fee_rate": RATES, "fee_maker": (*RATES, -1)}.get(name)
        if values is None:
            values = (0, 1, max(1, worth // 10)) if "lot" in name else MARGINS
        rows.append((dice.pick((0, dice.integer(0, bars + 1))), column, DATED_SETTINGS.index(name), dice.pick(values)))
    return np.array(sorted(rows, key=lambda row: row[0]), dtype=np.int64)


def step_of(name: str, unit: Decimal) -> Decimal:
    """What a setting counts in."""
    return unit if name == "fee_flat" or "lot" in name else PER_RATE


def read_dated(lines: Iterable[list[str]], assets: Sequence[Asset], unit: Decimal) -> Ints:
    """``3 A fee_rate=0.001 margin_initial=0.5``: settings that hold from a bar on."""
    columns = {asset.symbol: column for column, asset in enumerate(assets)}
    rows: list[tuple[Any, ...]] = []
    for bar, symbol, *words in lines:
        for name, text in (word.split("=") for word in words):
            number = -1 if text == "-1" else to_units(text, step_of(name, unit))
            rows.append((int(bar), columns[symbol], DATED_SETTINGS.index(name), number))
    return np.array(sorted(rows, key=lambda row: row[0]), dtype=np.int64).reshape(-1, len(DATED_FIELDS))


def write_dated(dated: Ints, assets: Sequence[Asset], unit: Decimal) -> list[str]:
    """The lines that `read_dated` reads."""
    lines = []
    for bar, column, place, number in dated.tolist():
        name = DATED_SETTINGS[place]
        text = "-1" if number < 0 else format(from_units(number, step_of(name, unit)), "f")
        lines.append(f"{bar} {assets[column].symbol} {name}={text}")
    return lines
