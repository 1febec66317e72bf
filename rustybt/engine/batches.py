"""Requests of many bars, put in the order in which they are served."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from rustybt.model import REQUEST_FIELDS, TOLD_FIELDS, OrderFlag
from rustybt.model.lent import room_for
from rustybt.model.panel import Ints

type Floats = npt.NDArray[np.float64]
PLAIN, LATE = TOLD_FIELDS[1:-1], ("limit", "stop")
"""Fields that each request has of its own, beside slot and pattern; those of them that may be turned into ticks while they are laid out."""


@dataclass(frozen=True, eq=False)
class Stand:
    """Where the evaluated rows of one sleeve stand: those of an asset together, and assets in order.

    Attributes:
        bar: (rows,) of which bar. column: (rows,) of which asset.
        first_slot: slot of the first asset.
    """

    bar: npt.NDArray[np.integer]
    column: npt.NDArray[np.integer]
    first_slot: int

    @cached_property
    def edges(self) -> npt.NDArray[np.intp]:
        """Where the rows of each asset that has any begin, and where the last ones end."""
        column = self.column
        return np.concatenate(([0], np.flatnonzero(column[1:] != column[:-1]) + 1, [len(column)]))


@dataclass(frozen=True, eq=False)
class Prices:
    """A price for each evaluated row, which becomes ticks, half-even, where a request is made of the row.

    Attributes:
        values: (rows,) Float64.
        ticks: (assets,) Float64: ticks that a price of one comes to.
        refusal: what is said of one that is not a tick or more, by its row.
    """

    values: Floats
    ticks: Floats
    refusal: Callable[[int], Exception]


type Value = int | Ints | Prices


@dataclass(frozen=True)
class Sent:
    """Requests of one order of a strategy, those of an asset together and assets in order.

    Attributes:
        values: by field of `rustybt.model.Requests.rows`, without the slot: the same in all of them, or one each, or of `LATE` prices;
            what is not named is 0. Entry and flags are always the same in all.
        stand: where evaluated rows stand.
        at: (requests,) evaluated row.
        place: where in its batch.
    """

    values: Mapping[str, Value]
    stand: Stand
    at: npt.NDArray[np.integer]
    place: int = 0

    def with_a_size(self) -> Sent:
        """Those that are not for nothing."""
        size = self.values.get("size", 0)
        if not isinstance(size, np.ndarray):
            return self if size != 0 else replace(self, at=self.at[:0])
        some = size != 0
        if some.all():
            return self
        kept = {name: value[some] if isinstance(value, np.ndarray) else value for name, value in self.values.items()}
        return replace(self, values=kept, at=self.at[some])


def in_order(parts: Sequence[Sent], bars: int, first: int = 0) -> tuple[npt.NDArray[np.int32], Ints, Ints, int]:
    """Requests of all sleeves by bar, slot, entry and place; what cancels before what sends.

    Args:
        parts: what is sent.
        bars: of the run.
        first: index of the first of them.

    Returns:
        ``bar``, ``told``, ``patterns`` and ``most`` of `rustybt.model.Requests`.

    Raises:
        SpecError: a price is not one.
    """
    from rustybt.kernel.asked import add_up, tally

    sleeves = [Laid(stand, found, first) for stand, found in _by_sleeve(parts)]
    ends = room_for(bars + 1, np.int32)  # of bar b: item b + 1 counts its requests, then item b is where the next of them goes
    ends[:] = 0
    for one in sleeves:
        if not tally(ends, one.places, one.at, one.heads):
            raise RuntimeError("evaluated rows do not lie asset by asset, which they always do: report this")
    most, requests = add_up(ends), int(ends[-1])
    bar = room_for(requests, np.int32)
    told = room_for(requests * len(TOLD_FIELDS), np.int64).reshape(requests, len(TOLD_FIELDS))
    patterns: list[Ints] = [np.zeros((0, len(REQUEST_FIELDS)), dtype=np.int64)]
    for one in sleeves:
        one.lay_out((bar, told), ends, sum(map(len, patterns)))
        patterns.append(one.patterns)
    return bar, told, np.concatenate(patterns), most


class Laid:
    """The requests of one sleeve as the pass over them takes them.

    Args:
        stand: where its rows stand.
        parts: its orders, in the order in which they are served.
        first: index of the first bar.
    """

    def __init__(self, stand: Stand, parts: Sequence[Sent], first: int) -> None:
        self.stand, self.parts = stand, parts
        self.places = np.empty((2, len(stand.bar)), dtype=np.int32)
        np.subtract(stand.bar, first, out=self.places[0], casting="same_kind")
        self.places[1] = stand.column
        self.at = np.concatenate([part.at for part in parts], dtype=np.int64, casting="same_kind")
        ends = np.cumsum([len(part.at) for part in parts])
        self.heads = np.array([np.append(0, ends[:-1]), ends], dtype=np.int64)

    @property
    def patterns(self) -> Ints:
        """What the requests of each order have in common; one for each request where they differ in more than `told` has."""
        shared = np.array([[_same(part.values.get(name, 0)) for name in REQUEST_FIELDS] for part in self.parts], dtype=np.int64)
        if not self.differing:
            return shared
        each = shared.repeat(self.heads[1] - self.heads[0], axis=0)
        for name in self.differing:
            each[:, REQUEST_FIELDS.index(name)] = self._each(name)
        return each

    @property
    def differing(self) -> list[str]:
        """Fields of patterns in which requests of an order differ."""
        return [name for name in REQUEST_FIELDS if name not in TOLD_FIELDS and any(_is_each(part, name) for part in self.parts)]

    def lay_out(self, written: tuple[npt.NDArray[np.int32], Ints], ends: npt.NDArray[np.int32], first_pattern: int) -> None:
        """Write the bars and the rows of its requests.

        Raises:
            SpecError: a price is not one.
        """
        from rustybt.kernel.asked import lay_out

        common = np.array([[_same(part.values.get(name, 0)) for name in PLAIN] for part in self.parts], dtype=np.int64)
        source = np.full(common.shape, -1, dtype=np.int64)
        exact, prices = list[Any](), list[Prices]()
        for place, name in enumerate(PLAIN):
            if any(_is_each(part, name) for part in self.parts):
                source[:, place] = len(exact)
                exact.append(self._each(name))
        for n, part in enumerate(self.parts):
            for name in LATE:
                value = part.values.get(name)
                if isinstance(value, Prices):
                    source[n, PLAIN.index(name)] = len(exact) + len(prices)
                    prices.append(value)
        floats = np.empty((len(prices), len(self.stand.bar)))
        for row, price in zip(floats, prices, strict=True):
            row[:] = price.values
        pattern = np.arange(len(self.parts)) if not self.differing else self.heads[0].copy()
        bad = lay_out(
            written,
            ends,
            np.append(self.heads, self.heads[:1], axis=0),
            self.places,
            self.at,
            (common, source, pattern + first_pattern),
            np.array(exact, dtype=np.int64).reshape(len(exact), len(self.at)),
            (floats, prices[0].ticks if prices else np.empty(0)),
            (self.stand.first_slot, bool(self.differing)),
        )
        if bad >= 0:
            wrong = bad % len(self.at), bad // len(self.at)
            raise prices[wrong[1]].refusal(int(self.at[wrong[0]]))

    def _each(self, name: str) -> Ints:
        """A field of each request."""
        found = np.empty(len(self.at), dtype=np.int64)
        for part, begin, end in zip(self.parts, *self.heads.tolist(), strict=True):
            value = part.values.get(name, 0)
            found[begin:end] = 0 if isinstance(value, Prices) else value
        return found


def _by_sleeve(parts: Sequence[Sent]) -> list[tuple[Stand, list[Sent]]]:
    """The orders that send anything, by sleeve, in the order in which they are served."""
    found: dict[Stand, list[Sent]] = {}
    for part in sorted((part for part in parts if len(part.at)), key=_rank):
        found.setdefault(part.stand, []).append(part)
    return sorted(found.items(), key=lambda one: one[0].first_slot)


def _rank(part: Sent) -> tuple[int, ...]:
    """In which order the requests of one slot and bar are served."""
    entry, flags = (_same(part.values.get(name, 0)) for name in ("entry", "flags"))
    return entry, int(flags & OrderFlag.CANCEL == 0), part.place


def _is_each(part: Sent, name: str) -> bool:
    return isinstance(part.values.get(name), np.ndarray)


def _same(value: Value) -> int:
    return int(value) if isinstance(value, (int, np.integer)) else 0
