"""Broker profiles: published fee schedules by name."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from rustybt.errors import ConfigError
from rustybt.execution.costs.commission import Commission
from rustybt.execution.costs.profiles import FOLDER
from rustybt.execution.costs.written import commission_from


@dataclass(frozen=True)
class Profile:
    """A published fee schedule.

    Attributes:
        name: what `costs` takes. title: of the schedule. source: its page. as_of: a day for which it is known to hold.
        asset_class, currency: what it is for.
        commission: what it charges.
        notes: what it leaves out.
    """

    name: str
    title: str
    source: str
    as_of: date
    asset_class: str
    currency: str
    commission: Commission
    notes: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name}: {self.title}, as of {self.as_of}, {self.source}"


@cache
def profiles() -> tuple[Profile, ...]:
    """The fee schedules that come with RustyBT, by name.

    Example:
        >>> [profile.name for profile in profiles()][:2]
        ['binance_spot', 'bybit_perpetual']
    """
    found = sorted(entry.name for entry in files(FOLDER).iterdir() if entry.name.endswith(".json"))
    return tuple(read_profile(name.removesuffix(".json"), (files(FOLDER) / name).read_text()) for name in found)


def profile_of(name: object) -> Profile:
    """A profile by its name.

    Raises:
        ConfigError: there is none of this name.
    """
    known = {profile.name: profile for profile in profiles()}
    if not isinstance(name, str) or name not in known:
        raise ConfigError(f"there is no profile {name!r}", where="costs, profile", do=f"use one of {', '.join(known)}")
    return known[name]


def read_profile(name: str, text: str) -> Profile:
    """A profile from the text of its file."""
    given: dict[str, Any] = json.loads(text)
    made = commission_from(given["commission"], f"profile {name!r}")
    head = (name, given["title"], given["source"], date.fromisoformat(given["as_of"]), given["asset_class"], given["currency"])
    return Profile(*head, made, tuple(given["notes"]))
