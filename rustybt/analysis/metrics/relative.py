"""The run against a benchmark."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rustybt.analysis.metrics.curve import Closes, Days, Floats, simple_returns
from rustybt.analysis.metrics.drawdown import drawdown_of
from rustybt.analysis.metrics.performance import cagr, compound, deviation, sharpe, total_return, usable, volatility
from rustybt.errors import DataError


@dataclass(frozen=True)
class Benchmark:
    """A price or equity series to compare with.

    Attributes:
        sessions: (n,) Int32 days since 1970-01-01, strictly ascending.
        values: (n,) Float64 last value of each session, positive; NaN where there is none.
        name: what to call it.

    Raises:
        DataError: lengths that differ, sessions out of order, or a value that is not positive.
    """

    sessions: Days
    values: Floats
    name: str = "benchmark"

    def __post_init__(self) -> None:
        where = f"benchmark '{self.name}'"
        if len(self.sessions) != len(self.values):
            raise DataError(f"{len(self.sessions)} sessions and {len(self.values)} values", where=where, do="give one value per session")
        if np.any(self.sessions[1:] <= self.sessions[:-1]):
            raise DataError("sessions are not strictly ascending", where=where, do="sort them and keep the last value of each")
        bad = ~((self.values > 0) & np.isfinite(self.values)) & ~np.isnan(self.values)
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise DataError(f"value {self.values[row]} is not positive and finite", where=f"{where}, row {row}", do="use prices or equity")

    def at(self, days: Days) -> Floats:
        """The last known value at each session, never from a later one; NaN before the first.

        Example:
            >>> Benchmark(np.array([1, 3], dtype=np.int32), np.array([10.0, 12.0])).at(np.array([0, 1, 2, 3], dtype=np.int32))
            array([nan, 10., 10., 12.])
        """
        known = ~np.isnan(self.values)
        sessions, values = self.sessions[known], self.values[known]
        place = np.searchsorted(sessions, days, side="right") - 1
        if not len(values):
            return np.full(len(days), np.nan)
        return np.where(place >= 0, values[np.maximum(place, 0)], np.nan)


def paired(closes: Closes, benchmark: Benchmark) -> tuple[Floats, Floats] | None:
    """Equity and benchmark at the sessions where both are known; None with fewer than two.

    The opening cash is left out: a benchmark has no value before its first session, so both sides start at a session's close.
    """
    skip = int(closes.opened)
    ours, theirs = closes.values[skip:], benchmark.at(closes.days[skip:])
    known = ~np.isnan(theirs)
    ours, theirs = ours[known], theirs[known]
    return (ours, theirs) if len(ours) >= 2 else None


def beta(returns: Floats, against: Floats) -> float:
    """``cov(r, b) / var(b)``, sample moments. NaN when the benchmark does not move.

    Example:
        >>> beta(np.array([0.02, -0.04, 0.06]), np.array([0.01, -0.02, 0.03]))
        2.0
    """
    if not (usable(returns, 2) and deviation(against) > 0):
        return math.nan
    off = against - against.mean()
    return float(off @ (returns - returns.mean())) / float(off @ off)


def alpha(returns: Floats, against: Floats, periods: float, risk_free: float = 0.0) -> float:
    """Jensen's alpha per year: ``(mean(r - f) - beta x mean(b - f)) x periods``.

    Annualised by multiplication, like the mean in the Sharpe ratio; empyrical compounds the same session alpha instead:
    ``(1 + alpha / periods) ** periods - 1``. Source: Jensen, Journal of Finance, 1968.

    Example:
        >>> round(alpha(np.array([0.03, -0.03, 0.07]), np.array([0.01, -0.02, 0.03]), periods=1), 10)
        0.01
    """
    slope = beta(returns, against)
    return (float(returns.mean()) - risk_free - slope * (float(against.mean()) - risk_free)) * periods


def tracking_error(returns: Floats, against: Floats, periods: float) -> float:
    """Sample deviation of ``r - b`` x sqrt(periods).

    Example:
        >>> round(tracking_error(np.array([0.02, -0.01, 0.0]), np.array([0.01, -0.01, 0.01]), periods=1), 10)
        0.01
    """
    return deviation(returns - against) * math.sqrt(periods)


def information_ratio(returns: Floats, against: Floats, periods: float) -> float:
    """``mean(r - b) / deviation(r - b) x sqrt(periods)``. NaN when the run is the benchmark.

    Annual, like the Sharpe ratio; empyrical's ``excess_sharpe`` is the same number per session. Source: Grinold and Kahn, 2nd ed., ch. 5.

    Example:
        >>> round(information_ratio(np.array([0.03, 0.0, 0.0]), np.array([0.01, -0.01, 0.0]), periods=1), 10)
        1.0
    """
    return sharpe(returns - against, periods)


def capture(returns: Floats, against: Floats, up: bool) -> float:
    """Up or down capture: geometric mean session return of the run / of the benchmark, over sessions where the benchmark rose (or fell).

    1 follows the benchmark; a down capture below 1 is good. Morningstar's ratio of means per session; empyrical annualises both sides
    first, which makes ratios of astronomic numbers out of daily data.

    Example:
        >>> round(capture(np.array([0.02, -0.01, 0.02]), np.array([0.01, -0.02, 0.01]), up=True), 10)
        2.0
    """
    if not (usable(returns) and usable(against)):
        return math.nan
    chosen = against > 0 if up else against < 0
    n = int(np.count_nonzero(chosen))
    if not n:
        return math.nan
    ours = compound(float(np.prod(1.0 + returns[chosen])), 1.0 / n)
    return ours / compound(float(np.prod(1.0 + against[chosen])), 1.0 / n)


def correlation(returns: Floats, against: Floats) -> float:
    """Pearson correlation of session returns. NaN when either side does not move.

    Example:
        >>> round(correlation(np.array([0.02, -0.04, 0.06]), np.array([0.01, -0.02, 0.03])), 10)
        1.0
    """
    spread = deviation(returns)
    return beta(returns, against) * deviation(against) / spread if spread > 0 else math.nan


def against_benchmark(closes: Closes, benchmark: Benchmark, periods: float, risk_free: float) -> dict[str, float]:
    """Every benchmark-relative number of a run; empty when the two share fewer than two sessions."""
    pair = paired(closes, benchmark)
    if pair is None:
        return {}
    ours, theirs = pair
    r, b = simple_returns(ours), simple_returns(theirs)
    return {
        "benchmark_return": total_return(theirs),
        "benchmark_cagr": cagr(theirs, periods),
        "benchmark_volatility": volatility(b, periods),
        "benchmark_sharpe": sharpe(b, periods, risk_free),
        "benchmark_max_drawdown": float(drawdown_of(theirs).min()),
        "excess_return": total_return(ours) - total_return(theirs),
        "alpha": alpha(r, b, periods, risk_free),
        "beta": beta(r, b),
        "correlation": correlation(r, b),
        "tracking_error": tracking_error(r, b, periods),
        "information_ratio": information_ratio(r, b, periods),
        "up_capture": capture(r, b, up=True),
        "down_capture": capture(r, b, up=False),
    }
