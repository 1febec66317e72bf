"""Sharpe ratio and volatility over a moving window of sessions."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rustybt.analysis.metrics.curve import Closes, Days, Floats


@dataclass(frozen=True)
class Rolling:
    """Statistics of the last ``window`` session returns at each session that has so many.

    Attributes:
        days: (n,) Int32 session, days since 1970-01-01.
        sharpe: (n,) Float64 annual Sharpe ratio, NaN without variance.
        volatility: (n,) Float64 annual volatility.
        window: sessions in the window.
    """

    days: Days
    sharpe: Floats
    volatility: Floats
    window: int


def rolling(closes: Closes, periods: float, window: int = 63, risk_free: float = 0.0) -> Rolling:
    """Sharpe ratio and volatility of every full window, by the definitions of the whole-run numbers.

    Args:
        closes: session closes.
        periods: sessions per year.
        window: returns in a window, at least 2; 63 is a quarter of trading days.
        risk_free: risk-free return of one session.

    Example:
        >>> values = np.array([100.0, 101.0, 100.0, 102.0])
        >>> rolling(Closes(np.arange(4, dtype=np.int32), values, values[1:] / values[:-1] - 1, False), 252, window=2).days
        array([2, 3], dtype=int32)
    """
    if len(closes.returns) < window:
        empty = np.empty(0)
        return Rolling(np.empty(0, dtype=np.int32), empty, empty, window)
    views = np.lib.stride_tricks.sliding_window_view(closes.returns, window)
    mean, spread = views.mean(axis=1), views.std(axis=1, ddof=1)
    noise = 4.0 * np.finfo(np.float64).eps * (1.0 + np.abs(views).max(axis=1))
    sharpe = np.full(len(mean), np.nan)
    np.divide(mean - risk_free, spread, out=sharpe, where=spread > noise)
    return Rolling(closes.days[window:], sharpe * math.sqrt(periods), spread * math.sqrt(periods), window)
