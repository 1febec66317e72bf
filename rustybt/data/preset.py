"""What venues trade in, by name: ticks, lots, multipliers and least notionals."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from rustybt.data.presets import FOLDER
from rustybt.errors import ConfigError


@dataclass(frozen=True)
class Preset:
    """The increments of a venue.

    Attributes:
        name: what `rustybt.load` takes. title: of the venue. source: its page. as_of: a day for which they are known to hold.
        asset_class: of its assets.
        default: sizes of an asset that is not listed, as texts; what is left out is that of the class.
        assets: other sizes of single assets, by symbol.
        notes: what it leaves out.
    """

    name: str
    title: str
    source: str
    as_of: date
    asset_class: str
    default: Mapping[str, str]
    assets: Mapping[str, Mapping[str, str]]
    notes: tuple[str, ...]

    def sizes(self, symbol: str) -> dict[str, str]:
        """The sizes of one asset that are not those of its class.

        Example:
            >>> preset_of("cme_futures").sizes("ES")["multiplier"]
            '50'
        """
        return {**self.default, **self.assets.get(symbol, {})}

    def __str__(self) -> str:
        return f"{self.name}: {self.title}, as of {self.as_of}, {self.source}"


@cache
def presets() -> tuple[Preset, ...]:
    """The venues whose increments come with RustyBT, by name.

    Example:
        >>> [preset.name for preset in presets()][:2]
        ['binance_spot', 'cme_futures']
    """
    names = sorted(entry.name.removesuffix(".json") for entry in files(FOLDER).iterdir() if entry.name.endswith(".json"))
    return tuple(_read(name, (files(FOLDER) / f"{name}.json").read_text()) for name in names)


def preset_of(name: object) -> Preset:
    """A preset by its name.

    Raises:
        ConfigError: there is none of this name.
    """
    known = {preset.name: preset for preset in presets()}
    if not isinstance(name, str) or name not in known:
        raise ConfigError(f"there is no preset {name!r}", where="load, preset", do=f"use one of {', '.join(known)}")
    return known[name]


def _read(name: str, text: str) -> Preset:
    given: dict[str, Any] = json.loads(text)
    head = (name, given["title"], given["source"], date.fromisoformat(given["as_of"]), given["asset_class"])
    return Preset(*head, given["default"], given["assets"], tuple(given["notes"]))
