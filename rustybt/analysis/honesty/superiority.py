"""Is the best of many better than the benchmark, when all of them were looked at?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rustybt.analysis.honesty.blocks import best_block, check_blocks, check_room, stationary_indices
from rustybt.analysis.honesty.sharpe import floats_of
from rustybt.analysis.metrics.curve import Floats
from rustybt.errors import ConfigError
from rustybt.model.arguments import seed_of, whole

CHUNK = 2**22
"""Numbers of a block of resamples that are drawn at a time."""
VARIANTS = 256
"""Variants that are worked on at a time, always as many, so that numbers do not depend on how variants arrive."""
LEADING = 10
"""Of the best variants: their dependence chooses the blocks."""


@dataclass(frozen=True)
class Superiority:
    """A test of the hypothesis that no variant beats the benchmark.

    Attributes:
        best: which variant has the largest statistic.
        statistic: its value.
        p_value: the test's own answer: chance of a statistic this large when none is better. `superior_ability`: the consistent one.
        lower, upper: bounds of it: ``lower`` drops every variant that did worse than the benchmark, ``upper`` keeps them as if they were as
            good as it (the least favourable case).
        block: mean length of the blocks. count: resamples.
    """

    best: int
    statistic: float
    p_value: float
    lower: float
    upper: float
    block: float
    count: int


def reality_check(excess: Floats, count: int = 1000, block: float | None = None, seed: int = 0) -> Superiority:
    """White's reality check: the largest mean return over the benchmark against its distribution when no variant is better.

    ``max sqrt(n) mean`` beside ``max sqrt(n) (mean* - mean)`` over stationary resamples; the p-value is
    ``(1 + resamples at or above) / (1 + count)``. Source: White, A Reality Check for Data Snooping, Econometrica 68(5), 2000.

    Args:
        excess: (sessions, variants) returns less the benchmark's (or as they are, against holding cash), of all that were tried.
        count: resamples.
        block: mean length of the blocks; None: the longest that `best_block` finds best for the best variants (at most ten).
        seed: of the random numbers.

    Raises:
        ConfigError: the returns or the blocks cannot be used.

    Example:
        >>> noise = np.random.default_rng(2).normal(0, 0.01, (500, 20))
        >>> reality_check(noise).p_value > 0.05, reality_check(noise + 0.003 * (np.arange(20) == 4)).p_value < 0.01
        (True, True)
    """
    return _tried(excess, block, count, seed).reality_check()


def superior_ability(excess: Floats, count: int = 1000, block: float | None = None, seed: int = 0) -> Superiority:
    """Hansen's test for superior predictive ability: as `reality_check`, each variant by its own deviation, hopeless ones let go.

    The statistic is ``max(0, max sqrt(n) mean / w)``, w the deviation of ``sqrt(n) mean`` under the stationary bootstrap. Variants below
    ``-w sqrt(2 ln ln n)`` are centred at their own mean, so that bad ones do not make the test blind (``p_value``, consistent).
    Source: Hansen, A Test for Superior Predictive Ability, Journal of Business and Economic Statistics 23(4), 2005.

    Args:
        excess: (sessions, variants) returns less the benchmark's, of all that were tried.
        count: resamples.
        block: mean length of the blocks; None as in `reality_check`.
        seed: of the random numbers.

    Raises:
        ConfigError: the returns or the blocks cannot be used.

    Example:
        >>> noise = np.random.default_rng(2).normal(0, 0.01, (500, 20))
        >>> found = superior_ability(noise + 0.003 * (np.arange(20) == 4))
        >>> found.best, found.p_value < 0.01
        (4, True)
    """
    return _tried(excess, block, count, seed).superior_ability()


class Contest:
    """Both tests over variants that arrive in batches: what is kept of one is three numbers.

    Args:
        sessions: length of every record.
        block: mean length of the blocks.
        count: resamples.
        seed: of the random numbers.

    Raises:
        ConfigError: too few sessions, or blocks that cannot be used.

    Example:
        >>> contest, noise = Contest(500, 3.0, 200), np.random.default_rng(2).normal(0, 0.01, (500, 20))
        >>> contest.add(noise[:, :7]).add(noise[:, 7:]).reality_check() == reality_check(noise, 200, 3.0)
        True
    """

    def __init__(self, sessions: int, block: float, count: int = 1000, seed: int = 0) -> None:
        whole(sessions, "superiority", "give at least ten", least=10, what=f"{sessions!r} sessions are too few to resample")
        check_blocks(sessions, block, count)
        check_room(sessions, count)
        seed_of(seed, "superiority")
        self.sessions, self.block, self.count = sessions, block, count
        self.weights = _weights(sessions, block, count, seed)
        self.root = math.sqrt(sessions)
        self.means, self.units = list[Floats](), list[Floats]()
        self.largest = np.full((4, count), -np.inf)
        self.waiting = np.empty((sessions, 0))

    def add(self, excess: Floats) -> Contest:
        """Further variants: (sessions, variants) returns less the benchmark's, finite."""
        table = np.concatenate((self.waiting, excess), axis=1) if self.waiting.shape[1] else excess
        whole = table.shape[1] - table.shape[1] % VARIANTS
        for first in range(0, whole, VARIANTS):
            self._take(table[:, first : first + VARIANTS])
        self.waiting = table[:, whole:].copy()
        return self

    def _take(self, part: Floats) -> None:
        table = np.ascontiguousarray(part)
        mean, spread = table.mean(axis=0), _long_run_deviation(table, self.block)
        good = spread > 4.0 * np.finfo(np.float64).eps * np.abs(table).max(axis=0)
        unit = np.where(good, 1.0 / np.where(good, spread, 1.0), 0.0)
        kept = self.root * mean * unit >= -math.sqrt(2.0 * math.log(math.log(self.sessions)))
        drawn = self.weights @ table
        off = drawn - mean
        np.maximum(self.largest[0], off.max(axis=1), out=self.largest[0])
        if good.any():
            for row, centre in zip(self.largest[1:], (np.maximum(mean, 0.0), np.where(kept, mean, 0.0), mean), strict=True):
                np.subtract(drawn, centre, out=off)
                off *= unit
                np.maximum(row, off[:, good].max(axis=1), out=row)
        self.means.append(mean)
        self.units.append(unit)

    def _finish(self) -> tuple[Floats, Floats]:
        """Means and units of all variants."""
        if self.waiting.shape[1]:
            self._take(self.waiting)
            self.waiting = self.waiting[:, :0]
        return np.concatenate(self.means), np.concatenate(self.units)

    def reality_check(self) -> Superiority:
        """See `rustybt.analysis.honesty.reality_check`."""
        mean, _ = self._finish()
        statistic = float(mean.max() * self.root)
        share = _share(self.largest[0] * self.root, statistic)
        return Superiority(int(mean.argmax()), statistic, share, share, share, self.block, self.count)

    def superior_ability(self) -> Superiority:
        """See `rustybt.analysis.honesty.superior_ability`.

        Raises:
            ConfigError: no variant differs from the benchmark.
        """
        mean, unit = self._finish()
        good = unit > 0
        if not good.any():
            raise ConfigError("no variant differs from the benchmark in any session", where="superiority", do="there is nothing to test")
        ratio = self.root * mean * unit
        statistic = max(0.0, float(ratio[good].max()))
        lower, consistent, upper = (_share(np.maximum(values * self.root, 0.0), statistic) for values in self.largest[1:])
        return Superiority(int(np.where(good, ratio, -np.inf).argmax()), statistic, consistent, lower, upper, self.block, self.count)


