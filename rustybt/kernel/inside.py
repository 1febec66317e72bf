"""Section 6 of the rule book: what happened first inside a bar."""

from __future__ import annotations

from rustybt.model import Intrabar

from .compile import apart, aside
from .limits import ZERO, whole
from .state import Desk

OPTIMISTIC, NEAREST = whole(Intrabar.OPTIMISTIC), whole(Intrabar.NEAREST)


@aside
def exit_price(start: int, worst: int, best: int, stop: int, take: int, intrabar: int) -> tuple[int, bool]:
    """The price of the exit of a long position, and whether it is the stop; a short is asked with all signs turned."""
    apart()
    if start <= stop:
        return start, True
    if start >= take:
        return start, False
    if worst > stop:
        return take, False
    if best < take or not target_first(start, worst, best, intrabar):
        return stop, True
    return take, False


@aside
def target_first(start: int, worst: int, best: int, intrabar: int) -> bool:
    """What the policy says of a bar that reaches both."""
    apart()
    if intrabar == NEAREST:
        return best - start < start - worst
    return intrabar == OPTIMISTIC


@aside
def both_inside(start: int, worst: int, best: int, stop: int, take: int) -> bool:
    """Whether a bar of a long position reaches both, and neither at its open."""
    apart()
    return start > stop and start < take and worst <= stop and best >= take


@aside
def finer_exit(desk: Desk, place: int, long: bool, stop: int, take: int) -> tuple[int, int]:
    """The first exit among the finer bars of a bar: its price with the sign of `exit_price`, and 1 = stop, 2 = target, 0 = none."""
    apart()
    for i in range(desk.finer_start[place], desk.finer_start[place + 1]):
        if long:
            start, worst, best = desk.finer_open[i], desk.finer_low[i], desk.finer_high[i]
        else:
            start, worst, best = -desk.finer_open[i], -desk.finer_high[i], -desk.finer_low[i]
        if worst <= stop or best >= take:
            price, stopped = exit_price(start, worst, best, stop, take, desk.intrabar)
            return price, 1 if stopped else 2
    return ZERO, 0
