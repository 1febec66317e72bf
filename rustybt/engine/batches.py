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
BITS = 62
"""Keys that fit are sorted as single numbers."""


@dataclass(frozen=True)
class Sent:
    """Requests of one order of a strategy, in no order.

    Attributes:
        values: by field of `rustybt.model.Requests`: the same in all of them, or one each; what is not named is 0.
        bar: (requests,) of which bar. at: (requests,) evaluated row.
        place: where in its batch.
    """

    values: Mapping[str, int | Ints]
    bar: npt.NDArray[np.integer]
    place: int
    at: npt.NDArray[np.integer]

    def under(self, mask: npt.NDArray[np.bool_]) -> Sent:
        """Those under a mask."""
        if mask.all():
            return self
        kept = {name: value[mask] if isinstance(value, np.ndarray) else value for name, value in self.values.items()}
        return Sent(kept, self.bar[mask], self.place, self.at[mask])


def none_sent() -> Sent:
    """No request."""
    none = np.zeros(0, dtype=np.int64)
    return Sent({}, none, 0, none)


def in_order(parts: Sequence[Sent]) -> tuple[Rows, npt.NDArray[np.integer]]:
    """Rows of all sleeves by bar, slot, entry and place; what cancels before what sends. With the bar of each."""
    from rustybt.kernel.asked import lay_out

    parts = [part for part in parts if len(part.at)]
    ends = np.cumsum([len(part.at) for part in parts], dtype=np.int64)
    count = int(ends[-1]) if parts else 0
    rows = np.empty((count, WIDTH), dtype=np.int64)
    if not parts:
        return rows, np.zeros(0, dtype=np.int64)
    varied = [name for name in REQUEST_FIELDS if any(isinstance(part.values.get(name), np.ndarray) for part in parts)]
    columns = np.empty((len(varied) + 1, count), dtype=np.int64)
    for part, end in zip(parts, ends.tolist(), strict=True):
        begin = end - len(part.at)
        columns[-1, begin:end] = part.bar
        for place, name in enumerate(varied):
            columns[place, begin:end] = part.values.get(name, 0)
    patterns = np.array([[_same(part.values.get(name, 0)) for name in REQUEST_FIELDS] for part in parts], dtype=np.int64)
    owner = np.repeat(np.arange(len(parts)), np.diff(ends, prepend=0))

    def each(name: str) -> Ints:
        return columns[varied.index(name)] if name in varied else patterns[:, REQUEST_FIELDS.index(name)].take(owner)

    keys = [columns[-1], each("slot")]
    if len(parts) > 1:
        sends = (each("flags") & int(OrderFlag.CANCEL)) == 0
        keys += [each("entry"), sends, np.array([part.place for part in parts], dtype=np.int64).take(owner)]
    order = ranked(keys)
    lay_out(rows, order, owner, patterns, np.array([REQUEST_FIELDS.index(name) for name in varied], dtype=np.int64), columns)
    return rows, columns[-1].take(order)


def _same(value: int | Ints) -> int:
    return 0 if isinstance(value, np.ndarray) else int(value)


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
    """(bars + 1,) where the requests of each bar begin, for bars in order.

    Example:
        >>> starts_of(np.array([1, 1, 3]), 4)
        array([0, 0, 2, 2, 3])
    """
    if not len(bar):
        return np.zeros(bars + 1, dtype=np.int64)
    after = np.empty(len(bar) + 1, dtype=np.int64)  # at so many bars the next request is number k
    after[0], after[-1] = bar[0] + 1, bars - bar[-1]
    np.subtract(bar[1:], bar[:-1], out=after[1:-1])
    return np.repeat(np.arange(len(bar) + 1), after)
