"""What the kernel works on: one `Desk` of named arrays. Nothing here computes.

In compiled code a desk is one pointer to a table of addresses, and ``desk.lots`` is a pointer into an array: no array is passed, counted or
typed twice. Under the interpreter it is the plain object that it looks like. To add a field: its annotation here, its length in `lengths`;
what is listed in `KEPT` survives a bar and is saved, loaded and grown with the rest.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

from rustybt.model.currencies import MOST_CURRENCIES
from rustybt.model.tables import GROUPS

from .limits import AMOUNT, COUNT, whole

CASH, TRADED, FEES, INCOME, DEPOSITS, EQUITY, GROSS, RECEIVABLE, SETTLED, PENDING = range(10)
ASIDE, CONVERTED = 10, 11
"""Places in ``money``, 12 for each currency. What is settled is the value of positions that has been paid in cash already; what is
pending is cash from sales that is not settled; what is aside is for isolated positions; what is converted came from other books."""
ORDERS, DEAD, NUMBER, LOGGED, ERROR, BLAME, FLOWED, CLAIMS, DUE_BAR, CHARGED, TURNED = range(11)
"""Places in ``count``: orders in the table, of them removed but not yet swept, last order number given out, log rows, error code, the slot
that it is about, deposits and withdrawals behind us, dividends owed and not yet paid, settlements, charges and turns of
sessions behind us."""
MONTH = GROUPS
"""Place in ``tally`` of the month that it counts; before it what was traded in that month, by ``tier_group``."""
HALTED, DUE_HALT, STARTED, DAY, ORDERS_TODAY, IN_DRAWDOWN, IN_LOSS, CAUSE, TOO_HIGH, TOO_LOW, SESSIONS, TOO_RISKY, MARKED = range(13)
"""Places in ``guard``: what the controls remember; the last of them counts the bars whose moves were noted."""
PEAK, DAY_START, LAST_EQUITY, KNOWN_DEPOSITS, WISH, WISH_LIMIT, WISH_STOP = range(7)
"""Places in ``watch``: equity at its highest, before this session, at the last bar; deposits at the last bar; lots and prices of the order
that is being checked."""
GATHERED, WEIGHED, SWING, SURVEYED, LAST_SEEN, MOST_LOST, LOTS_SEEN, WORTH_SEEN = range(8)
"""Places in ``risk``: 1 + the number of bars noted when ``gain`` was made, the worth of what it counts without sign, the largest move;
of the bound on it (`rustybt.kernel.safe`) the same number of bars, the last order in it, the bound or -1, lots and worth without sign."""
EVENT, ROW, HINT, OFFER, PHASE, BATCH, INCREMENT, DATE, SENT, UNWANTED, USED, ASKED = range(12)
"""Places in ``cursor``: next event, bar of row 0 of the prices, where an order was last found, next offer, which
phase of a bar is being served, first order of the batch that is being submitted, next change of increments, next dated setting,
bar + 1 in which a fill last sent an order, bits of what no working order waits for (0 = not known), blocks that were added up, and
the next request."""
NO_STOPS, NO_LIMITS, NO_CLOSE, NO_BATCHES = (1 << bit for bit in range(4))
"""Bits of it: stops and limits on the path, the close; orders that belong to another one. While a bar meets its orders they hold."""

WAITING = 16
"""The most sessions after which a sale is settled."""
ACCRUE, MEET, MARK, DECIDE = 1, 2, 4, 8
"""Bits of ``parts``: the parts of a bar that `step` does."""
ALL = ACCRUE | MEET | MARK | DECIDE

OVERFLOW, BREACH = whole(1), whole(2)
"""Error codes."""

Amounts = npt.NDArray[np.int64]
"""Money, lots, prices."""
Counts = npt.NDArray[np.int64]
"""Indices, counters, codes."""
Halves = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.int8]
Reals = npt.NDArray[np.float64]


class Desk:
    """Everything that a kernel function is given, beside the bar.

    Sizes, settings and switches first. Where ``order_room`` is not 0, a run ends early at a bar that might leave more
    orders: with as many requests as the ``busiest``. ``up``,
    ``down`` per asset: a value is lots x ticks x up / down; ``inverse``, ``shift`` of down: `rustybt.kernel.given.inverse`. Then
    the settings of `rustybt.model.SLOT_FIELDS` per slot, the columns of `rustybt.model.TIER_FIELDS` and `IMPACT_FIELDS`, what a tape
    tells, the events (money units or lots per lot), the prices row after row, what `rustybt.model.Timing` says about them, the offers,
    the flows of money in and out, the charges of `rustybt.model.CarryTable` and what is hard to borrow, the requests row after row and
    their patterns, the clock.

    What the controls are given: `rustybt.model.ControlTable`; what they remember: ``watch`` and ``guard``. Of what was sold and is not
    settled, by sessions since: ``waiting``.

    What survives a bar: ``last`` per asset and 1 + the session of its last bar (``seen``), how far that bar ``moved``
    it in 1e-8, the ``moves`` of the last ``window`` bars; the ``tally`` of a month, the rates in force.
    Per slot: ``lots``, ``entry`` and ``peak`` price, the levels ``stop_at``, ``take_at`` and ``trail_at`` of the exits, bars ``held``,
    bars to ``cool``, whether it ``exited``, the remembered ``target``, bar + 1 at which its position was opened after the open
    (``late``), the value ``settled`` in cash, what was ``added`` to its margin, of the last order that passed the controls bar + 1, lots,
    limit and stop (``asked``), how many orders keep it ``busy``. Per order, in submission sequence: slot, lots (0 = not yet sized),
    value to size, bar, number (0 = dead), reason, when it arrives; of a requested one also kind, limit, stop, time in force, until when,
    flags, entry, and bar + 1 at which it became a limit order on the path, its ``rest``; of a trailing one the best price so far, its
    distance in ticks or as a rate, how far beyond it the limit lies, the number of the first order of its batch, the session whose end
    cancels it, and how many lots of it are shown. Per claim (a dividend earned and not yet paid): slot, number, money.

    Scratch: the numbers of an ``errand``; ``held_slots``, slots with a position, and what a tick is worth to each (``held_ticks``, 0
    where worths are rounded); ``planned``, lots with those of working orders;
    ``gain``, what those that are ``counted`` would have gained in the last bars, the ``share`` of one, and of which bar that is
    (``risk``), how far each price moved at most (``swings``); per order what is ``due``: price, lots to serve, lots granted, notional
    and fee of the lots to serve, lots that are not served and why, and whether it rested; the ``queue`` of increases, and the same
    ``ranked`` by slot; per asset the tick and lot in force and the least notional, as of the changes behind us; per currency worth and
    gross. Last the log, as in `rustybt.model.Log`, the tray that its rows are written into, and the curves. Where ``tray`` is 0 the tray
    is the log itself. That of a long log holds `TRAY_ROWS` rows, ``tray`` is minus their number, and they go into the log together.

    Of the first ``blocks`` blocks of bars, what is in `rustybt.model.usage.Usage`, and scratch to add it up.
    """

    assets: int
    sleeves: int
    slots: int
    events: int
    offers: int
    flows: int
    settlements: int
    blocks: int
    increments: int
    dated: int
    gross: int
    fill_at: int
    at_fill: int
    flags: int
    parts: int
    errand: int
    log_size: int
    tray: int
    order_room: int
    requests: int
    busiest: int
    feeds: int
    bans: int
    has_days: int
    window: int
    intrabar: int
    delay_count: int
    clock_rows: int
    charges: int
    charge_rows: int
    hard: int
    turns: int
    pending_days: int
    currencies: int
    converts: int
    toll_rate: int
    toll_minimum: int
    toll_least: int

    up: Amounts
    down: Amounts
    inverse: Counts
    shift: Counts

    fee_flat: Amounts
    fee_lot_num: Amounts
    fee_lot_den: Amounts
    fee_rate: Amounts
    fee_min: Amounts
    fee_max: Amounts
    fee_cap: Amounts
    slip_rate: Amounts
    slip_ticks: Amounts
    stop: Amounts
    take: Amounts
    trail: Amounts
    max_bars: Counts
    cool_down: Counts
    reentry_schedule: Counts
    scheduled: Counts
    kind: Counts
    fee_maker: Amounts
    tier_first: Counts
    tier_count: Counts
    tier_group: Counts
    tier_lots: Amounts
    slip_buy: Counts
    slip_sell: Counts
    cap_share: Amounts
    cap_carry: Counts
    margin_initial: Amounts
    margin_maintenance: Amounts
    margin_lot_initial: Amounts
    margin_lot_maintenance: Amounts
    settles: Counts
    day_ends: Counts
    isolated: Counts
    top_up: Counts
    fee_liquidation: Amounts

    tiers_floor: Amounts
    tiers_rate: Amounts
    tiers_maker: Amounts
    tiers_lot_num: Amounts
    tiers_lot_den: Amounts
    impacts_rate: Amounts
    impacts_ticks: Amounts
    impacts_square: Amounts
    impacts_root: Amounts
    impacts_sigma: Amounts
    impacts_sigma_feed: Counts
    impacts_rate_feed: Counts
    impacts_ticks_feed: Counts
    month: Counts
    volume: Amounts
    feed: Amounts

    control_action: Counts
    control_quantity: Amounts
    control_position: Amounts
    control_limits: Amounts
    control_days: Counts
    ban_asset: Counts
    ban_first: Counts
    ban_last: Counts
    date_first: Counts
    date_last: Counts

    event_bar: Counts
    event_asset: Counts
    event_kind: Counts
    event_new: Amounts
    event_old: Amounts
    event_other: Counts
    event_cash_new: Amounts
    event_cash_old: Amounts
    event_price: Amounts
    event_part: Amounts
    event_claim: Counts

    open: Amounts
    high: Amounts
    low: Amounts
    close: Amounts

    delays: Counts
    clock_decided: Counts
    clock_open: Counts
    clock_close: Counts
    barred: Counts
    finer_start: Counts
    finer_open: Amounts
    finer_high: Amounts
    finer_low: Amounts

    offer_bar: Halves
    offer_slot: Halves
    offer_value: Amounts

    flow_bar: Counts
    flow_money: Amounts
    settle_bar: Counts
    charge_bar: Counts
    charge_reason: Counts
    charge_asset: Counts
    charge_side: Counts
    charge_num: Amounts
    charge_den: Amounts
    charge_price: Amounts
    hard_asset: Counts
    hard_first: Counts
    hard_last: Counts
    turn_bar: Counts
    request_bar: Halves
    request: Amounts
    pattern: Amounts
    clock_session: Counts
    clock_ts: Counts
    clock_ends: Counts
    increment_bar: Counts
    increment_asset: Counts
    increment_tick: Amounts
    increment_lot: Amounts
    increment_least: Amounts
    dated_bar: Counts
    dated_asset: Counts
    dated_setting: Counts
    dated_value: Amounts
    currency_of: Counts
    quote_num: Amounts
    quote_den: Amounts

    shares: Reals
    lanes: Reals
    block_share: Reals
    block_net: Reals
    block_most: Reals
    block_least: Amounts
    block_highest: Amounts
    block_held: Counts

    money: Amounts
    count: Counts
    last: Amounts
    tally: Amounts
    seen: Counts
    moved: Amounts
    moves: Amounts
    rate_num: Amounts
    rate_den: Amounts
    lots: Amounts
    entry: Amounts
    peak: Amounts
    stop_at: Amounts
    take_at: Amounts
    trail_at: Amounts
    held: Counts
    cool: Counts
    exited: Counts
    target: Amounts
    late: Counts
    settled: Amounts
    added: Amounts
    asked_bar: Counts
    asked_lots: Amounts
    asked_limit: Amounts
    asked_stop: Amounts
    busy: Counts
    order_slot: Counts
    order_lots: Amounts
    order_value: Amounts
    order_bar: Counts
    order_number: Counts
    order_reason: Counts
    order_arrives: Counts
    order_kind: Counts
    order_limit: Amounts
    order_stop: Amounts
    order_tif: Counts
    order_until: Counts
    order_flags: Counts
    order_entry: Counts
    order_rest: Counts
    order_peak: Amounts
    order_trail: Amounts
    order_rate: Amounts
    order_offset: Amounts
    order_batch: Counts
    order_session: Counts
    order_display: Amounts
    claim_slot: Counts
    claim_key: Counts
    claim_money: Amounts
    watch: Amounts
    guard: Counts
    waiting: Amounts

    cursor: Counts
    errand_words: Amounts
    held_slots: Counts
    held_ticks: Amounts
    tick_now: Amounts
    lot_now: Amounts
    least_now: Amounts
    planned: Amounts
    gain: Amounts
    share: Amounts
    counted: Amounts
    risk: Amounts
    swings: Amounts
    worth_in: Amounts
    gross_in: Amounts
    due_price: Amounts
    due_part: Amounts
    due_grant: Amounts
    due_notional: Amounts
    due_fee: Amounts
    due_left: Amounts
    due_maker: Counts
    due_why: Counts
    queue: Counts
    ranked: Counts

    log_bar: Halves
    log_submitted: Halves
    log_slot: Halves
    log_seq: Counts
    log_reason: Bytes
    log_status: Bytes
    log_detail: Bytes
    log_requested: Amounts
    log_filled: Amounts
    log_price: Amounts
    log_notional: Amounts
    log_fee: Amounts

    tray_bar: Halves
    tray_submitted: Halves
    tray_slot: Halves
    tray_seq: Counts
    tray_reason: Bytes
    tray_status: Bytes
    tray_detail: Bytes
    tray_requested: Amounts
    tray_filled: Amounts
    tray_price: Amounts
    tray_notional: Amounts
    tray_fee: Amounts

    curve_equity: Amounts
    curve_cash: Amounts
    curve_gross: Amounts
    curve_aside: Amounts

    def __init__(self, **fields: Any) -> None:
        self.table = UNUSED_TABLE.copy()
        self.address = self.table.__array_interface__["data"][0]
        self.__dict__.update(UNUSED)
        self.set(**fields)

    def set(self, **fields: Any) -> None:
        """Put arrays and numbers in their places. The arrays are kept alive and must not be resized."""
        table, kept = self.table, self.__dict__
        for name, value in fields.items():
            kind = TYPES[KINDS[name]]
            if kind is int:
                table[PLACES[name]] = value
            elif value.dtype != kind or not value.flags.c_contiguous or name in STEADY or name in OFFSETS:
                raise TypeError(f"{name}: {value.dtype} in place of {kind}, or an array whose place is known to the machine code")
            else:
                table[PLACES[name]] = value.__array_interface__["data"][0]
            kept[name] = value

    def lay_out(self, assets: int, slots: int, orders: int, claims: int = 1) -> None:
        """An empty state and its scratch, with room for so many orders and claims: one block per type."""
        for kind, names, places, first, total in layout(assets, slots, claims, self.__dict__["window"]):
            block = np.zeros(total, kind)
            self.table[places] = block.__array_interface__["data"][0] + np.multiply(first[:-1], block.itemsize)
            self.__dict__.update({name: block[first[n] : first[n + 1]] for n, name in enumerate(names)})
        self.hold(orders)

    def hold(self, orders: int) -> None:
        """An empty table of orders, with room for so many: one row each, of which the fields are views."""
        rows = np.zeros(orders, ROW_TYPE)
        self.__dict__.update({name: rows[name] for name in OFFSETS})
        self.table[PLACES[FIRST_OF_ROW]] = rows[FIRST_OF_ROW].__array_interface__["data"][0]


KINDS: dict[str, str] = dict(Desk.__annotations__)
"""Fields and the name of their type."""
PLACES = {name: place for place, name in enumerate(KINDS)}
"""Where the table holds the address or the value of a field."""
TYPES: dict[str, Any] = {"int": int, "Amounts": AMOUNT, "Counts": COUNT, "Halves": np.int32, "Bytes": np.int8, "Reals": np.float64}

_NAMES = tuple(KINDS)
UNUSED = {name: 0 if TYPES[KINDS[name]] is int else np.zeros(0, TYPES[KINDS[name]]) for name in _NAMES[: _NAMES.index("money")]}
"""What a desk is given: numbers of 0 and arrays of nothing, which no function reads before something takes their place."""
UNUSED_TABLE = np.zeros(len(KINDS), dtype=np.int64)
KEPT = _NAMES[_NAMES.index("money") : _NAMES.index("cursor")]
"""What survives a bar."""
PER_SLOT = _NAMES[_NAMES.index("lots") : _NAMES.index("order_slot")]
PER_ORDER = _NAMES[_NAMES.index("order_slot") : _NAMES.index("claim_slot")]
PER_CLAIM = _NAMES[_NAMES.index("claim_slot") : _NAMES.index("watch")]
DUE = _NAMES[_NAMES.index("due_price") : _NAMES.index("log_bar")]
WORD, LINE = 8, 64
"""Bytes of a number, and of a line of memory."""
_FIELDS = (*PER_ORDER[: PER_ORDER.index("order_kind")], *DUE, *PER_ORDER[PER_ORDER.index("order_kind") :])
FIRST_OF_ROW = _FIELDS[0]
"""The field whose place in the table has the address of all rows of orders."""
OFFSETS = {name: WORD * place for place, name in enumerate(_FIELDS)}
"""Fields of an order, and how many bytes behind the beginning of its row: what every order has, what is due, what a requested one has."""
ROW_BYTES = -(-WORD * len(OFFSETS) // LINE) * LINE
ROW_TYPE = np.dtype(
    {"names": list(_FIELDS), "formats": [TYPES[KINDS[name]] for name in _FIELDS], "offsets": list(OFFSETS.values()), "itemsize": ROW_BYTES}
)
"""A row of the table of orders: they lie behind one another, so that one address gives all fields of an order."""
LOG = _NAMES[_NAMES.index("log_bar") : _NAMES.index("tray_bar")]
TRAY = _NAMES[_NAMES.index("tray_bar") : _NAMES.index("curve_equity")]
TRAY_ROWS = 64
"""Rows of a tray: of bytes a line of memory, of other numbers several."""
CURVES = _NAMES[_NAMES.index("curve_equity") :]


ALWAYS = {"money": 12 * MOST_CURRENCIES, "count": 12, "cursor": 12, "errand_words": 6, "watch": 7, "guard": 13}
ALWAYS |= {"tally": MONTH + 1, "risk": 8, "waiting": WAITING}
ALWAYS |= dict.fromkeys(("rate_num", "rate_den", "worth_in", "gross_in"), MOST_CURRENCIES)
"""Arrays of a state that are as long in every desk. They come first."""


def lengths(assets: int, slots: int, claims: int = 1, window: int = 0) -> dict[str, int]:
    """Length of each array that a state and its scratch consist of, beside the orders: what depends on assets and slots alone first."""
    known = ALWAYS | dict.fromkeys(PER_ASSET, assets) | dict.fromkeys((*PER_SLOT, *PER_HELD), slots)
    others = {"moves": assets * window, "gain": window, "share": window} | dict.fromkeys(PER_CLAIM, claims)
    return known | others


PER_HELD = ("held_slots", "held_ticks", "planned", "counted")
"""Scratch by slot."""
PER_ASSET = ("last", "tick_now", "lot_now", "least_now", "seen", "moved", "swings")
STEADY = frozenset((*ALWAYS, *PER_ASSET, *PER_SLOT, *PER_HELD))
"""What is written into and never given a place of its own: `rustybt.kernel.native.steady`."""


@lru_cache(maxsize=64)
def layout(assets: int, slots: int, claims: int, window: int) -> tuple[tuple[Any, tuple[str, ...], Any, list[int], int], ...]:
    """Per type: the type, the arrays, their places in the table, where each begins in its block (and the last ends), the block's length."""
    wanted, found = lengths(assets, slots, claims, window), []
    for kind in dict.fromkeys(KINDS[name] for name in wanted):
        names = tuple(name for name in wanted if KINDS[name] == kind)
        first = [0, *accumulate(wanted[name] for name in names)]
        found.append((TYPES[kind], names, np.array([PLACES[name] for name in names]), first, first[-1]))
    return tuple(found)
