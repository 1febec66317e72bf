"""Room in a desk: for its log, its curves, orders and claims."""

from __future__ import annotations

from typing import Any

import numpy as np

from rustybt.model.lent import room_for

from .state import CLAIMS, KINDS, LOG, LOGGED, ORDERS, PER_CLAIM, PER_ORDER, TRAY, TRAY_ROWS, TYPES, Desk


def unwritten(names: tuple[str, ...], length: int, *, lines: bool = False) -> dict[str, Any]:
    """Columns of a log or of curves before anything is written, each in memory of its own; with ``lines`` it begins with one."""
    return {name: room_for(length, TYPES[KINDS[name]], lines=lines) for name in names}


def unwritten_log(length: int, *, tray: bool = False) -> dict[str, Any]:
    """A log before anything is written, by field of `Desk`.

    Args:
        length: rows.
        tray: its rows are written into a tray first.
    """
    log = unwritten(LOG, length, lines=tray)
    trays = unwritten(TRAY, TRAY_ROWS, lines=True) if tray else dict(zip(TRAY, log.values(), strict=True))
    return log | trays | {"log_size": length, "tray": -TRAY_ROWS if tray else 0}


def lengthen(desk: Desk, length: int) -> None:
    """Give a desk a longer log with the same rows."""
    written, longer = int(desk.count[LOGGED]), unwritten_log(length, tray=desk.tray != 0)
    for name in LOG:
        longer[name][:written] = getattr(desk, name)[:written]
    if desk.tray:
        longer = {name: value for name, value in longer.items() if name not in TRAY}  # it still holds the last rows
    desk.set(**longer)


def widen(desk: Desk, length: int) -> None:
    """Give a desk room for more orders, with the same orders."""
    n = int(desk.count[ORDERS])
    orders = {name: getattr(desk, name)[:n] for name in PER_ORDER}
    desk.hold(length)
    for name, column in orders.items():
        getattr(desk, name)[:n] = column


def admit_claims(desk: Desk, length: int) -> None:
    """Give a desk room for so many claims, with the same claims."""
    n = int(desk.count[CLAIMS])
    if length <= len(desk.claim_slot):
        return
    wider = {name: np.zeros(length, TYPES[KINDS[name]]) for name in PER_CLAIM}
    for name in PER_CLAIM:
        wider[name][:n] = getattr(desk, name)[:n]
    desk.set(**wider)
