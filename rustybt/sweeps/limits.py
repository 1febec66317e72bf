"""How many variants there may be: counted before a list of them is made, since a grid is soon larger than any machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Sized
from itertools import islice
from math import prod
from typing import Any

import numpy as np

from rustybt.errors import ConfigError
from rustybt.spec import Range

MOST = 10**8
"""Variants of a sweep."""
MOST_LISTED = 10**6
"""Variants of what keeps a mapping for each, such as a walk-forward; values of a parameter that have to be written down one by one."""
MOST_DRAWN = 10**7
"""Variants that are drawn from a space, or given one by one."""
FEWER = "take longer steps, or draw from them: space={...}, samples=10_000"


def check_count(count: int, where: str, most: int = MOST, do: str = FEWER) -> None:
    """Refuse more variants than can be kept.

    Raises:
        ConfigError: naming how many there would be.

    Example:
        >>> check_count(5, "sweep, grid")
    """
    if count > most:
        raise ConfigError(f"{count:,} variants are more than {most:,}", where=where, do=do)


def check_combinations(grid: Mapping[str, Sequence[Any]], where: str, most: int = MOST) -> None:
    """Refuse a grid of too many combinations.

    Raises:
        ConfigError: naming how many there would be.

    Example:
        >>> check_combinations({"fast": range(10**6), "slow": range(10**6)}, "sweep, grid")
        Traceback (most recent call last):
        ...
        rustybt.errors.ConfigError: 1,000,000,000,000 variants are more than 100,000,000
          where: sweep, grid
          do:    take longer steps, or draw from them: space={...}, samples=10_000
    """
    check_count(prod(length(values) for values in grid.values()), where, most)


def length(values: Sequence[Any]) -> int:
    """How many values, also where ``len`` would overflow.

    Example:
        >>> length(range(10**30)) == 10**30
        True
    """
    if isinstance(values, range):
        return max(0, -((values.start - values.stop) // values.step))
    return len(values)


def listed(given: Iterable[Any], where: str, most: int = MOST_LISTED) -> Sequence[Any]:
    """Values in a list; a range stays one, and what has no end is refused.

    Raises:
        ConfigError: there are too many.

    Example:
        >>> listed((value for value in (5, 10)), "sweep, grid"), listed(range(10**9), "sweep, grid")
        ([5, 10], range(0, 1000000000))
    """
    if isinstance(given, range):
        return given
    if isinstance(given, Sized):
        return plain(list(given))
    found = list(islice(given, most + 1))
    if len(found) > most:
        raise ConfigError(f"there are more than {most:,} values", where=where, do="give a range(...), or fewer values")
    return plain(found)


def plain(values: list[Any]) -> list[Any]:
    """Values with the numbers of numpy as Python's: a column, a digest and a message know no other.

    Example:
        >>> plain([np.int64(5), 7])
        [5, 7]
    """
    if any(isinstance(value, np.generic) for value in values):
        return [value.item() if isinstance(value, np.generic) else value for value in values]
    return values


def steps_of(given: Range, where: str, most: int = MOST_LISTED) -> Sequence[Any]:
    """The values of a `Range`; whole numbers one apart stay a range.

    Raises:
        ConfigError: there are too many to write down.

    Example:
        >>> steps_of(Range(2, 10**12), "sweep, space"), steps_of(Range(0, 1, 0.5), "sweep, space")
        (range(2, 1000000000001), [0.0, 0.5, 1.0])
    """
    low, high, step = given.low, given.high, given.step
    if isinstance(low, int) and isinstance(high, int) and step in (None, 1) and not isinstance(step, float):
        return range(low, high + 1)
    if low is not None and high is not None and step is not None and (float(high) - float(low)) / float(step) > most:
        raise ConfigError(f"the range {given} has more than {most:,} values", where=where, do="give a longer step")
    return list(given.values())
