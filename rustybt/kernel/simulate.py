"""All bars at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from rustybt.model import Detail, Log, Outcome, Plan, Status, Tables

from .market import Grid, admit, grid_shape

FIRST_ROWS = 2**20
"""The most log rows that are set aside before they are needed. They cost address space, not memory."""


def simulate(tables: Tables, market: Grid, plan: Plan, events: Any) -> Outcome:
    """Run the rule book over all bars.

    Args:
        tables: the rules of the run.
        market: (bars, assets) ticks; a `Market`, a panel, or anything with the four arrays.
        plan: the targets offered bar by bar.
        events: (events, 5) Int64 corporate actions as in `rustybt.model.Panel`.

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
    from .assemble import offers_of, rules_of
    from .failure import check
    from .limits import AMOUNT
    from .state import ALL, ORDERS, Bars, Desk, grown, new_curves, new_pad, new_rows, new_state
    from .state import LOGGED as logged
    from .step import run

    bars, assets, slots = grid_shape(market, len(tables.assets)), len(tables.assets), tables.slots.shape[1]
    rules, offers = rules_of(tables, events), offers_of(plan, bars, slots)
    room = 2 * slots + 4
    margin = rows_of_a_bar(tables, rules.events, room)
    desk = Desk(
        Bars(*(admit(prices, AMOUNT).reshape(-1) for prices in (market.open, market.high, market.low, market.close))),
        rules,
        new_state(assets, slots, tables.cash, room),
        new_pad(assets, slots, room),
        offers,
        new_rows(margin + min(FIRST_ROWS, offers.slot.size + len(rules.events) + 64)),
        new_curves(bars),
        ALL,
    )
    state, t = desk.state, 0
    while True:
        t = int(run(desk, t, bars, margin))
        check(tables, state, t)
        if t == bars:
            break
        desk = desk._replace(log=grown(desk.log, int(state.count[logged]), 2 * len(desk.log.bar)))
    log = closed(desk, bars - 1) if state.count[ORDERS] else log_of(desk.log, int(state.count[logged]))
    equity, cash, gross = (plain(curve) for curve in desk.curves)
    return Outcome(log, equity, cash, gross, plain(state.lots), plain(state.last))


def rows_of_a_bar(tables: Tables, events: Any, room: int) -> int:
    """The most log rows that one bar can write."""
    most = int(np.bincount(events[:, 0].astype(np.int64) - int(events[0, 0])).max()) if len(events) else 0
    return 4 * tables.slots.shape[1] + 5 * room + most * tables.sleeves + 8


def closed(desk: Any, bar: int) -> Log:
    """The log with the orders that are still working as its last rows."""
    from .state import LOGGED, ORDERS

    state, count = desk.state, desk.state.count
    n, orders = int(count[LOGGED]), int(count[ORDERS])
    rows = desk.log if n + orders <= len(desk.log.bar) else _longer(desk.log, n, n + orders)
    end, some = slice(n, n + orders), slice(0, orders)
    settings = {
        "bar": bar,
        "submitted": state.order_bar[some],
        "slot": state.order_slot[some],
        "seq": state.order_number[some],
        "reason": state.order_reason[some],
        "status": int(Status.WORKING),
        "detail": int(Detail.NONE),
        "requested": state.order_lots[some],
    }
    for name, column in zip(rows._fields, rows, strict=True):
        column[end] = settings.get(name, 0)
    return log_of(rows, n + orders)


def _longer(rows: Any, written: int, length: int) -> Any:
    from .state import grown

    return grown(rows, written, length)


def log_of(rows: Any, written: int) -> Log:
    """The written part of a log, without a copy where the build has the log's own types."""
    return Log(*(column[:written] if column.dtype.kind == "i" else plain(column[:written]) for column in rows))


def plain(array: Any) -> Any:
    """An Int64 array of its own memory."""
    return array if array.dtype == np.int64 else array.astype(np.int64)
