"""One part of a file, checked as the door checks all of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from rustybt.data.build import below_zero, scale_rows, set_aside
from rustybt.data.columns import FIELDS
from rustybt.data.hours import DAY
from rustybt.data.metadata import Listed
from rustybt.data.options import Options
from rustybt.data.rows import REASONS, Reasons, find_dirty
from rustybt.data.spill.rows import Kept, Spill
from rustybt.data.timing import Timed, time_rows
from rustybt.model.panel import Ints

type First = tuple[str, int]
"""Asset and time of a row, to name in a sentence."""


@dataclass(frozen=True)
class Span:
    """The rows of one asset in a part.

    Attributes:
        stamps: first and last time, as they came.
        ts: first and last instant.
        first: row of the part that is its first one, without those that were set aside.
        count: how many there are, without them.
        clean: first and last instant without them, where there is one.
    """

    stamps: tuple[int, int]
    ts: tuple[int, int]
    first: int
    count: int
    clean: tuple[int, int] | None


@dataclass(frozen=True)
class Part:
    """What is known of a part when its rows are on the disk.

    Attributes:
        rows: with those that were set aside.
        spans: by asset, in byte order.
        kept: where the rows are.
        midnight: whether all instants are at 00:00.
        moved: by column, values that were not on a step, and the largest distance.
        largest: by column, the ticks farthest from zero.
        dirty: rows that were set aside, by number in `REASONS`.
        first: the first of them.
        below: futures below zero among them.
        first_below: the first of these.
        aside: the rows that were set aside, as they came; None = none.
    """

    rows: int
    spans: dict[str, Span]
    kept: Kept
    midnight: bool
    moved: dict[str, tuple[int, float]]
    largest: dict[str, int]
    dirty: Ints
    first: First | None
    below: int
    first_below: First | None
    aside: pl.DataFrame | None


def check_part(
    frame: pl.DataFrame, options: Options, where: str, known: Callable[[Sequence[str]], list[Listed]], spill: Spill
) -> Part | None:
    """Check the rows of a part and keep them; None where that takes all rows.

    Args:
        frame: rows with house names.
        options: what the user said about the source.
        where: what to name in an error.
        known: the assets of symbols.
        spill: where the rows go.

    Raises:
        DataError: the rows cannot be used.
        OSError: the disk is full.
    """
    timed = time_rows(frame, options, where)
    if timed.keyed.notes:
        return None
    listed = known(timed.keyed.symbols)
    judged = _scanned(timed, listed) or _judged(timed, listed)
    if judged is None:
        return None
    found, moved = judged.found, judged.moved
    columns: list[np.ndarray[Any, Any]] = [timed.ts, timed.days, *judged.ticks]
    bad = np.flatnonzero(found >= 0)
    offsets, first, below, first_below, aside = timed.offsets, None, np.zeros(0, np.int64), None, None
    if len(bad):
        keep = found < 0
        columns = [column[keep] for column in columns]
        first, below, aside = _named(timed, bad), below_zero(timed, found, listed), set_aside(timed, found)
        first_below = _named(timed, below)
        offsets = offsets - np.searchsorted(bad, offsets)
    return Part(
        rows=len(found),
        spans=_spans(timed, columns[0], offsets),
        kept=spill.keep([np.ascontiguousarray(column) for column in columns]),
        midnight=options.stamp is not None or not (timed.ts % DAY).any(),
        moved=moved,
        largest={name: _largest(column) for name, column in zip(FIELDS, columns[2:], strict=True)},
        dirty=np.bincount(found[bad], minlength=len(REASONS)),
        first=first,
        below=len(below),
        first_below=first_below,
        aside=aside,
    )


class _Judged(NamedTuple):
    """Ticks by column, the number of the reason of each row, and what was not on a step."""

    ticks: Sequence[Ints]
    found: Reasons
    moved: dict[str, tuple[int, float]]


def _judged(timed: Timed, listed: Sequence[Listed]) -> _Judged | None:
    """By the functions of the door; None where a volume cannot be made from its ticks again."""
    frame = timed.keyed.frame
    scaled = scale_rows(timed, listed)
    if (scaled["volume"].ticks == 0).any() and _below_nothing(frame["volume"]):
        return None
    found = find_dirty(frame, scaled, timed.offsets, listed, timed.days)
    return _Judged([scaled[name].ticks for name in FIELDS], found, {name: (one.moved, one.residual) for name, one in scaled.items()})


def _scanned(timed: Timed, listed: Sequence[Listed]) -> _Judged | None:
    """By one compiled pass; None where that is not for these rows."""
    from rustybt.data.scan import scan_rows

    scan = scan_rows(timed, listed)
    return None if scan is None else _Judged(list(scan.ticks), scan.found, scan.moved)


def _below_nothing(column: pl.Series) -> bool:
    """Whether a value is -0.0, which is not what its ticks give."""
    values = column.cast(pl.Float64).to_numpy()
    return bool((np.signbit(values) & (values == 0)).any())


def _named(timed: Timed, rows: Ints) -> First | None:
    keyed = timed.keyed
    return (keyed.symbols[int(keyed.codes[rows[0]])], int(keyed.stamps[rows[0]])) if len(rows) else None


def _spans(timed: Timed, clean: Ints, offsets: Ints) -> dict[str, Span]:
    spans = {}
    for i, symbol in enumerate(timed.keyed.symbols):
        first, last = int(timed.offsets[i]), int(timed.offsets[i + 1]) - 1
        begin, end = int(offsets[i]), int(offsets[i + 1])
        stamps, ts = timed.keyed.stamps, timed.ts
        spans[symbol] = Span(
            (int(stamps[first]), int(stamps[last])),
            (int(ts[first]), int(ts[last])),
            begin,
            end - begin,
            (int(clean[begin]), int(clean[end - 1])) if end > begin else None,
        )
    return spans


def _largest(ticks: Ints) -> int:
    return max(abs(int(ticks.min())), abs(int(ticks.max()))) if len(ticks) else 0
