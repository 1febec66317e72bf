"""Working orders of a desk, as they are read from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rustybt.model.panel import Ints

from .simulate import plain

if TYPE_CHECKING:
    from .state import Desk


class Working(NamedTuple):
    """Working orders in submission sequence.

    Attributes:
        slot, bar, number: which sleeve and asset, the bar of submission, the order number.
        lots: signed; 0 = to be sized at the fill.
        value: what to size.
        reason: code of `rustybt.model.Reason`.
    """

    slot: Ints
    lots: Ints
    value: Ints
    bar: Ints
    number: Ints
    reason: Ints


def working_of(desk: Desk) -> Working:
    """The working orders of a desk, copied."""
    from .state import ORDERS

    return Working(*(plain(getattr(desk, f"order_{name}")[: int(desk.count[ORDERS])].copy()) for name in Working._fields))


def tickets_of(desk: Desk) -> list[dict[str, int]]:
    """The same with what they wait for: slot, number, lots, and kind, limit, stop, display as in `rustybt.model.Requests`."""
    from .state import ORDERS

    names = ("slot", "number", "lots", "kind", "limit", "stop", "display")
    return [{name: int(getattr(desk, f"order_{name}")[k]) for name in names} for k in range(int(desk.count[ORDERS]))]
