"""Sharpe ratios judged: for one track record, and for the best of many tries.

Every ratio here is that of one session (not annualised). Kurtosis is in excess of the normal law's 3, as in the metrics.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from rustybt.analysis.metrics import performance as perf
from rustybt.analysis.metrics.curve import Floats
from rustybt.errors import ConfigError
from rustybt.model.arguments import kind, number, whole

_NORMAL = NormalDist()
EULER = float(np.euler_gamma)
MOST_LOOKS = 1e15
"""More tries than this leave the domain in which one less a share of 1 / tries is told from one."""


@dataclass(frozen=True)
class Moments:
    """What is known of a track record.

    Attributes:
        sharpe: of one session.
        returns: how many session returns it was computed from.
        skew: ``m3 / m2^1.5``. kurtosis: in excess of 3.

    Raises:
        ConfigError: fewer than two returns, or a number that is not finite.

    Example:
        >>> Moments.of(np.array([0.01, -0.01, 0.02, 0.0])).returns
        4
    """

    sharpe: float
    returns: int
    skew: float = 0.0
    kurtosis: float = 0.0

    def __post_init__(self) -> None:
        what = f"{self.returns!r} returns make no track record"
        whole(self.returns, "honesty, moments", "give at least two sessions", least=2, what=what)
        for name in ("sharpe", "skew", "kurtosis"):
            value = getattr(self, name)
            number(value, "honesty, moments", "leave this variant out", what=f"{name} {value!r} is not a number")

    @classmethod
    def of(cls, returns: Floats) -> Moments:
        """Measured from session returns.

        Raises:
            ConfigError: fewer than two, one that is not finite, or no variance.
        """
        values = checked(returns)
        ratio = perf.sharpe(values, 1.0)
        if math.isnan(ratio):
            raise ConfigError("the returns do not vary", where="honesty, moments", do="there is no Sharpe ratio to judge")
        return cls(ratio, len(values), *perf.moments(values))

    @property
    def spread(self) -> float:
        """``sqrt(1 - skew x s + (kurtosis + 2) / 4 x s^2)``: the standard error of the ratio times ``sqrt(n - 1)``.

        Raises:
            ConfigError: no law has these three numbers together (an estimate from few returns can): below 0 there is no root.
        """
        inside = 1.0 - self.skew * self.sharpe + (self.kurtosis + 2.0) / 4.0 * self.sharpe**2
        if inside <= 0:
            raise ConfigError(
                f"skew {self.skew:.4g} and kurtosis {self.kurtosis:.4g} do not go with a Sharpe ratio of {self.sharpe:.4g} a session",
                where="honesty, moments",
                do="check that the ratio is that of one session, and that kurtosis is in excess of 3",
            )
        return math.sqrt(inside)


def checked(returns: Floats) -> Floats:
    """The returns as Float64.

    Raises:
        ConfigError: fewer than two, or one that is not finite.
    """
    values = floats_of(returns, "honesty")
    if values.ndim != 1 or len(values) < 2:
        raise ConfigError(f"returns of shape {values.shape} are no track record", where="honesty", do="give at least two sessions in a row")
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise ConfigError(
            f"return {values[bad[0]]} at position {bad[0]} is not a number", where="honesty", do="cut the run where its equity ended"
        )
    return values


def floats_of(returns: object, where: str) -> npt.NDArray[np.float64]:
    """Numbers as Float64, of any shape.

    Raises:
        ConfigError: they are none.
    """
    try:
        return np.asarray(returns, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ConfigError(f"{returns!r} are no returns", where=where, do="give an array of numbers") from None


def _check_record(record: object) -> None:
    kind(record, Moments, "honesty, record", "give Moments.of(returns)", what=f"{record!r} is no track record")


def probabilistic_sharpe(record: Moments, benchmark: float = 0.0) -> float:
    """Probability that the true Sharpe ratio is above a benchmark, allowing for skew, fat tails and the length of the record.

    ``Z((s - benchmark) x sqrt(n - 1) / sqrt(1 - skew x s + (kurtosis + 2) / 4 x s^2))``, Z the normal distribution function.
    Source: Bailey and Lopez de Prado, The Sharpe Ratio Efficient Frontier, Journal of Risk 15(2), 2012. Their example: a monthly ratio of
    0.458 over 24 months is 98.2 % surely above 0 if returns are normal, and 91.3 % with skew -2.448 and kurtosis 10.164.

    Example:
        >>> round(probabilistic_sharpe(Moments(0.458, 24)), 3)
        0.982
        >>> round(probabilistic_sharpe(Moments(0.458, 24, skew=-2.448, kurtosis=10.164 - 3)), 3)
        0.913
    """
    _check_record(record)
    benchmark = number(benchmark, "honesty, benchmark", "give the Sharpe ratio of a session")
    return _NORMAL.cdf((record.sharpe - benchmark) * math.sqrt(record.returns - 1) / record.spread)


def minimum_track_record(record: Moments, benchmark: float = 0.0, confidence: float = 0.95) -> float:
    """Sessions that a record of this ratio, skew and kurtosis has to last before the ratio is above the benchmark with this confidence.

    ``1 + (1 - skew x s + (kurtosis + 2) / 4 x s^2) x (Z^-1(confidence) / (s - benchmark))^2``. Infinite when the ratio is not above the
    benchmark. Source: as `probabilistic_sharpe`. Their example: daily normal returns with a yearly ratio of 2 take 2.73 years to be told
    from 1 (weekly 2.83, monthly 3.24).

    Raises:
        ConfigError: the confidence is not between 0.5 and 1.

    Example:
        >>> year = 252**0.5
        >>> round(minimum_track_record(Moments(2 / year, 1000), benchmark=1 / year) / 252, 2)
        2.73
    """
    _check_record(record)
    benchmark = number(benchmark, "minimum track record, benchmark", "give the Sharpe ratio of a session")
    what, do = f"confidence {confidence!r} is not between 0.5 and 1", "write 95 % as 0.95"
    if not 0.5 < number(confidence, "minimum track record", do, what=what) < 1:
        raise ConfigError(what, where="minimum track record", do=do)
    if record.sharpe <= benchmark:
        return math.inf
    return 1.0 + (record.spread * _NORMAL.inv_cdf(confidence) / (record.sharpe - benchmark)) ** 2


def expected_best(trials: float) -> float:
    """Expected highest of that many independent standard normal numbers: the ratio that luck alone shows, in standard deviations.

    ``(1 - g) x Z^-1(1 - 1 / N) + g x Z^-1(1 - 1 / (N e))``, g = 0.5772 (Euler and Mascheroni); 0 for one trial.
    Source: Bailey, Borwein, Lopez de Prado and Zhu, Pseudo-Mathematics and Financial Charlatanism, Notices of the AMS 61(5), 2014, where
    ten tries give 1.57.

    Raises:
        ConfigError: fewer than one trial, or more than 10^15.

    Example:
        >>> round(expected_best(10), 2)
        1.57
    """
    what, do = f"{trials!r} trials cannot be judged", "give a number from 1 to 10^15"
    if not 1 <= number(trials, "honesty, trials", do, what=what) <= MOST_LOOKS:
        raise ConfigError(what, where="honesty, trials", do=do)
    if trials == 1:
        return 0.0
    return (1.0 - EULER) * _NORMAL.inv_cdf(1.0 - 1.0 / trials) + EULER * _NORMAL.inv_cdf(1.0 - 1.0 / (trials * math.e))


def minimum_backtest_years(trials: float, sharpe: float = 1.0) -> float:
    """Years of data below which the best of that many worthless strategies is expected to show this yearly Sharpe ratio.

    ``(expected_best / sharpe)^2``. Source: as `expected_best`: five years carry no more than 45 tries before a ratio of 1 means nothing.

    Raises:
        ConfigError: the ratio is not positive, or the trials cannot be judged.

    Example:
        >>> round(minimum_backtest_years(45), 1)
        5.0
    """
    what, do = f"Sharpe ratio {sharpe!r} is not positive", "give the yearly ratio to be trusted"
    if not number(sharpe, "minimum backtest", do, what=what) > 0:
        raise ConfigError(what, where="minimum backtest", do=do)
    return (expected_best(trials) / sharpe) ** 2


def deflated_sharpe(record: Moments, trials: float, variance: float) -> float:
    """Probability that the true Sharpe ratio of the best of many trials is above zero, after what luck alone would show.

    `probabilistic_sharpe` against ``sqrt(variance) x expected_best(trials)``. Source: Bailey and Lopez de Prado, The Deflated Sharpe Ratio,
    Journal of Portfolio Management 40(5), 2014. Their example: a yearly ratio of 2.5 over 1,250 days of 250 a year, skew -3, kurtosis
    10, best of 100 trials whose yearly ratios vary by 1/2: 0.9004.

    Args:
        record: of the best one.
        trials: how many were tried, those that were thrown away too; correlated ones count as fewer (`independent_trials`).
        variance: of the ratios of all trials, each of one session.

    Raises:
        ConfigError: the variance is negative, or the trials cannot be judged.

    Example:
        >>> best = Moments(2.5 / 250**0.5, 1250, skew=-3.0, kurtosis=10.0 - 3)
        >>> round(deflated_sharpe(best, trials=100, variance=0.5 / 250), 4)
        0.9004
    """
    what = f"variance {variance!r} of the trials is not a variance"
    if not number(variance, "deflated Sharpe", "give 0 or more", what=what) >= 0:
        raise ConfigError(what, where="deflated Sharpe", do="give 0 or more")
    return probabilistic_sharpe(record, math.sqrt(variance) * expected_best(trials))


def independent_trials(trials: int, correlation: float) -> float:
    """How many independent trials that many correlated ones amount to: ``correlation + (1 - correlation) x trials``.

    Source: Bailey and Lopez de Prado, The Deflated Sharpe Ratio, 2014, appendix 3, a straight line between the two ends that are known.

    Args:
        trials: how many were tried.
        correlation: mean correlation between their returns; below 0 counts as 0.

    Raises:
        ConfigError: no trials, or a correlation that is none.

    Example:
        >>> independent_trials(100, 0.75)
        25.75
    """
    what, where, do = f"{trials!r} trials of correlation {correlation!r}", "honesty, trials", "give 1 or more, and -1 to 1"
    if number(trials, where, do, what=what) < 1 or not -1 <= number(correlation, where, do, what=what) <= 1:
        raise ConfigError(what, where=where, do=do)
    return max(0.0, correlation) + (1.0 - max(0.0, correlation)) * trials
