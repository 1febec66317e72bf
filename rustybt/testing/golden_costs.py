"""The parts of a golden case that are about costs: tiers of commission, slippage by volume and feeds, what the tape tells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from rustybt.errors import ConfigError
from rustybt.model import IMPACT_FIELDS, SLOT_FIELDS, TIER_FIELDS, Tables, Tape
from rustybt.model.decimals import RATE, to_units
from rustybt.model.panel import Ints
from rustybt.model.tables import TIER_SETTINGS

if TYPE_CHECKING:
    from rustybt.model import Asset

SECTIONS = ("tiers", "days", "impacts", "volume", "feeds")
FIRST = date(1970, 1, 1)
PER_RATE, FINEST = 1 / Decimal(RATE), Decimal("1E-8")
FEEDS = ("sigma_feed", "rate_feed", "ticks_feed")
SHARES = {"rate", "square", "root", "sigma"}


def read_tiers(lines: Iterable[list[str]], names: Sequence[str], assets: Sequence[Asset], slots: Ints, unit: Decimal) -> Ints:
    """``A value 5000 rate=0.001 maker=0.0005 lot=1/3 group=0``: a tier of a slot from so much value on (or ``quantity``).

    The lines of a slot follow one another, lowest first. Writes into the slots where its tiers are.
    """
    tiers: list[list[int]] = []
    for name, by, floor, *words in lines:
        slot, given = names.index(name), dict(word.split("=") for word in words)
        row = slots[:, slot]
        if row[SLOT_FIELDS.index("tier_count")] == 0:
            row[SLOT_FIELDS.index("tier_first")] = len(tiers)
        if row[SLOT_FIELDS.index("tier_first")] + row[SLOT_FIELDS.index("tier_count")] != len(tiers):
            raise ConfigError(f"the tiers of {name} are apart", where="[tiers]", do="write the tiers of a slot one after the other")
        row[SLOT_FIELDS.index("tier_count")] += 1
        row[SLOT_FIELDS.index("tier_group")] = int(given.get("group", "0"))
        row[SLOT_FIELDS.index("tier_lots")] = lot_of(assets[slot % len(assets)], by)
        tiers.append(read_tier(by, floor, given, unit))
    return np.array(tiers, dtype=np.int64).reshape(-1, len(TIER_FIELDS)).T.copy()


def lot_of(asset: Asset, by: str) -> int:
    """What one lot adds to the quantity that tiers go by; 0 where they go by value."""
    return to_units(asset.lot_size, FINEST) if by == "quantity" else 0


def read_tier(by: str, floor: str, given: Mapping[str, str], unit: Decimal) -> list[int]:
    """One tier."""
    lot = Fraction(given.get("lot", "0")) / Fraction(unit)
    maker = to_units(given["maker"], PER_RATE) if "maker" in given else -1
    from_ = to_units(floor, FINEST if by == "quantity" else unit)
    return [from_, to_units(given.get("rate", "0"), PER_RATE), maker, lot.numerator, lot.denominator]


def write_tiers(tables: Tables, names: Sequence[str], unit: Decimal) -> list[str]:
    """The lines that `read_tiers` reads."""
    lines = []
    for slot, name in enumerate(names):
        first, count, group, each = (int(tables.row(field)[slot]) for field in TIER_SETTINGS)
        lines += [f"{name} {write_tier(tables, column, group, each, unit)}" for column in range(first, first + count)]
    return lines


def write_tier(tables: Tables, column: int, group: int, each: int, unit: Decimal) -> str:
    """One tier, without whose it is."""
    floor, rate, maker, num, den = (int(number) for number in tables.tiers[:, column])
    start = floor * (FINEST if each else unit)
    rested = "" if maker < 0 else f" maker={maker * PER_RATE:f}"
    lot = Fraction(num, den) * Fraction(unit)
    by = "quantity" if each else "value"
    return f"{by} {start:f} rate={rate * PER_RATE:f}{rested} lot={lot} group={group}"


def read_impacts(lines: Iterable[list[str]], names: Sequence[str], slots: Ints) -> Ints:
    """``A buy rate=0.001 ticks=2 square=0.1 root=0.02 sigma=1 sigma_feed=1``: slippage of a slot, ``buy``, ``sell`` or ``both``."""
    found: list[list[int]] = []
    for name, side, *words in lines:
        given = dict(word.split("=") for word in words)
        found.append([to_units(given.get(k, "0"), PER_RATE) if k in SHARES else int(given.get(k, "0")) for k in IMPACT_FIELDS])
        for field in ("slip_buy", "slip_sell"):
            if side in ("both", field.removeprefix("slip_")):
                slots[SLOT_FIELDS.index(field), names.index(name)] = len(found)
    return np.array(found, dtype=np.int64).reshape(-1, len(IMPACT_FIELDS)).T.copy()


def write_impacts(tables: Tables, names: Sequence[str]) -> list[str]:
    """The lines that `read_impacts` reads."""
    lines = []
    for slot, name in enumerate(names):
        for side in ("buy", "sell"):
            number = int(tables.row(f"slip_{side}")[slot])
            if number:
                row = zip(IMPACT_FIELDS, tables.impacts[:, number - 1].tolist(), strict=True)
                words = [f"{field}={value * PER_RATE if field in SHARES else Decimal(value):f}" for field, value in row]
                lines.append(" ".join((name, side, *words)))
    return lines


def read_tape(parts: dict[str, list[list[str]]], tables: Tables, bars: int) -> Tape | None:
    """The days, ``0 A 1500`` volumes and ``0 A 1 0.02`` numbers of feeds, ticks as ``3t``."""
    days, assets = read_days(parts["days"], bars), tables.assets
    columns = {asset.symbol: column for column, asset in enumerate(assets)}
    if not (parts["volume"] or parts["feeds"] or parts["impacts"]):
        return days
    volume = np.zeros((bars, len(assets)), dtype=np.int64)
    for bar, name, quantity in parts["volume"]:
        volume[int(bar), columns[name]] = to_units(quantity, assets[columns[name]].lot_size)
    most = int(tables.impacts[[IMPACT_FIELDS.index(name) for name in FEEDS]].max(initial=0))
    feeds = np.zeros((bars, max([most, *(int(words[2]) for words in parts["feeds"])]), len(assets)), dtype=np.int64)
    for bar, name, number, value in parts["feeds"]:
        feeds[int(bar), int(number) - 1, columns[name]] = int(value[:-1]) if value.endswith("t") else to_units(value, PER_RATE)
    return Tape(None if days is None else days.day, volume, feeds)


def write_tape(tape: Tape | None, assets: Sequence[Asset]) -> list[str]:
    """The sections that `read_tape` reads."""
    lines = ["[days]", *write_days(tape), "[volume]"]
    if tape is not None and tape.volume is not None:
        for bar, column in np.argwhere(tape.volume).tolist():
            lines.append(f"{bar} {assets[column].symbol} {int(tape.volume[bar, column]) * assets[column].lot_size:f}")
    lines.append("[feeds]")
    if tape is not None and tape.feeds is not None:
        for bar, number, column in np.argwhere(tape.feeds).tolist():
            lines.append(f"{bar} {assets[column].symbol} {number + 1} {int(tape.feeds[bar, number, column])}t")
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
