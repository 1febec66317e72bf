"""Targets of long frames: computed and compared stretch by stretch, so that only what changes is ever written down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.engine.offers import Picked, row_columns
from rustybt.model import Panel
from rustybt.spec.evaluate import Layout
from rustybt.spec.exact import Units
from rustybt.spec.planner import SignalPlan
from rustybt.spec.running import Roll
from rustybt.spec.stretches import Span, Stretches, stretches_of


def stretches_on(plan: SignalPlan, panel: Panel, warmup: int, roll: Roll | None) -> tuple[Stretches, list[Span]] | None:
    """The stretches of a panel that decide anything; None where there are none, or the terms cannot be taken stretch by stretch.

    Args:
        plan: the terms.
        panel: the bars.
        warmup: bars that decide nothing.
        roll: what computes rolling sums; None = NumPy.
    """
    plan.check_columns(panel.frame)
    found = stretches_of(plan, panel.frame, Layout(panel.frame, panel.offsets), Units.of(panel), roll)
    spans = [] if found is None else list(spans_of(panel, warmup, found))
    return None if found is None or not spans else (found, spans)


def pick_altered(found: Stretches, spans: Sequence[Span], panel: Panel) -> tuple[Picked, int]:
    """The targets of stretches that differ from the one before of the same asset, and how many there are in all.

    Returns:
        The same as `rustybt.engine.offers.altered` of what `rustybt.engine.targets.pick_targets` gives.
    """
    workers = min(pl.thread_pool_size(), len(spans))
    with ThreadPoolExecutor(workers) as pool:  # this thread makes its share
        others = [pool.submit(lambda at: [piece_of(span, found) for span in spans[at::workers]], at) for at in range(1, workers)]
        shares = [[piece_of(span, found) for span in spans[::workers]], *(other.result() for other in others)]
    pieces = [shares[at % workers][at // workers] for at in range(len(spans))]
    return joined(pieces, panel), sum(piece.seen for piece in pieces)


def spans_of(panel: Panel, warmup: int, found: Stretches) -> Iterator[Span]:
    """The rows that decide, stretch by stretch."""
    for first, end in zip(panel.offsets[:-1].tolist(), panel.offsets[1:].tolist(), strict=True):
        begin = first + (int(np.searchsorted(panel.row_bar[first:end], np.int32(warmup))) if warmup else 0)
        for start in range(begin, end, found.size):
            yield Span(first, start, min(start + found.size, end))


class Piece(NamedTuple):
    """Targets of a stretch that differ from the one before.

    Attributes:
        first: first row of the asset.
        rows: of the frame, the first target of the stretch among them.
        values: the targets there.
        last: the last target of the stretch, as many as there are.
        seen: targets of the stretch.
    """

    first: int
    rows: npt.NDArray[np.intp] | range
    values: npt.NDArray[Any]
    last: npt.NDArray[Any]
    seen: int

    def after(self, before: Piece) -> Piece:
        """The same without a first target that the asset had before."""
        same = before.seen and before.first == self.first and before.last[0] == self.values[0]
        return self._replace(rows=self.rows[1:], values=self.values[1:]) if same else self


def piece_of(span: Span, found: Stretches) -> Piece:
    """The targets of a stretch, compared."""
    with np.errstate(all="ignore"):
        values, known = found.on(span)
    at = None if known is None or known.all() else np.flatnonzero(known)
    values = values if at is None else values[at]
    keep = np.empty(len(values), np.bool_)
    keep[:1] = True
    np.not_equal(values[1:], values[:-1], out=keep[1:])
    if at is None and keep.all():
        return Piece(span.first, range(span.start, span.stop), values, values[-1:], len(values))
    spots = np.flatnonzero(keep)
    return Piece(span.first, (spots if at is None else at[spots]) + span.start, values[spots], values[-1:].copy(), len(values))


def joined(pieces: list[Piece], panel: Panel) -> Picked:
    """Stretches that follow each other, in one."""
    parts, before = pieces[:1], pieces[0]
    for piece in pieces[1:]:
        if piece.seen:
            parts.append(piece.after(before))
            before = piece
    rows = np.concatenate([rows_in(part) for part in parts])
    return pl.Series(np.concatenate([part.values for part in parts])), panel.row_bar[rows], row_columns(panel, rows)


def rows_in(piece: Piece) -> npt.NDArray[np.intp]:
    """The rows of a piece, one by one."""
    return np.arange(piece.rows.start, piece.rows.stop) if isinstance(piece.rows, range) else piece.rows
