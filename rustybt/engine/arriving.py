"""Targets of one asset with many bars arrive while the bars before them are run: one processor decides, the other fills."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from queue import SimpleQueue
from threading import Event, Thread
from types import TracebackType
from typing import Self

import numpy as np
import polars as pl

from rustybt.engine.config import RunConfig
from rustybt.engine.offers import Targets
from rustybt.engine.stretched import Piece, piece_of
from rustybt.engine.targets import Signals, offered
from rustybt.model import Panel, Plan
from rustybt.model.lent import room_for
from rustybt.spec import Strategy
from rustybt.spec.planner import SignalPlan
from rustybt.spec.stretches import Span, Stretches


class Arriving:
    """The targets of a strategy on the single asset of a panel, made by a thread of its own from ``with`` on.

    Args:
        strategy: it.
        made: its terms.
        found: its target stretch by stretch, and the stretches that decide, in order.
        panel: the bars.
        config: settings of the run.
    """

    def __init__(
        self, strategy: Strategy, made: SignalPlan, found: tuple[Stretches, Sequence[Span]], panel: Panel, config: RunConfig
    ) -> None:
        self.strategy, self.made, (self.stretches, self.spans) = strategy, made, found
        self.panel, self.config = panel, config
        self.bar, self.value = room_for(panel.bars, np.int32), room_for(panel.bars, np.int64)
        self.count = self.seen = 0
        self.there = SimpleQueue[tuple[int, int] | BaseException]()
        self.unwanted, self.thread = Event(), Thread(target=self._make)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.unwanted.set()
        self.thread.join()

    def plan(self) -> Plan:
        """What the kernel is offered."""
        return Plan(self.panel.bars, self.bar, np.broadcast_to(np.int32(0), len(self.bar)), self.value, sound=True, arriving=self._stages())

    def signals(self) -> Signals:
        """The same when all is there."""
        assert self.strategy.target is not None
        column = np.broadcast_to(np.int32(0), self.count)
        targets = Targets(self.strategy.target.kind, self.bar[: self.count], column, self.value[: self.count])
        return Signals(self.made, self.panel, targets, self.seen)

    def _stages(self) -> Iterator[tuple[int, int]]:
        for _ in self.spans:
            found = self.there.get()
            if isinstance(found, BaseException):
                raise found
            yield found

    def _make(self) -> None:
        before: Piece | None = None
        try:
            for at, span in enumerate(self.spans):
                if self.unwanted.is_set():
                    return
                piece = piece_of(span, self.stretches)
                if piece.seen:
                    self._put(piece if before is None else piece.after(before))
                    self.seen, before = self.seen + piece.seen, piece
                self.there.put((self.count, self.panel.bars if at + 1 == len(self.spans) else span.stop))
        except BaseException as error:  # noqa: BLE001 - whoever waits for it raises it
            self.there.put(error)

    def _put(self, piece: Piece) -> None:
        """Offer what a stretch has that differs from the one before."""
        if isinstance(piece.rows, range):
            bar = self.panel.row_bar[piece.rows.start : piece.rows.stop]
        else:
            bar = self.panel.row_bar[piece.rows]
        picked = pl.Series(piece.values), bar, np.broadcast_to(np.int32(0), len(bar))
        found = offered(self.strategy, picked, self.panel, self.config, distinct=True)
        skip = 1 if self.count and len(found.value) and found.value[0] == self.value[self.count - 1] else 0
        first, self.count = self.count, self.count + len(found.value) - skip
        self.bar[first : self.count], self.value[first : self.count] = found.bar[skip:], found.value[skip:]
