"""Requests of many bars, put in the order in which they are served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rustybt.model import REQUEST_FIELDS, OrderFlag
from rustybt.model.panel import Ints

Rows = npt.NDArray[np.int64]
WIDTH = len(REQUEST_FIELDS)
SLOT, ENTRY, SIZE, FLAGS = (REQUEST_FIELDS.index(name) for name in ("slot", "entry", "size", "flags"))
BITS = 62
"""Keys that fit are sorted as single numbers."""


@dataclass(frozen=True)
class Sent:
    """Requests in no order.

    Attributes:
        rows: (requests, WIDTH) as in `rustybt.model.Requests`.
        bar: (requests,) of which bar. place: where in its batch, or that of each. at: (requests,) evaluated row.
    """

    rows: Rows
    bar: npt.NDArray[np.integer]
    place: int | Ints
    at: npt.NDArray[np.integer]

    @classmethod
    def of(cls, values: Mapping[str, Any], bar: npt.NDArray[np.integer], place: int, at: npt.NDArray[np.integer]) -> Sent:
        """Rows with these values by field: the same in all of them, or one each; what is not named is 0."""
        same = [0] * WIDTH
        for name, value in values.items():
            if not isinstance(value, np.ndarray):
                same[REQUEST_FIELDS.index(name)] = int(value)
        rows = np.empty((len(at), WIDTH), dtype=np.int64)
        rows[:] = np.array(same, dtype=np.int64)
        for name, value in values.items():
            if isinstance(value, np.ndarray):
                rows[:, REQUEST_FIELDS.index(name)] = value
        return cls(rows, bar, place, at)

    def under(self, mask: npt.NDArray[np.bool_]) -> Sent:
        """Those under a mask."""
        return self if mask.all() else Sent(self.rows[mask], self.bar[mask], self.place, self.at[mask])


def none_sent() -> Sent:
    """No request."""
    none = np.zeros(0, dtype=np.int64)
    return Sent(np.zeros((0, WIDTH), dtype=np.int64), none, 0, none)


def together(parts: Sequence[Sent]) -> Sent:
    """All of several."""
    parts = [part for part in parts if len(part.at)]
    if len(parts) < 2:
        return parts[0] if parts else none_sent()
    places = (
        np.repeat(np.array([part.place for part in parts], dtype=np.int64), [len(part.at) for part in parts]) if _plain(parts) else None
    )
    if places is None:
        places = np.concatenate([np.broadcast_to(np.asarray(part.place, dtype=np.int64), len(part.at)) for part in parts])
    return Sent(
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.bar for part in parts]),
        places,
        np.concatenate([part.at for part in parts]),
    )


def _plain(parts: Sequence[Sent]) -> bool:
    return all(isinstance(part.place, int) for part in parts)


def in_order(parts: Sequence[Sent]) -> tuple[Rows, npt.NDArray[np.integer]]:
    """Rows of all sleeves by bar, slot, entry and place; what cancels before what sends. With the bar of each."""
    sent = together(parts)
    if not len(sent.at):
        return sent.rows, sent.bar
    sends = (sent.rows[:, FLAGS] & int(OrderFlag.CANCEL)) == 0
    keys = (sent.bar, sent.rows[:, SLOT], sent.rows[:, ENTRY], sends, np.broadcast_to(sent.place, len(sent.at)))
    order = ranked(keys)
    return sent.rows.take(order, axis=0), sent.bar.take(order)


def ranked(keys: Sequence[npt.NDArray[Any]]) -> npt.NDArray[np.intp]:
    """The order of rows by several keys of whole numbers from 0, the first one first; what is equal stays in the order given.

    Example:
        >>> ranked((np.array([1, 0, 1]), np.array([5, 9, 2])))
        array([1, 2, 0])
    """
    count = len(keys[0])
    widths = [int(key.max()).bit_length() for key in keys]
    low = count.bit_length()
    if sum(widths) + low > BITS or any(int(key.min()) < 0 for key in keys):
        return np.lexsort(tuple(reversed(keys)))
    packed = np.zeros(count, dtype=np.int64)
    for key, width in zip(keys, widths, strict=True):
        if width:
            packed = (packed << width) | key
    packed = (packed << low) | np.arange(count)
    packed.sort()
    order: npt.NDArray[np.intp] = packed & ((1 << low) - 1)
    return order


def starts_of(bar: npt.NDArray[np.integer], bars: int) -> Ints:
    """(bars + 1,) where the requests of each bar begin, for bars in order."""
    start = np.zeros(bars + 1, dtype=np.int64)
    np.cumsum(np.bincount(bar, minlength=bars), out=start[1:])
    return start
