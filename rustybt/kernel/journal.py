"""Writing: a log row, an error code, an order into the table, an order out of it."""

from __future__ import annotations

from rustybt.model import Detail, Status

from .compile import aside, kernel
from .state import BLAME, DEAD, ERROR, HINT, LOGGED, NUMBER, ORDERS, Desk

NONE = int(Detail.NONE)
REJECTED, CANCELLED = int(Status.REJECTED), int(Status.CANCELLED)


@kernel
def fail(desk: Desk, code: int, slot: int) -> None:
    """Note what stops the run; the first error stays."""
    if desk.state.count[ERROR] == 0:
        desk.state.count[ERROR] = code
        desk.state.count[BLAME] = slot


@kernel
def asset_of(slot: int, assets: int) -> int:
    """Column of a slot's asset."""
    return slot if slot < assets else slot % assets


@kernel
def head(desk: Desk, t: int, submitted: int, slot: int, number: int, reason: int) -> int:
    """Open a log row: when, for which order. Gives its index."""
    log, n = desk.log, desk.state.count[LOGGED]
    log.bar[n] = t
    log.submitted[n] = submitted
    log.slot[n] = slot
    log.seq[n] = number
    log.reason[n] = reason
    desk.state.count[LOGGED] = n + 1
    return n


@kernel
def tail(desk: Desk, n: int, status: int, detail: int, requested: int, filled: int) -> None:
    """Write what became of the order of row n."""
    log = desk.log
    log.status[n] = status
    log.detail[n] = detail
    log.requested[n] = requested
    log.filled[n] = filled


@kernel
def paid(desk: Desk, n: int, price: int, notional: int, fee: int) -> None:
    """Write the money of row n."""
    log = desk.log
    log.price[n] = price
    log.notional[n] = notional
    log.fee[n] = fee


@kernel
def submit(desk: Desk, t: int, slot: int, lots: int, value: int, reason: int) -> None:
    """Enter a market order of so many lots, or of a value to be sized at the fill (lots = 0)."""
    state = desk.state
    k, number = state.count[ORDERS], state.count[NUMBER] + 1
    state.order_slot[k] = slot
    state.order_lots[k] = lots
    state.order_value[k] = value
    state.order_bar[k] = t
    state.order_number[k] = number
    state.order_reason[k] = reason
    state.count[ORDERS] = k + 1
    state.count[NUMBER] = number
    state.busy[slot] += 1


@aside
def refuse(desk: Desk, t: int, slot: int, reason: int, detail: int, requested: int) -> None:
    """An order that is dropped when it is made: it has a number and a row."""
    desk.state.count[NUMBER] += 1
    n = head(desk, t, t, slot, desk.state.count[NUMBER], reason)
    tail(desk, n, REJECTED, detail, requested, 0)
    paid(desk, n, 0, 0, 0)


@aside
def drop(desk: Desk, t: int, k: int, detail: int, requested: int) -> None:
    """Cancel order k of the table."""
    state = desk.state
    n = head(desk, t, state.order_bar[k], state.order_slot[k], state.order_number[k], state.order_reason[k])
    tail(desk, n, CANCELLED, detail, requested, 0)
    paid(desk, n, 0, 0, 0)
    state.busy[state.order_slot[k]] -= 1
    state.order_number[k] = 0
    state.count[DEAD] += 1


@aside
def cancel(desk: Desk, t: int, slot: int, detail: int) -> None:
    """Cancel all orders of a slot. Slots usually come in the order of their orders, so the search goes on where the last one ended."""
    state, cursor = desk.state, desk.pad.cursor
    n = state.count[ORDERS]
    k = cursor[HINT]
    several = state.busy[slot] > 1
    if several or k >= n:
        k = 0
    for _ in range(n):
        if state.busy[slot] == 0:
            break
        if state.order_number[k] != 0 and state.order_slot[k] == slot:
            drop(desk, t, k, detail, state.order_lots[k])
        k = k + 1 if k + 1 < n else 0
    cursor[HINT] = k


@aside
def awaits(desk: Desk, slot: int, reason: int) -> bool:
    """Whether a slot has a working order that was sent for a reason."""
    state = desk.state
    for k in range(state.count[ORDERS]):
        if state.order_number[k] != 0 and state.order_slot[k] == slot and state.order_reason[k] == reason:
            return True
    return False


@kernel
def sweep(desk: Desk) -> None:
    """Close the gaps that dead orders left in the table."""
    state, left = desk.state, 0
    for k in range(state.count[ORDERS]):
        if state.order_number[k] != 0:
            if left != k:
                state.order_slot[left] = state.order_slot[k]
                state.order_lots[left] = state.order_lots[k]
                state.order_value[left] = state.order_value[k]
                state.order_bar[left] = state.order_bar[k]
                state.order_number[left] = state.order_number[k]
                state.order_reason[left] = state.order_reason[k]
            left += 1
    state.count[ORDERS] = left
    state.count[DEAD] = 0
