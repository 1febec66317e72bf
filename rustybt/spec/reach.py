"""Resolve bounds on real timestamps: the first bar that a live window must hold.

Panels are ragged: "20 rows back" is another date for each asset, and a cross-section on the way brings in assets with rows of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.errors import DataError
from rustybt.spec.paths import Path

if TYPE_CHECKING:
    from rustybt.spec.bounds import Bounds

type Instants = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Stamps:
    """When each asset has bars.

    Attributes:
        ts: per asset, the instants of its bars: increasing UTC microseconds.
        sessions: per asset, the session of each bar as a number; empty when the frame has no such column.
    """

    ts: tuple[Instants, ...]
    sessions: tuple[Instants, ...] = ()

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Stamps:
        """From a signal frame sorted by (asset, ts).

        Raises:
            DataError: ``ts`` or ``asset`` is missing.

        Example:
            >>> from datetime import UTC, datetime
            >>> days = [datetime(2024, 1, day, tzinfo=UTC) for day in (2, 3)]
            >>> len(Stamps.of(pl.DataFrame({"asset": ["A", "A"], "ts": days})).ts[0])
            2
        """
        if not {"asset", "ts"} <= set(frame.columns):
            raise DataError("the frame has no ts or no asset", where="signal frame", do="load the bars through rustybt.data")
        wanted = [pl.col("ts").cast(pl.Datetime("us", "UTC")).cast(pl.Int64)]
        if "session" in frame.columns:
            wanted.append(pl.col("session").cast(pl.Int32).cast(pl.Int64))
        parts = frame.select("asset", *wanted).partition_by("asset", maintain_order=True, include_key=False)
        sessions = tuple(part["session"].to_numpy() for part in parts) if "session" in frame.columns else ()
        return cls(tuple(part["ts"].to_numpy() for part in parts), sessions)


def first_needed(bounds: Bounds, stamps: Stamps, ts: int) -> int | None:
    """The earliest instant that a window must hold for every row at `ts` to be right, with all rows from there on.

    Args:
        bounds: of the term, or of all terms together.
        stamps: when each asset has bars.
        ts: UTC microseconds of the bar to be evaluated.

    Returns:
        UTC microseconds; None when every earlier bar is needed.

    Example:
        >>> import polars as pl
        >>> from rustybt.spec.bounds import analyse
        >>> stamps = Stamps((np.array([10, 20, 30, 40]), np.array([5, 40])))
        >>> first_needed(analyse(pl.col("close").shift(2)), stamps, 40), first_needed(analyse(pl.col("close").shift(1)), stamps, 40)
        (5, 5)
    """
    if bounds.paths is None:
        return None
    return min((_walk(path, stamps, ts) for path in bounds.paths), default=ts)


def _walk(path: Path, stamps: Stamps, ts: int) -> int:
    cuts = {at: ts for at, instants in enumerate(stamps.ts) if _has(instants, ts)}
    for name, length in path:
        if not cuts:
            break
        if name == "hop":
            cut = min(cuts.values())
            cuts = {at: first for at, instants in enumerate(stamps.ts) if (first := _from(instants, cut)) <= ts}
            continue
        for at, cut in cuts.items():
            instants = stamps.ts[at]
            row = int(np.searchsorted(instants, cut))
            if name == "rows":
                cuts[at] = int(instants[max(row - length, 0)])
            elif name == "span":
                cuts[at] = _from(instants, cut - length)
            else:
                cuts[at] = int(instants[_session_start(stamps, at, row)])
    return min(cuts.values(), default=ts)


def _has(instants: Instants, ts: int) -> bool:
    row = int(np.searchsorted(instants, ts))
    return row < len(instants) and int(instants[row]) == ts


def _from(instants: Instants, cut: int) -> int:
    """The first instant at or after a cut; beyond the last one, a number larger than any."""
    row = int(np.searchsorted(instants, cut))
    return int(instants[row]) if row < len(instants) else 2**62


def _session_start(stamps: Stamps, at: int, row: int) -> int:
    if not stamps.sessions:
        raise DataError("the frame has no session column", where="signal frame", do="load the bars through rustybt.data")
    sessions = stamps.sessions[at]
    return int(np.searchsorted(sessions, sessions[row]))
