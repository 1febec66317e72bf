"""Probability of backtest overfitting: how often the best of the past is below the middle of the rest afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from rustybt.analysis.honesty.sharpe import floats_of
from rustybt.analysis.metrics.curve import Floats
from rustybt.errors import ConfigError
from rustybt.model.arguments import kind, whole

CHUNK = 2**14
"""Numbers of a block of splits that are worked on at a time: few enough to stay near the processor (a tenth of the time of 2**22)."""


@dataclass(frozen=True)
class Overfitting:
    """What combinatorially symmetric cross-validation finds.

    Attributes:
        probability: share of the splits in which the best variant in sample is at or below the median out of sample.
        logits: (splits,) ``ln(w / (1 - w))``, w = rank of that variant out of sample / (variants + 1).
        inside, outside: (splits,) Sharpe ratio of a session of that variant, in and out of sample.
        chosen: (splits,) which variant it was.
        loss: share of the splits in which it lost money per unit of risk out of sample.
        slope: of ``outside`` on ``inside``: below 0, the better the past looked, the worse the future was. NaN where it cannot be told.
    """

    probability: float
    logits: Floats
    inside: Floats
    outside: Floats
    chosen: np.ndarray[tuple[int], np.dtype[np.int64]]
    loss: float
    slope: float


@dataclass(frozen=True)
class PartSums:
    """What is kept of each part of the sessions.

    Attributes:
        sums, squares: (parts, variants) of the returns and of their squares.
        counts: (parts,) sessions.
    """

    sums: Floats
    squares: Floats
    counts: Floats


def overfitting(returns: Floats, parts: int = 16) -> Overfitting:
    """Probability of backtest overfitting (PBO) by combinatorially symmetric cross-validation (CSCV).

    The sessions are cut into ``parts`` of equal length (those of the rest are one longer); every half of them serves once as the past and
    the other half as the future. In each split the variant with the best Sharpe ratio in the past is ranked among all in the future. A
    variant that does not vary has a ratio of 0; equal ratios share their mean rank. Source: Bailey, Borwein, Lopez de Prado and Zhu,
    The Probability of Backtest Overfitting, Journal of Computational Finance 20(4), 2017.

    Args:
        returns: (sessions, variants) simple returns of all variants that were tried, not of the survivors.
        parts: even number of parts; 16 make 12,870 splits.

    Raises:
        ConfigError: fewer than two variants, an odd number of parts, fewer than two sessions a part, or a return that is not finite.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> noise = rng.normal(0, 0.01, (500, 20))
        >>> skilled = noise + np.where(np.arange(20) == 7, 0.004, 0.0)
        >>> overfitting(skilled, parts=8).probability
        0.0
    """
    table = checked_returns(returns, parts)
    return overfitting_of(part_sums(table, parts))


def overfitting_of(found: PartSums) -> Overfitting:
    """`overfitting` from the sums of each part, which is all it needs: 16 bytes a part and variant.

    Args:
        found: of all variants that were tried.

    Raises:
        ConfigError: fewer than two variants.
    """
    kind(found, PartSums, "overfitting", "give what part_sums gives", what=f"{found!r} are no sums of parts")
    parts, variants = found.sums.shape
    if variants < 2:
        raise ConfigError(f"{variants} variant has nothing to be ranked among", where="overfitting", do="try several")
    splits = np.array(list(combinations(range(parts), parts // 2)))
    halves = np.zeros((len(splits), parts))
    halves[np.arange(len(splits))[:, None], splits] = 1.0
    logits, inside, outside, chosen = (np.empty(len(splits)) for _ in range(4))
    rows = min(len(splits) // 2, max(1, CHUNK // variants))
    room = np.empty((2, 3, rows, variants))
    for first in range(0, len(splits) // 2, rows):
        at = np.arange(first, min(first + rows, len(splits) // 2))
        rest = len(splits) - 1 - at  # the splits whose past is this future, and the other way round
        one, other = (_ratios(halves[which], found, buffers[:, : len(at)]) for which, buffers in ((at, room[0]), (rest, room[1])))
        for which, past, future in ((at, one, other), (rest, other, one)):
            best, row = past.argmax(axis=1), np.arange(len(at))
            own = future[row, best][:, None]
            rank = np.count_nonzero(future < own, axis=1) + (np.count_nonzero(future == own, axis=1) + 1) / 2.0
            share = rank / (variants + 1)
            logits[which], chosen[which] = np.log(share / (1.0 - share)), best
            inside[which], outside[which] = past[row, best], own[:, 0]
    moved = inside - inside.mean()
    spread = float(moved @ moved)
    slope = float(moved @ outside) / spread if spread > 0 else float("nan")
    loss = float((outside < 0).mean())
    return Overfitting(float((logits <= 0).mean()), logits, inside, outside, chosen.astype(np.int64), loss, slope)


def checked_returns(returns: Floats, parts: int) -> Floats:
    """Returns that can be cut into parts.

    Raises:
        ConfigError: as `overfitting`.
    """
    table = floats_of(returns, "overfitting")
    if table.ndim != 2 or table.shape[1] < 2:
        raise ConfigError(f"returns of shape {table.shape} hold no two variants", where="overfitting", do="give (sessions, variants)")
    what, do = f"{parts!r} parts cannot be halved", "give an even number, such as 16"
    if whole(parts, "overfitting, parts", do, least=2, what=what) % 2:
        raise ConfigError(what, where="overfitting, parts", do=do)
    if table.shape[0] < 2 * parts:
        raise ConfigError(
            f"{table.shape[0]} sessions make no {parts} parts", where="overfitting, parts", do=f"give fewer parts, or {2 * parts} sessions"
        )
    if parts > 20:
        raise ConfigError(f"{parts} parts make too many splits", where="overfitting, parts", do="give 20 or fewer; 16 make 12,870")
    bad = np.argwhere(~np.isfinite(table))
    if len(bad):
        raise ConfigError(f"the return of variant {bad[0][1]} in session {bad[0][0]} is not a number", where="overfitting", do="drop it")
    return table


def part_sums(table: Floats, parts: int) -> PartSums:
    """The sums of each part of (sessions, variants) returns; parts of the rest are one session longer.

    Raises:
        ConfigError: no such returns, or more parts than sessions.
    """
    table = floats_of(table, "part_sums")
    if table.ndim != 2:
        raise ConfigError(f"returns of shape {table.shape} are of no variants", where="part_sums", do="give (sessions, variants)")
    what = f"{parts!r} parts of {len(table)} sessions"
    whole(parts, "part_sums, parts", f"give 1 to {len(table)}", most=len(table), what=what)
    edges = [len(piece) for piece in np.array_split(np.arange(len(table)), parts)]
    starts = np.concatenate(([0], np.cumsum(edges)[:-1]))
    return PartSums(np.add.reduceat(table, starts, axis=0), np.add.reduceat(table * table, starts, axis=0), np.array(edges, np.float64))


def _ratios(halves: Floats, found: PartSums, room: Floats) -> Floats:
    """Sharpe ratios of a session on halves of the parts, in place: (halves, variants). ``room`` is (3, halves, variants)."""
    mean, square, variance = room
    count = (halves @ found.counts)[:, None]
    np.matmul(halves, found.sums, out=mean)
    np.matmul(halves, found.squares, out=square)
    mean /= count
    square /= count
    np.multiply(mean, mean, out=variance)
    np.subtract(square, variance, out=variance)
    variance *= count / (count - 1.0)
    square *= 1e-14
    still = ~(variance > square)
    mean[still], variance[still] = 0.0, 1.0
    np.sqrt(variance, out=variance)
    mean /= variance
    ratios: Floats = mean
    return ratios
