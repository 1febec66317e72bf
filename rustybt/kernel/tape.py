"""The columns beside the prices, and the tables of costs, as fields of a `Desk`."""

from __future__ import annotations

from typing import Any

import numpy as np

from rustybt.errors import DataError
from rustybt.model import TIER_FIELDS, Tables, Tape
from rustybt.model.tables import GROUPS

from .market import admit
from .state import HAS_TIERS, KINDS, TYPES

NEEDS_TAPE = HAS_TIERS
"""Bits of ``flags`` that read a tape."""


def column(name: str, array: Any) -> Any:
    """An array as field ``name`` takes it."""
    return admit(array, TYPES[KINDS[name]]).reshape(-1)


def cost_tables(tables: Tables) -> dict[str, Any]:
    """The tables that settings of a slot point into, by field of `Desk`.

    Raises:
        DataError: a slot points beyond them.
    """
    first, count, group = (tables.row(name) for name in ("tier_first", "tier_count", "tier_group"))
    tiers = tables.tiers.shape[1]
    if np.any((count < 0) | (first < 0) | (first + count > tiers) | (group < 0) | (group >= GROUPS)):
        raise DataError(f"a slot has tiers that are not among the {tiers}", where="kernel, tiers", do="check tier_first and tier_count")
    return {f"tiers_{name}": column(f"tiers_{name}", tables.tiers[row]) for row, name in enumerate(TIER_FIELDS)}


def months_of(day: Any) -> Any:
    """Calendar months since 1970-01 of days since 1970-01-01.

    Example:
        >>> months_of([0, 30, 31])
        array([0, 0, 1])
    """
    return np.asarray(day, dtype=np.int64).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def tape_of(tape: Tape | None, flags: int, bars: int) -> dict[str, Any]:
    """What the rules in force read of a tape, by field of `Desk`.

    Raises:
        DataError: a column that they read is missing or has the wrong length.
    """
    given = tape or Tape()
    if not flags & HAS_TIERS:
        return {"month": column("month", [])}
    if given.day is None or len(given.day) != bars or (bars > 1 and np.any(np.diff(given.day) < 0)):
        raise DataError(
            "commissions by month need the day of every bar",
            where="kernel, tape",
            do=f"give a Tape whose day has {bars} numbers that never decrease",
        )
    return {"month": column("month", months_of(given.day))}
