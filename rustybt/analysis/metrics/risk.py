"""The tail: how bad a bad session is.

Losses keep their sign: a value at risk of -0.02 is a loss of 2 %.
"""

from __future__ import annotations

import math

import numpy as np

from rustybt.analysis.metrics.curve import Floats
from rustybt.analysis.metrics.performance import usable


def quantile(ordered: Floats, share: float) -> float:
    """The linear-interpolation quantile (Hyndman and Fan type 7, numpy's default) of returns sorted ascending.

    Example:
        >>> quantile(np.array([-0.04, -0.02, 0.0, 0.02]), 0.5)
        -0.01
    """
    if not len(ordered):
        return math.nan
    place = (len(ordered) - 1) * share
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return float(ordered[below] + (ordered[above] - ordered[below]) * (place - below))


def value_at_risk(returns: Floats, level: float = 0.95) -> float:
    """Historical value at risk: the ``1 - level`` quantile of session returns; a loss is negative.

    Level 0.95 means that 95 % of sessions were better. empyrical calls the same number ``cutoff=0.05``.

    Example:
        >>> round(value_at_risk(np.linspace(-0.10, 0.10, 21), 0.95), 10)
        -0.09
    """
    return quantile(np.sort(returns), round(1.0 - level, 12)) if usable(returns) else math.nan


def expected_shortfall(returns: Floats, level: float = 0.95) -> float:
    """Conditional value at risk: the mean of the sessions at or below the historical value at risk.

    The tail is the ``floor((n - 1) x (1 - level)) + 1`` worst sessions, at least one. Source: Acerbi and Tasche, 2002.

    Example:
        >>> round(expected_shortfall(np.linspace(-0.10, 0.10, 21), 0.95), 10)
        -0.095
    """
    return tail_mean(np.sort(returns), round(1.0 - level, 12)) if usable(returns) else math.nan


def tail_mean(ordered: Floats, share: float) -> float:
    """Mean of the lowest ``floor((n - 1) x share) + 1`` of returns sorted ascending."""
    return float(ordered[: int((len(ordered) - 1) * share) + 1].mean()) if len(ordered) else math.nan


def tail_ratio(ordered: Floats) -> float:
    """95 % quantile / |5 % quantile| of returns sorted ascending: above 1, good days are larger than bad days.

    Example:
        >>> round(tail_ratio(np.linspace(-0.10, 0.20, 31)), 10)
        2.1764705882
    """
    low = quantile(ordered, 0.05)
    return quantile(ordered, 0.95) / abs(low) if low else math.nan


def tails(returns: Floats) -> dict[str, float]:
    """The tail numbers of a run, from one sort.

    Returns:
        ``var_95, var_99, cvar_95, cvar_99, tail_ratio, best_day, worst_day, positive_days``.
    """
    if not usable(returns):
        names = ("var_95", "var_99", "cvar_95", "cvar_99", "tail_ratio", "best_day", "worst_day", "positive_days")
        return dict.fromkeys(names, math.nan)
    ordered = np.sort(returns)
    return {
        "var_95": quantile(ordered, 0.05),
        "var_99": quantile(ordered, 0.01),
        "cvar_95": tail_mean(ordered, 0.05),
        "cvar_99": tail_mean(ordered, 0.01),
        "tail_ratio": tail_ratio(ordered),
        "best_day": float(ordered[-1]),
        "worst_day": float(ordered[0]),
        "positive_days": float(len(ordered) - np.searchsorted(ordered, 0.0, side="right")) / len(ordered),
    }
