"""What the tables say by date and by bar, checked, as fields of a `Desk`: settings, currencies, sessions that turn.

Apart from the rules that read it (`dated`, `rates`, `pending`): those are compiled, and a process that loads the compiled program does
not import them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from rustybt.errors import DataError
from rustybt.model import DATED_FIELDS, DATED_SETTINGS, Tables
from rustybt.model.currencies import MOST_CURRENCIES
from rustybt.model.decimals import LIMIT
from rustybt.model.decimals import RATE as RATE_UNITS
from rustybt.model.tables import GROUPS

from .flags import HAS_CURRENCIES, HAS_DATED, HAS_FEES, HAS_LIQUIDATION_FEES, HAS_MARGIN, HAS_PENDING, HAS_TIERS
from .limits import whole
from .market import admit
from .state import KINDS, TYPES, WAITING

FLAT, RATE, MAKER, INITIAL, MAINTENANCE, LOT_INITIAL, LOT_MAINTENANCE, *_REST = (whole(n) for n in range(len(DATED_SETTINGS)))
LEAST, MOST, CAP, LOT_NUM, LOT_DEN, LIQUIDATION, TIER_FIRST, TIER_COUNT, TIER_GROUP, TIER_LOTS = _REST
"""Settings that change by date: their codes."""
MAY_BE_NONE = (int(MAKER), int(MOST), int(CAP))
"""Settings of which -1 says that there is none."""


def dated_of(tables: Tables) -> dict[str, Any]:
    """Settings by date, by field of `Desk`, and the bits of ``flags`` that they ask for.

    Raises:
        DataError: they are not in the order of their bars, or a number is out of its range.
    """
    rows = np.asarray(tables.dated, dtype=np.int64).reshape(-1, len(DATED_FIELDS))
    if not len(rows):
        return {"flags": 0}
    bar, asset, setting, number = rows.T
    ordered = bar[0] >= 0 and not bool((bar[1:] < bar[:-1]).any())
    known = asset.min() >= 0 and asset.max() < len(tables.assets) and setting.min() >= 0 and setting.max() < len(DATED_SETTINGS)
    fit = number.max() < LIMIT and number.min() >= -1 and not bool(((number < 0) & ~np.isin(setting, MAY_BE_NONE)).any())
    fit = fit and not bool(((number == 0) & (setting == int(LOT_DEN))).any())
    if not (ordered and known and fit):
        what = "the dated settings are not rows of bar, asset, setting and value in the order of their bars"
        raise DataError(what, where="kernel, dated", do="sort them by bar, from 0; values from 0, -1 only where there is none")
    tiers = check_tiers(rows, tables.tiers.shape[1])
    above = np.isin(setting, (int(FLAT), int(LEAST), int(LOT_NUM))) & (number > 0)
    fees = tiers or bool((above | (np.isin(setting, MAY_BE_NONE) & (number >= 0))).any())
    margin = bool(((setting >= int(INITIAL)) & (setting <= int(LOT_MAINTENANCE)) & (number > 0)).any())
    levied = bool(((setting == int(LIQUIDATION)) & (number > 0)).any())
    flags = HAS_DATED | (HAS_FEES if fees else 0) | (HAS_MARGIN if margin else 0) | (HAS_TIERS if tiers else 0)
    flags |= HAS_LIQUIDATION_FEES if levied else 0
    columns = {f"dated_{name}": rows[:, place] for place, name in enumerate(DATED_FIELDS)}
    return {"dated": len(rows), "flags": flags} | {name: admit(column, TYPES[KINDS[name]]) for name, column in columns.items()}


def check_tiers(rows: Any, tiers: int) -> bool:
    """Whether tiers change; each time the four settings that say where they are come together.

    Raises:
        DataError: one of the four is missing, or they point beyond the tiers.
    """
    first = np.flatnonzero(rows[:, 2] == int(TIER_FIRST))
    said = int((rows[:, 2] >= int(TIER_FIRST)).sum())
    if not said:
        return False
    complete = said == 4 * len(first) and first[-1] + 3 < len(rows)
    together = complete and all(np.array_equal(rows[first + n, :3], rows[first, :3] + [0, 0, n]) for n in range(1, 4))
    if together:
        begin, count, group = (rows[first + n, 3] for n in range(3))
        together = bool(((begin + count <= tiers) & (group < GROUPS)).all())
    if not together:
        what = f"a dated setting names tiers that are not among the {tiers}, or not all of what there is to say about them"
        raise DataError(what, where="kernel, dated", do=f"give {', '.join(DATED_SETTINGS[int(TIER_FIRST) :])} in four rows")
    return bool((rows[first + 1, 3] > 0).any())


def tiers_later(tables: Tables) -> bool:
    """Whether a slot has tiers from some bar on."""
    rows = np.asarray(tables.dated, dtype=np.int64).reshape(-1, len(DATED_FIELDS))
    return bool(((rows[:, 2] == int(TIER_COUNT)) & (rows[:, 3] > 0)).any())


def currencies_of(tables: Tables, bars: int) -> dict[str, Any]:
    """The currencies of a run by field of `Desk`, with the ``flags`` that they ask for.

    Raises:
        DataError: they are not for so many bars and assets.
    """
    given = tables.currencies
    if given is None:
        return {"flags": 0}
    count, assets = len(given.names), len(tables.assets)
    shaped = given.num.shape == given.den.shape == (bars, count) and given.of_asset.shape == (assets,)
    if not shaped or not 0 < count <= MOST_CURRENCIES:
        what = f"the rates are not those of {bars} bars and {assets} assets, or of more than {MOST_CURRENCIES} currencies"
        raise DataError(what, where="kernel, currencies", do="give what rustybt.model.CurrencyTable says")
    if given.num.size and (given.num.min() < 0 or given.den.min() < 1 or max(given.num.max(), given.den.max()) >= LIMIT):
        what = "a rate is not a fraction of whole numbers from 1 to 2^61"
        raise DataError(what, where="kernel, currencies", do="give rates with fewer digits; 0 / 1 where none is known")
    arrays = {"currency_of": given.of_asset, "quote_num": given.num.reshape(-1), "quote_den": given.den.reshape(-1)}
    found: dict[str, Any] = {name: admit(np.ascontiguousarray(array), TYPES[KINDS[name]]) for name, array in arrays.items()}
    toll = {"toll_rate": given.cost_rate, "toll_minimum": given.cost_minimum, "toll_least": given.least}
    if min(toll.values()) < 0 or given.cost_rate >= RATE_UNITS or max(toll.values()) >= LIMIT:
        what = f"conversions cost {given.cost_rate} of 1e-8, at least {given.cost_minimum}, from {given.least} on"
        raise DataError(what, where="kernel, currencies", do="give what rustybt.model.CurrencyTable says")
    return found | toll | {"currencies": count, "converts": int(given.convert), "flags": HAS_CURRENCIES}


def currencies_of_bars(tables: Tables, flags: int) -> dict[str, Any]:
    """The same where rates come bar by bar: none yet."""
    given = tables.currencies
    if given is None:
        return {"flags": flags}
    count = len(given.names)
    found = currencies_of(
        replace(tables, currencies=replace(given, num=np.zeros((1, count), np.int64), den=np.ones((1, count), np.int64))), 1
    )
    return found | {"flags": flags | found["flags"]}


def pending_of(tables: Tables) -> dict[str, Any]:
    """When sessions turn, by field of `Desk`, with the bit of ``flags`` that it asks for.

    Raises:
        DataError: bars that do not increase, or a number of sessions that is none.
    """
    turns = np.asarray(tables.turns, dtype=np.int64)
    if len(turns) and (turns[0] < 0 or bool((turns[1:] <= turns[:-1]).any())):
        raise DataError("the sessions do not begin at increasing bars", where="kernel, turns", do="sort them by bar, from 0")
    if not 0 <= tables.pending_days <= WAITING:
        raise DataError(f"sales settle after {tables.pending_days} sessions", where="kernel, pending_days", do=f"use 0 to {WAITING}")
    flags = HAS_PENDING if tables.pending_days else 0
    return {"turn_bar": admit(turns, TYPES[KINDS["turn_bar"]]), "turns": len(turns), "pending_days": tables.pending_days, "flags": flags}


def inverse(divisor: int) -> tuple[int, int]:
    """By what to multiply, and how far to shift then, for the quotient of a number below 2^63 by a divisor > 1 (Granlund, Montgomery 1994).

    Returns:
        m, l with ``floor(n / divisor) == n * m // 2^64 // 2^l`` for 0 <= n <= 2^63; m as a word with a sign.

    Example:
        >>> m, shift = inverse(100)
        >>> 12_345 * (m % 2**64) // 2**64 // 2**shift
        123
    """
    length = (divisor - 1).bit_length()
    m = (1 << (63 + length)) // divisor + 1
    return (m - 2**64 if m >= 2**63 else m), length - 1
