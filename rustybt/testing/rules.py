"""Random rules for a session: increments, cash, costs, exits, policies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Protocol

import numpy as np

from rustybt.model import IMPACT_FIELDS, MARGIN_FIELDS, SLOT_FIELDS, TIER_FIELDS, Asset, FillAt, Sizing, Tables
from rustybt.model.panel import Ints
from rustybt.model.tables import TIER_SETTINGS, no_rows

TICKS = ("0.01", "0.0001", "1", "0.25", "0.00001", "0.00000001", "0.05")
LOTS = ("1", "0.01", "100", "0.001", "0.00000001", "0.3", "1", "1")
MULTIPLIERS = ("1", "1", "1", "50", "0.1", "12.5")
SCALES = (8, 8, 8, 2, 4, 0, 12)
LARGE = 2**61 - 1
DRAWN_LATER = (
    *("tier_first", "tier_count", "tier_group", "tier_lots", "slip_buy", "slip_sell"),
    *(*MARGIN_FIELDS, "settles", "day_ends", "isolated", "top_up", "fee_liquidation"),
)
FEEDS = 3
"""Feeds of slippage in a random session."""


class Chance(Protocol):
    """What a generator needs of its dice."""

    def integer(self, low: int, high: int, /) -> int:
        """A whole number from ``low`` to ``high``."""

    def pick[T](self, options: Sequence[T]) -> T:
        """One of the options."""

    def chance(self, percent: int) -> bool:
        """True so many times in a hundred."""


@dataclass(frozen=True)
class World:
    """What a session is about.

    Attributes:
        assets, prices: with their first prices in ticks. lot_worth: money units of one lot at that price, at least 1.
        lots: the largest quantity target worth drawing. cash: opening cash. step: price moves, per mille.
        money_scale: of the money unit.
    """

    assets: tuple[Asset, ...]
    prices: tuple[int, ...]
    lot_worth: tuple[int, ...]
    lots: tuple[int, ...]
    cash: int
    step: int
    money_scale: int


def draw_world(dice: Chance, most_assets: int) -> World:
    """Draw assets, prices and cash: mostly a few lots of room, now and then pennies, poverty or amounts near the limit."""
    scale = dice.pick(SCALES)
    mood = dice.integer(0, 99)
    huge = mood >= 95
    assets = tuple(draw_asset(dice, number) for number in range(dice.integer(1, most_assets)))
    prices = tuple(
        dice.integer(1, 6) if 80 <= mood < 90 else dice.pick((100, 1000, 12_345, 1_000_003)) + dice.integer(0, 50) for _ in assets
    )
    lofty = 90 <= mood < 93
    while max(worths := lot_worths(assets, prices, scale)) > 10**12 and scale > 0 and not lofty:
        scale -= 1
    room = dice.pick((100, 10, 1000, 3, 1, 50_000, 0))
    cash = min(LARGE, worths[0] * room + dice.integer(0, worths[0]))
    if huge:
        cash = min(LARGE, dice.pick((LARGE, 2**60, 2**59, 2**55)))
    lots = [min(LARGE, max(5, 2 * cash // worth)) for worth in worths]
    if huge and dice.chance(50):
        lots = [LARGE] * len(lots)
    return World(assets, prices, worths, tuple(lots), cash, dice.pick((20, 80, 5, 300, 900)), scale)


def draw_asset(dice: Chance, number: int) -> Asset:
    """An asset with increments that have nothing to do with one another."""
    tick, lot, multiplier = dice.pick(TICKS), dice.pick(LOTS), dice.pick(MULTIPLIERS)
    return Asset(f"A{number}", tick_size=Decimal(tick), lot_size=Decimal(lot), multiplier=Decimal(multiplier))


def lot_worths(assets: tuple[Asset, ...], prices: tuple[int, ...], scale: int) -> tuple[int, ...]:
    """Money units of one lot of each asset, at least 1 and at most 2^57."""
    fractions = (Fraction(a.tick_size) * Fraction(a.lot_size) * Fraction(a.multiplier) * 10**scale for a in assets)
    return tuple(min(2**57, max(1, int(price * worth))) for price, worth in zip(prices, fractions, strict=True))


def draw_tables(dice: Chance, world: World) -> Tables:
    """Draw the rules of a run over a world."""
    sleeves = dice.pick((1, 1, 2, 3))
    slots = np.zeros((len(SLOT_FIELDS), sleeves * len(world.assets)), dtype=np.int64)
    costs, exits, shared = dice.pick((0, 30, 100)), dice.pick((0, 40, 100)), dice.chance(50)
    for slot in range(slots.shape[1]):
        settings = draw_slot(dice, world.lot_worth[slot % len(world.assets)], costs, exits)
        if shared and slot:
            settings["kind"] = int(slots[SLOT_FIELDS.index("kind"), 0])
        slots[:, slot] = [settings[name] for name in SLOT_FIELDS]
    gross = dice.pick((10**8, 10**8, 2 * 10**8, 5 * 10**7, 4 * 10**8, 33_333_333, 0, 1))
    fill_at, sizing = FillAt(dice.pick((0, 0, 1, 2))), Sizing(dice.pick((0, 0, 1)))
    tiers, impacts = draw_tiers(dice, world, slots), draw_impacts(dice, slots)
    return Tables(world.assets, sleeves, world.cash, world.money_scale, gross, fill_at, sizing, slots, tiers=tiers, impacts=impacts)


def draw_slot(dice: Chance, worth: int, costs: int, exits: int) -> dict[str, int]:
    """Costs and exits of one slot; each present so many times in a hundred."""

    def cost(options: Sequence[int]) -> int:
        return dice.pick(options) if dice.chance(costs) else 0

    def fence(options: Sequence[int]) -> int:
        return dice.pick(options) if dice.chance(exits) else 0

    unit = max(1, worth // 100)
    return {
        "fee_flat": cost((0, unit, 1, 5 * worth)),
        "fee_lot_num": cost((0, unit, 1, 7)),
        "fee_lot_den": dice.pick((1, 1, 3, 7, 1000)),
        "fee_rate": cost((0, 10**5, 10**6, 1, 10**7)),
        "fee_min": cost((0, unit, 1, 3 * worth)),
        "fee_max": dice.pick((0, unit, worth, 10 * worth)) if dice.chance(costs // 3) else -1,
        "fee_cap": dice.pick((10**6, 0, 1, 10**7)) if dice.chance(costs // 3) else -1,
        "slip_rate": cost((0, 5 * 10**4, 10**6, 5 * 10**7, 1)),
        "slip_ticks": cost((0, 1, 3, 200)),
        "stop": fence((0, 5 * 10**6, 10**6, 2 * 10**7, 10**8, 15 * 10**7, 1)),
        "take": fence((0, 10**7, 10**6, 10**8, 3 * 10**8, 1)),
        "trail": fence((0, 5 * 10**6, 10**6, 3 * 10**7, 10**8, 1)),
        "max_bars": fence((0, 1, 2, 5)),
        "cool_down": fence((0, 1, 2, 5)),
        "reentry_schedule": dice.pick((0, 0, 1)),
        "scheduled": dice.pick((0, 0, 1)),
        "kind": dice.pick((2, 0, 1)),
        "cap_share": dice.pick((10**7, 10**8, 25 * 10**6, 1)) if dice.chance(15) else 0,
        "cap_carry": dice.pick((1, 0)),
        "fee_maker": dice.pick((0, 10**5, 3 * 10**6)) if dice.chance(costs // 2) else -1,
    } | dict.fromkeys(DRAWN_LATER, 0)


def draw_impacts(dice: Chance, slots: Ints) -> Ints:
    """Now and then slippage by volume and by feeds, written into the slots."""
    if not dice.chance(25):
        return no_rows(IMPACT_FIELDS)
    count = dice.integer(1, 3)
    models = []
    for _ in range(count):
        plain = dice.pick((0, 1, 5 * 10**5)), dice.pick((0, 1, 3))
        steep = (dice.pick((0, 10**7, 10**8, 1)), dice.pick((0, 10**6, 5 * 10**7, 3)), dice.pick((0, 10**8, 7, 10**11)))
        models.append((*plain, *steep, *(dice.integer(0, FEEDS) for _ in range(3))))
    for name in ("slip_buy", "slip_sell"):
        slots[SLOT_FIELDS.index(name)] = [dice.integer(0, count) for _ in range(slots.shape[1])]
    return np.array(models, dtype=np.int64).T.copy()


def draw_tiers(dice: Chance, world: World, slots: Ints) -> Ints:
    """Now and then tiers of commission, written into the slots; small enough that a few fills climb them."""
    if not dice.chance(25):
        return no_rows(TIER_FIELDS)
    tiers: list[tuple[int, ...]] = []
    for slot in range(slots.shape[1]):
        if dice.chance(30):
            continue
        for name, value in zip(TIER_SETTINGS, draw_ladder(dice, world, slot % len(world.assets), tiers), strict=True):
            slots[SLOT_FIELDS.index(name), slot] = value
    return np.array(tiers, dtype=np.int64).reshape(-1, len(TIER_FIELDS)).T.copy()


def draw_ladder(dice: Chance, world: World, column: int, tiers: list[tuple[int, ...]]) -> tuple[int, int, int, int]:
    """Tiers of an asset, added to those there are: the settings that say where they are."""
    each = int(world.assets[column].lot_size * 10**8) if dice.chance(40) else 0
    worth = world.lot_worth[column] if each == 0 else 5 * each
    count, floor, first = dice.integer(1, 4), 0, len(tiers)
    group = dice.pick((int(each != 0), 2 + 2 * (column % 30) + int(each != 0)))
    for _ in range(count):
        rates = (
            dice.pick((10**5, 0, 10**6, 10**7)),
            dice.pick((-1, 0, 10**6)),
            dice.pick((0, max(1, worth // 100), 7)),
            dice.pick((1, 3)),
        )
        tiers.append((floor, *rates))
        floor += dice.pick((worth, 1, 3 * worth, 20 * worth))
    return first, count, group, each
