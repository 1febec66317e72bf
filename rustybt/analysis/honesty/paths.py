"""Headline statistics of many return paths at once."""

from __future__ import annotations

import math

import numpy as np

from rustybt.analysis.metrics.curve import Floats

HEADLINE = ("total_return", "cagr", "volatility", "sharpe", "sortino", "calmar", "max_drawdown")
"""What is measured of a path of session returns."""
UNCHANGED_BY_ORDER = ("total_return", "cagr", "volatility", "sharpe", "sortino")
"""Those of them that no shuffle of the same returns can change; `max_drawdown` and what is built on it depend on the order."""
CHUNK = 2**21
"""Numbers of a block of paths that are worked on at a time."""


def measure_paths(paths: Floats, periods: float) -> dict[str, Floats]:
    """Every headline statistic of each path, with the conventions of the metrics and a risk-free rate of zero.

    Args:
        paths: (paths, sessions) simple returns.
        periods: sessions per year.

    Returns:
        (paths,) Float64 by name; NaN where a number is not defined.

    Example:
        >>> found = measure_paths(np.array([[0.1, -0.5, 1.0]]), periods=3)
        >>> round(float(found["total_return"][0]), 10), float(found["max_drawdown"][0])
        (0.1, -0.5)
    """
    rows = max(1, CHUNK // max(1, paths.shape[1]))
    parts = [_measure(paths[first : first + rows], periods) for first in range(0, len(paths), rows)]
    return {name: np.concatenate([part[name] for part in parts]) for name in HEADLINE}


def _measure(paths: Floats, periods: float) -> dict[str, Floats]:
    sessions = paths.shape[1]
    growth = np.cumprod(1.0 + paths, axis=1)
    broke = (growth[:, :-1] <= 0).any(axis=1)
    peak = np.maximum(np.maximum.accumulate(growth, axis=1), 1.0)
    mean = paths.mean(axis=1)
    noise = 4.0 * np.finfo(np.float64).eps * (1.0 + np.abs(paths).max(axis=1))
    spread = paths.std(axis=1, ddof=1)
    down = np.sqrt((np.minimum(paths, 0.0) ** 2).mean(axis=1))
    with np.errstate(divide="ignore", invalid="ignore"):
        last = np.where(broke, np.nan, growth[:, -1])
        annual = np.where(last >= 0, last ** (periods / sessions) - 1.0, np.nan)
        deepest = np.where(broke, np.nan, (growth / peak).min(axis=1) - 1.0)
        return {
            "total_return": last - 1.0,
            "cagr": np.where(np.isfinite(annual), annual, np.nan),
            "volatility": np.where(spread > noise, spread, 0.0) * math.sqrt(periods),
            "sharpe": np.where(spread > noise, mean / spread, np.nan) * math.sqrt(periods),
            "sortino": np.where(down > 0, mean * periods / (down * math.sqrt(periods)), np.nan),
            "calmar": np.where(deepest < 0, annual / -deepest, np.nan),
            "max_drawdown": deepest,
        }
