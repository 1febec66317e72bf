"""The numbers that every kernel module shares: limits, rounding modes, and the types of its arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from rustybt.model import decimals

from .compile import MODE

FLOOR, CEIL, DOWN, HALF_EVEN = range(4)
BAD = -(2**63)
"""The result of an operation that does not fit; never a legal amount, and outside of every range check."""
LIMIT = decimals.LIMIT
FAR = 2**62
"""Farther than any price: the level of an exit that is not set."""
RATE = decimals.RATE
WEIGHT = decimals.WEIGHT

AMOUNT: Any = {"compiled": np.int64, "python": np.object_, "float": np.float64}[MODE]
"""Type of money, lots and prices inside this build."""
COUNT: Any = {"compiled": np.int64, "python": np.object_, "float": np.int64}[MODE]
"""Type of indices and counters inside this build."""
