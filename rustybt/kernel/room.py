"""Room in a desk: for its log, its curves, orders and claims."""

from __future__ import annotations

from typing import Any

import numpy as np

from rustybt.model.lent import room_for

from .state import CLAIMS, KINDS, LOG, LOGGED, ORDERS, PER_CLAIM, PER_ORDER, TYPES, Desk


def unwritten(names: tuple[str, ...], length: int) -> dict[str, Any]:
    """Columns of a log or of curves before anything is written, each in memory of its own."""
    return {name: room_for(length, TYPES[KINDS[name]]) for name in names}


def lengthen(desk: Desk, length: int) -> None:
    """Give a desk a longer log with the same rows."""
    written, longer = int(desk.count[LOGGED]), unwritten(LOG, length)
    for name, column in longer.items():
        column[:written] = getattr(desk, name)[:written]
    desk.set(**longer, log_size=length)


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
