"""The numbers that every kernel module shares: limits, rounding modes, and the types of its arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from rustybt.model import decimals

from .mode import MODE

whole: Any = int if MODE == "python" else np.int64
"""Type of the kernel's constants. Numba compiles a function anew for every Python integer that it is given, so they are NumPy's."""

FLOOR, CEIL, DOWN, HALF_EVEN = (whole(mode) for mode in range(4))
BAD = whole(-(2**63))
"""The result of an operation that does not fit; never a legal amount, and outside of every range check."""
LIMIT = whole(decimals.LIMIT)
FAR = whole(2**62)
"""Farther than any price: the level of an exit that is not set."""
RATE = whole(decimals.RATE)
WEIGHT = whole(decimals.WEIGHT)
ZERO, ONE = whole(0), whole(1)
SUMS_AT_ONCE = 1024
"""Sums of windows that are divided together: they stay in the processor's nearest cache."""

AMOUNT: Any = {"compiled": np.int64, "python": np.object_, "float": np.float64}[MODE]
"""Type of money, lots and prices inside this build."""
COUNT: Any = {"compiled": np.int64, "python": np.object_, "float": np.int64}[MODE]
"""Type of indices and counters inside this build."""
