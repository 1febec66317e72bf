"""Writing: a log row, an error code, an order into the table, an order out of it."""

from __future__ import annotations

from rustybt.model import Detail, Reason, Status

from .compile import apart, aside, kernel, pour, settle_writes
from .flags import HAS_LATENCY, HAS_ORDERS
from .limits import FAR, ZERO, whole
from .state import BLAME, DEAD, ERROR, HINT, LOGGED, NUMBER, ORDERS, ROW, TRAY_ROWS, Desk

NONE, ROLL, LIQUIDATION = whole(Detail.NONE), whole(Reason.ROLL), whole(Reason.LIQUIDATION)
DISPLAYED = whole(Detail.DISPLAYED)
REJECTED, CANCELLED, ACCEPTED = whole(Status.REJECTED), whole(Status.CANCELLED), whole(Status.ACCEPTED)
APPLIED = whole(Status.APPLIED)


@kernel
def fail(desk: Desk, code: int, slot: int) -> None:
    """Note what stops the run; the first error stays."""
    if desk.count[ERROR] == 0:
        desk.count[ERROR] = code
        desk.count[BLAME] = slot


@kernel
def asset_of(slot: int, assets: int) -> int:
    """Column of a slot's asset."""
    return slot if slot < assets else slot % assets


@kernel
def slot_of(desk: Desk, k: int) -> int:
    """Slot of order k of the table."""
    return desk.order_slot[k] if desk.slots > 1 else 0


@kernel
def place_of(desk: Desk, n: int) -> int:
    """Where row n of the log is in the tray; in a log without one it is row n."""
    return n & ~desk.tray


@aside
def empty(desk: Desk, n: int) -> None:
    """Put the full tray into the log, before row n. Past the cache: a line of memory is not read only to be overwritten."""
    apart()
    at = n - TRAY_ROWS
    pour(desk.log_bar, at, desk.tray_bar)
    pour(desk.log_submitted, at, desk.tray_submitted)
    pour(desk.log_slot, at, desk.tray_slot)
    pour(desk.log_seq, at, desk.tray_seq)
    pour(desk.log_reason, at, desk.tray_reason)
    pour(desk.log_status, at, desk.tray_status)
    pour(desk.log_detail, at, desk.tray_detail)
    pour(desk.log_requested, at, desk.tray_requested)
    pour(desk.log_filled, at, desk.tray_filled)
    pour(desk.log_price, at, desk.tray_price)
    pour(desk.log_notional, at, desk.tray_notional)
    pour(desk.log_fee, at, desk.tray_fee)


@aside
def put_down(desk: Desk) -> None:
    """Put what the tray holds into the log as well, before somebody reads that."""
    apart()
    behind = desk.count[LOGGED]
    for n in range((behind - 1) & desk.tray if behind > 0 else behind, behind):
        at = place_of(desk, n)
        desk.log_bar[n] = desk.tray_bar[at]
        desk.log_submitted[n] = desk.tray_submitted[at]
        desk.log_slot[n] = desk.tray_slot[at]
        desk.log_seq[n] = desk.tray_seq[at]
        desk.log_reason[n] = desk.tray_reason[at]
        desk.log_status[n] = desk.tray_status[at]
        desk.log_detail[n] = desk.tray_detail[at]
        desk.log_requested[n] = desk.tray_requested[at]
        desk.log_filled[n] = desk.tray_filled[at]
        desk.log_price[n] = desk.tray_price[at]
        desk.log_notional[n] = desk.tray_notional[at]
        desk.log_fee[n] = desk.tray_fee[at]
    settle_writes()


@kernel
def head(desk: Desk, t: int, submitted: int, slot: int, number: int, reason: int) -> int:
    """Open a log row: when, for which order. Gives its place in the tray."""
    n = desk.count[LOGGED]
    at = place_of(desk, n)
    if at == 0 and n != 0:  # only a tray comes round to its first place
        empty(desk, n)
    desk.tray_bar[at] = t
    desk.tray_submitted[at] = submitted
    desk.tray_slot[at] = slot
    desk.tray_seq[at] = number
    desk.tray_reason[at] = reason
    desk.count[LOGGED] = n + 1
    return at


