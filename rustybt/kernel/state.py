"""What the kernel works on: tuples of arrays. Nothing here computes; everything that survives a bar is in `State`.

To add something that survives a bar: a field here, its size in `sizes`, and it is saved, loaded and grown with the rest.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rustybt.model import SLOT_FIELDS
from rustybt.model.panel import Ints

from .limits import AMOUNT, COUNT

CASH, TRADED, FEES, INCOME, DEPOSITS, EQUITY, GROSS = range(7)
"""Places in `State.money`."""
ORDERS, DEAD, NUMBER, LOGGED, ERROR, BLAME, DETAIL = range(7)
"""Places in `State.count`: orders in the table, of them removed but not yet swept, last order number given out, log rows, error code,
the slot it is about."""
EVENT, ROW, HINT, COASTED = range(4)
"""Places in `Pad.cursor`: next event, bar of row 0 of the arrays, where an order was last found."""

(
    FEE_FLAT, FEE_LOT_NUM, FEE_LOT_DEN, FEE_RATE, FEE_MIN, FEE_MAX, FEE_CAP,
    SLIP_RATE, SLIP_TICKS, STOP, TAKE, TRAIL, MAX_BARS, COOL_DOWN, REENTRY, SCHEDULED, KIND,
) = range(len(SLOT_FIELDS))  # fmt: skip
"""Rows of `Rules.slots`, in the order of `rustybt.model.SLOT_FIELDS`."""

HAS_FEES, HAS_SLIPPAGE, HAS_LEVELS, HAS_MAX_BARS, HAS_GUARDS = 1, 2, 4, 8, 16
"""Bits of `Rules.flags`: what the tables use at all. Fees other than a rate; levels = stop, take or trail; guards = any exit."""
ACCRUE, MEET, MARK, DECIDE = 1, 2, 4, 8
"""Bits of `Desk.parts`: the parts of a bar."""
ALL = ACCRUE | MEET | MARK | DECIDE

OVERFLOW, BREACH = 1, 2
"""Error codes."""


class Bars(NamedTuple):
    """Ticks, (bars x assets,) row after row, 0 = no bar."""

    open: Ints
    high: Ints
    low: Ints
    close: Ints


class Rules(NamedTuple):
    """The settings of a run.

    ``up``, ``down`` (assets,): a value is lots x ticks x up / down. ``slots`` (fields, slots). ``events`` (events, 5): bar, column, kind,
    numerator, denominator; of a dividend, money units per lot.
    """

    up: Ints
    down: Ints
    slots: Ints
    events: Ints
    gross: int
    fill_at: int
    at_fill: int
    flags: int


class State(NamedTuple):
    """Everything that survives a bar, so that a run can stop and go on anywhere.

    ``last`` per asset. Per slot: ``lots``, ``entry`` and ``peak`` price, the levels ``stop``, ``take`` and ``trail`` of the exits, bars
    ``held``, bars to ``cool``, whether it ``exited``, the remembered ``target``, and how many orders keep it ``busy``. Per order, in
    submission sequence: slot, lots (0 = not yet sized), value to size, bar, number (0 = dead), reason.
    """

    money: Ints
    count: Ints
    last: Ints
    lots: Ints
    entry: Ints
    peak: Ints
    stop: Ints
    take: Ints
    trail: Ints
    held: Ints
    cool: Ints
    exited: Ints
    target: Ints
    busy: Ints
    order_slot: Ints
    order_lots: Ints
    order_value: Ints
    order_bar: Ints
    order_number: Ints
    order_reason: Ints


SLOT_STATE = State._fields[3:14]
ORDER_STATE = State._fields[14:]
AMOUNTS = frozenset({"money", "last", "lots", "entry", "peak", "stop", "take", "trail", "target", "order_lots", "order_value"})


class Pad(NamedTuple):
    """Scratch: nothing in it survives a bar, except where the cursors of a run stand.

    ``ref`` per asset: the price of this phase. ``slots``: slots with a position. Per order: fill price, lots to serve, lots granted,
    notional and fee of the lots to serve, and an order of service.
    """

    cursor: Ints
    ref: Ints
    slots: Ints
    price: Ints
    part: Ints
    grant: Ints
    notional: Ints
    fee: Ints
    index: Ints


class Offers(NamedTuple):
    """`rustybt.model.Plan` as arrays of one type."""

    start: Ints
    slot: Ints
    value: Ints


class Rows(NamedTuple):
    """The log; see `rustybt.model.Log`. ``State.count[LOGGED]`` rows are written."""

    bar: Any
    submitted: Any
    slot: Any
    seq: Ints
    reason: Any
    status: Any
    detail: Any
    requested: Ints
    filled: Ints
    price: Ints
    notional: Ints
    fee: Ints


ROW_TYPES: tuple[Any, ...] = (np.int32, np.int32, np.int32, np.int64, np.int8, np.int8, np.int8, *(AMOUNT,) * 5)


class Curves(NamedTuple):
    """Equity, cash and gross after each bar."""

    equity: Ints
    cash: Ints
    gross: Ints


class Desk(NamedTuple):
    """Everything that a kernel function is given, beside the bar."""

    bars: Bars
    rules: Rules
    state: State
    pad: Pad
    offers: Offers
    log: Rows
    curves: Curves
    parts: int


def new_state(assets: int, slots: int, cash: int, orders: int) -> State:
    """An account with cash and nothing else, with room for so many orders."""
    state = State(*(blank(size, name in AMOUNTS) for name, size in sizes(assets, slots, orders).items()))
    state.money[CASH] = state.money[DEPOSITS] = state.money[EQUITY] = cash
    return state


def sizes(assets: int, slots: int, orders: int) -> dict[str, int]:
    """Length of each array of `State`."""
    lengths = dict.fromkeys(State._fields, slots) | dict.fromkeys(ORDER_STATE, orders)
    return lengths | {"money": 8, "count": 8, "last": assets}


def new_pad(assets: int, slots: int, orders: int) -> Pad:
    """Scratch of the size of a state."""
    money = (blank(orders) for _ in range(5))
    return Pad(blank(4, amount=False), blank(assets), blank(slots, amount=False), *money, blank(orders, amount=False))


def new_rows(length: int) -> Rows:
    """An unwritten log."""
    return Rows(*(np.empty(length, kind) for kind in ROW_TYPES))


def new_curves(bars: int) -> Curves:
    """Unwritten curves."""
    return Curves(*(np.empty(bars, AMOUNT) for _ in range(3)))


def blank(length: int, amount: bool = True) -> Any:
    """An array of zeros of this build's type."""
    return np.zeros(length, AMOUNT if amount else COUNT)


def grown(rows: Rows, written: int, length: int) -> Rows:
    """A longer log with the same rows."""
    longer = new_rows(length)
    for old, new in zip(rows, longer, strict=True):
        new[:written] = old[:written]
    return longer
