"""The door for arrays: whatever comes in becomes one type, so that the kernel is compiled once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from rustybt.errors import DataError
from rustybt.model import Timing
from rustybt.model.panel import Ints


class Grid(Protocol):
    """Anything with four arrays of ticks: a `Market`, a `rustybt.model.Panel`."""

    @property
    def open(self) -> Ints: ...  # noqa: D102
    @property
    def high(self) -> Ints: ...  # noqa: D102
    @property
    def low(self) -> Ints: ...  # noqa: D102
    @property
    def close(self) -> Ints: ...  # noqa: D102


class Market(NamedTuple):
    """Prices of a run.

    Attributes:
        open, high, low, close: (bars, assets) Int64 ticks, 0 = no bar.

    Example:
        >>> import numpy as np
        >>> flat = np.full((3, 1), 100)
        >>> Market(flat, flat, flat, flat).close.shape
        (3, 1)
    """

    open: Ints
    high: Ints
    low: Ints
    close: Ints


@dataclass(frozen=True)
class TimedMarket:
    """Prices of a run, and what is known about the bars beside them: see `rustybt.model.Timing`."""

    open: Ints
    high: Ints
    low: Ints
    close: Ints
    timing: Timing | None


def admit(array: Any, kind: Any = np.int64) -> Any:
    """An array as the kernel takes it: whole numbers, C order, aligned. Shares memory where it can.

    Args:
        array: whole numbers.
        kind: the type of the field, in its build.

    Raises:
        DataError: the values are not whole numbers.
    """
    given = np.asarray(array)
    if given.dtype.kind == "i" and given.dtype == kind and given.flags.c_contiguous and given.flags.aligned:
        return given
    if given.dtype.kind not in "iu" and given.size:
        raise DataError(f"an array of {given.dtype} is not whole numbers", where="kernel", do="give Int64 ticks, lots or money units")
    taken = np.require(given, np.int64, ["C", "ALIGNED"])
    return taken if kind is np.int64 else taken.astype(kind)


def grid_shape(market: Grid, assets: int) -> int:
    """Number of bars.

    Raises:
        DataError: the four arrays do not all have the shape (bars, assets).
    """
    shapes = {np.shape(prices) for prices in (market.open, market.high, market.low, market.close)}
    if len(shapes) != 1 or len(shape := shapes.pop()) != 2 or shape[1] != assets:
        raise DataError(f"prices are not four arrays of (bars, {assets})", where="kernel", do="give one column per asset")
    return int(shape[0])
