"""Five session returns whose statistics were worked out by hand, and a way to compare with empyrical.

Returns 2 %, -1 %, 3 %, -2 %, 1 % on 100: equity 102, 100.98, 104.0094, 101.929212, 102.94850412.
Mean 0.6 %. Deviations from it 1.4, -1.6, 2.4, -2.6, 0.4 %: squares sum to 17.2e-4, so the sample variance is 4.3e-4.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

RETURNS = np.array([0.02, -0.01, 0.03, -0.02, 0.01])
EQUITY = np.array([100.0, 102.0, 100.98, 104.0094, 101.929212, 102.94850412])
TOLERANCE = 1e-12
"""Relative distance allowed to empyrical: a few hundred rounding errors."""


def random_returns(seed: int = 11, sessions: int = 750, scale: float = 0.011) -> np.ndarray:
    """Fat-tailed returns of three years."""
    return np.asarray(np.random.default_rng(seed).standard_t(4, sessions) * scale + 0.0004)


def equity_of(returns: np.ndarray, start: float = 100.0) -> np.ndarray:
    """Equity that has these returns."""
    return np.concatenate(([start], start * np.cumprod(1 + returns)))


def dated(returns: np.ndarray) -> pd.Series:
    """Returns as empyrical takes them."""
    return pd.Series(returns, index=pd.bdate_range("2020-01-01", periods=len(returns)))


def close_to(value: float, other: float | Callable[[], Any]) -> bool:
    """Equal within the tolerance."""
    wanted = float(other() if callable(other) else other)
    return bool(np.isclose(value, wanted, rtol=TOLERANCE, atol=1e-15))
