"""A wrong zone, told by bars that lie outside of trading hours and would not with another clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.data.hours import HOUR, MINUTE
from rustybt.model.panel import Ints

PART, FEWEST = 0.01, 20
"""From such a share of the stamps, and so many of them, outside of trading hours on another clock is tried."""
MOST = 0.5
"""From this share on half hours are tried too; below it half an hour is more likely a bar before or after the session."""
LEFT, ROUGH = 0.05, 0.25
"""How many of the stamps outside may stay there with the other clock, as a share of them; and where most are outside."""
FARTHEST = 14
"""Hours that a zone is away from UTC at most."""
ENOUGH = 20_000
"""Stamps that are tried, evenly from all."""


@dataclass(frozen=True)
class Clock:
    """Another reading of stamps.

    Attributes:
        said: what was done to them, in words.
        read: the instants that they were before.
    """

    said: str
    read: Callable[[Ints], Ints]


def likely_clock(stamps: Ints, zone: str, inside: Callable[[Ints], npt.NDArray[np.bool_]]) -> Clock | None:
    """The clock with which nearly all of many stamps outside of trading hours are inside, or None.

    Args:
        stamps: UTC microseconds.
        zone: time zone of the venue.
        inside: which of some instants lie within trading hours.
    """
    known: Ints = np.unique(stamps)
    known = known[:: max(1, len(known) // ENOUGH)]
    outside = len(known) - int(np.count_nonzero(inside(known)))
    if outside < FEWEST or outside < PART * len(known):
        return None
    most = outside > MOST * len(known)
    tried = [(len(known) - int(np.count_nonzero(inside(clock.read(known)))), clock) for clock in _clocks(zone, halves=most)]
    left, best = min(tried, key=lambda one: one[0])
    if left > LEFT * outside:
        # Bars of whole hours lie across an open at half past: the likeliest of the clocks that put most of them inside.
        rough = [clock for left, clock in tried if most and left <= ROUGH * outside]
        return rough[0] if rough else None
    return best


def days_early(days: Ints, inside: Callable[[Ints], npt.NDArray[np.bool_]]) -> int:
    """Days that the dates of daily bars are too early, below 0 too late: with it nearly all of many that are no session are one; or 0.

    Midnight of a zone east of UTC is the day before there.

    Example:
        >>> week = np.array([day for day in range(280) if day % 7 < 5])
        >>> days_early(week - 1, lambda days: days % 7 < 5), days_early(week, lambda days: days % 7 < 5)
        (1, 0)
    """
    outside = len(days) - int(np.count_nonzero(inside(days)))
    if outside < FEWEST or outside < PART * len(days):
        return 0
    left = {by: len(days) - int(np.count_nonzero(inside(days + by))) for by in (1, -1)}
    best = min(left, key=lambda by: left[by])
    return best if left[best] <= LEFT * outside else 0


def _clocks(zone: str, *, halves: bool) -> Iterator[Clock]:
    """Clocks to try, the likelier first."""
    if zone != "UTC":
        yield Clock(f"as if the clock of {zone} was taken for UTC: timezone={zone!r}?", lambda stamps: _placed(stamps, zone))
        yield Clock(f"as if UTC was taken for the clock of {zone}: timezone='UTC'?", lambda stamps: _shown(stamps, zone))
    for half in range(1, 2 * FARTHEST + 1) if halves else range(2, 2 * FARTHEST + 1, 2):
        for sign in (1, -1):
            by = sign * half * 30 * MINUTE
            side = "late" if sign > 0 else "early"
            yield Clock(f"as if they were {abs(by) / HOUR:g} hours {side}", lambda stamps, by=by: stamps - by)  # type: ignore[misc]


def _placed(stamps: Ints, zone: str) -> Ints:
    """The instants at which the clock of a zone shows what the stamps show in UTC."""
    naive = pl.Series(stamps).cast(pl.Datetime("us"))
    placed = naive.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")
    found: Ints = placed.to_physical().fill_null(pl.Series(stamps)).to_numpy()
    return found


def _shown(stamps: Ints, zone: str) -> Ints:
    """What the clock of a zone shows at instants, as if it was UTC."""
    local = pl.Series(stamps).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(zone).dt.replace_time_zone(None)
    found: Ints = local.to_physical().to_numpy()
    return found
