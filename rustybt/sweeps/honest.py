"""The leaderboard with its luck: how sure each Sharpe ratio is, alone and as the best of all that were tried."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from rustybt.analysis.honesty import Moments, deflated_sharpe, probabilistic_sharpe
from rustybt.errors import ConfigError
from rustybt.model.arguments import kind
from rustybt.sweeps.registry import Tally

NEEDED = ("sharpe", "skew", "kurtosis", "returns", "periods_per_year")
"""Columns that a judgement needs."""


def judged(frame: pl.DataFrame, tally: Tally) -> pl.DataFrame:
    """Rows of a sweep with two probabilities that the true Sharpe ratio is above zero.

    Args:
        frame: the columns ``NEEDED``; ``sharpe`` per year.
        tally: what was tried on the data.

    Returns:
        The frame with ``probabilistic_sharpe`` (for someone who tried nothing else) and ``deflated_sharpe`` (after all trials), Float64;
        null where there is no ratio to judge.

    Raises:
        ConfigError: no frame, a column that is missing, or no tally.

    Example:
        >>> row = {"sharpe": 2.5, "skew": -3.0, "kurtosis": 7.0, "returns": 1250, "periods_per_year": 250.0}
        >>> judged(pl.DataFrame([row]), Tally(trials=100, variance=0.5 / 250))["deflated_sharpe"].round(4).to_list()
        [0.9004]
    """
    kind(frame, pl.DataFrame, "judged, frame", "give the rows of a sweep, such as Sweep.frame", what=f"{frame!r} is no frame")
    kind(tally, Tally, "judged, tally", "give a Tally, such as Sweep.tally", what=f"{tally!r} is no tally")
    missing = [name for name in NEEDED if name not in frame.columns]
    if missing:
        raise ConfigError(f"there is no column {missing[0]!r}", where="judged, frame", do=f"give {', '.join(NEEDED)}")
    found = [_judge(row, tally) for row in frame.select(NEEDED).iter_rows(named=True)]
    alone, among = ([pair[i] for pair in found] for i in (0, 1))
    return frame.with_columns(
        pl.Series("probabilistic_sharpe", alone, dtype=pl.Float64), pl.Series("deflated_sharpe", among, dtype=pl.Float64)
    )


def session_sharpes(rows: pl.DataFrame) -> pl.Series:
    """Sharpe ratios of one session of those that ran."""
    good = rows if rows["error"].null_count() == rows.height else rows.filter(pl.col("error").is_null())
    yearly, periods = (good[name].cast(pl.Float64) for name in ("sharpe", "periods_per_year"))
    return yearly / np.sqrt(periods.to_numpy())


def sentence(tally: Tally, best: float | None) -> str:
    """What a reader of the leaderboard has to know.

    Example:
        >>> sentence(Tally(trials=1200, variance=0.0004), 0.31)
        '1,200 trials were run on this data; the Sharpe ratio of the first row is above what luck shows with probability 0.310.'
    """
    said = f"{tally.trials:,} trial{'' if tally.trials == 1 else 's'} {'was' if tally.trials == 1 else 'were'} run on this data"
    if best is None:
        return f"{said}; the first row has no Sharpe ratio that could be judged."
    return f"{said}; the Sharpe ratio of the first row is above what luck shows with probability {best:.3f}."


def _judge(row: Mapping[str, Any], tally: Tally) -> tuple[float | None, float | None]:
    if any(row[name] is None for name in NEEDED):
        return None, None
    try:
        record = Moments(row["sharpe"] / row["periods_per_year"] ** 0.5, row["returns"], row["skew"], row["kurtosis"])
        return probabilistic_sharpe(record), deflated_sharpe(record, max(1, tally.trials), tally.variance)
    except ConfigError:
        return None, None
