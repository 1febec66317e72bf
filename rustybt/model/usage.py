"""How much of its capital a run used, added up in blocks of bars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
BLOCK = 8192
"""Bars of a block: their floats stay in the processor's second cache, and millions of bars need no float array of their own."""


@dataclass(frozen=True)
class Usage:
    """Sums over the first whole blocks of the bars of a run; the bars behind them are not in it.

    Attributes:
        share: (blocks,) sums of gross / equity. net: (blocks,) of (equity - cash) / equity. Of NumPy's bits: added in pairs.
        most: (blocks,) the largest gross / equity.
        least, highest: (blocks,) the lowest and the highest equity, money units.
        held: (blocks,) Int64 bars with any position.
    """

    share: Floats
    net: Floats
    most: Floats
    least: npt.NDArray[np.int64]
    highest: npt.NDArray[np.int64]
    held: npt.NDArray[np.int64]

    @classmethod
    def none(cls) -> Usage:
        """That of no bars."""
        no, none = np.zeros(0), np.zeros(0, dtype=np.int64)
        return cls(no, no, no, none, none, none)

    @property
    def bars(self) -> int:
        """How many bars are in it."""
        return BLOCK * len(self.held)
