"""From `rustybt.model.Timing` to the arrays of the kernel."""

from __future__ import annotations

from typing import Any

import numpy as np

from rustybt.errors import DataError
from rustybt.model import Finer, Timing

from .assemble import typed
from .flags import HAS_BARS, HAS_FINER, HAS_LATENCY
from .market import admit


def timing_of(timing: Timing | None, flags: int, bars: int, assets: int) -> dict[str, Any]:
    """What is known about the bars beside their prices, by field of `Desk`, with the ``flags`` that go with it.

    Raises:
        DataError: arrays of the wrong shape, or orders that need time on a market without a clock.
    """
    timing, flags = timing or Timing(), flags & ~(HAS_BARS | HAS_FINER)
    found: dict[str, Any] = {}
    if flags & HAS_LATENCY:
        if timing.clock is None or timing.clock.shape != (3, bars):
            raise DataError(f"no clock of {bars} bars", where="kernel, timing", do="give orders with latency a market with a clock")
        names = ("clock_decided", "clock_open", "clock_close")
        found |= {name: typed(name, np.ascontiguousarray(row)) for name, row in zip(names, admit(timing.clock), strict=True)}
        found["clock_rows"] = bars
    if timing.barred is not None:
        if np.shape(timing.barred) != (bars, assets):
            raise DataError(f"barred is not an array of ({bars}, {assets})", where="kernel, timing", do="give one column per asset")
        found["barred"] = typed("barred", timing.barred).reshape(-1)
        flags |= HAS_BARS
    if timing.finer is not None:
        found |= finer_of(timing.finer, bars * assets)
        flags |= HAS_FINER
    return found | {"flags": flags}


def finer_of(finer: Finer, places: int) -> dict[str, Any]:
    """Finer bars, by field of `Desk`."""
    start, rows = np.asarray(finer.start), len(finer.open)
    whole = len(start) == places + 1 and start[0] == 0 and start[-1] == rows and bool((start[1:] >= start[:-1]).all())
    if not whole or not rows == len(finer.high) == len(finer.low):
        raise DataError(
            f"the finer bars are not those of {places} bars", where="kernel, timing", do="give each bar its range of finer bars"
        )
    columns = {"finer_start": start, "finer_open": finer.open, "finer_high": finer.high, "finer_low": finer.low}
    return {name: typed(name, column) for name, column in columns.items()}