@kernel
def tail(desk: Desk, n: int, status: int, detail: int, requested: int, filled: int) -> None:
    """Write what became of the order of the row at place n."""
    desk.tray_status[n] = status
    desk.tray_detail[n] = detail
    desk.tray_requested[n] = requested
    desk.tray_filled[n] = filled


@kernel
def paid(desk: Desk, n: int, price: int, notional: int, fee: int) -> None:
    """Write the money of the row at place n."""
    desk.tray_price[n] = price
    desk.tray_notional[n] = notional
    desk.tray_fee[n] = fee


@aside
def event(desk: Desk, t: int, slot: int, reason: int, detail: int, requested: int, price: int, notional: int) -> None:
    """The row of something that was applied without an order, and moved no lots."""
    apart()
    n = head(desk, t, t, slot, ZERO, reason)
    tail(desk, n, APPLIED, detail, requested, ZERO)
    paid(desk, n, price, notional, ZERO)


@aside
def arrival(desk: Desk, t: int, number: int, reason: int) -> int:
    """When an order that is sent at the end of a bar reaches the market. A roll is arranged beforehand, a liquidation is the broker's."""
    apart()
    if reason == ROLL or reason == LIQUIDATION:
        return -FAR
    row = min(max(t - desk.cursor[ROW], 0), desk.clock_rows - 1)
    return desk.clock_decided[row] + desk.delays[number % desk.delay_count]


@aside
def plain_order(desk: Desk, k: int) -> None:
    """A market order that was not requested has none of what a requested one has."""
    apart()
    desk.order_kind[k] = 0
    desk.order_limit[k] = 0
    desk.order_stop[k] = 0
    desk.order_tif[k] = 0
    desk.order_until[k] = 0
    desk.order_flags[k] = 0
    desk.order_entry[k] = 0
    desk.order_rest[k] = 0
    desk.order_peak[k] = 0
    desk.order_trail[k] = 0
    desk.order_rate[k] = 0
    desk.order_offset[k] = 0
    desk.order_batch[k] = 0
    desk.order_session[k] = 0
    desk.order_display[k] = 0


@kernel
def shift(desk: Desk, left: int, k: int) -> None:
    """Move what a requested order has to another place of the table. All is read before any of it is written: it moves as a whole then."""
    kind, limit, stop = desk.order_kind[k], desk.order_limit[k], desk.order_stop[k]
    tif, until, flags, entry = desk.order_tif[k], desk.order_until[k], desk.order_flags[k], desk.order_entry[k]
    rest, peak, trail, rate = desk.order_rest[k], desk.order_peak[k], desk.order_trail[k], desk.order_rate[k]
    offset, batch, session, display = desk.order_offset[k], desk.order_batch[k], desk.order_session[k], desk.order_display[k]
    desk.order_kind[left] = kind
    desk.order_limit[left] = limit
    desk.order_stop[left] = stop
    desk.order_tif[left] = tif
    desk.order_until[left] = until
    desk.order_flags[left] = flags
    desk.order_entry[left] = entry
    desk.order_rest[left] = rest
    desk.order_peak[left] = peak
    desk.order_trail[left] = trail
    desk.order_rate[left] = rate
    desk.order_offset[left] = offset
    desk.order_batch[left] = batch
    desk.order_session[left] = session
    desk.order_display[left] = display


@kernel
def submit(desk: Desk, t: int, slot: int, lots: int, value: int, reason: int) -> int:
    """Enter what every order has: so many lots, or a value to be sized at the fill (lots = 0). Gives its number."""
    k, number = desk.count[ORDERS], desk.count[NUMBER] + 1
    desk.order_slot[k] = slot
    desk.order_lots[k] = lots
    desk.order_value[k] = value
    desk.order_bar[k] = t
    desk.order_number[k] = number
    desk.order_reason[k] = reason
    if desk.flags & HAS_LATENCY != 0:
        desk.order_arrives[k] = arrival(desk, t, number, reason)
    desk.count[ORDERS] = k + 1
    desk.count[NUMBER] = number
    desk.busy[slot] += 1
    return number


@kernel
def send(desk: Desk, t: int, slot: int, lots: int, value: int, reason: int) -> None:
    """Enter a market order of so many lots, or of a value to be sized at the fill (lots = 0)."""
    if desk.flags & HAS_ORDERS != 0:
        plain_order(desk, desk.count[ORDERS])
    submit(desk, t, slot, lots, value, reason)


