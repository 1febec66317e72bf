"""Rows of corporate actions: what the door resolves, and what the kernel and the reference are given."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

EVENT_FIELDS = (
    "bar", "asset", "kind", "numerator", "denominator", "other", "cash_numerator", "cash_denominator", "price", "part", "claim",
)  # fmt: skip
"""Columns of a table of events.

``bar`` and ``asset`` (a column of the grid) say when and of what, ``kind`` is an `EventKind`. ``numerator / denominator``: new quantity per
old of a split, a spin-off, a merger or a roll (0 = no shares), cash per unit of a dividend. ``other``: the asset received, -1 = none.
``cash_*``: cash per unit that a merger, delisting or expiry pays; a denominator of 0 = the last price. ``price``: of the asset received,
in its ticks. ``part``: of the cost that a spin-off moves, in 1e-8. ``claim``: the number by which a payment finds its dividend, 0 = paid
at once."""

PLAIN = (0, 0, 0, 0, 1, -1, 0, 1, 0, 0, 0)
"""What a column is where it says nothing."""


def widened(events: Any) -> npt.NDArray[np.int64]:
    """Rows of events in full width: splits and dividends may be given by their first five columns alone.

    Example:
        >>> widened([[3, 0, 0, 2, 1]]).tolist()
        [[3, 0, 0, 2, 1, -1, 0, 1, 0, 0, 0]]
    """
    given = np.asarray(events, dtype=np.int64)
    given = given.reshape(-1, given.shape[-1] if given.ndim == 2 else len(EVENT_FIELDS) if given.size == 0 else 5)
    missing = np.tile(np.array(PLAIN[given.shape[1] :], dtype=np.int64), (len(given), 1))
    wide: npt.NDArray[np.int64] = np.concatenate([given, missing], axis=1) if missing.shape[1] else given.copy()
    return wide
