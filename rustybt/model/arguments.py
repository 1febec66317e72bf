"""What users give as arguments, checked before it is used: counts, seeds, numbers, words, paths and objects.

True and False are no numbers here: where a count is wanted they are a mistake.
"""

from __future__ import annotations

import math
import os
from collections.abc import Collection
from numbers import Integral, Real
from pathlib import Path
from types import UnionType
from typing import Any

from rustybt.errors import ConfigError

SEEDS = 2**32
"""Seeds are less than this."""


def whole(value: object, where: str, do: str, *, least: int = 1, most: int | None = None, what: str = "") -> int:
    """A whole number within bounds.

    Args:
        value: what was given.
        where: it was given.
        do: what to do where it is none.
        least: that it may be.
        most: that it may be; None = no end.
        what: was wrong; empty = that it is no such number.

    Raises:
        ConfigError: it is none.

    Example:
        >>> whole(3, "search, trials", "give 1 or more")
        3
        >>> whole(True, "search, trials", "give 1 or more")
        Traceback (most recent call last):
        ...
        rustybt.errors.ConfigError: True is no whole number of 1 or more
          where: search, trials
          do:    give 1 or more
    """
    found = int(value) if isinstance(value, Integral) and not isinstance(value, bool) else None
    if found is None or found < least:
        raise ConfigError(what or f"{value!r} is no whole number of {least} or more", where=where, do=do)
    if most is not None and found > most:
        raise ConfigError(what or f"{found:,} is more than {most:,}", where=where, do=f"give {most:,} or fewer")
    return found


def seed_of(value: object, where: str) -> int:
    """A seed of random numbers.

    Raises:
        ConfigError: it is none.
    """
    place, do = f"{where}, seed", f"give 0 to {SEEDS - 1}"
    found = whole(value, place, do, least=0)
    if found >= SEEDS:
        raise ConfigError(f"{found} is too large for a seed", where=place, do=do)
    return found


def number(value: object, where: str, do: str, *, what: str = "") -> float:
    """A finite number, of any kind that `float` takes exactly or rounds.

    Raises:
        ConfigError: it is none.

    Example:
        >>> number(0.5, "draw, confidence", "write 95 % as 0.95")
        0.5
    """
    try:
        finite = not isinstance(value, bool) and isinstance(value, Real) and math.isfinite(value)
    except OverflowError:  # a whole number that no float holds
        finite = False
    if not finite:
        raise ConfigError(what or f"{value!r} is not a number", where=where, do=do)
    return float(value)  # type: ignore[arg-type]


def word(value: object, known: Collection[str], where: str, *, what: str = "") -> str:
    """One of some words.

    Raises:
        ConfigError: another; the message names those that there are.

    Example:
        >>> word("draw", ("shuffle", "draw"), "resample_trades, how")
        'draw'
    """
    if not isinstance(value, str) or value not in known:
        name = where.rpartition(", ")[2]
        raise ConfigError(what or f"{name} {value!r} is unknown", where=where, do=f"use one of {', '.join(known)}")
    return value


def flag(value: object, where: str) -> bool:
    """True or False.

    Raises:
        ConfigError: neither.
    """
    if not isinstance(value, bool):
        name = where.rpartition(", ")[2]
        raise ConfigError(f"{name} {value!r} is neither True nor False", where=where, do="give one of the two")
    return value


def kind(value: object, wanted: type | UnionType, where: str, do: str, *, what: str = "") -> Any:
    """An object of a kind.

    Raises:
        ConfigError: of another.
    """
    if not isinstance(value, wanted):
        raise ConfigError(what or f"{value!r} is of another kind", where=where, do=do)
    return value


def place(value: object, where: str, do: str, *, what: str = "") -> Path:
    """A path that the system can have.

    Raises:
        ConfigError: it is none: no text, empty, or with a character that no path holds.

    Example:
        >>> place("rows.sqlite", "search, storage", "give a file").name
        'rows.sqlite'
    """
    try:
        good = isinstance(value, str | Path) and str(value) != "" and b"\0" not in os.fsencode(value)
    except UnicodeEncodeError:
        good = False
    if not good:
        raise ConfigError(what or f"{value!r} is no path", where=where, do=do)
    return Path(value)  # type: ignore[arg-type]
