"""How much of a result is luck: inference about returns, for one run and for the best of many.

In: simple session returns as Float64 arrays; for many variants a matrix (sessions, variants). Out: probabilities, p-values and intervals.
Ratios here are those of one session unless a name says otherwise: a yearly Sharpe ratio is divided by ``sqrt(periods)`` first.
To add a statistic: a function in the file of its family, checked in the tests against its paper or a reference implementation.
"""

from typing import TYPE_CHECKING

from rustybt._lazy import lazily

if TYPE_CHECKING:
    from rustybt.analysis.honesty.blocks import best_block, block_indices, stationary_indices
    from rustybt.analysis.honesty.intervals import Draw, Interval, TradeSample, intervals, resampled, trade_intervals
    from rustybt.analysis.honesty.sharpe import (
        Moments,
        deflated_sharpe,
        expected_best,
        independent_trials,
        minimum_backtest_years,
        minimum_track_record,
        probabilistic_sharpe,
    )
    from rustybt.analysis.honesty.splits import Overfitting, PartSums, overfitting, overfitting_of, part_sums
    from rustybt.analysis.honesty.superiority import LEADING, Contest, Superiority, leading_block, reality_check, superior_ability
else:
    lazily(
        __name__,
        {
            "blocks": ("best_block", "block_indices", "stationary_indices"),
            "intervals": ("Draw", "Interval", "TradeSample", "intervals", "resampled", "trade_intervals"),
            "sharpe": (
                "Moments",
                "deflated_sharpe",
                "expected_best",
                "independent_trials",
                "minimum_backtest_years",
                "minimum_track_record",
                "probabilistic_sharpe",
            ),
            "splits": ("Overfitting", "PartSums", "overfitting", "overfitting_of", "part_sums"),
            "superiority": ("LEADING", "Contest", "Superiority", "leading_block", "reality_check", "superior_ability"),
        },
    )

__all__ = [
    "LEADING",
    "Contest",
    "Draw",
    "Interval",
    "Moments",
    "Overfitting",
    "PartSums",
    "Superiority",
    "TradeSample",
    "best_block",
    "block_indices",
    "deflated_sharpe",
    "expected_best",
    "independent_trials",
    "intervals",
    "leading_block",
    "minimum_backtest_years",
    "minimum_track_record",
    "overfitting",
    "overfitting_of",
    "part_sums",
    "probabilistic_sharpe",
    "reality_check",
    "resampled",
    "stationary_indices",
    "superior_ability",
    "trade_intervals",
]
