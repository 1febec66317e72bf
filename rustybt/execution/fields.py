"""Tables of plain values, as JSON and TOML have them: their fields, checked by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rustybt.errors import ConfigError


def fields_of(plain: Any, known: Iterable[str], where: str) -> dict[str, Any]:
    """A table of plain values with no other than the known fields; what is null counts as not said.

    Raises:
        ConfigError: it is no table, or has another field.

    Example:
        >>> fields_of({"initial": "0.5"}, ("initial", "maintenance"), "margin")
        {'initial': '0.5'}
    """
    if not isinstance(plain, Mapping):
        raise ConfigError(f"{plain!r} is not a table of fields", where=where, do=f"give fields such as {', '.join(known)}")
    unknown = [name for name in plain if name not in known]
    if unknown:
        raise ConfigError(f"there is no field {unknown[0]!r}", where=f"{where}, {unknown[0]}", do=f"use one of {', '.join(known)}")
    return {name: value for name, value in plain.items() if value is not None}


def symbols_of(plain: Any, where: str) -> dict[str, Any]:
    """A table of values by symbol.

    Raises:
        ConfigError: it is no table.

    Example:
        >>> symbols_of({"AAPL": "0.1"}, "bands, by_asset")
        {'AAPL': '0.1'}
    """
    if not isinstance(plain, Mapping):
        raise ConfigError(f"{plain!r} is not a table of symbols", where=where, do='write {"AAPL": ...}')
    return {str(symbol): value for symbol, value in plain.items()}
