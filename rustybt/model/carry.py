"""What holding costs or earns over time, reduced to integers: charges at bars, and when an asset cannot be borrowed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from rustybt.model.panel import Ints

CHARGE_FIELDS = ("bar", "reason", "asset", "side", "num", "den", "price")
"""Columns of `CarryTable.charges`."""
HARD_FIELDS = ("asset", "first", "last")
"""Columns of `CarryTable.hard`."""
EVERY_ASSET = -1
"""In place of an asset: every slot; a charge on the account's cash has it too, one on that of currency n has ``-1 - n``."""


def no_rows(fields: tuple[str, ...]) -> Ints:
    """An empty table with these columns."""
    return np.zeros((0, len(fields)), dtype=np.int64)


@dataclass(frozen=True)
class CarryTable:
    """Section 16 of the rule book in integers.

    Attributes:
        charges: (charges, len(CHARGE_FIELDS)) Int64, by bar: at the beginning of a bar ``num / den`` of a base is paid, half-even to a
            money unit; negative = received. The base is the value of a position (of a ``SWAP`` the lots, and ``num / den`` money units
            per lot; of ``INTEREST`` and ``CREDIT`` the cash) at ``price`` in ticks, 0 = the last price. ``side``: 1 = longs or positive
            cash, -1 = shorts or negative cash, both without their sign; 0 = every position, with its sign.
        hard: (spans, len(HARD_FIELDS)) Int64: bars from ``first`` to ``last``, inclusive, at which an asset cannot be borrowed.
    """

    charges: Ints = field(default_factory=lambda: no_rows(CHARGE_FIELDS))
    hard: Ints = field(default_factory=lambda: no_rows(HARD_FIELDS))
