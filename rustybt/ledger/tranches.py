"""Fills matched tranche by tranche, in time, by a method: which tranche a closing fill takes from first, and at which cost.

The whole of one slot is walked in the order of its log. A split restates what is open and keeps its cost. To add a method: one function
in `METHODS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from fractions import Fraction

import numpy as np

from rustybt.model import Log, Reason
from rustybt.model.panel import Ints


@dataclass(frozen=True)
class Matches:
    """Parts of fills that belong together, one row each.

    Attributes:
        slot: where.
        lots: unsigned, as they were when closed (or are, while open).
        opened, closed: log rows; ``closed`` -1 = still open. A split that leaves no whole lot closes what it takes.
        spent, received: signed notionals of the two parts, money units (``received`` 0 while open).
        fee_in, fee_out: their commissions.
    """

    slot: Ints
    lots: Ints
    opened: Ints
    closed: Ints
    spent: Ints
    received: Ints
    fee_in: Ints
    fee_out: Ints


@dataclass
class Tranche:
    """What one fill opened, or what a split or a pool made of it.

    Attributes:
        row: log row of the fill.
        size: lots over which ``notional`` and ``fee`` are spread.
        used: lots of them that are gone.
        notional, fee: money units, signed, of all ``size`` lots.
    """

    row: int
    size: int
    used: int
    notional: int
    fee: int

    @property
    def lots(self) -> int:
        """Lots that are left."""
        return self.size - self.used

    def left(self) -> tuple[int, int]:
        """Notional and fee of the lots that are left."""
        return self.notional - self.notional * self.used // self.size, self.fee - self.fee * self.used // self.size

    def take(self, lots: int) -> tuple[int, int]:
        """Remove lots; their notional and fee. All parts of a tranche add up to it."""
        before, self.used = self.used, self.used + lots
        return part(self.notional, before, self.used, self.size), part(self.fee, before, self.used, self.size)


def part(money: int, start: int, end: int, size: int) -> int:
    """The money of units ``start .. end`` out of ``size``."""
    return money * end // size - money * start // size


def oldest(tranches: list[Tranche]) -> int:
    """First in, first out."""
    del tranches  # they are kept oldest first
    return 0


def newest(tranches: list[Tranche]) -> int:
    """Last in, first out."""
    return len(tranches) - 1


def costliest(tranches: list[Tranche]) -> int:
    """Highest in, first out: the smallest gain now. Cost is per lot, with commission; a short's is the lowest receipt. Ties: the oldest."""
    return max(range(len(tranches)), key=lambda k: (Fraction(tranches[k].notional + tranches[k].fee, tranches[k].size), -k))


def pooled(tranches: list[Tranche]) -> int:
    """Average cost: the cost of all that is open is spread evenly over it; dates go first in, first out."""
    total = sum(t.lots for t in tranches)
    left = [t.left() for t in tranches]
    notional, fee, start = sum(m for m, _ in left), sum(f for _, f in left), 0
    for tranche in tranches:
        end = start + tranche.lots
        tranche.notional, tranche.fee = part(notional, start, end, total), part(fee, start, end, total)
        tranche.size, tranche.used, start = tranche.lots, 0, end
    return 0


METHODS: dict[str, Callable[[list[Tranche]], int]] = {"fifo": oldest, "lifo": newest, "hifo": costliest, "average": pooled}
"""Index of the tranche from which a closing fill takes next."""


@dataclass(frozen=True)
class Closing:
    """A part of a tranche that a fill closed; attributes as those of `Matches`."""

    lots: int
    opened: int
    closed: int
    spent: int
    received: int
    fee_in: int
    fee_out: int