@aside
def refuse(desk: Desk, t: int, slot: int, reason: int, detail: int, requested: int) -> None:
    """An order that is dropped when it is made: it has a number and a row."""
    apart()
    desk.count[NUMBER] += 1
    n = head(desk, t, t, slot, desk.count[NUMBER], reason)
    tail(desk, n, REJECTED, detail, requested, ZERO)
    paid(desk, n, ZERO, ZERO, ZERO)


@aside
def drop(desk: Desk, t: int, k: int, detail: int, requested: int) -> None:
    """Cancel order k of the table."""
    apart()
    finish(desk, t, k, CANCELLED, detail, requested)


@aside
def finish(desk: Desk, t: int, k: int, status: int, detail: int, requested: int) -> None:
    """Take order k out of the table, with a row that says why."""
    apart()
    n = head(desk, t, desk.order_bar[k], desk.order_slot[k], desk.order_number[k], desk.order_reason[k])
    tail(desk, n, status, detail, requested, ZERO)
    paid(desk, n, ZERO, ZERO, ZERO)
    desk.busy[desk.order_slot[k]] -= 1
    desk.order_number[k] = 0
    desk.count[DEAD] += 1


@aside
def announce(desk: Desk, t: int, k: int, detail: int) -> None:
    """The row of an order that now works as it is."""
    apart()
    price = desk.order_stop[k] if desk.order_stop[k] != 0 else desk.order_limit[k]
    n = head(desk, t, desk.order_bar[k], desk.order_slot[k], desk.order_number[k], desk.order_reason[k])
    tail(desk, n, ACCEPTED, detail, desk.order_lots[k], ZERO)
    paid(desk, n, price, ZERO, ZERO)


@aside
def show(desk: Desk, t: int, k: int, asked: int) -> None:
    """Note how much of order k is shown, with a row: all of it where that is less."""
    apart()
    lots = desk.order_lots[k]
    shown = min(asked, abs(lots)) if lots != 0 else asked
    desk.order_display[k] = shown
    n = head(desk, t, desk.order_bar[k], desk.order_slot[k], desk.order_number[k], desk.order_reason[k])
    tail(desk, n, ACCEPTED, DISPLAYED, -shown if lots < 0 else shown, ZERO)
    paid(desk, n, ZERO, ZERO, ZERO)


@aside
def cancel(desk: Desk, t: int, slot: int, detail: int) -> None:
    """Cancel all orders of a slot. Slots usually come in the order of their orders, so the search goes on where the last one ended."""
    apart()
    cursor = desk.cursor
    n = desk.count[ORDERS]
    k = cursor[HINT]
    several = desk.busy[slot] > 1
    if several or k >= n:
        k = 0
    for _ in range(n):
        if desk.busy[slot] == 0:
            break
        if desk.order_number[k] != 0 and desk.order_slot[k] == slot:
            drop(desk, t, k, detail, desk.order_lots[k])
        k = k + 1 if k + 1 < n else 0
    cursor[HINT] = k


@aside
def awaits(desk: Desk, slot: int, reason: int) -> bool:
    """Whether a slot has a working order that was sent for a reason."""
    apart()
    for k in range(desk.count[ORDERS]):
        if desk.order_number[k] != 0 and desk.order_slot[k] == slot and desk.order_reason[k] == reason:
            return True
    return False


@aside
def sweep(desk: Desk) -> None:
    """Close the gaps that dead orders left in the table."""
    apart()
    left = ZERO
    for k in range(desk.count[ORDERS]):
        if desk.order_number[k] != 0:
            if left != k:
                slot, lots, value, bar = desk.order_slot[k], desk.order_lots[k], desk.order_value[k], desk.order_bar[k]
                number, reason, arrives = desk.order_number[k], desk.order_reason[k], desk.order_arrives[k]
                desk.order_slot[left] = slot
                desk.order_lots[left] = lots
                desk.order_value[left] = value
                desk.order_bar[left] = bar
                desk.order_number[left] = number
                desk.order_reason[left] = reason
                desk.order_arrives[left] = arrives
                if desk.flags & HAS_ORDERS != 0:
                    shift(desk, left, k)
            left += 1
    desk.count[ORDERS] = left
    desk.count[DEAD] = 0
