"""Orders asked for one by one, and the clock that says how long they last: what a plan holds beside targets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from functools import cached_property

import numpy as np
import numpy.typing as npt

from rustybt.model.panel import Ints

REQUEST_FIELDS = (
    "slot",
    "entry",
    "reason",
    "kind",
    "measure",
    "size",
    "limit",
    "stop",
    "tif",
    "until",
    "flags",
    "trail",
    "trail_rate",
    "offset",
    "display",
)
"""Columns of `Requests.rows`, in this order."""
TOLD_FIELDS = ("slot", "size", "limit", "stop", "pattern")
"""Columns of `Requests.told`, in this order."""
TOLD_PLACES = tuple(REQUEST_FIELDS.index(name) for name in TOLD_FIELDS[:-1])
"""Where `Requests.rows` have what ``told`` has."""
type Rows = npt.NDArray[np.int64]


class OrderKind(IntEnum):
    """What an order waits for. See section 14 of the rule book."""

    MARKET = 0
    LIMIT = 1
    STOP = 2
    STOP_LIMIT = 3
    MARKET_IF_TOUCHED = 4
    LIMIT_IF_TOUCHED = 5


class Measure(IntEnum):
    """What the size of an order is told in."""

    QUANTITY = 0
    NOTIONAL = 1
    WEIGHT = 2
    POSITION = 3
    FILLED = 4


class TimeInForce(IntEnum):
    """How long an order works."""

    GTC = 0
    DAY = 1
    UNTIL_BAR = 2
    UNTIL_SESSION = 3
    UNTIL_TS = 4
    IOC = 5
    FOK = 6
    AT_OPEN = 7
    AT_CLOSE = 8


class OrderFlag(IntFlag):
    """What else holds for an order. RESTED and BY_FILL are set by the simulators.

    JOIN: it belongs to the batch that the request before it began. DORMANT: it waits for the first order of the batch to be filled. OCO: a
    fill of one cancels the others of the batch that have it. RESTED: it has been through a bar of its asset. BY_FILL: its size is minus
    what the first order of the batch fills.
    """

    POST_ONLY = 1
    REDUCE_ONLY = 2
    REPLACE = 4
    CANCEL = 8
    RESTED = 16
    AMEND = 32
    JOIN = 64
    DORMANT = 128
    OCO = 256
    BY_FILL = 512


@dataclass(frozen=True)
class Clock:
    """What the bars of a run say about time.

    Attributes:
        session: (bars,) Int64 days since 1970-01-01.
        ts: (bars,) Int64 UTC microseconds.
        ends: (bars,) Int64, 1 where the bar is known to be the last of its session, by a calendar.
    """

    session: Ints
    ts: Ints
    ends: Ints


@dataclass(frozen=True)
class Requests:
    """Orders asked for, bar by bar.

    Most requests of a strategy differ in few fields, so what they have in common is kept once.

    Attributes:
        bar: (requests,) Int32 bar at whose end it is served, never decreasing.
        told: (requests, len(TOLD_FIELDS)) Int64, within a bar in the order in which they are served: slot, size, limit, stop, and the
            row of ``patterns`` that has the rest.
        patterns: (patterns, len(REQUEST_FIELDS)) Int64; what ``told`` has counts for nothing here.
        clock: of the run.
        checked: they were made from evaluated rows (`rustybt.engine.batches`), which give none that the kernel could not serve.
        most: the most requests of a bar; None = not counted yet.

    Example:
        >>> import numpy as np
        >>> clock = Clock(*(np.zeros(1, dtype=np.int64) for _ in range(3)))
        >>> row = [2 if name == "size" else 1 if name == "kind" else 0 for name in REQUEST_FIELDS]
        >>> requests = Requests.of_rows(np.array([0, 1]), np.array([row]), clock)
        >>> requests.told.tolist(), requests.rows.tolist() == [row]
        ([[0, 2, 0, 0, 0]], True)
    """

    bar: npt.NDArray[np.int32]
    told: Rows
    patterns: Rows
    clock: Clock
    checked: bool = False
    most: int | None = None

    @classmethod
    def of_rows(cls, start: npt.NDArray[np.integer], rows: Rows, clock: Clock) -> Requests:
        """Requests from rows with all of their fields, each with a pattern of its own; those of bar t are ``start[t]:start[t + 1]``."""
        told = np.empty((len(rows), len(TOLD_FIELDS)), dtype=np.int64)
        for place, field in enumerate(TOLD_PLACES):
            told[:, place] = rows[:, field]
        told[:, -1] = np.arange(len(rows))
        bar = np.repeat(np.arange(len(start) - 1, dtype=np.int32), np.diff(start))
        return cls(bar, told, np.ascontiguousarray(rows), clock)

    @cached_property
    def start(self) -> Ints:
        """(bars + 1,) Int64: requests of bar t are ``start[t]:start[t + 1]``."""
        return np.searchsorted(self.bar, np.arange(len(self.clock.ts) + 1)).astype(np.int64)

    @property
    def busiest(self) -> int:
        """The most requests of a bar."""
        return int(np.bincount(self.bar).max(initial=0)) if self.most is None else self.most

    @cached_property
    def rows(self) -> Rows:
        """(requests, len(REQUEST_FIELDS)) Int64, in the order of ``told``: all fields of each request.

        Which slot; which entry of the strategy (from 1; 0 = none; of what cancels or amends also minus the number of an order); code of
        `Reason`, `OrderKind` and `Measure`; the size in lots, money units or 1e-12 weights, negative = sell; limit and stop price in
        ticks, 0 = none; code of `TimeInForce` and what it is measured by (a bar, a session or a ts); bits of `OrderFlag`; how far a
        trailing stop follows in ticks or in 1e-8 of the price, and how far beyond it its limit lies in ticks, 0 = none; how many lots
        of it are shown, 0 = all: recorded, it changes no fill.
        """
        rows = self.patterns[self.told[:, -1]]
        for place, field in enumerate(TOLD_PLACES):
            rows[:, field] = self.told[:, place]
        return rows
