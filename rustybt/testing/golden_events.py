"""Corporate actions of golden cases: ``2 A split 3:2``, ``2 A dividend 0.25 claim=1``, ``2 A merger B=1:2@30 cash=5``."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from rustybt.model import EVENT_FIELDS, Asset, EventKind
from rustybt.model.decimals import RATE, from_units, to_units
from rustybt.model.events import PLAIN

PLACE = {name: place for place, name in enumerate(EVENT_FIELDS)}


def read_event(words: list[str], assets: tuple[Asset, ...]) -> list[int]:
    """A row of `EVENT_FIELDS` from the words of a line."""
    columns = {asset.symbol: column for column, asset in enumerate(assets)}
    row = list(PLAIN)
    kind = EventKind[words[2].upper()]
    row[:3] = int(words[0]), columns[words[1]], int(kind)
    for word in words[3:]:
        name, found, value = word.rpartition("=")
        if not found:
            row[3:5] = read_ratio(value)
        elif name == "cash":
            row[6:8] = (0, 0) if value == "last" else read_ratio(value)
        elif name == "claim":
            row[PLACE["claim"]] = int(value)
        elif name == "part":
            row[PLACE["part"]] = to_units(value, 1 / Decimal(RATE))
        else:
            ratio, priced, price = value.partition("@")
            row[5], row[3:5] = columns[name], read_ratio(ratio)
            row[PLACE["price"]] = to_units(price, assets[columns[name]].tick_size) if priced else 0
    return row


def read_ratio(text: str) -> list[int]:
    """``3:2``, ``3/2`` or a number."""
    parts = text.replace("/", ":").split(":")
    return [int(part) for part in parts] if len(parts) == 2 else list(Fraction(text).as_integer_ratio())


def write_event(row: list[int], assets: tuple[Asset, ...]) -> str:
    """The line of a row."""
    bar, column, number, top, bottom, other, cash, per, price, part, claim = row
    kind = EventKind(number)
    words = [str(bar), assets[column].symbol, kind.name.lower()]
    if kind is EventKind.SPLIT:
        words.append(f"{top}:{bottom}")
    elif kind is EventKind.DIVIDEND:
        words.append(f"{top}/{bottom}")
    elif other >= 0:
        at = f"@{from_units(price, assets[other].tick_size).normalize():f}" if price else ""
        words.append(f"{assets[other].symbol}={top}:{bottom}{at}")
    if (cash, per) != (0, 1):
        words.append(f"cash={cash}/{per}" if per else "cash=last")
    if part:
        words.append(f"part={(Decimal(part) / RATE).normalize():f}")
    if claim:
        words.append(f"claim={claim}")
    return " ".join(words)
