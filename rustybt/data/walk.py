"""A panel bar by bar, as it would have arrived."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from rustybt.model import Panel

BLOCK = 2**18
"""Rows that are brought into order of time at once."""


def blocks(panel: Panel, start: int = 0) -> Iterator[tuple[int, pl.DataFrame, list[int]]]:
    """The rows of many bars at once, in order of time, and within a bar sorted by asset.

    Args:
        panel: the bars.
        start: first bar to give.

    Yields:
        The first bar, the rows with every column of `Panel.frame`, and where each bar begins among them, with their end behind.

    Example:
        >>> from rustybt.data import demo_data
        >>> first, frame, cuts = next(blocks(demo_data()))
        >>> first, frame["asset"].head(3).to_list(), cuts[:2]
        (0, ['AAPL', 'IBM', 'MSFT'], [0, 3])
    """
    edges = np.concatenate([[0], np.cumsum(np.bincount(panel.row_bar, minlength=panel.bars))])
    order = np.argsort(panel.row_bar, kind="stable") if len(panel.assets) > 1 else None
    bar = start
    while bar < panel.bars:
        # As many bars as fit in a block are gathered at once; a bar alone may be larger.
        stop = max(bar + 1, int(np.searchsorted(edges, edges[bar] + BLOCK, side="right")) - 1)
        first, last = int(edges[bar]), int(edges[stop])
        frame = panel.frame[first:last] if order is None else panel.frame[order[first:last]]
        yield bar, frame, (edges[bar : stop + 1] - first).tolist()
        bar = stop


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
    for first, block, cuts in blocks(panel, start):
        for i, ts in enumerate(panel.ts[first : first + len(cuts) - 1].tolist()):
            yield first + i, ts, block.slice(cuts[i], cuts[i + 1] - cuts[i])
