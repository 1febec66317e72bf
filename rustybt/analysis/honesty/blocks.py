"""Resampling in blocks: which sessions a resample is made of, and how long its blocks should be."""

from __future__ import annotations

import math

import numpy as np

from rustybt.analysis.honesty.sharpe import checked
from rustybt.analysis.metrics.curve import Floats, Ints
from rustybt.errors import ConfigError
from rustybt.model.arguments import flag, kind, number, whole

MOST = 2**30
"""Numbers that are drawn at once: 8 GB."""


def check_blocks(length: int, block: float, count: int) -> None:
    """The sizes of a resampling.

    Raises:
        ConfigError: fewer than two observations, a block outside 1..length, or no resamples.
    """
    whole(length, "bootstrap", "give at least two", least=2, what=f"{length!r} observations cannot be resampled")
    what, where, do = f"blocks of {block} do not go into {length} observations", "bootstrap, block", f"give 1 to {length}"
    if not 1 <= number(block, where, do, what=what) <= length:
        raise ConfigError(what, where=where, do=do)
    whole(count, "bootstrap, count", "give 1,000 or more", what=f"{count!r} resamples say nothing")


def check_room(length: int, count: int, where: str = "bootstrap, count") -> None:
    """Refuse more numbers than a machine holds at once.

    Raises:
        ConfigError: naming how many resamples there would be.

    Example:
        >>> check_room(2520, 1000)
    """
    if length * count > MOST:
        what = f"{count:,} resamples of {length:,} observations are too many"
        raise ConfigError(what, where=where, do=f"give {max(1, MOST // length):,} or fewer")


def check_rng(rng: object) -> None:
    """Refuse what draws no random numbers.

    Raises:
        ConfigError: it is no generator of numpy.
    """
    kind(rng, np.random.Generator, "bootstrap, rng", "give numpy.random.default_rng(0)", what=f"{rng!r} draws no random numbers")


def block_indices(length: int, block: int, count: int, rng: np.random.Generator) -> Ints:
    """Circular blocks of one length: (count, length) positions of the observations that each resample is made of.

    The sample is taken as a ring, so every observation is equally likely. Source: Politis and Romano, A circular block-resampling
    procedure for stationary data, 1992.

    Example:
        >>> block_indices(6, 3, 1, np.random.default_rng(1))
        array([[2, 3, 4, 3, 4, 5]])
    """
    check_blocks(length, block, count)
    check_room(length, count)
    check_rng(rng)
    starts = rng.integers(0, length, (count, -(-length // int(block))))
    found = (starts[:, :, None] + np.arange(int(block))) % length
    return found.reshape(count, -1)[:, :length]


def stationary_indices(length: int, block: float, count: int, rng: np.random.Generator) -> Ints:
    """Blocks of random length: (count, length) positions. The resampled series is stationary.

    Each next position follows the one before with probability ``1 - 1 / block`` (around the ring), and is drawn anew otherwise, so
    lengths are geometric with mean ``block``. Source: Politis and Romano, The Stationary Bootstrap, JASA 89, 1994.

    Example:
        >>> stationary_indices(6, 3, 1, np.random.default_rng(1))
        array([[1, 2, 1, 2, 3, 4]])
    """
    check_blocks(length, block, count)
    check_room(length, count)
    check_rng(rng)
    at = np.arange(length)
    anew = rng.random((count, length)) < 1.0 / block
    anew[:, 0] = True
    starts = rng.integers(0, length, (count, length))
    begun = np.maximum.accumulate(np.where(anew, at, 0), axis=1)
    found: Ints = (np.take_along_axis(starts, begun, axis=1) + at - begun) % length
    return found


def best_block(returns: Floats, *, circular: bool = False) -> float:
    """The length of blocks with the least error of the variance of the mean; mean length for stationary blocks.

    Source: Politis and White, Automatic block-length selection for the dependent bootstrap, Econometric Reviews 23(1), 2004, with the
    correction of Patton, Politis and White, 28(4), 2009.

    Args:
        returns: one number per session.
        circular: for blocks of one length (`block_indices`) instead of random ones.

    Returns:
        At least 1, at most ``ceil(min(3 sqrt(n), n / 3))``. 1 where the returns do not vary.

    Raises:
        ConfigError: fewer than two returns, or one that is not finite.

    Example:
        >>> best_block(np.random.default_rng(3).normal(size=500)) < 5
        True
    """
    flag(circular, "best_block, circular")
    values = checked(returns)
    n = len(values)
    most = float(math.ceil(min(3.0 * math.sqrt(n), n / 3.0)))
    off = values - values.mean()
    if float(off @ off) == 0.0:
        return 1.0
    lags = _significant_lags(off)
    k = np.arange(-lags, lags + 1)
    weight = np.minimum(1.0, 2.0 * (1.0 - np.abs(k) / lags))
    covariance = np.array([float(off[abs(i) :] @ off[: n - abs(i)]) / n for i in k])
    slope = float((weight * np.abs(k) * covariance).sum())
    power = float((weight * covariance).sum())
    factor = (4.0 / 3.0 if circular else 2.0) * power**2
    length = (2.0 * slope**2 / factor * n) ** (1.0 / 3.0) if factor > 0 else 1.0
    return min(max(length, 1.0), most)


def _significant_lags(off: Floats) -> int:
    """Twice the lag after which some correlations in a row are too small to be told from none."""
    n = len(off)
    run = max(5, math.ceil(math.log10(n)))
    most = math.ceil(math.sqrt(n)) + run
    bound = 2.0 * math.sqrt(math.log10(n) / n)
    at = range(1, min(most, n - 2) + 1)
    correlation = np.array([float(off[lag:] @ off[:-lag]) for lag in at]) / float(off @ off)
    small = np.abs(correlation) < bound
    for lag in range(len(small) - run + 1):
        if small[lag : lag + run].all():
            return min(2 * max(lag, 1), most)
    large = np.flatnonzero(~small)
    return min(2 * max(int(large[-1]) + 1 if len(large) else 1, 1), most, n - 1)
