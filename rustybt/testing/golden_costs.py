"""The parts of a golden case that are about costs: tiers of commission and the days of the bars."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from rustybt.errors import ConfigError
from rustybt.model import SLOT_FIELDS, TIER_FIELDS, Tables, Tape
from rustybt.model.decimals import RATE, to_units
from rustybt.model.panel import Ints

if TYPE_CHECKING:
    from rustybt.model import Asset

SECTIONS = ("tiers", "days")
FIRST = date(1970, 1, 1)
PER_RATE, FINEST = 1 / Decimal(RATE), Decimal("1E-8")


def read_tiers(lines: Iterable[list[str]], names: Sequence[str], assets: Sequence[Asset], slots: Ints, unit: Decimal) -> Ints:
    """``A value 5000 rate=0.001 maker=0.0005 lot=1/3 group=0``: a tier of a slot from so much value on (or ``quantity``).

    The lines of a slot follow one another, lowest first. Writes into the slots where its tiers are.
    """
    tiers: list[list[int]] = []
    for name, by, floor, *words in lines:
        slot, given = names.index(name), dict(word.split("=") for word in words)
        asset = assets[slot % len(assets)]
        row = slots[:, slot]
        if row[SLOT_FIELDS.index("tier_count")] == 0:
            row[SLOT_FIELDS.index("tier_first")] = len(tiers)
        if row[SLOT_FIELDS.index("tier_first")] + row[SLOT_FIELDS.index("tier_count")] != len(tiers):
            raise ConfigError(f"the tiers of {name} are apart", where="[tiers]", do="write the tiers of a slot one after the other")
        row[SLOT_FIELDS.index("tier_count")] += 1
        row[SLOT_FIELDS.index("tier_group")] = int(given.get("group", "0"))
        row[SLOT_FIELDS.index("tier_lots")] = to_units(asset.lot_size, FINEST) if by == "quantity" else 0
        lot = Fraction(given.get("lot", "0")) / Fraction(unit)
        maker = to_units(given["maker"], PER_RATE) if "maker" in given else -1
        from_ = to_units(floor, FINEST if by == "quantity" else unit)
        tiers.append([from_, to_units(given.get("rate", "0"), PER_RATE), maker, lot.numerator, lot.denominator])
    return np.array(tiers, dtype=np.int64).reshape(-1, len(TIER_FIELDS)).T.copy()


def write_tiers(tables: Tables, names: Sequence[str], unit: Decimal) -> list[str]:
    """The lines that `read_tiers` reads."""
    lines = []
    for slot, name in enumerate(names):
        first, count, group, each = (int(tables.row(field)[slot]) for field in ("tier_first", "tier_count", "tier_group", "tier_lots"))
        for column in range(first, first + count):
            floor, rate, maker, num, den = (int(number) for number in tables.tiers[:, column])
            start = floor * (FINEST if each else unit)
            rested = "" if maker < 0 else f" maker={maker * PER_RATE:f}"
            lot = Fraction(num, den) * Fraction(unit)
            by = "quantity" if each else "value"
            lines.append(f"{name} {by} {start:f} rate={rate * PER_RATE:f}{rested} lot={lot} group={group}")
    return lines


def read_days(lines: Iterable[list[str]], bars: int) -> Tape | None:
    """``3 2024-02-01``: the day of a bar and of those after it."""
    days = {int(bar): (date.fromisoformat(day) - FIRST).days for bar, day in lines}
    if not days:
        return None
    found, today = [], 0
    for bar in range(bars):
        today = days.get(bar, today)
        found.append(today)
    return Tape(day=np.array(found, dtype=np.int64))


def write_days(tape: Tape | None) -> list[str]:
    """The lines that `read_days` reads."""
    if tape is None or tape.day is None:
        return []
    return [f"{bar} {(FIRST + timedelta(days=int(day))).isoformat()}" for bar, day in enumerate(tape.day.tolist())]
