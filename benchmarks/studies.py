"""Sweeps of strategies that are not workloads, as plain numbers: which parameters, on which market. numpy only: every column reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from benchmarks.markets import Bars, Market, draw

CASH, SHARES, FEE = 1_000_000, 100, 0.001
FAST, SLOW = 10, 50
"""Averages of the brackets. Stops and targets are farther away than a day goes: vectorbt does not look at them on that of the entry."""


@dataclass(frozen=True)
class Study:
    """One sweep.

    Attributes:
        grid: values by parameter name; every combination runs, the last varying fastest.
        assets: how many.
    """

    grid: Mapping[str, Sequence[Any]]
    assets: int = 1

    def bars(self, count: int) -> Bars:
        """So many bars of its market."""
        return draw(Market(11, self.assets, count, 0.0003, 0.015, 100.0, daily=True))

    def part(self, small: bool) -> dict[str, list[Any]]:
        """The grid, or the first values of each parameter."""
        return {name: list(values)[: 4 if small else None] for name, values in self.grid.items()}

    def variants(self, small: bool) -> list[dict[str, Any]]:
        """The combinations."""
        grid = self.part(small)
        return [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]


STUDIES = {
    "rsi": Study({"window": range(5, 45), "low": range(20, 45)}),
    "bollinger": Study({"window": range(10, 50), "width": [1 + i / 10 for i in range(25)]}),
    "donchian": Study({"entry": range(20, 60), "leave": range(5, 30)}),
    "ema cross": Study({"fast": range(5, 30), "slow": range(40, 80)}),
    "macd": Study({"fast": range(6, 16), "slow": range(20, 40, 2), "signal": range(5, 15)}),
    "macd x5000": Study({"fast": range(6, 16), "slow": range(20, 40), "signal": range(5, 30)}),
    "z-score": Study({"window": range(10, 50), "enter": [1 + i / 10 for i in range(5)], "leave": [i / 10 for i in range(5)]}),
    "stochastic": Study({"window": range(5, 45), "low": range(10, 35)}),
    "brackets": Study({"stop": [i / 100 for i in range(8, 48)], "take": [i / 100 for i in range(8, 33)]}),
    "momentum": Study({"look": range(20, 120), "top": range(5, 15)}, assets=50),
}
"""About a thousand variants each, five thousand of one, of 2,520 bars."""


def family_of(study: str) -> str:
    """The strategy of a study: several may sweep the same.

    Example:
        >>> family_of("macd x5000")
        'macd'
    """
    return study.partition(" x")[0]
