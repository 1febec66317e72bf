"""Requests of many bars, put in the order in which they are served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rustybt.model import REQUEST_FIELDS, TOLD_FIELDS, OrderFlag
from rustybt.model.panel import Ints
from rustybt.model.requests import TOLD_PLACES

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Sent:
    """Requests of one order of a strategy, those of an asset together and assets in order.

    Attributes:
        values: by field of `rustybt.model.Requests.rows`: the same in all of them, or one each; what is not named is 0. Entry and flags
            are always the same in all.
        bar: (requests,) of which bar. at: (requests,) evaluated row.
        place: where in its batch.
    """

    values: Mapping[str, int | Ints]
    bar: npt.NDArray[np.integer]
    place: int
    at: npt.NDArray[np.integer]

    def under(self, mask: npt.NDArray[np.bool_] | np.bool_) -> Sent:
        """Those under a mask, or all or none of them."""
        if mask.all():
            return self
        if isinstance(mask, np.bool_):
            return none_sent()
        kept = {name: value[mask] if isinstance(value, np.ndarray) else value for name, value in self.values.items()}
        return Sent(kept, self.bar[mask], self.place, self.at[mask])


def none_sent() -> Sent:
    """No request."""
    none = np.zeros(0, dtype=np.int64)
    return Sent({}, none, 0, none)


def in_order(parts: Sequence[Sent], bars: int, first: int = 0) -> tuple[Ints, Rows, Rows]:
    """Requests of all sleeves by bar, slot, entry and place; what cancels before what sends.

    Args:
        parts: what is sent.
        bars: of the run.
        first: index of the first of them.

    Returns:
        ``start``, ``told`` and ``patterns`` of `rustybt.model.Requests`.
    """
    from rustybt.kernel.asked import lay_out

    parts = sorted((part for part in parts if len(part.at)), key=_rank)
    sizes = np.array([len(part.at) for part in parts], dtype=np.int64)
    count, start = int(sizes.sum()), np.zeros(bars + 1, dtype=np.int64)
    told = np.empty((count, len(TOLD_FIELDS)), dtype=np.int64)
    patterns = np.array([[_same(part.values.get(name, 0)) for name in REQUEST_FIELDS] for part in parts], dtype=np.int64)
    patterns = patterns.reshape(-1, len(REQUEST_FIELDS))
    if not count:
        return start, told, patterns
    varied = [name for name in REQUEST_FIELDS if any(isinstance(part.values.get(name), np.ndarray) for part in parts)]
    common = np.array([[*pattern[list(TOLD_PLACES)], 0] for pattern in patterns], dtype=np.int64)
    apart = [name for name in varied if name not in TOLD_FIELDS]
    if apart:
        patterns = patterns.repeat(sizes, axis=0)
        for name in apart:
            patterns[:, REQUEST_FIELDS.index(name)] = _each(parts, name)
    fields = [name for name in TOLD_FIELDS if name in varied]
    columns = np.empty((len(fields), count), dtype=np.int64)
    for column, name in zip(columns, fields, strict=True):
        _each(parts, name, column)
    bar = np.concatenate([part.bar for part in parts], dtype=np.int64, casting="same_kind")
    if first:
        bar -= first
    places = np.array([TOLD_FIELDS.index(name) for name in fields], dtype=np.int64)
    ends = sizes.cumsum()
    heads = np.array([ends - sizes, ends])
    if not lay_out(told, start, heads, bar, np.arange(count if apart else 0), common, places, columns):
        raise RuntimeError("evaluated rows do not lie asset by asset, which they always do: report this")
    return start, told, patterns


def _rank(part: Sent) -> tuple[int, ...]:
    """In which order the requests of one slot and bar are served."""
    entry, flags = (_same(part.values.get(name, 0)) for name in ("entry", "flags"))
    return entry, int(flags & OrderFlag.CANCEL == 0), part.place


def _each(parts: Sequence[Sent], name: str, out: Ints | None = None) -> Ints:
    """A field of each request."""
    found = np.empty(sum(len(part.at) for part in parts), dtype=np.int64) if out is None else out
    end = 0
    for part in parts:
        begin, end = end, end + len(part.at)
        found[begin:end] = part.values.get(name, 0)
    return found


def _same(value: int | Ints) -> int:
    return 0 if isinstance(value, np.ndarray) else int(value)
