"""The same strategies in each engine, one module per product with ``prepare(case) -> Job``; its facts are fills and final equities.

A fill is ``[bar, column, signed quantity, price]``. numpy only here, so that every environment can read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.markets import FIELDS, Floats

CASH = 1_000_000.0
FEE = 0.001
SHARES = 100
FAST, SLOW = 20, 50
EVERY = 50
STOP, TAKE, TRAIL = 0.05, 0.10, 0.10
BID, OFFER = 0.98, 1.03
"""Of the last close: where a limit order to buy stands, and one to sell."""
DIGITS = 4
"""Of a limit: those of the tick."""
MONTH = 21

type Fill = list[float]
"""Bar, column, signed quantity, price."""


@dataclass(frozen=True)
class Play:
    """One strategy on one history.

    Attributes:
        strategy: ``cross``, ``bracket``, ``trail``, ``limit``, ``rebalance`` (whole shares, sized at the close of the decision) or
            ``fractional`` (sized at the open that fills).
        assets: names, in column order.
        days: (bars,) sessions as datetime64.
        prices: (bars, assets) of each field.
        weight: of each asset, when rebalanced.
    """

    strategy: str
    assets: tuple[str, ...]
    days: Any
    prices: Mapping[str, Floats]
    weight: float

    @property
    def name(self) -> str:
        """Strategy and history."""
        return f"{self.strategy} {'+'.join(self.assets)}"


def plays_of(case: Mapping[str, Any]) -> list[Play]:
    """The plays of a case: ``file`` of prices and ``plays`` of (strategy, assets, weight)."""
    stored = np.load(case["file"])
    found = []
    for strategy, assets, weight in case["plays"]:
        prices = {name: np.column_stack([stored[f"{'+'.join(assets)}/{asset}/{name}"] for asset in assets]) for name in FIELDS}
        found.append(Play(strategy, tuple(assets), stored[f"{'+'.join(assets)}/days"], prices, weight))
    return found
