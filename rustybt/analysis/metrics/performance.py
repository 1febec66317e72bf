"""Growth, and growth per unit of risk.

Everything here takes simple session returns as a Float64 array and gives one float, NaN where the number is not defined.
"""

from __future__ import annotations

import math

import numpy as np

from rustybt.analysis.metrics.curve import Floats

_LARGEST_EXPONENT = 700.0


def usable(returns: Floats, least: int = 1) -> bool:
    """Whether there are at least ``least`` returns and every one is finite."""
    return len(returns) >= least and bool(np.isfinite(returns).all())


def deviation(returns: Floats) -> float:
    """Sample deviation (n - 1); exactly 0 when the spread is no wider than the rounding error of the returns.

    A return is a quotient less one and carries an error near 2e-16. Without the floor a constant return would have a
    deviation of 1e-19 and a Sharpe ratio of 1e16.

    Example:
        >>> deviation(np.array([0.1, 0.1, 0.1])), deviation(np.array([0.0, 0.02]))
        (0.0, 0.01414213562373095)
    """
    if not usable(returns, 2):
        return math.nan
    spread = float(returns.std(ddof=1))
    noise = 4.0 * np.finfo(np.float64).eps * (1.0 + float(np.abs(returns).max()))
    return spread if spread > noise else 0.0


def total_return(values: Floats) -> float:
    """``last / first - 1``. May be below -1 when equity ended negative.

    Example:
        >>> round(total_return(np.array([100.0, 90.0, 120.0])), 10)
        0.2
    """
    return float(values[-1] / values[0] - 1.0) if len(values) and values[0] > 0 else math.nan


def compound(growth: float, exponent: float) -> float:
    """``growth ** exponent - 1``; NaN for negative growth or a result beyond Float64."""
    if growth < 0 or math.isnan(growth):
        return math.nan
    if growth == 0:
        return -1.0
    power = math.log(growth) * exponent
    return math.expm1(power) if power < _LARGEST_EXPONENT else math.nan


def compound_each(growth: Floats, exponent: float) -> Floats:
    """`compound` of many, to the same bits: logarithms and powers are those of the C library, one by one.

    Example:
        >>> compound_each(np.array([1.21, 0.0, -1.0]), 0.5).round(10)
        array([ 0.1, -1. ,  nan])
    """
    out = np.where(growth == 0, -1.0, np.nan)
    usual = np.flatnonzero(growth > 0)
    power = np.array(list(map(math.log, growth[usual].tolist()))) * exponent
    fits = np.flatnonzero(power < _LARGEST_EXPONENT)
    out[usual[fits]] = list(map(math.expm1, power[fits].tolist()))
    return out


def cagr(values: Floats, periods: float) -> float:
    """Compound annual growth: ``(last / first) ** (periods / n) - 1`` with n returns.

    Years are counted in sessions (n / periods), as empyrical does, not in calendar days: CAGR, volatility and Sharpe share one clock.
    NaN when equity ended negative. Source: Bacon, Practical Portfolio Performance Measurement, 2nd ed., ch. 2.

    Example:
        >>> round(cagr(np.array([100.0, 110.0, 121.0]), periods=1), 10)
        0.1
    """
    n = len(values) - 1
    return compound(1.0 + total_return(values), periods / n) if n >= 1 else math.nan


def volatility(returns: Floats, periods: float) -> float:
    """Annual volatility: sample deviation of session returns x sqrt(periods).

    Example:
        >>> round(volatility(np.array([0.01, -0.01, 0.01, -0.01]), periods=252), 6)
        0.183303
    """
    return deviation(returns) * math.sqrt(periods)


def sharpe(returns: Floats, periods: float, risk_free: float = 0.0) -> float:
    """``mean(r - f) / deviation(r - f) x sqrt(periods)``, f = risk-free return of one session. NaN without variance.

    Source: Sharpe, The Sharpe Ratio, Journal of Portfolio Management, 1994.

    Example:
        >>> round(sharpe(np.array([0.01, -0.01, 0.02, 0.0]), periods=252), 6)
        6.14817
    """
    spread = deviation(returns)
    return (float(returns.mean()) - risk_free) / spread * math.sqrt(periods) if spread > 0 else math.nan


