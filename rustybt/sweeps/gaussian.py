"""A Gaussian process over a unit cube, and where to look next by it. Small and dense: for hundreds of points, not for many thousands."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rustybt.analysis.metrics.curve import Floats

LEAST_NOISE = 1e-6
MOST_POINTS = 400
"""Points that are fitted; beyond that the best half and the latest half of so many."""
TRIES = 48
CANDIDATES = 2000
PART = 128
"""Points that are asked about at a time, the most promising first."""


@dataclass(frozen=True)
class Process:
    """A fitted process.

    Attributes:
        points: (n, dimensions) in 0..1.
        lengths: (dimensions,) over which values are alike.
        noise: variance of an observation, of values with variance 1.
        factor: lower Cholesky factor of the covariance.
        weights: covariance to the minus one times the values.
        mean, spread: of the values that were given.
    """

    points: Floats
    lengths: Floats
    noise: float
    factor: Floats
    weights: Floats
    mean: float
    spread: float

    def predict(self, at: Floats) -> tuple[Floats, Floats]:
        """Mean and deviation, in units of the values, at (m, dimensions) points."""
        across = matern(at, self.points, self.lengths)
        middle = across @ self.weights
        half = np.linalg.solve(self.factor, across.T)
        variance = np.maximum(1.0 - (half * half).sum(axis=0), 1e-12)
        return middle * self.spread + self.mean, np.sqrt(variance) * self.spread


def matern(a: Floats, b: Floats, lengths: Floats) -> Floats:
    """Correlations of two sets of points, twice differentiable (Matern 5/2). Source: Rasmussen and Williams, 2006, eq. 4.17."""
    gap = (a[:, None, :] - b[None, :, :]) / lengths
    far = math.sqrt(5.0) * np.sqrt((gap * gap).sum(axis=2))
    found: Floats = (1.0 + far + far * far / 3.0) * np.exp(-far)
    return found


def fit(points: Floats, values: Floats, rng: np.random.Generator) -> Process:
    """The process with the highest marginal likelihood (with a weak prior on lengths) among some draws that are refined step by step.

    Args:
        points: (n, dimensions) in 0..1.
        values: (n,) finite.
        rng: random numbers.
    """
    points, values = _kept(points, values)
    mean, spread = float(values.mean()), float(values.std()) or 1.0
    scaled = (values - mean) / spread
    size = points.shape[1] + 1
    best = np.concatenate([np.full(size - 1, math.log(0.5)), [math.log(1e-2)]])
    most = _likelihood(best, points, scaled)
    for at in range(TRIES):
        wide = at < TRIES // 2
        drawn = np.concatenate([rng.uniform(-3.0, 1.5, size - 1), rng.uniform(-11.0, 0.0, 1)]) if wide else best + rng.normal(0, 0.35, size)
        found = _likelihood(drawn, points, scaled)
        if found > most:
            best, most = drawn, found
    lengths, noise = np.exp(best[:-1]), max(math.exp(best[-1]), LEAST_NOISE)
    factor = np.linalg.cholesky(matern(points, points, lengths) + noise * np.eye(len(points)))
    weights = np.linalg.solve(factor.T, np.linalg.solve(factor, scaled))
    return Process(points, lengths, noise, factor, weights, mean, spread)


def next_point(process: Process, best: float, rng: np.random.Generator, may: Callable[[Floats], Sequence[bool]] | None = None) -> Floats:
    """The point where the most above the best is expected, of many drawn everywhere and near the best ones.

    Source of the expected improvement: Jones, Schonlau and Welch, Journal of Global Optimization 13, 1998.

    Args:
        process: what is known.
        best: value so far.
        rng: random numbers.
        may: which of some points (n, dimensions) may be taken; None = all. Where it allows none of those drawn the best one is given.
    """
    size = process.points.shape[1]
    tops = process.points[np.argsort(-process.predict(process.points)[0], kind="stable")[:5]]
    near = np.repeat(tops, CANDIDATES // 10, axis=0)
    near = np.clip(near + rng.normal(0.0, 0.08, near.shape) * (rng.random(near.shape) < 0.7), 0.0, 1.0)
    drawn = np.concatenate([rng.random((CANDIDATES, size)), near])
    mean, spread = process.predict(drawn)
    ranked: Floats = drawn[np.argsort(-improvement((mean - best) / spread) * spread, kind="stable")]
    found: Floats = ranked[0]
    parts = (ranked[first : first + PART] for first in range(0, len(ranked), PART))
    return found if may is None else next((point for part in parts for point, free in zip(part, may(part), strict=True) if free), found)


def improvement(z: Floats) -> Floats:
    """Expected improvement of a standard normal that lies ``z`` above the best.

    Example:
        >>> improvement(np.array([0.0, 10.0])).round(4)
        array([ 0.3989, 10.    ])
    """
    density = np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    below = np.array([0.5 * math.erfc(-value / math.sqrt(2.0)) for value in z.tolist()])
    found: Floats = density + z * below
    return found


def _kept(points: Floats, values: Floats) -> tuple[Floats, Floats]:
    if len(values) <= MOST_POINTS:
        return points, values
    half = MOST_POINTS // 2
    latest = np.arange(len(values) - half, len(values))
    order = np.argsort(-values[: len(values) - half], kind="stable")[:half]
    at = np.concatenate([np.sort(order), latest])
    return points[at], values[at]


def _likelihood(logs: Floats, points: Floats, scaled: Floats) -> float:
    """Log marginal likelihood with a normal prior on the logarithms of lengths."""
    covariance = matern(points, points, np.exp(logs[:-1])) + max(math.exp(logs[-1]), LEAST_NOISE) * np.eye(len(points))
    try:
        factor = np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        return -math.inf
    half = np.linalg.solve(factor, scaled)
    prior = -0.5 * float((((logs[:-1] - math.log(0.5)) / 1.2) ** 2).sum())
    return -0.5 * float(half @ half) - float(np.log(np.diag(factor)).sum()) + prior
