"""A run reduced to integers: what the kernel and the reference are given, and the log that both give back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from rustybt.model.asset import Asset
from rustybt.model.carry import CarryTable
from rustybt.model.codes import Detail, FillAt, Intrabar, Reason, Sizing, Status
from rustybt.model.controls import ControlTable
from rustybt.model.currencies import CurrencyTable
from rustybt.model.panel import Ints
from rustybt.model.requests import Requests
from rustybt.model.usage import Usage

SLOT_FIELDS = (
    "fee_flat", "fee_lot_num", "fee_lot_den", "fee_rate", "fee_min", "fee_max", "fee_cap",
    "slip_rate", "slip_ticks", "stop", "take", "trail", "max_bars", "cool_down", "reentry_schedule", "scheduled", "kind",
    "fee_maker", "tier_first", "tier_count", "tier_group", "tier_lots",
    "slip_buy", "slip_sell", "cap_share", "cap_carry",
    "margin_initial", "margin_maintenance", "margin_lot_initial", "margin_lot_maintenance", "settles", "day_ends", "isolated", "top_up",
    "fee_liquidation",
)  # fmt: skip
"""Per-slot settings of `Tables.slots`, one row each, in this order."""
MARGIN_FIELDS = tuple(name for name in SLOT_FIELDS if name.startswith("margin_"))
"""Those of them that are about margin."""
TIER_FIELDS = ("floor", "rate", "maker", "lot_num", "lot_den")
"""Columns of `Tables.tiers`, one row each, in this order."""
IMPACT_FIELDS = ("rate", "ticks", "square", "root", "sigma", "sigma_feed", "rate_feed", "ticks_feed")
"""Columns of `Tables.impacts`, one row each, in this order."""
INCREMENT_FIELDS = ("bar", "asset", "tick", "lot", "least")
"""Columns of `Tables.increments`, in this order."""
DATED_FIELDS = ("bar", "asset", "setting", "value")
"""Columns of `Tables.dated`, in this order."""
DATED_SETTINGS = (
    "fee_flat", "fee_rate", "fee_maker", "margin_initial", "margin_maintenance", "margin_lot_initial", "margin_lot_maintenance",
    "fee_min", "fee_max", "fee_cap", "fee_lot_num", "fee_lot_den", "fee_liquidation", "tier_first", "tier_count", "tier_group", "tier_lots",
)  # fmt: skip
"""Settings of slots that may change in the course of a run; `Tables.dated` names them by their place here. The last four come together,
in this order."""
TIER_SETTINGS = DATED_SETTINGS[-4:]
"""Those that say where the tiers of a slot are."""
MOST_STEP = 2**31
"""A tick or lot in force is fewer of the asset's own."""
MOST_RATE = 10**11
"""The largest coefficient of an impact, and the largest number of a feed of rates, in 1e-8."""
GROUPS = 64
"""The most tables of tiers, each with its own count of what was traded in a month."""


def no_rows(fields: tuple[str, ...]) -> Ints:
    """An empty table with these columns."""
    return np.zeros((len(fields), 0), dtype=np.int64)


NO_BARS: Ints = np.zeros(0, dtype=np.int64)
"""No settlements."""
NO_FLOWS: Ints = np.zeros((0, 2), dtype=np.int64)
"""No deposits and no withdrawals."""
NO_INCREMENTS: Ints = np.zeros((0, len(INCREMENT_FIELDS)), dtype=np.int64)
"""Every asset trades in its own increments, in orders of any size."""

