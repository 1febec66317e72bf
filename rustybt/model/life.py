"""The life of a requested order: its states, and the one table of what may follow what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from rustybt.errors import DataError
from rustybt.model.codes import Detail, Status


class Life(StrEnum):
    """Where an order is. Nothing follows the last four."""

    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    TRIGGERED = "triggered"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"


@dataclass(frozen=True)
class Step:
    """What may happen to an order: from where, to where, the status of the log row that says so, and the details that it may have."""

    before: Life
    after: Life
    status: Status
    details: frozenset[Detail]


def _details(names: str) -> frozenset[Detail]:
    return frozenset(Detail[name.upper()] for name in names.split())


WORKING = (Life.ACCEPTED, Life.TRIGGERED, Life.PARTIALLY_FILLED)
"""States of an order that works. A dormant one is accepted."""
ENDS = (Life.FILLED, Life.CANCELLED, Life.EXPIRED, Life.REJECTED)
"""States that nothing follows."""
_REFUSED = _details(
    "no_price cool_down margin_call halted restricted long_only orders_per_day order_quantity order_notional position concentration "
    "asset_dates price_collar duplicate gross_exposure net_exposure price_move value_at_risk correlated_exposure"
)
_CALLED_OFF = _details(
    "replaced requested exited end_of_day oco reduce_only capped lot_size min_notional barred halted split merged delisted settled rolled"
)
_FILLED = _details("none unaffordable reduce_only no_borrow unsettled")
_CHANGED = _details("amended activated displayed")
_CUT = _details("unaffordable no_borrow unsettled")

STEPS = (
    Step(Life.SUBMITTED, Life.ACCEPTED, Status.ACCEPTED, _details("none")),
    Step(Life.SUBMITTED, Life.REJECTED, Status.REJECTED, _REFUSED),
    Step(Life.ACCEPTED, Life.TRIGGERED, Status.TRIGGERED, _details("none")),
    Step(Life.ACCEPTED, Life.REJECTED, Status.REJECTED, _CUT | _details("post_only")),
    Step(Life.ACCEPTED, Life.EXPIRED, Status.EXPIRED, _details("time unmet")),
    Step(Life.ACCEPTED, Life.CANCELLED, Status.CANCELLED, _CALLED_OFF | _details("parent")),
    *(
        step
        for state in WORKING
        for step in (
            Step(state, state, Status.ACCEPTED, _CHANGED),
            Step(state, state, Status.REJECTED, _CUT),
            Step(state, Life.PARTIALLY_FILLED, Status.FILLED, _FILLED - _details("reduce_only")),
            Step(state, Life.FILLED, Status.FILLED, _FILLED),
        )
    ),
    *(
        step
        for state in WORKING[1:]
        for step in (
            Step(state, Life.REJECTED, Status.REJECTED, _CUT),
            Step(state, Life.EXPIRED, Status.EXPIRED, _details("time unmet")),
            Step(state, Life.CANCELLED, Status.CANCELLED, _CALLED_OFF),
        )
    ),
)
"""All that may happen. A row that leaves the state as it is was amended, or sent by a fill, says how much is shown, or is about a part that
funds refused."""


def follow(before: Life, status: Status, detail: Detail, *, works: bool) -> Life:
    """The state of an order after one of its log rows.

    Args:
        before: its state so far.
        status: of the row.
        detail: of the row.
        works: whether the order still works after it: only then is a fill a partial one.

    Raises:
        DataError: the table knows no such step.

    Example:
        >>> follow(Life.ACCEPTED, Status.FILLED, Detail.NONE, works=True)
        <Life.PARTIALLY_FILLED: 'partially_filled'>
    """
    for step in STEPS:
        if step.before is before and step.status is status and detail in step.details and (step.after in WORKING) == works:
            return step.after
    raise DataError(
        f"{status.name.lower()}, {detail.name.lower()} after {before}",
        where=f"life of an order that {'works' if works else 'is over'}",
        do="see the table STEPS of rustybt.model.life",
    )


def diagram(steps: Iterable[Step] = STEPS) -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {Life.SUBMITTED}"]
    for step in steps:
        said = ", ".join(detail.name.lower() for detail in sorted(step.details) if detail is not Detail.NONE)
        lines.append(f"    {step.before} --> {step.after}" + (f": {said}" if said else ""))
    return "\n".join([*lines, *(f"    {state} --> [*]" for state in ENDS)])
