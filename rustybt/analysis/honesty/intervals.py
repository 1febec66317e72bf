"""Confidence intervals by resampling in blocks, so that what hangs together in time stays together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rustybt.analysis.honesty.blocks import best_block, block_indices, check_blocks, check_room, stationary_indices
from rustybt.analysis.honesty.paths import CHUNK, HEADLINE, measure_paths
from rustybt.analysis.honesty.sharpe import checked
from rustybt.analysis.metrics.curve import Floats, Ints
from rustybt.errors import ConfigError
from rustybt.model.arguments import flag, kind, number, seed_of


@dataclass(frozen=True)
class Draw:
    """How resamples are drawn.

    Attributes:
        count: resamples.
        block: sessions that stay together, the mean when ``stationary``; None chooses it (`best_block`).
        stationary: blocks of random length instead of one length.
        seed: of the random numbers.
        confidence: share of the resamples that an interval holds.

    Raises:
        ConfigError: a number is out of its range.
    """

    count: int = 1000
    block: float | None = None
    stationary: bool = True
    seed: int = 0
    confidence: float = 0.95

    def __post_init__(self) -> None:
        check_blocks(2, 1, self.count)
        check_room(2, self.count)
        if self.block is not None and not number(self.block, "bootstrap, block", "give sessions, or None to choose them") >= 1:
            raise ConfigError(f"blocks of {self.block} sessions", where="bootstrap, block", do="give 1 or more")
        flag(self.stationary, "bootstrap, stationary")
        seed_of(self.seed, "bootstrap")
        what, do = f"confidence {self.confidence!r} is not between 0 and 1", "write 95 % as 0.95"
        if not 0 < number(self.confidence, "bootstrap, confidence", do, what=what) < 1:
            raise ConfigError(what, where="bootstrap, confidence", do=do)

    def length_for(self, returns: Floats) -> float:
        """The block that is used for these returns."""
        if self.block is not None:
            check_blocks(len(returns), self.block, self.count)
            return self.block if self.stationary else float(int(self.block))
        chosen = best_block(returns, circular=not self.stationary)
        return chosen if self.stationary else float(max(1, round(chosen)))

    def indices(self, length: int, block: float, count: int, rng: np.random.Generator) -> Ints:
        """Positions of some resamples."""
        return stationary_indices(length, block, count, rng) if self.stationary else block_indices(length, int(block), count, rng)


@dataclass(frozen=True)
class Interval:
    """One statistic and how far it may be from the truth.

    Attributes:
        value: measured on the sample.
        low, high: ends of the percentile interval; None where most resamples have no such number.
    """

    value: float | None
    low: float | None
    high: float | None


def resampled(returns: Floats, periods: float, draw: Draw) -> dict[str, Floats]:
    """Headline statistics of every resample of a record; the memory needed does not grow with their number.

    Raises:
        ConfigError: the returns or the blocks cannot be used.
    """
    _check_draw(draw)
    _check_periods(periods)
    values = checked(returns)
    block, rng = draw.length_for(values), np.random.default_rng(draw.seed)
    rows = max(1, CHUNK // len(values))
    parts = []
    for first in range(0, draw.count, rows):
        at = draw.indices(len(values), block, min(rows, draw.count - first), rng)
        parts.append(measure_paths(values[at], periods))
    return {name: np.concatenate([part[name] for part in parts]) for name in HEADLINE}


def intervals(returns: Floats, periods: float, draw: Draw | None = None) -> dict[str, Interval]:
    """A confidence interval for every headline statistic of session returns.

    The interval holds the middle ``confidence`` of the statistic over the resamples. That of a drawdown says how deep other orders of
    events would have fallen, not how deep the strategy can fall. Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993,
    ch. 13; Politis and Romano 1994 for the blocks.

    Args:
        returns: one number per session.
        periods: sessions per year.
        draw: how to resample; default 1,000 stationary resamples, the block chosen by `best_block`, 95 %.

    Raises:
        ConfigError: the returns or the blocks cannot be used.

    Example:
        >>> returns = np.random.default_rng(1).normal(0.001, 0.01, 500)
        >>> found = intervals(returns, 252)["sharpe"]
        >>> found.low < found.value < found.high
        True
    """
    how = _drawn(draw)
    _check_periods(periods)
    values = checked(returns)
    sample = measure_paths(values[None, :], periods)
    return summed_up({name: float(column[0]) for name, column in sample.items()}, resampled(values, periods, how), how.confidence)


@dataclass(frozen=True)
class TradeSample:
    """Closed round trips in order of exit: profits after fees, and their returns on the entry notional."""

    pnl: Floats
    returns: Floats

    def measure(self, at: Ints) -> dict[str, Floats]:
        """Trade statistics of resamples; ``at`` is (resamples, trades) positions."""
        pnl = self.pnl[at]
        gain, loss = np.maximum(pnl, 0.0).sum(axis=1), -np.minimum(pnl, 0.0).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return {
                "win_rate": (pnl > 0).mean(axis=1),
                "profit_factor": np.where(loss > 0, gain / loss, np.nan),
                "expectancy": pnl.mean(axis=1),
                "expectancy_return": self.returns[at].mean(axis=1),
            }


def trade_intervals(trades: TradeSample, draw: Draw | None = None) -> dict[str, Interval]:
    """Confidence intervals of win rate, profit factor and expectancy, from blocks of trades in order of exit.

    Returns:
        By name; empty with fewer than two closed trades.

    Example:
        >>> found = trade_intervals(TradeSample(np.array([3.0, -1.0, 2.0, -1.0]), np.array([0.03, -0.01, 0.02, -0.01])))
        >>> found["profit_factor"].value, found["win_rate"].value
        (2.5, 0.5)
    """
    kind(trades, TradeSample, "trade_intervals, trades", "give a TradeSample", what=f"{trades!r} are no trades")
    how, count = _drawn(draw), len(trades.pnl)
    if count < 2:
        return {}
    block, rng = best_block(trades.pnl) if how.block is None else min(how.block, count), np.random.default_rng(how.seed)
    whole = block if how.stationary else max(1.0, float(round(block)))
    found = trades.measure(how.indices(count, whole, how.count, rng))
    sample = trades.measure(np.arange(count)[None, :])
    return summed_up({name: float(column[0]) for name, column in sample.items()}, found, how.confidence)


def _drawn(draw: Draw | None) -> Draw:
    return Draw() if draw is None else _check_draw(draw)


def _check_draw(draw: object) -> Draw:
    found: Draw = kind(draw, Draw, "bootstrap, draw", "give a Draw(count=1000)", what=f"{draw!r} does not say how to draw")
    return found


def _check_periods(periods: float) -> None:
    what, do = f"{periods!r} periods a year", "give sessions of a year, such as 252"
    if not number(periods, "bootstrap, periods", do, what=what) >= 0:
        raise ConfigError(what, where="bootstrap, periods", do=do)


def summed_up(sample: Mapping[str, float], found: Mapping[str, Floats], confidence: float) -> dict[str, Interval]:
    """Values and percentile intervals."""
    tail = (1.0 - confidence) / 2.0
    out = {}
    for name, values in found.items():
        known = values[np.isfinite(values)]
        value = sample[name] if np.isfinite(sample[name]) else None
        if 2 * len(known) < len(values):
            out[name] = Interval(value, None, None)
            continue
        low, high = np.quantile(known, [tail, 1.0 - tail])
        out[name] = Interval(value, float(low), float(high))
    return out
