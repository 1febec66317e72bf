"""How far each headline number of a run may be from the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from rustybt.analysis.honesty import Draw, Interval, TradeSample, intervals, trade_intervals
from rustybt.analysis.honesty.intervals import summed_up
from rustybt.analysis.metrics import Curve, Trades
from rustybt.engine.summary import curve_of
from rustybt.ledger.home import AtHome
from rustybt.model import Status

if TYPE_CHECKING:
    from rustybt.engine.result import Result

ORDER = (
    "total_return", "cagr", "volatility", "sharpe", "sortino", "calmar", "max_drawdown",
    "win_rate", "profit_factor", "expectancy", "expectancy_return", "average_exposure", "turnover",
)  # fmt: skip
"""Headline numbers, as the command line shows them."""


def intervals_frame(result: Result, draw: Draw) -> pl.DataFrame:
    """Confidence intervals of the headline numbers.

    Returns:
        metric, value, low, high (Float64): growth and risk from resampled session returns, trades from resampled round trips, exposure and
        turnover from the same sessions resampled.

    Raises:
        ConfigError: the run has fewer than two sessions, equity at or below zero, or the blocks do not fit.
    """
    curve = curve_of(result)
    returns, periods = curve.closes().returns, float(result.metrics["periods_per_year"])
    found = intervals(returns, periods, draw)
    trades = Trades.from_frame(result.trades)
    found |= trade_intervals(TradeSample(trades.pnl, trades.returns), draw)
    found |= _activity(result, curve, draw, draw.length_for(returns))
    rows = [(name, result.metrics.get(name), found[name].low, found[name].high) for name in ORDER if name in found]
    return pl.DataFrame(rows, schema={"metric": pl.String, "value": pl.Float64, "low": pl.Float64, "high": pl.Float64}, orient="row")


def _activity(result: Result, curve: Curve, draw: Draw, block: float) -> dict[str, Interval]:
    """Exposure and turnover of resampled sessions."""
    last = curve.session_ends
    session = np.searchsorted(last, np.arange(curve.bars))
    log = AtHome(result.books).log
    filled = log.having(Status.FILLED)
    notional = np.abs(log.notional[filled]).astype(np.float64) / 10.0**curve.money_scale
    traded = np.bincount(session[log.bar[filled]], weights=notional, minlength=len(last))
    share = np.bincount(session, weights=curve.gross / curve.equity, minlength=len(last))
    bars = np.bincount(session, minlength=len(last)).astype(np.float64)
    equity = curve.equity[last] / 10.0**curve.money_scale
    at = draw.indices(len(last), block, draw.count, np.random.default_rng(draw.seed))
    years = len(last) / float(result.metrics["periods_per_year"])
    drawn = {
        "average_exposure": share[at].sum(axis=1) / bars[at].sum(axis=1),
        "turnover": traded[at].sum(axis=1) / equity[at].mean(axis=1) / years,
    }
    sample = {name: float(result.metrics[name]) for name in drawn}
    return summed_up(sample, drawn, draw.confidence)
