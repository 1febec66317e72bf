"""The smallest markets, for examples and tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rustybt.model import REQUEST_FIELDS, SLOT_FIELDS, Asset, FillAt, Plan, Sizing, Tables
from rustybt.model.decimals import RATE

from .market import Market

DEFAULTS = dict.fromkeys(SLOT_FIELDS, 0) | {"fee_lot_den": 1, "fee_max": -1, "fee_cap": -1, "fee_maker": -1}


def table(cash: int = 1_000_000, assets: Sequence[Asset] = (), **settings: Any) -> Tables:
    """Rules with nothing set but what is given: tick 0.01, whole lots, money in cents, filled at the next open.

    Args:
        cash: cents.
        assets: columns; one asset ``A`` unless given.
        settings: fields of `rustybt.model.Tables`, or of ``SLOT_FIELDS`` for every slot.

    Example:
        >>> table(stop=2_000_000).row("stop")
        array([2000000])
    """
    given = tuple(assets) or (Asset.of("A", tick_size="0.01", lot_size="1"),)
    fixed: dict[str, Any] = {"sleeves": 1, "money_scale": 2, "gross": RATE, "fill_at": FillAt.NEXT_OPEN, "sizing": Sizing.AT_DECISION}
    fixed |= {name: settings.pop(name) for name in list(settings) if name in fixed}
    row = DEFAULTS | settings
    slots = np.array([[row[name]] * (len(given) * fixed["sleeves"]) for name in SLOT_FIELDS], dtype=np.int64)
    return Tables(assets=given, cash=cash, slots=slots, **fixed)


def offered(bars: int, offers: Mapping[int, int | Mapping[int, int]]) -> Plan:
    """A plan from targets by bar: one number for slot 0, or numbers by slot.

    Example:
        >>> offered(3, {1: 10}).start
        array([0, 0, 1, 1])
    """
    rows = [(t, slot, value) for t, wish in sorted(offers.items()) for slot, value in sorted(as_slots(wish).items())]
    counts = np.bincount([t for t, _, _ in rows], minlength=bars) if rows else np.zeros(bars, dtype=np.int64)
    start = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    return Plan.from_starts(start, np.array([s for _, s, _ in rows], dtype=np.int64), np.array([v for _, _, v in rows], dtype=np.int64))


def as_slots(wish: int | Mapping[int, int]) -> Mapping[int, int]:
    """A single number is for slot 0."""
    return {0: wish} if isinstance(wish, int) else wish


def bars_of(rows: Sequence[Any]) -> Market:
    """Prices of one asset: a number for a bar that stands still, four for open, high, low, close, 0 for no bar.

    Example:
        >>> bars_of([100, (100, 105, 99, 101)]).high[:, 0]
        array([100, 105])
    """
    grid = np.array([[row] * 4 if isinstance(row, int | np.integer) else list(row) for row in rows], dtype=np.int64)
    return Market(*(np.ascontiguousarray(grid[:, [k]]) for k in range(4)))


def one_asset(rows: Sequence[Any], offers: Mapping[int, int | Mapping[int, int]], **settings: Any) -> tuple[Tables, Market, Plan, Any]:
    """The arguments of `simulate` for one asset.

    Example:
        >>> one_asset([100, 101], offers={0: 1})[0].cash
        1000000
    """
    events = settings.pop("events", ())
    tables = table(**settings)
    return tables, bars_of(rows), offered(len(rows), offers), np.array(events, dtype=np.int64).reshape(-1, 5)


def row_of(**fields: int) -> list[int]:
    """One request, with 0 for what is not given.

    Example:
        >>> row_of(size=5)[REQUEST_FIELDS.index("size")]
        5
    """
    return [fields.get(name, 0) for name in REQUEST_FIELDS]
