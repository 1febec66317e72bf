"""The columns beside the prices, and the tables of costs, as fields of a `Desk`."""

from __future__ import annotations

from typing import Any

import numpy as np

from rustybt.errors import DataError
from rustybt.model import IMPACT_FIELDS, SLOT_FIELDS, TIER_FIELDS, Tables, Tape
from rustybt.model.decimals import LIMIT
from rustybt.model.tables import GROUPS, MOST_RATE

from .given import tiers_later
from .market import admit
from .state import KINDS, TYPES

POINTERS = [SLOT_FIELDS.index(name) for name in ("tier_first", "tier_count", "tier_group", "slip_buy", "slip_sell")]
"""Settings of a slot that point into tables."""
READERS = [SLOT_FIELDS.index(name) for name in ("tier_count", "slip_buy", "slip_sell", "cap_share")]
"""Settings of a slot that read a tape."""


def column(name: str, array: Any) -> Any:
    """An array as field ``name`` takes it."""
    return admit(array, TYPES[KINDS[name]]).reshape(-1)


def cost_tables(tables: Tables) -> dict[str, Any]:
    """The tables that settings of a slot point into, by field of `Desk`.

    Raises:
        DataError: a slot points beyond them.
    """
    if not (tables.tiers.size or tables.impacts.size or tables.slots[POINTERS].any()):
        return {}
    first, count, group = (tables.row(name) for name in ("tier_first", "tier_count", "tier_group"))
    tiers = tables.tiers.shape[1]
    if np.any((count < 0) | (first < 0) | (first + count > tiers) | (group < 0) | (group >= GROUPS)):
        raise DataError(f"a slot has tiers that are not among the {tiers}", where="kernel, tiers", do="check tier_first and tier_count")
    models, most = tables.impacts.shape[1], max(int(tables.row(name).max(initial=0)) for name in ("slip_buy", "slip_sell"))
    if most > models or min(int(tables.row(name).min(initial=0)) for name in ("slip_buy", "slip_sell")) < 0:
        raise DataError(f"a slot has slippage that is not among the {models}", where="kernel, impacts", do="check slip_buy and slip_sell")
    if np.any((tables.impacts[:2] < 0) | (tables.impacts[:2] >= LIMIT)) or np.any(
        (tables.impacts[2:] < 0) | (tables.impacts[2:] > MOST_RATE)
    ):
        raise DataError("a coefficient of slippage is negative or too large", where="kernel, impacts", do="give coefficients up to 1000")
    found = {f"tiers_{name}": column(f"tiers_{name}", tables.tiers[row]) for row, name in enumerate(TIER_FIELDS)}
    return found | {f"impacts_{name}": column(f"impacts_{name}", tables.impacts[row]) for row, name in enumerate(IMPACT_FIELDS)}


def needs_volume(impacts: Any) -> bool:
    """Whether slippage goes by the volume."""
    return bool(np.any(impacts[[IMPACT_FIELDS.index(name) for name in ("square", "root", "sigma")]]))


def needs_feeds(impacts: Any) -> int:
    """The number of feeds that slippage reads."""
    return int(np.max(impacts[[IMPACT_FIELDS.index(name) for name in ("sigma_feed", "rate_feed", "ticks_feed")]], initial=0))


def reads_tape(tables: Tables) -> bool:
    """Whether the rules read anything of a tape: slippage of each side by rate and ticks alone does not."""
    slipped = np.any(tables.row("slip_buy")) or np.any(tables.row("slip_sell"))
    if slipped and (needs_volume(tables.impacts) or needs_feeds(tables.impacts)):
        return True
    return bool(tiers_later(tables) or np.any(tables.row("tier_count")) or np.any(tables.row("cap_share")))


def months_of(day: Any) -> Any:
    """Calendar months since 1970-01 of days since 1970-01-01.

    Example:
        >>> months_of([0, 30, 31])
        array([0, 0, 1])
    """
    return np.asarray(day, dtype=np.int64).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def tape_of(tables: Tables, tape: Tape | None, bars: int) -> dict[str, Any]:
    """What the rules in force read of a tape, by field of `Desk`.

    Raises:
        DataError: a column that they read is missing or has the wrong length.
    """
    later = tiers_later(tables)
    if not (later or tables.slots[READERS].any()):
        return {}
    given, found = tape or Tape(), {}
    if later or np.any(tables.row("tier_count")):
        found["month"] = months_column(given, bars)
    if np.any(tables.row("slip_buy")) or np.any(tables.row("slip_sell")):
        found |= impact_columns(tables, given, bars)
    if np.any(tables.row("cap_share")):
        found["volume"] = volume_column(given, bars, len(tables.assets))
    return found


def impact_columns(tables: Tables, given: Tape, bars: int) -> dict[str, Any]:
    """What slippage reads."""
    found, assets, feeds = {}, len(tables.assets), needs_feeds(tables.impacts)
    if needs_volume(tables.impacts):
        found["volume"] = volume_column(given, bars, assets)
    if feeds:
        if given.feeds is None or given.feeds.ndim != 3 or given.feeds.shape[::2] != (bars, assets) or given.feeds.shape[1] < feeds:
            where, do = "kernel, tape", f"give a Tape with feeds of shape ({bars}, {feeds}, {assets})"
            raise DataError(f"slippage reads {feeds} feeds that are not there", where=where, do=do)
        if given.feeds.size and (given.feeds.min() < 0 or given.feeds.max() > MOST_RATE):
            raise DataError("a term of slippage is negative or above 1000", where="kernel, tape", do="give terms from 0 on")
        found |= {"feed": column("feed", given.feeds), "feeds": given.feeds.shape[1]}
    return found


def volume_column(given: Tape, bars: int, assets: int) -> Any:
    """The lots traded in every bar."""
    if given.volume is None or given.volume.shape != (bars, assets) or (given.volume.size and given.volume.min() < 0):
        where, do = "kernel, tape", f"give a Tape with a volume of shape ({bars}, {assets}), nothing below 0"
        raise DataError("a rule goes by the volume, and there is none", where=where, do=do)
    return column("volume", given.volume)


def months_column(given: Tape, bars: int) -> Any:
    """The month of every bar."""
    if given.day is None or len(given.day) != bars or (bars > 1 and np.any(np.diff(given.day) < 0)):
        raise DataError(
            "commissions by month need the day of every bar",
            where="kernel, tape",
            do=f"give a Tape whose day has {bars} numbers that never decrease",
        )
    return column("month", months_of(given.day))
