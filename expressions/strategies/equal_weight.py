"""Equal weight: every asset the same share, set straight at the first bar of each month.

Source: DeMiguel, Garlappi and Uppal (2009), Optimal Versus Naive Diversification.

Parameters: the share of equity used.
"""

from __future__ import annotations

from typing import Annotated

import rustybt as rbt
from expressions import equal_weight as equal_weight_of


@rbt.strategy
def equal_weight(invested: Annotated[float, rbt.Range(0.0, 1.0)] = 0.99) -> rbt.Strategy:
    """All assets of the bar in equal parts, monthly.

    Args:
        invested: share of equity used.
    """
    return rbt.Strategy(target=rbt.weight(equal_weight_of(invested=invested)), schedule=rbt.month_start())