def leading_block(returns: Floats) -> float:
    """Length of the blocks for many variants: the longest that `best_block` finds best for one of these, the best by their mean.

    Raises:
        ConfigError: the returns cannot be used.
    """
    if floats_of(returns, "honesty").ndim != 2 or not np.shape(returns)[1]:
        raise ConfigError(f"returns of shape {np.shape(returns)} hold no variants", where="honesty", do="give (sessions, variants)")
    return max(best_block(returns[:, at]) for at in range(returns.shape[1]))


def _tried(excess: Floats, block: float | None, count: int, seed: int) -> Contest:
    """A contest of all variants.

    Raises:
        ConfigError: the returns or the blocks cannot be used.
    """
    table, length = _checked(excess, block, count)
    return Contest(len(table), length, count, seed).add(table)


def _checked(excess: Floats, block: float | None, count: int) -> tuple[Floats, float]:
    table = floats_of(excess, "superiority")
    if table.ndim != 2 or table.shape[1] < 1:
        raise ConfigError(f"returns of shape {table.shape} hold no variants", where="superiority", do="give (sessions, variants)")
    if len(table) < 10:
        raise ConfigError(f"{len(table)} sessions are too few to resample", where="superiority", do="give at least ten")
    bad = np.argwhere(~np.isfinite(table))
    if len(bad):
        raise ConfigError(f"the return of variant {bad[0][1]} in session {bad[0][0]} is not a number", where="superiority", do="drop it")
    if block is None:
        block = leading_block(table[:, np.argsort(-table.mean(axis=0), kind="stable")[:LEADING]])
    check_blocks(len(table), block, count)
    return table, block


def _weights(length: int, block: float, count: int, seed: int) -> Floats:
    """(count, length): how often each session is in each resample, as a share."""
    rng = np.random.default_rng(seed)
    out = np.empty((count, length))
    rows = max(1, CHUNK // length)
    for first in range(0, count, rows):
        at = stationary_indices(length, block, min(rows, count - first), rng)
        shifted = at + length * np.arange(len(at))[:, None]
        out[first : first + len(at)] = np.bincount(shifted.ravel(), minlength=at.size).reshape(at.shape)
    out /= length
    return out


def _share(drawn: Floats, statistic: float) -> float:
    return float((1 + np.count_nonzero(drawn >= statistic - 1e-12 * abs(statistic))) / (1 + len(drawn)))


def _long_run_deviation(table: Floats, block: float) -> Floats:
    """Deviation of ``sqrt(n) mean`` under the stationary bootstrap, exactly: weighted autocovariances, Hansen 2005, section 3."""
    n = len(table)
    i = np.arange(n)
    keep = 1.0 - 1.0 / block
    weight = (n - i) / n * keep**i + i / n * keep ** (n - i)
    weight[0] = 0.5
    off = table - table.mean(axis=0)
    power = np.abs(np.fft.rfft(off, 2 * n, axis=0)) ** 2
    covariance = np.fft.irfft(power, 2 * n, axis=0)[:n] / n
    return np.sqrt(np.maximum(2.0 * weight @ covariance, 0.0))
