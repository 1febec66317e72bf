"""What a market tells beside its prices: days, volume, and the terms of costs that change from bar to bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rustybt.model.panel import Ints


@dataclass(frozen=True)
class Tape:
    """Columns beside the prices of a run. Each may be left out where no rule reads it.

    Attributes:
        day: (bars,) Int64 session of each bar in days since 1970-01-01, never decreasing.
        volume: (bars, assets) Int64 whole lots traded in each bar.
        feeds: (bars, feeds, assets) Int64 terms of slippage: rates and volatilities in 1e-8, or ticks; see `rustybt.model.IMPACT_FIELDS`.
    """

    day: Ints | None = None
    volume: Ints | None = None
    feeds: Ints | None = None

    def part(self, first: int, last: int) -> Tape:
        """The same for the bars from ``first`` to before ``last``.

        Example:
            >>> import numpy as np
            >>> Tape(day=np.array([3, 4, 5])).part(1, 2).day
            array([4])
        """
        return Tape(**{name: None if column is None else column[first:last] for name, column in vars(self).items()})

    def ordered(self, order: Sequence[int]) -> Tape:
        """The same with the assets in another order: column ``i`` of the result is column ``order[i]``."""
        place = list(order)
        moved = {k: v if v is None or v.ndim == 1 else np.ascontiguousarray(v[..., place]) for k, v in vars(self).items()}
        return Tape(**moved)
