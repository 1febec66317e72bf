"""All bars at once."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from rustybt.model import Log, Outcome, Plan, Status, Tables, Tape
from rustybt.model.panel import Ints
from rustybt.model.usage import BLOCK, Usage

from .market import Grid, grid_shape

if TYPE_CHECKING:
    from .state import Desk

LANES = 8
SUMS = ("block_share", "block_net", "block_most", "block_least", "block_highest", "block_held")
"""What is added up, as in `Usage`."""
LONG = 2**16
"""Rows from which on a log has a tray: it does not fit into the cache, and what is written would be read first."""
FIRST_ROWS = 2**20
"""The most log rows that are set aside before they are needed. They cost address space, not memory."""


def simulate(tables: Tables, market: Grid, plan: Plan, events: Any, tape: Tape | None = None) -> Outcome:
    """Run the rule book over all bars.

    Args:
        tables: the rules of the run.
        market: (bars, assets) ticks; a `Market`, a panel, or anything with the four arrays.
        plan: the targets offered bar by bar.
        events: Int64 corporate actions as in `rustybt.model.EVENT_FIELDS`, or their first five columns.
        tape: what the rules read of the market beside its prices.

    Returns:
        Log, curves and final positions.

    Raises:
        DataError: arrays of the wrong shape or type.
        LedgerError: an amount does not fit below 2^61, or the books do not balance.

    Example:
        >>> import numpy as np
        >>> from rustybt.kernel.example import one_asset
        >>> simulate(*one_asset([100, 101, 102], offers={0: 10})).lots
        array([10])
    """
    from .entrance import run
    from .failure import check
    from .tape import tape_of

    stages = iter(((len(plan.bar), plan.bars),)) if plan.arriving is None else plan.arriving
    first = next(stages)
    desk, bars, margin = desk_for(tables, market, plan, events, first[0] * plan.bars // max(first[1], 1))
    desk.set(**tape_of(tables, tape, bars), **blocks_of(bars))
    t = 0
    for offers, stop in chain((first,), stages):
        desk.set(offers=offers)
        while t < stop:
            t = int(run(desk, t, stop, margin))
            check(tables, desk, t)
            if t < stop:
                margin = make_room(desk, t, margin)
    written = with_working(desk, bars - 1)
    equity, cash, gross = plain(desk.curve_equity), plain(desk.curve_cash), plain(desk.curve_gross)
    aside, used = aside_of(desk, desk.curve_aside), usage_of(desk)
    return Outcome(log_of(desk, written), equity, cash, gross, plain(desk.lots), plain(desk.last), aside, used)


def desk_for(tables: Tables, market: Grid, plan: Plan, events: Any, likely: int | None = None) -> tuple[Desk, int, int]:
    """A desk for all bars, their number, and the most log rows that one of them can write.

    Args:
        tables: as `simulate` takes them.
        market: likewise.
        plan: likewise.
        events: likewise.
        likely: about how many offers there will be, for which the log has room; None = those of the plan.
    """
    from .actions import claims_of, events_of, flags_of_events
    from .assemble import offers_of, requests_of, rules_of, typed
    from .flags import HAS_ORDERS
    from .given import currencies_of
    from .room import unwritten, unwritten_log
    from .state import ALL, CASH, CURVES, DEPOSITS, EQUITY, Desk
    from .surroundings import timing_of

    bars, assets, slots = grid_shape(market, len(tables.assets)), len(tables.assets), tables.slots.shape[1]
    given, acts = rules_of(tables), events_of(tables, events)
    given["flags"] |= flags_of_events(acts) | (0 if plan.requests is None else HAS_ORDERS)
    asked, currencies = requests_of(plan.requests, bars, slots), currencies_of(tables, bars)
    currencies["flags"] |= given["flags"]
    desk = Desk(parts=ALL, **given, **acts, **offers_of(plan, bars, slots), **asked)
    spare, most = 2 * slots + 4, 0 if plan.requests is None else plan.requests.busiest
    room = spare + 4 * most
    desk.set(**{name: typed(name, getattr(market, name)).reshape(-1) for name in ("open", "high", "low", "close")})
    desk.set(**currencies)
    desk.set(**timing_of(getattr(market, "timing", None), desk.flags, bars, assets))
    margin = rows_of_a_bar(desk, room)
    asked_rows = 0 if plan.requests is None else 2 * len(plan.requests.told)
    length = margin + min(FIRST_ROWS, (desk.offers if likely is None else likely) + desk.events + asked_rows + 64)
    desk.lay_out(assets, slots, room, claims_of(desk) + 1)
    desk.set(**unwritten(CURVES, bars), **unwritten_log(length, tray=length >= LONG), order_room=room - spare)
    desk.money[[CASH, DEPOSITS, EQUITY]] = tables.cash
    return desk, bars, margin


def make_room(desk: Desk, t: int, margin: int) -> int:
    """Lengthen what a run that ended early at a bar was short of: the table of orders or the log. Gives the rows of a bar from here on."""
    from .room import lengthen, widen
    from .state import LOGGED, ORDERS

    if desk.order_room and desk.count[ORDERS] + desk.busiest > desk.order_room:
        spare, wider = len(desk.order_slot) - desk.order_room, 2 * (int(desk.count[ORDERS]) + desk.busiest)
        widen(desk, spare + wider)
        desk.set(order_room=wider)
        margin = rows_of_a_bar(desk, spare + wider)
    if desk.count[LOGGED] + margin > desk.log_size:
        lengthen(desk, 2 * desk.log_size + margin)
    return margin


def aside_of(desk: Desk, curve: Ints) -> Ints:
    """What is set aside after each bar; no bars where no margin is isolated."""
    from .flags import HAS_ISOLATED

    kept: Ints = plain(curve if desk.flags & HAS_ISOLATED else curve[:0])
    return kept


def rows_of_a_bar(desk: Desk, room: int) -> int:
    """The most log rows that one bar can write."""
    most = int(np.unique(desk.event_bar, return_counts=True)[1].max()) if desk.events else 0
    from .flags import HAS_LIQUIDATION_FEES, HAS_MARGIN, HAS_ORDERS, HAS_SETTLEMENT, HAS_TOP_UPS

    flows = int(np.unique(desk.flow_bar, return_counts=True)[1].max()) if desk.flows else 0
    called = (3 * desk.slots + 2 if desk.flags & HAS_MARGIN else 0) + (2 * desk.slots if desk.flags & HAS_SETTLEMENT else 0)
    called += 4 * desk.currencies + (4 * desk.slots if desk.flags & (HAS_TOP_UPS | HAS_LIQUIDATION_FEES) else 0)
    each = 9 if desk.flags & HAS_ORDERS else 5
    return 14 * desk.slots + each * room + 5 * most * (desk.slots // desk.assets) + flows + called + desk.charge_rows + 8


def with_working(desk: Desk, bar: int) -> int:
    """Write the orders that are still working after the last row of the log, without counting them; where they end."""
    from .room import lengthen
    from .state import LOG, LOGGED, ORDERS

    n, orders = int(desk.count[LOGGED]), int(desk.count[ORDERS])
    if orders == 0:
        return n
    if n + orders > desk.log_size:
        lengthen(desk, n + orders)
    columns = {
        "log_bar": bar,
        "log_submitted": desk.order_bar[:orders],
        "log_slot": desk.order_slot[:orders],
        "log_seq": desk.order_number[:orders],
        "log_reason": desk.order_reason[:orders],
        "log_status": int(Status.WORKING),
        "log_requested": desk.order_lots[:orders],
    }
    for name in LOG:
        getattr(desk, name)[n : n + orders] = columns.get(name, 0)
    return n + orders


def log_of(desk: Desk, written: int, first: int = 0) -> Log:
    """The written part of a log, without a copy where the build has the log's own types."""
    from .state import LOG

    columns = (getattr(desk, name)[first:written] for name in LOG)
    return Log(*(column if column.dtype.kind == "i" else plain(column) for column in columns))


def blocks_of(bars: int) -> dict[str, Any]:
    """Room for what is added up of the whole blocks of so many bars, by field of `Desk`; none where there is none."""
    from .state import KINDS, TYPES

    blocks = bars // BLOCK
    if not blocks:
        return {}
    sizes = {"shares": BLOCK, "lanes": LANES} | dict.fromkeys(SUMS, blocks)
    return {"blocks": blocks} | {name: np.zeros(size, TYPES[KINDS[name]]) for name, size in sizes.items()}


def usage_of(desk: Desk) -> Usage | None:
    """What was added up; None where nothing was."""
    return (
        Usage(*(plain(made) if made.dtype != np.float64 else made for made in (getattr(desk, name) for name in SUMS)))
        if desk.blocks
        else None
    )


def plain(array: Any) -> Any:
    """An array of Int64, whatever the build."""
    return array if array.dtype == np.int64 else array.astype(np.int64)