@dataclass
class Holding:
    """What one slot holds, in tranches, oldest first.

    Attributes:
        choose: one of `METHODS`.
        tranches: all of one side.
        long: that side.
    """

    choose: Callable[[list[Tranche]], int]
    tranches: list[Tranche] = field(default_factory=list)
    long: bool = True

    def book(self, log: Log, row: int) -> list[Closing]:
        """Apply a row of the log that moves lots; what it closed."""
        if log.reason[row] == Reason.SPLIT:
            return self._split(row, int(log.filled[row]))
        if detaches(log, row):
            self._detach(int(log.notional[row]))
            return []
        change, notional, fee = int(log.filled[row]), int(log.notional[row]), int(log.fee[row])
        size, used, found = abs(change), 0, []
        while used < size and self.tranches and (change > 0) != self.long:
            tranche = self.tranches[self.choose(self.tranches)]
            lots = min(size - used, tranche.lots)
            spent, fee_in = tranche.take(lots)
            received, fee_out = part(notional, used, used + lots, size), part(fee, used, used + lots, size)
            found.append(Closing(lots, tranche.row, row, spent, received, fee_in, fee_out))
            used += lots
            if not tranche.lots:
                self.tranches.remove(tranche)
        if used < size:
            self.long = change > 0
            self.tranches.append(Tranche(row, size, used, notional, fee))
        return found

    def _detach(self, moved: int) -> None:
        """Spread the cost that a spin-off takes with it over the tranches in proportion to their lots."""
        total, start = sum(t.lots for t in self.tranches), 0
        for tranche in self.tranches:
            (notional, fee), end = tranche.left(), start + tranche.lots
            tranche.size, tranche.used, tranche.fee = tranche.lots, 0, fee
            tranche.notional, start = notional + part(moved, start, end, total), end

    def _split(self, row: int, change: int) -> list[Closing]:
        """Spread the new position in proportion, cumulatively rounded down; a tranche that becomes empty leaves its cost to the next."""
        before = sum(t.lots for t in self.tranches)
        total = before + (change if self.long else -change)
        if total == 0:
            gone = [Closing(t.lots, t.row, row, t.left()[0], 0, t.left()[1], 0) for t in self.tranches]
            self.tranches = []
            return gone
        kept, reached, given, notional, fee = [], 0, 0, 0, 0
        for tranche in self.tranches:
            reached += tranche.lots
            lots, given = total * reached // before - given, total * reached // before
            notional, fee = notional + tranche.left()[0], fee + tranche.left()[1]
            if lots:
                kept.append(Tranche(tranche.row, lots, 0, notional, fee))
                notional = fee = 0
        self.tranches = kept
        return []


def detaches(log: Log, row: int) -> bool:
    """Whether a row takes cost out of a position and leaves its lots: the giving side of a spin-off."""
    return bool(log.reason[row] == Reason.SPINOFF and log.filled[row] == 0)


def walk(log: Log, rows: Ints, method: str = "fifo", own: Log | None = None) -> Matches:
    """Match the fills and splits of one slot, given by their log rows in order; ``own`` as in `match_lots`."""
    holding = Holding(METHODS[method] if method != "hifo" or own is None else chosen(own, rows))
    closings = [closing for row in map(int, rows) for closing in holding.book(log, row)]
    still = [Closing(t.lots, t.row, -1, t.left()[0], 0, t.left()[1], 0) for t in holding.tranches]
    slot = int(log.slot[rows[0]]) if len(rows) else 0
    found = [(slot, c.lots, c.opened, c.closed, c.spent, c.received, c.fee_in, c.fee_out) for c in closings + still]
    return Matches(*np.array(found, dtype=np.int64).reshape(-1, 8).T)


def chosen(own: Log, rows: Ints) -> Callable[[list[Tranche]], int]:
    """The choices of the costliest tranche that a log leads to, one after the other."""
    made: list[int] = []

    def noted(tranches: list[Tranche]) -> int:
        made.append(costliest(tranches))
        return made[-1]

    holding = Holding(noted)
    for row in map(int, rows):
        holding.book(own, row)
    again = iter(made)

    def as_noted(tranches: list[Tranche]) -> int:
        del tranches
        return next(again)

    return as_noted


def match_lots(log: Log, method: str, own: Log | None = None) -> Matches:
    """Match every fill and split of a log by a method, slot after slot.

    Where the money of ``log`` is that of another currency, ``own`` is the log whose costs decide which lot goes first.
    """
    moved = np.flatnonzero((log.filled != 0) | log.having(Reason.SPINOFF))
    moved = moved[np.argsort(log.slot[moved], kind="stable")]
    edges = np.flatnonzero(np.diff(log.slot[moved])) + 1
    return joined([walk(log, rows, method, own) for rows in np.split(moved, edges)])


def joined(parts: list[Matches]) -> Matches:
    """Matches of several slots as one."""
    return Matches(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Matches)))