NO_DATED: Ints = np.zeros((0, len(DATED_FIELDS)), dtype=np.int64)
"""Commissions and margin stay as they are."""


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
            Margin in 1e-8 of the value, and in money units per lot; all 0 = the gross limit holds instead.
            ``isolated`` 1: the margin of a position is set aside for it alone; ``top_up`` 1: and added to before it is used up.
            ``fee_liquidation``: what the venue takes of a liquidated value, in 1e-8.
            ``settles`` 1: gains and losses are paid in cash at the settlements, as those of futures are.
            ``day_ends`` 1: the end of a session cancels what was requested and still works.
        flows: (flows, 2) Int64 rows of (bar, money units), by bar: deposits, and negative withdrawals.
        settlements: (settlements,) Int64 increasing bars at whose mark positions that settle are paid.
            ``fee_maker``: the rate of resting orders, -1 = ``fee_rate``. ``tier_first`` and ``tier_count``: columns of ``tiers`` that are
            in force instead of the rates and the commission per lot, 0 = none; ``tier_group``: which count of traded value or
            quantity they go by; ``tier_lots``: 0 = value, else what one lot adds to the quantity, in 1e-8. ``slip_buy``,
            ``slip_sell``: the column of ``impacts`` from 1 on that holds instead of the plain slippage, 0 = none. ``cap_share``: the
            most of the volume of a bar that an order takes, in 1e-8, 0 = no cap; ``cap_carry``: 1 = what is beyond it stays working.
        tiers: (len(TIER_FIELDS), tiers) Int64: from what is traded in the month on (money units, or 1e-8 of the quantity), the two rates,
            and the commission per lot.
        impacts: (len(IMPACT_FIELDS), impacts) Int64: slippage by the volume and by feeds of the tape; rates and coefficients in 1e-8,
            feeds by their number from 1 on, 0 = none.
        controls: limits on orders and on the account, or None.
        intrabar: which of stop and target comes first in a bar that reaches both.
        pending_days, turns: cash from sales is settled so many sessions later, 0 = at once; the bars, but the first, that begin a session.
        carry: what holding positions and cash costs or earns over time, and what cannot be borrowed; None = nothing.
        delays: how long orders are on their way, in units of the market's clock: order n takes delay ``n % len``. Empty = no time.
        increments: (increments, len(INCREMENT_FIELDS)) Int64 rows, by bar: from a bar on an asset trades in so many of its ticks and lots
            (each at least 1), in orders of at least so much money (0 = any).
        dated: (dated, len(DATED_FIELDS)) Int64 rows, by bar: from a bar on all slots of an asset have this value of a setting.
        currencies: in which currency each asset is quoted and what that is worth, or None: all in the account's.
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
    settlements: Ints = field(default_factory=lambda: NO_BARS)
    tiers: Ints = field(default_factory=lambda: no_rows(TIER_FIELDS))
    impacts: Ints = field(default_factory=lambda: no_rows(IMPACT_FIELDS))
    controls: ControlTable | None = None
    intrabar: Intrabar = Intrabar.PESSIMISTIC
    delays: tuple[int, ...] = ()
    increments: Ints = field(default_factory=lambda: NO_INCREMENTS)
    dated: Ints = field(default_factory=lambda: NO_DATED)
    carry: CarryTable | None = None
    pending_days: int = 0
    turns: Ints = field(default_factory=lambda: NO_BARS)
    currencies: CurrencyTable | None = None

    def row(self, name: str) -> Ints:
        """One setting for every slot."""
        row: Ints = self.slots[SLOT_FIELDS.index(name)]
        return row


@dataclass(frozen=True)
class Plan:
    """Targets offered to the kernel, in bar order.

    Attributes:
        bars: number of bars of the run.
        bar: (offers,) Int32 or Int64 bar of each offer, never decreasing.
        slot: (offers,) the same, increasing within a bar.
        value: (offers,) Int64: lots, money units or 1e-12 weights, by the slot's kind.
        requests: orders asked for one by one, or None.
        sound: whether whoever made it knows that offers are in order and that slots and values are in range: nobody looks again.
        arriving: where offers arrive while bars are run: how many there are, and the bar before which all of them are there, the first pair
            before anything is run. ``bar`` and ``value`` have room for all, and are written in place. None = they are all there.

    An offer equal to the remembered target of an unscheduled slot does nothing, so leaving it out changes nothing.

    Example:
        >>> Plan.from_starts(np.array([0, 1, 1, 3]), np.array([0, 0, 1]), np.array([5, 6, 7])).bar
        array([0, 2, 2])
    """

    bars: int
    bar: npt.NDArray[np.integer]
    slot: npt.NDArray[np.integer]
    value: Ints
    requests: Requests | None = None
    sound: bool = False
    arriving: Iterator[tuple[int, int]] | None = None

    @classmethod
    def from_starts(cls, start: npt.NDArray[np.integer], slot: npt.NDArray[np.integer], value: Ints) -> Plan:
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
        requested, filled: lots, signed; of a top-up the first is what it adds, money units. price: ticks. notional, fee: money units.
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

    def having(self, code: Reason | Status | Detail) -> npt.NDArray[np.bool_]:
        """(rows,) which rows have a code.

        The code is compared as a plain int: numpy takes a member of an enumeration for 64 bits and widens the whole column first, which
        takes forty times as long.
        """
        column = self.reason if isinstance(code, Reason) else self.status if isinstance(code, Status) else self.detail
        same: npt.NDArray[np.bool_] = column == int(code)
        return same


@dataclass(frozen=True)
class Outcome:
    """Everything a simulation gives back.

    Attributes:
        log: the rows, in order; orders still working at the end are the last rows (status working).
        equity, cash, gross: (bars,) Int64 money units, after each bar.
        lots: (slots,) Int64 position at the end.
        last: (assets,) Int64 last price, ticks.
        aside: (bars,) Int64 money units that are set aside for isolated positions after each bar; empty where no margin is isolated.
        use: of capital, over the first whole blocks of bars; None where nobody added it up.
    """

    log: Log
    equity: Ints
    cash: Ints
    gross: Ints
    lots: Ints
    last: Ints
    aside: Ints = field(default_factory=lambda: NO_BARS)
    use: Usage | None = None
