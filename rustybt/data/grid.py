"""The dense grid of the kernel, made from the ragged rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rustybt.model.panel import Ints


@dataclass(frozen=True)
class Grid:
    """Where each row lies.

    Attributes:
        ts: (bars,) Int64 instants, strictly increasing.
        row_bar: (rows,) Int32 bar of each row.
        offsets: (assets + 1,) Int64 rows of each asset.
        dense: every asset has every bar.
    """

    ts: Ints
    row_bar: npt.NDArray[np.int32]
    offsets: Ints
    dense: bool


def lay_out(ts: Ints, offsets: Ints) -> Grid:
    """Finds the bars of rows that are sorted by asset and time.

    Example:
        >>> lay_out(np.array([1, 2, 2, 3]), np.array([0, 2, 4])).row_bar.tolist()
        [0, 1, 1, 2]
    """
    assets = len(offsets) - 1
    counts = np.diff(offsets)
    if (counts == counts[0]).all():
        square = ts.reshape(assets, counts[0])
        if assets == 1 or (square == square[0]).all():
            bars = np.array(square[0])
            return Grid(bars, np.tile(np.arange(len(bars), dtype=np.int32), assets), offsets, True)
    bars = np.unique(ts)
    return Grid(bars, np.searchsorted(bars, ts).astype(np.int32), offsets, False)


def dense_grid(ticks: Ints, grid: Grid) -> Ints:
    """(bars, assets) in C order, 0 where there is no bar; never the memory of the ticks, which the frame shares."""
    assets = len(grid.offsets) - 1
    if grid.dense:
        return np.array(ticks.reshape(assets, len(grid.ts)).T, order="C")
    cells = np.zeros((len(grid.ts), assets), dtype=np.int64)
    for column in range(assets):
        rows = slice(int(grid.offsets[column]), int(grid.offsets[column + 1]))
        cells[grid.row_bar[rows], column] = ticks[rows]
    return cells
