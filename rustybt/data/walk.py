"""A panel bar by bar, as it would have arrived."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from rustybt.model import Panel


def replay(panel: Panel, start: int = 0) -> Iterator[tuple[int, int, pl.DataFrame]]:
    """The rows of each bar, in order of time.

    Args:
        panel: the bars.
        start: first bar to give.

    Yields:
        Bar index, UTC microseconds, and the rows of that bar with every column of `Panel.frame`, sorted by asset. A bar's rows are a view:
        no data are copied per bar.

    Example:
        >>> from rustybt.data import demo_data
        >>> bar, ts, rows = next(replay(demo_data()))
        >>> bar, rows["asset"].to_list()
        (0, ['AAPL', 'IBM', 'MSFT'])
    """
    bars = panel.row_bar
    frame = panel.frame
    if len(panel.assets) > 1:
        order = np.argsort(bars, kind="stable")
        bars, frame = bars[order], frame[order]
    edges = np.searchsorted(bars, np.arange(panel.bars + 1)).tolist()
    for bar in range(start, panel.bars):
        yield bar, int(panel.ts[bar]), frame.slice(edges[bar], edges[bar + 1] - edges[bar])
