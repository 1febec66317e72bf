"""The whole set of numbers of one run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rustybt.analysis.metrics import performance as perf
from rustybt.analysis.metrics.activity import RunFacts, activity, exposure
from rustybt.analysis.metrics.curve import Closes, Curve, iso_date
from rustybt.analysis.metrics.definitions import DEFINITIONS
from rustybt.analysis.metrics.drawdown import Falls, deepest_of_bars
from rustybt.analysis.metrics.months import period_extremes
from rustybt.analysis.metrics.periods import periods_per_year
from rustybt.analysis.metrics.relative import Benchmark, against_benchmark
from rustybt.analysis.metrics.risk import tails
from rustybt.errors import ConfigError

type Value = float | str | None


@dataclass(frozen=True)
class Conventions:
    """What a user may set about the statistics.

    Attributes:
        periods_per_year: sessions per year; None infers it (see `periods_per_year`).
        risk_free: risk-free return per year, 0.02 = 2 %; one session has ``(1 + risk_free) ** (1 / periods) - 1``.
        minimum_return: minimum acceptable return per year of Sortino and omega, turned into a session's in the same way.

    Raises:
        ConfigError: periods not positive, or a rate of -100 % or less.
    """

    periods_per_year: float | None = None
    risk_free: float = 0.0
    minimum_return: float = 0.0

    def __post_init__(self) -> None:
        if self.periods_per_year is not None and not 0 < self.periods_per_year < math.inf:
            raise ConfigError(f"periods_per_year {self.periods_per_year} is not positive", where="metrics", do="use 252, 365 or None")
        for name in ("risk_free", "minimum_return"):
            if not -1 < getattr(self, name) < math.inf:
                raise ConfigError(f"{name} {getattr(self, name)} is not a yearly rate", where="metrics", do="write 2 % as 0.02")


def measure(
    curve: Curve, benchmark: Benchmark | None = None, facts: RunFacts | None = None, conventions: Conventions | None = None
) -> dict[str, Value]:
    """Every metric of a run.

    Args:
        curve: equity, cash and gross exposure of each bar.
        benchmark: adds the benchmark-relative numbers.
        facts: adds counts, costs, turnover and trade statistics.
        conventions: periods per year and rates; the default infers the one and sets the others to zero.

    Returns:
        Name to number in the order of `DEFINITIONS`, then ``cost_<kind>`` and ``income_<kind>``. Dates are ISO strings. A number that is
        not defined for this run (no variance, no losing trade, equity at or below zero) is None, never NaN or infinite, so two equal
        runs have equal mappings and the mapping is valid JSON.

    Example:
        >>> units = np.array([100_00, 102_00, 101_00, 104_00], dtype=np.int64)
        >>> curve = Curve(np.arange(4), np.arange(19723, 19727, dtype=np.int32), units, units, units * 0, money_scale=2)
        >>> numbers = measure(curve)
        >>> round(numbers["total_return"], 6), numbers["max_drawdown_trough"], numbers["calmar"] is None
        (0.04, '2024-01-03', False)
    """
    settings = conventions or Conventions()
    closes = curve.closes()
    periods = settings.periods_per_year or periods_per_year(closes.days)
    free = perf.compound(1.0 + settings.risk_free, 1.0 / periods)
    least = perf.compound(1.0 + settings.minimum_return, 1.0 / periods)
    out: dict[str, Value] = {
        "start": iso_date(int(curve.sessions[0])),
        "end": iso_date(int(curve.sessions[-1])),
        "bars": float(curve.bars),
        "sessions": float(closes.sessions),
        "years": len(closes.returns) / periods,
        "periods_per_year": periods,
    }
    if curve.flows is not None:
        out["net_deposits"] = int(curve.flows.sum()) / 10.0**curve.money_scale
    out |= _growth(closes, periods, free, least)
    out |= _falls(curve, closes)
    out["calmar"] = perf.calmar(_number(out["cagr"]), _number(out["max_drawdown"]))
    out |= tails(closes.returns)
    out["skew"], out["kurtosis"] = perf.moments(closes.returns)
    out |= period_extremes(closes)
    out |= activity(curve, closes, facts, periods) if facts is not None else exposure(curve)
    if facts is not None and facts.trades is not None:
        out |= facts.trades.statistics()
    if benchmark is not None:
        out |= against_benchmark(closes, benchmark, periods, free)
    return _tidy(out)


def _growth(closes: Closes, periods: float, free: float, least: float) -> dict[str, float]:
    returns = closes.returns
    return {
        "total_return": perf.total_return(closes.values),
        "cagr": perf.cagr(closes.values, periods),
        "volatility": perf.volatility(returns, periods),
        "sharpe": perf.sharpe(returns, periods, free),
        "sharpe_error": perf.sharpe_error(returns, periods, free),
        "sortino": perf.sortino(returns, periods, least),
        "downside_deviation": perf.downside_deviation(returns, periods, least),
        "omega": perf.omega(returns, least),
    }


def _falls(curve: Curve, closes: Closes) -> dict[str, Value]:
    falls = Falls.of(closes.values)
    worst = falls.worst(closes, 1)
    dates = worst[0].dates if worst else (None, None, None)
    deepest = worst[0].depth if worst else 0.0
    return {
        "max_drawdown": math.nan if np.isnan(falls.below).any() else deepest,
        "max_drawdown_start": dates[0],
        "max_drawdown_trough": dates[1],
        "max_drawdown_end": dates[2],
        "max_drawdown_sessions": float(worst[0].sessions) if worst else 0.0,
        "max_drawdown_bars": deepest_of_bars(curve),
        **falls.summary(),
    }


def _number(value: Value) -> float:
    return value if isinstance(value, float) else math.nan


def _tidy(numbers: Mapping[str, Value]) -> dict[str, Value]:
    known = [name for name in DEFINITIONS if name in numbers]
    ordered = {name: numbers[name] for name in (*known, *(name for name in numbers if name not in DEFINITIONS))}
    return {name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in ordered.items()}
