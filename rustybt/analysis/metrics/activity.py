"""What the run did with its money: exposure, turnover, costs and counts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from rustybt.analysis.metrics.curve import Closes, Curve
from rustybt.analysis.metrics.trades import Trades
from rustybt.model.usage import BLOCK, Usage


@dataclass(frozen=True)
class RunFacts:
    """What the log of a run adds to its curve. Money in the curve's money units.

    Attributes:
        orders, fills, rejected, cancelled, working: counts of orders and fills; an order cut to what was affordable counts as filled.
        traded: sum of absolute fill notionals, buys and sells alike.
        costs: paid, by kind ("commission", "slippage", "borrow", ...); a rebate is negative.
        income: received, by kind ("dividend", ...); what a short pays is negative.
        trades: closed round trips; None when they were not built.
    """

    orders: int = 0
    fills: int = 0
    rejected: int = 0
    cancelled: int = 0
    working: int = 0
    traded: int = 0
    costs: Mapping[str, int] = field(default_factory=dict)
    income: Mapping[str, int] = field(default_factory=dict)
    trades: Trades | None = None


def exposure(curve: Curve) -> dict[str, float]:
    """Use of capital over every bar.

    Returns:
        ``time_in_market``: share of bars with any position. ``average_exposure``, ``max_exposure``: gross / equity.
        ``average_net_exposure``: (equity - cash) / equity. NaN once equity is not positive at some bar.

    Example:
        >>> ints = lambda *values: np.array(values, dtype=np.int64)
        >>> curve = Curve(ints(0, 1), np.array([0, 1], dtype=np.int32), ints(100, 100), ints(100, 50), ints(0, 50), money_scale=0)
        >>> exposure(curve)
        {'time_in_market': 0.5, 'average_exposure': 0.25, 'max_exposure': 0.5, 'average_net_exposure': 0.25}
    """
    done = curve.use or Usage.none()
    held = int(done.held.sum()) + np.count_nonzero(curve.gross[done.bars :])
    out = {
        "time_in_market": float(held / curve.bars),
        "average_exposure": math.nan,
        "max_exposure": math.nan,
        "average_net_exposure": math.nan,
    }
    rest = curve.equity[done.bars :]
    if (not len(rest) or int(rest.min()) > 0) and (not done.bars or int(done.least.min()) > 0):
        used, net, most = done.share.tolist(), done.net.tolist(), float(done.most.max(initial=0.0))
        for start in range(done.bars, curve.bars, BLOCK):
            part = slice(start, start + BLOCK)
            equity, gross = curve.equity[part], curve.gross[part]
            long = equity - curve.cash[part]
            share = gross / equity
            used.append(float(share.sum()))
            short = int((gross - long).max()) > 0  # without shorts both are the same number
            net.append(float((long / equity).sum()) if short else used[-1])
            most = max(most, float(share.max()))
        out["average_exposure"], out["max_exposure"] = math.fsum(used) / curve.bars, most
        out["average_net_exposure"] = math.fsum(net) / curve.bars
    return out


def turnover(traded: float, closes: Closes, periods: float) -> float:
    """Traded notional / average equity / years. Both sides count: buying and selling everything once a year is 2.

    Average equity is the mean of the session closes; years = returns / periods.

    Example:
        >>> values = np.full(253, 1000.0)
        >>> turnover(2000.0, Closes(np.arange(253, dtype=np.int32), values, np.zeros(252), False), periods=252)
        2.0
    """
    average, years = float((closes.values if closes.balances is None else closes.balances).mean()), len(closes.returns) / periods
    return traded / average / years if average > 0 and years > 0 else math.nan


def activity(curve: Curve, closes: Closes, facts: RunFacts, periods: float) -> dict[str, float]:
    """Exposure, turnover, costs by kind, and counts.

    ``costs`` is their sum in currency, ``costs_per_year`` that sum / average equity / years, ``costs_of_traded`` that sum / traded
    notional; ``cost_<kind>`` and ``income_<kind>`` hold the parts. Sums are taken in whole money units, then turned into Float64.
    """
    unit = 10.0**curve.money_scale
    paid, traded = sum(facts.costs.values()), facts.traded / unit
    out = exposure(curve)
    out["turnover"] = turnover(traded, closes, periods)
    out["traded"] = traded
    out["costs"] = paid / unit
    out["costs_per_year"] = turnover(paid / unit, closes, periods)
    out["costs_of_traded"] = paid / facts.traded if facts.traded else math.nan
    out["income"] = sum(facts.income.values()) / unit
    out |= {f"cost_{kind.replace(' ', '_')}": amount / unit for kind, amount in facts.costs.items()}
    out |= {f"income_{kind.replace(' ', '_')}": amount / unit for kind, amount in facts.income.items()}
    for name in ("orders", "fills", "rejected", "cancelled", "working"):
        out[name] = float(getattr(facts, name))
    return out
