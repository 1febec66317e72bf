"""When orders can be filled: what is known about the bars of a run beside their prices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rustybt.model.panel import Ints


@dataclass(frozen=True)
class Finer:
    """The finer bars inside the bars of a run, in order of time.

    Attributes:
        start: (bars x assets + 1,) Int64: the finer bars of bar t of column j are ``start[p]:start[p + 1]`` with ``p = t x assets + j``.
        open, high, low: (rows,) Int64 ticks.
    """

    start: Ints
    open: Ints
    high: Ints
    low: Ints


@dataclass(frozen=True)
class Timing:
    """What a market says about time and access; each may be None.

    Attributes:
        clock: (3, bars) Int64: when the decisions of a bar are made, when its open is, when its close is; any unit, the delays' own.
        barred: (bars, assets) Int64 of bits of `rustybt.model.Barred`: 0 = open to everything.
        finer: finer bars.

    Example:
        >>> Timing(clock=np.array([[1, 2], [0, 1], [1, 2]])).at(1, 1).clock.tolist()
        [[2], [1], [2]]
    """

    clock: Ints | None = None
    barred: Ints | None = None
    finer: Finer | None = None

    def at(self, bar: int, assets: int) -> Timing:
        """The timing of one bar alone."""
        clock = None if self.clock is None else self.clock[:, bar : bar + 1]
        barred = None if self.barred is None else self.barred[bar : bar + 1]
        finer = None if self.finer is None else _places(self.finer, bar * assets, assets)
        return Timing(clock, barred, finer)

    def after(self, first: int, assets: int) -> Timing:
        """The timing of the bars from ``first`` on."""
        clock = None if self.clock is None else np.ascontiguousarray(self.clock[:, first:])
        finer = None if self.finer is None else _places(self.finer, first * assets, len(self.finer.start) - 1 - first * assets)
        return Timing(clock, None if self.barred is None else self.barred[first:], finer)


def _places(finer: Finer, first: int, assets: int) -> Finer:
    start = finer.start[first : first + assets + 1]
    rows = slice(int(start[0]), int(start[-1]))
    return Finer(start - start[0], finer.open[rows], finer.high[rows], finer.low[rows])


def bars_clock(bars: int, closing: bool) -> Ints:
    """A clock on which a delay of ``2 x n`` is n bars.

    Args:
        bars: of the run.
        closing: fills are made at the close of the bar of the decision (``same_bar_close``).

    Returns:
        (3, bars) Int64.

    Example:
        >>> bars_clock(2, closing=False).tolist()
        [[0, 2], [-1, 1], [-1, 1]]
    """
    decided = 2 * np.arange(bars, dtype=np.int64)
    return np.stack([decided, decided - 1, decided if closing else decided - 1])
