"""Loss from the peak: how deep, how long, and when."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rustybt.analysis.metrics.curve import Closes, Curve, Floats, Ints, iso_date, links
from rustybt.model.usage import BLOCK as BARS
from rustybt.model.usage import Usage


@dataclass(frozen=True)
class Drawdown:
    """One fall from a peak and its recovery.

    Attributes:
        start: session of the peak, days since 1970-01-01; trough: session of the deepest point.
        end: first session back at the peak or above; None while it lasts.
        depth: ``trough / peak - 1``, zero or negative, below -1 when equity went negative.
        sessions: from the peak to the recovery, or to the last session.
    """

    start: int
    trough: int
    end: int | None
    depth: float
    sessions: int

    @property
    def dates(self) -> tuple[str, str, str | None]:
        """Start, trough and end as ISO dates."""
        return iso_date(self.start), iso_date(self.trough), None if self.end is None else iso_date(self.end)


def drawdown_of(values: Floats) -> Floats:
    """``value / highest value so far - 1`` at every point; NaN where that peak is not positive.

    Never positive, 0 at a peak, and below -1 where equity is negative: leverage can lose more than everything.

    Example:
        >>> drawdown_of(np.array([100.0, 80.0, 120.0, 90.0]))
        array([ 0.  , -0.2 ,  0.  , -0.25])
    """
    peak = np.maximum.accumulate(values)
    out = np.full(len(values), np.nan)
    np.divide(values, peak, out=out, where=peak > 0)
    out -= 1.0
    return out


BLOCK = 1024
"""Bars that `deepest_of_bars` looks at together, where nobody knows the highest and the lowest of longer blocks already."""


def deepest_of_bars(curve: Curve) -> float:
    """The lowest of `drawdown_of` over every bar and the opening cash; NaN where a peak is not positive.

    No bar is deeper than the lowest value of its block below the block's highest peak, so most blocks need no second look and
    millions of bars need no float each.

    Example:
        >>> units = np.array([100, 80, 120, 90])
        >>> deepest_of_bars(Curve(np.arange(4), np.arange(4, dtype=np.int32), units, units, units, money_scale=0))
        -0.25
    """
    if curve.flows is not None:
        return _deepest_linked(curve)
    units, scale = curve.equity, 10.0**curve.money_scale
    first = int(units[0]) if curve.opening is None else curve.opening
    if first <= 0:
        return math.nan
    done = curve.use or Usage.none()
    rest = np.arange(done.bars, len(units), BLOCK)
    starts = np.concatenate((np.arange(0, done.bars, BARS), rest, [len(units)]))
    after = np.maximum.accumulate(np.maximum(np.concatenate((done.highest, _by_block(np.maximum, units, rest))), first)) / scale
    before = np.concatenate(([first / scale], after[:-1]))
    low = np.concatenate((done.least, _by_block(np.minimum, units, rest))) / scale
    bound = low / np.where(low < 0, before, after)
    lowest = 1.0
    for block in np.argsort(bound, kind="stable"):
        if bound[block] >= lowest:
            break
        values = units[starts[block] : starts[block + 1]] / scale
        lowest = min(lowest, float((values / np.maximum.accumulate(np.maximum(values, before[block]))).min()))
    return lowest - 1.0


def _by_block(of: np.ufunc, units: Ints, starts: Ints) -> Ints:
    found: Ints = of.reduceat(units, starts) if len(starts) else units[:0]
    return found


def _deepest_linked(curve: Curve) -> float:
    """The same where money came in or went out: every bar in floats."""
    equity = curve.equity.astype(np.float64)
    values = equity * links(equity, curve.flows.astype(np.float64) if curve.flows is not None else equity * 0.0, curve.opening)
    below = drawdown_of(values if curve.opening is None else np.concatenate(([float(curve.opening)], values)))
    return math.nan if np.isnan(below).any() else float(below.min())


def worst_drawdowns(closes: Closes, count: int = 5) -> list[Drawdown]:
    """The deepest falls, deepest first; none overlaps another. Sessions are compared by their last equity.

    Example:
        >>> values = np.array([100.0, 50.0, 120.0, 90.0])
        >>> closes = Closes(np.arange(4, dtype=np.int32), values, values[1:] / values[:-1] - 1, False)
        >>> [(fall.depth, fall.start, fall.end) for fall in worst_drawdowns(closes)]
        [(-0.5, 0, 2), (-0.25, 2, None)]
    """
    return Falls.of(closes.values).worst(closes, count)


@dataclass(frozen=True)
class Falls:
    """Every stretch below the peak.

    Attributes:
        below: (points,) drawdown. first, stop: (falls,) point of each peak, and first point back at it (points when it lasts).
        depth: (falls,) deepest drawdown.
    """

    below: Floats
    first: Ints
    stop: Ints
    depth: Floats

    @classmethod
    def of(cls, values: Floats) -> Falls:
        """Find the falls of a curve."""
        below = drawdown_of(values)
        under = np.concatenate(([0], (below < 0).astype(np.int8), [0]))
        edges = np.flatnonzero(np.diff(under))
        begin, stop = edges[::2], edges[1::2]
        depth = np.minimum.reduceat(below, edges[: 2 * len(begin) - 1])[::2] if len(begin) else np.empty(0)
        return cls(below, begin - 1, stop, depth)

    def worst(self, closes: Closes, count: int) -> list[Drawdown]:
        """The deepest, as dated records."""
        chosen = np.argsort(self.depth, kind="stable")[:count]
        return [self._dated(closes, int(fall)) for fall in chosen]

    def _dated(self, closes: Closes, fall: int) -> Drawdown:
        first, stop = int(self.first[fall]), int(self.stop[fall])
        over = stop < len(self.below)
        trough = first + int(np.argmin(self.below[first:stop]))
        return Drawdown(
            start=int(closes.days[first]),
            trough=int(closes.days[trough]),
            end=int(closes.days[stop]) if over else None,
            depth=float(self.depth[fall]),
            sessions=(stop if over else len(self.below) - 1) - first,
        )

    def summary(self) -> dict[str, float]:
        """How the run spent its time below the peak.

        ``average_drawdown``: mean depth of the falls; ``longest_drawdown``: sessions; ``time_under_water``: share of points.
        The ulcer index is the root mean square of the drawdown. Source: Martin and McCann, The Investor's Guide to Fidelity Funds, 1989.
        """
        if np.isnan(self.below).any():
            return dict.fromkeys(("average_drawdown", "longest_drawdown", "time_under_water", "ulcer_index"), math.nan)
        points = len(self.below)
        length = np.minimum(self.stop, points - 1) - self.first
        return {
            "average_drawdown": float(self.depth.mean()) if len(self.depth) else 0.0,
            "longest_drawdown": float(length.max()) if len(length) else 0.0,
            "time_under_water": float(np.count_nonzero(self.below < 0)) / points,
            "ulcer_index": math.sqrt(float(self.below @ self.below) / points),
        }