def sharpe_error(returns: Floats, periods: float, risk_free: float = 0.0) -> float:
    """Standard error of the annual Sharpe ratio, allowing for skew and fat tails.

    ``sqrt((1 - skew x s + (kurtosis + 2) / 4 x s^2) / (n - 1) x periods)``, s the Sharpe ratio of one session, kurtosis in excess of 3.
    Returns are taken as independent. Source: Mertens, Comments on variance of the IID estimator in Lo (2002), 2002; Bailey and
    Lopez de Prado, The Sharpe Ratio Efficient Frontier, 2012.

    Example:
        >>> round(sharpe_error(np.array([0.01, -0.01, 0.02, 0.0]), periods=252), 4)
        9.2745
    """
    one = sharpe(returns, 1.0, risk_free)
    if math.isnan(one):
        return math.nan
    third, fourth = moments(returns)
    return math.sqrt(max(0.0, (1.0 - third * one + (fourth + 2.0) / 4.0 * one * one) / (len(returns) - 1) * periods))


def moments(returns: Floats) -> tuple[float, float]:
    """Skew and excess kurtosis from population moments (``m3 / m2^1.5``, ``m4 / m2^2 - 3``), as scipy's defaults.

    Returns:
        NaN for both without variance.

    Example:
        >>> [round(value, 10) for value in moments(np.array([-0.01, 0.0, 0.01]))]
        [0.0, -1.5]
    """
    if not deviation(returns) > 0:
        return math.nan, math.nan
    off = returns - returns.mean()
    square = off * off
    second = float(square.mean())
    return float((square * off).mean()) / second**1.5, float((square * square).mean()) / second**2 - 3.0


def downside_deviation(returns: Floats, periods: float, minimum: float = 0.0) -> float:
    """``sqrt(mean(min(r - m, 0)^2)) x sqrt(periods)`` over all returns, not only the bad ones.

    Source: Sortino and Price, Performance Measurement in a Downside Risk Framework, 1994.

    Example:
        >>> round(downside_deviation(np.array([0.03, -0.02, 0.0, -0.01]), periods=1), 10)
        0.0111803399
    """
    if not usable(returns):
        return math.nan
    below = np.minimum(returns - minimum, 0.0)
    return math.sqrt(float(below @ below) / len(below)) * math.sqrt(periods)


def sortino(returns: Floats, periods: float, minimum: float = 0.0) -> float:
    """``mean(r - m) x periods / downside deviation``, m = minimum acceptable return of one session. NaN without a bad session.

    Example:
        >>> round(sortino(np.array([0.03, -0.02, 0.01, -0.01]), periods=252), 6)
        3.549648
    """
    down = downside_deviation(returns, periods, minimum)
    return (float(returns.mean()) - minimum) * periods / down if down > 0 else math.nan


def calmar(annual: float, deepest: float) -> float:
    """CAGR / |max drawdown|. NaN without a drawdown. Over the whole run, not Young's last 36 months.

    Example:
        >>> calmar(0.12, -0.24)
        0.5
    """
    return annual / -deepest if deepest < 0 else math.nan


def omega(returns: Floats, minimum: float = 0.0) -> float:
    """``sum(max(r - m, 0)) / sum(max(m - r, 0))``. NaN without a bad session.

    Source: Keating and Shadwick, A Universal Performance Measure, 2002.

    Example:
        >>> round(omega(np.array([0.03, -0.02, 0.01, -0.01])), 10)
        1.3333333333
    """
    if not usable(returns):
        return math.nan
    excess = returns - minimum
    lost = -float(np.minimum(excess, 0.0).sum())
    return float(np.maximum(excess, 0.0).sum()) / lost if lost > 0 else math.nan
