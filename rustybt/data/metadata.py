"""The assets of a source: from the class preset, single settings, or what the user declares per symbol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any

import numpy as np

from rustybt.data.options import Options
from rustybt.errors import ConfigError, DataError
from rustybt.model import Asset

SIZES = ("currency", "tick_size", "lot_size", "volume_step", "multiplier", "min_notional")


@dataclass(frozen=True)
class Listed:
    """An asset and the days on which it may have bars.

    Args:
        asset: the asset.
        first, last: days since 1970-01-01 of its listing and its last session, None when not declared.
    """

    asset: Asset
    first: int | None = None
    last: int | None = None


def listings(symbols: Sequence[str], options: Options) -> list[Listed]:
    """Assets in the order of their symbols.

    Raises:
        ConfigError: a setting is unknown or not a number.
    """
    return [_listed(symbol, options) for symbol in symbols]


def check_known(wanted: Sequence[str], known: Sequence[str], where: str) -> None:
    """Refuses symbols that the source does not have.

    Raises:
        DataError: naming the first unknown symbol and those that look like it.
    """
    have = set(known)
    unknown = [symbol for symbol in wanted if symbol not in have]
    if unknown:
        like = get_close_matches(str(unknown[0]), known, n=3, cutoff=0.5)
        do = f"did you mean {', '.join(map(repr, like))}?" if like else f"the source has {len(known)} assets: {', '.join(known[:5])}"
        raise DataError(f"asset {unknown[0]!r} is not in the source", where=where, do=do)


def days_of(day: Any, name: str) -> int:
    """Days since 1970-01-01 of a date, a time or an ISO text.

    Raises:
        ConfigError: it is not a date.

    Example:
        >>> days_of("1970-01-02", "start")
        1
    """
    try:
        if isinstance(day, str):
            day = date.fromisoformat(day)
        if isinstance(day, datetime):
            day = day.date()
        if not isinstance(day, date | np.datetime64) or np.isnat(np.datetime64(day)):
            raise TypeError  # numpy takes 5 for 1970-01-06
        return int(np.datetime64(day, "D").astype(np.int64))
    except (ValueError, TypeError):
        raise ConfigError(f"{name} {day!r} is not a date", where=name, do='write it like "2005-02-28"') from None


def _listed(symbol: str, options: Options) -> Listed:
    given = options.overrides.get(symbol, {})
    if isinstance(given, Asset):
        if given.symbol != symbol:
            raise ConfigError(f"asset {given.symbol!r} is filed under {symbol!r}", where="assets", do="use the symbol of the source")
        return Listed(given)
    if not isinstance(given, Mapping):
        raise ConfigError(f"metadata of {symbol!r} is a {type(given).__name__}", where="assets", do="give an Asset or a dict of settings")
    unknown = [key for key in given if key not in (*SIZES, "asset_class", "listed", "delisted")]
    if unknown:
        raise ConfigError(
            f"unknown setting {unknown[0]!r}", where=f"assets[{symbol!r}]", do=f"use {', '.join(SIZES)}, asset_class, listed or delisted"
        )
    sizes = {"tick_size": options.tick_size, "lot_size": options.lot_size, "volume_step": options.volume_step}
    sizes |= {key: given[key] for key in SIZES if key in given}
    kind, known = options.asset_class, dict[str, Any]()
    if options.preset is not None:
        from rustybt.data.preset import preset_of

        venue = preset_of(options.preset)
        kind, known = venue.asset_class, venue.sizes(symbol)
    sizes = known | {name: size for name, size in sizes.items() if size is not None}
    asset = Asset.of(symbol, given.get("asset_class", kind), **sizes)
    spans = {key: days_of(given[key], key) if given.get(key) is not None else None for key in ("listed", "delisted")}
    return Listed(asset, spans["listed"], spans["delisted"])
