"""A panel bar by bar, as it would have arrived."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from rustybt.model import Panel

BLOCK = 2**18
"""Rows that are brought into order of time at once."""


def replay(panel: Panel, start: int = 0) -> Iterator[tuple[int, int, pl.DataFrame]]:
    """The rows of each bar, in order of time.

    Args:
        panel: the bars.
        start: first bar to give.

    Yields:
        Bar index, UTC microseconds, and the rows of that bar with every column of `Panel.frame`, sorted by asset. A bar's rows are a view
        of a larger block: nothing is copied per bar.

    Example:
        >>> from rustybt.data import demo_data
        >>> bar, ts, rows = next(replay(demo_data()))
        >>> bar, rows["asset"].to_list()
        (0, ['AAPL', 'IBM', 'MSFT'])
    """
    edges = np.concatenate([[0], np.cumsum(np.bincount(panel.row_bar, minlength=panel.bars))])
    order = np.argsort(panel.row_bar, kind="stable") if len(panel.assets) > 1 else None
    bar = start
    while bar < panel.bars:
        # As many bars as fit in a block are gathered at once; a bar alone may be larger.
        stop = max(bar + 1, int(np.searchsorted(edges, edges[bar] + BLOCK, side="right")) - 1)
        first, last = int(edges[bar]), int(edges[stop])
        block = panel.frame[first:last] if order is None else panel.frame[order[first:last]]
        cuts = (edges[bar : stop + 1] - first).tolist()
        for i, ts in enumerate(panel.ts[bar:stop].tolist()):
            yield bar + i, ts, block.slice(cuts[i], cuts[i + 1] - cuts[i])
        bar = stop
