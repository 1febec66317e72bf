"""Commissions and margin by date: drawn for random sessions, read and written for golden cases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from rustybt.model import DATED_FIELDS, DATED_SETTINGS, NO_DATED, Asset, Tables
from rustybt.model.decimals import RATE, from_units, to_units
from rustybt.model.panel import Ints
from rustybt.model.tables import TIER_FIELDS, TIER_SETTINGS
from rustybt.testing.golden_costs import lot_of, read_tier, write_tier
from rustybt.testing.rules import LARGE, Chance, World, draw_ladder

PER_RATE = 1 / Decimal(RATE)
RATES = (0, 10**5, 33_333, 5 * 10**7)
MARGINS = (0, 10**8, 5 * 10**7, 33_333_333)
PLAIN = tuple(name for name in DATED_SETTINGS if name not in (*TIER_SETTINGS, "fee_lot_den"))
FEES = tuple(name for name in PLAIN if not name.startswith("margin") and name != "fee_liquidation")
MONEY = ("fee_flat", "fee_min", "fee_max", "margin_lot_initial", "margin_lot_maintenance")


def draw_dated(dice: Chance, world: World, bars: int, tables: Tables, *, margin: bool) -> Tables:
    """In a third of the sessions, settings from the first bar to after the last; those of margin mostly where there is some."""
    if not dice.chance(33):
        return tables
    rows: list[tuple[int, ...]] = []
    tiers = tables.tiers.T.tolist()
    laddered = set()
    for _ in range(dice.pick((1, 2, 5, 12))):
        column = dice.integer(0, len(world.assets) - 1)
        bar = dice.pick((0, dice.integer(0, bars + 1)))
        if dice.chance(15) and (bar, column) not in laddered:
            laddered.add((bar, column))
            ladder = draw_ladder(dice, world, column, tiers) if dice.chance(70) else (0, 0, 0, 0)
            rows += [(bar, column, DATED_SETTINGS.index(name), int(value)) for name, value in zip(TIER_SETTINGS, ladder, strict=True)]
            continue
        name = dice.pick(PLAIN if margin or dice.chance(20) else FEES)
        rows += [(bar, column, DATED_SETTINGS.index(said), value) for said, value in draw_setting(dice, name, world, column).items()]
    dated = np.array(sorted(rows, key=lambda row: row[0]), dtype=np.int64)
    return Tables(**vars(tables) | {"dated": dated, "tiers": np.array(tiers, dtype=np.int64).reshape(-1, len(TIER_FIELDS)).T.copy()})


def draw_setting(dice: Chance, name: str, world: World, column: int) -> dict[str, int]:
    """One setting, or the two that say what a commission takes per lot."""
    worth = min(LARGE, world.lot_worth[column])
    if name == "fee_lot_num":
        each = Fraction(dice.pick((0, max(1, worth // 100), 7)), dice.pick((1, 3)))
        return {"fee_lot_num": each.numerator, "fee_lot_den": each.denominator}
    values = {
        "fee_flat": (0, 1, worth),
        "fee_min": (0, 1, worth),
        "fee_max": (-1, 1, worth),
        "fee_rate": RATES,
        "fee_maker": (*RATES, -1),
        "fee_cap": (*RATES, -1),
        "fee_liquidation": RATES,
    }.get(name)
    if values is None:
        values = (0, 1, max(1, worth // 10)) if "lot" in name else MARGINS
    return {name: dice.pick(values)}


def step_of(name: str, unit: Decimal) -> Decimal:
    """What a setting counts in."""
    return unit if name in MONEY else PER_RATE


def read_dated(lines: Iterable[list[str]], assets: Sequence[Asset], unit: Decimal) -> Ints:
    """``3 A fee_rate=0.001 fee_lot=1/3 tiers=none``: settings that hold from a bar on."""
    columns = {asset.symbol: column for column, asset in enumerate(assets)}
    rows: list[tuple[Any, ...]] = []
    for bar, symbol, *words in lines:
        for name, text in (word.split("=") for word in words):
            for said, number in read_number(name, text, unit).items():
                rows.append((int(bar), columns[symbol], DATED_SETTINGS.index(said), number))
    return np.array(sorted(rows, key=lambda row: row[0]), dtype=np.int64).reshape(-1, len(DATED_FIELDS))


def read_number(name: str, text: str, unit: Decimal) -> dict[str, int]:
    """The settings that a word names."""
    if name == "tiers":
        return dict.fromkeys(TIER_SETTINGS, 0)
    if name == "fee_lot":
        each = Fraction(text) / Fraction(unit)
        return {"fee_lot_num": each.numerator, "fee_lot_den": each.denominator}
    return {name: -1 if text == "-1" else to_units(text, step_of(name, unit))}


def read_tiers_by_date(lines: Iterable[list[str]], tables: Tables, unit: Decimal) -> Tables:
    """``A@3 value 5000 rate=0.001``: a tier of an asset in all sleeves from a bar on; they come after those of slots."""
    columns = {asset.symbol: column for column, asset in enumerate(tables.assets)}
    tiers, found = tables.tiers.T.tolist(), dict[tuple[int, int], list[int]]()
    for name, by, floor, *words in lines:
        symbol, _, bar = name.partition("@")
        asset, given = tables.assets[columns[symbol]], dict(word.split("=") for word in words)
        ladder = found.setdefault((int(bar), columns[symbol]), [len(tiers), 0, int(given.get("group", "0")), lot_of(asset, by)])
        ladder[1] += 1
        tiers.append(read_tier(by, floor, given, unit))
    rows = [
        (bar, column, DATED_SETTINGS.index(name), number)
        for (bar, column), ladder in found.items()
        for name, number in zip(TIER_SETTINGS, ladder, strict=True)
    ]
    dated = sorted([*tables.dated.tolist(), *rows], key=lambda row: row[0])
    arrays = {
        "dated": np.array(dated, dtype=np.int64).reshape(-1, len(DATED_FIELDS)) if dated else NO_DATED,
        "tiers": np.array(tiers, dtype=np.int64).reshape(-1, len(TIER_FIELDS)).T.copy(),
    }
    return Tables(**vars(tables) | arrays)


def write_dated(tables: Tables, unit: Decimal) -> tuple[list[str], list[str]]:
    """The lines that `read_dated` reads, and those of tiers."""
    lines, tiers = [], []
    held: dict[str, int] = {}
    for bar, column, place, number in tables.dated.tolist():
        name, symbol = DATED_SETTINGS[place], tables.assets[column].symbol
        held[name] = number
        if name == TIER_SETTINGS[-1]:
            first, count, group, each = (held[said] for said in TIER_SETTINGS)
            tiers += [f"{symbol}@{bar} {write_tier(tables, k, group, each, unit)}" for k in range(first, first + count)]
            lines += [] if count else [f"{bar} {symbol} tiers=none"]
        elif name == "fee_lot_den":
            lines.append(f"{bar} {symbol} fee_lot={Fraction(held['fee_lot_num'], number) * Fraction(unit)}")
        elif name not in (*TIER_SETTINGS, "fee_lot_num"):
            text = "-1" if number < 0 else format(from_units(number, step_of(name, unit)), "f")
            lines.append(f"{bar} {symbol} {name}={text}")
    return lines, tiers
