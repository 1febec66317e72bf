"""A run reduced to integers: what the kernel and the reference are given, and the log that both give back."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from rustybt.model.asset import Asset
from rustybt.model.codes import FillAt, Sizing
from rustybt.model.panel import Ints
from rustybt.model.requests import Requests

SLOT_FIELDS = (
    "fee_flat", "fee_lot_num", "fee_lot_den", "fee_rate", "fee_min", "fee_max", "fee_cap",
    "slip_rate", "slip_ticks", "stop", "take", "trail", "max_bars", "cool_down", "reentry_schedule", "scheduled", "kind",
    "fee_maker", "tier_first", "tier_count", "tier_group", "tier_lots",
)  # fmt: skip
"""Per-slot settings of `Tables.slots`, one row each, in this order."""
TIER_FIELDS = ("floor", "rate", "maker", "lot_num", "lot_den")
"""Columns of `Tables.tiers`, one row each, in this order."""
GROUPS = 64
"""The most tables of tiers, each with its own count of what was traded in a month."""


def no_rows(fields: tuple[str, ...]) -> Ints:
    """An empty table with these columns."""
    return np.zeros((len(fields), 0), dtype=np.int64)


NO_FLOWS: Ints = np.zeros((0, 2), dtype=np.int64)
"""No deposits and no withdrawals."""


@dataclass(frozen=True)
class Tables:
    """The rules of one run. See the rule book (docs/concepts/rulebook.md) for what each does.

    Attributes:
        assets: in column order.
        sleeves: number of strategies; slot = sleeve * len(assets) + column.
        cash: opening cash, money units.
        money_scale: decimals of a money unit.
        gross: gross limit in units of 1e-8.
        fill_at, sizing: the moments of filling and of sizing.
        slots: (len(SLOT_FIELDS), slots) Int64. Fees: ``flat``, ``min``, ``max`` in money units (``max`` and ``cap`` -1 = none),
            commission per lot = ``fee_lot_num / fee_lot_den`` money units, ``rate`` and ``cap`` in 1e-8 of the notional. Slippage in
            1e-8 and in ticks. Exits in 1e-8 of the entry or peak, 0 = none; ``max_bars`` and ``cool_down`` in bars.
            ``reentry_schedule`` and ``scheduled`` 0 / 1. ``kind`` is a `TargetKind`.
        flows: (flows, 2) Int64 rows of (bar, money units), by bar: deposits, and negative withdrawals.
            ``fee_maker``: the rate of resting orders, -1 = ``fee_rate``. ``tier_first`` and ``tier_count``: columns of ``tiers`` that are
            in force instead of the rates and the commission per lot, 0 = none; ``tier_group``: which count of traded value or
            quantity they go by; ``tier_lots``: 0 = value, else what one lot adds to the quantity, in 1e-8.
        tiers: (len(TIER_FIELDS), tiers) Int64: from what is traded in the month on (money units, or 1e-8 of the quantity), the two rates,
            and the commission per lot.
    """

    assets: tuple[Asset, ...]
    sleeves: int
    cash: int
    money_scale: int
    gross: int
    fill_at: FillAt
    sizing: Sizing
    slots: Ints
    flows: Ints = field(default_factory=lambda: NO_FLOWS)
    tiers: Ints = field(default_factory=lambda: no_rows(TIER_FIELDS))

    def row(self, name: str) -> Ints:
        """One setting for every slot."""
        row: Ints = self.slots[SLOT_FIELDS.index(name)]
        return row


@dataclass(frozen=True)
class Plan:
    """Targets offered to the kernel, in bar order.

    Attributes:
        bars: number of bars of the run.
        bar: (offers,) Int64 bar of each offer, never decreasing.
        slot: (offers,) Int64, increasing within a bar.
        value: (offers,) Int64: lots, money units or 1e-12 weights, by the slot's kind.
        requests: orders asked for one by one, or None.

    An offer equal to the remembered target of an unscheduled slot does nothing, so leaving it out changes nothing.

    Example:
        >>> Plan.from_starts(np.array([0, 1, 1, 3]), np.array([0, 0, 1]), np.array([5, 6, 7])).bar
        array([0, 2, 2])
    """

    bars: int
    bar: Ints
    slot: Ints
    value: Ints
    requests: Requests | None = None

    @classmethod
    def from_starts(cls, start: Ints, slot: Ints, value: Ints) -> Plan:
        """A plan in which the offers of bar t are ``start[t]:start[t + 1]``; (bars + 1,) starts."""
        return cls(len(start) - 1, np.repeat(np.arange(len(start) - 1, dtype=np.int64), np.diff(start)), slot, value)

    @cached_property
    def start(self) -> Ints:
        """(bars + 1,) Int64: offers of bar t are ``start[t]:start[t + 1]``."""
        return np.searchsorted(self.bar, np.arange(self.bars + 1)).astype(np.int64)


@dataclass(frozen=True)
class Log:
    """What happened, one row per outcome, in order. Cash changes by ``-(notional + fee)`` in every row.

    Attributes:
        bar: index of the bar at which it happened; submitted: bar of the decision (events: the same bar).
        slot: which sleeve and asset, -1 for the account; seq: order number, 0 for events.
        reason, status, detail: codes of `rustybt.model.codes`.
        requested, filled: lots, signed. price: ticks. notional, fee: money units.
    """

    bar: npt.NDArray[np.int32]
    submitted: npt.NDArray[np.int32]
    slot: npt.NDArray[np.int32]
    seq: Ints
    reason: npt.NDArray[np.int8]
    status: npt.NDArray[np.int8]
    detail: npt.NDArray[np.int8]
    requested: Ints
    filled: Ints
    price: Ints
    notional: Ints
    fee: Ints

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.bar)


@dataclass(frozen=True)
class Outcome:
    """Everything a simulation gives back.

    Attributes:
        log: the rows, in order; orders still working at the end are the last rows (status working).
        equity, cash, gross: (bars,) Int64 money units, after each bar.
        lots: (slots,) Int64 position at the end.
        last: (assets,) Int64 last price, ticks.
    """

    log: Log
    equity: Ints
    cash: Ints
    gross: Ints
    lots: Ints
    last: Ints
