"""Fewer points with the same look."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rustybt.analysis.metrics.curve import Floats, Ints

MOST_POINTS = 5_000


def keep_extremes(series: Sequence[Floats], most: int = MOST_POINTS) -> Ints:
    """Rows to keep so that every series still shows its highs and lows.

    The rows are cut into equal buckets; each keeps its first and last row and, of every series, the lowest and the highest.
    The first and last row of all, and the overall extremes, are therefore always kept.

    Args:
        series: arrays of equal length; NaN is ignored.
        most: upper bound of the rows kept.

    Returns:
        Ascending row numbers; all of them when there are at most ``most``.

    Example:
        >>> wave = np.sin(np.arange(100_000) / 500.0)
        >>> rows = keep_extremes([wave], 1_000)
        >>> len(rows) <= 1_000, bool(wave[rows].max() == wave.max()), int(rows[-1])
        (True, True, 99999)
    """
    rows = len(series[0])
    if rows <= most:
        return np.arange(rows)
    buckets = max(1, most // (2 + 2 * len(series)))
    edges = np.linspace(0, rows, buckets + 1).astype(np.int64)
    keep = [edges[:-1], edges[1:] - 1]
    for values in series:
        keep += [_lowest(values, edges), _lowest(-values, edges)]
    return np.unique(np.concatenate(keep))


def _lowest(values: Floats, edges: Ints) -> Ints:
    filled = np.where(np.isnan(values), np.inf, values)
    spans = zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    return np.array([low + int(np.argmin(filled[low:high])) for low, high in spans], dtype=np.int64)


def spread_out(rows: int, most: int) -> Ints:
    """At most ``most`` row numbers, evenly spread, first and last included.

    Example:
        >>> spread_out(10, 4).tolist()
        [0, 3, 6, 9]
    """
    return np.arange(rows) if rows <= most else np.unique(np.linspace(0, rows - 1, most).round().astype(np.int64))
