"""Sizing: from signals to weights. Every weight is a fraction of equity, ready for ``rustybt.weight``.

A condition or a value may be a column name or an expression. Operations along time inside it are taken asset by asset before the
assets of a bar are compared.
"""

from __future__ import annotations

import math

import polars as pl


def _of(value: str | pl.Expr) -> pl.Expr:
    return (pl.col(value) if isinstance(value, str) else value).over("asset")


def _sigma(column: str | pl.Expr, window: int, periods: int) -> pl.Expr:
    x = pl.col(column) if isinstance(column, str) else column
    return ((x / x.shift(1)).log().rolling_std(window) * math.sqrt(periods)).over("asset")


def equal_weight(chosen: str | pl.Expr | None = None, *, invested: float = 1.0) -> pl.Expr:
    """The same weight for every chosen asset of the bar, 0 for the others.

    Args:
        chosen: true where an asset is held; None = all that have a bar.
        invested: sum of the weights.

    Formula: ``invested / number of chosen assets`` where chosen, else 0.
    Unit: fraction of equity.
    Lookback: ``0`` bars.
    Nulls: a null condition counts as false.
    Source: DeMiguel, Garlappi and Uppal (2009), Optimal Versus Naive Diversification.

    Example:
        >>> frame = pl.DataFrame({"ts": [1, 1, 1], "asset": ["A", "B", "C"], "up": [True, True, False]})
        >>> frame.select(equal_weight("up")).to_series().to_list()
        [0.5, 0.5, 0.0]
    """
    if chosen is None:
        return invested / pl.col("asset").count().over("ts")
    held = _of(chosen).fill_null(False)
    return pl.when(held).then(invested / held.cast(pl.Int64).sum().over("ts")).otherwise(0.0)


def fixed_slots(chosen: str | pl.Expr, *, slots: int, invested: float = 1.0) -> pl.Expr:
    """A fixed weight for every chosen asset, so that few chosen ones leave cash; more than ``slots`` share what there is.

    Args:
        chosen: true where an asset is held.
        slots: parts that the equity is cut into.
        invested: sum of the weights when all slots are taken.

    Formula: ``invested / max(slots, number of chosen assets)`` where chosen, else 0.
    Unit: fraction of equity.
    Lookback: ``0`` bars.
    Nulls: a null condition counts as false.
    Source: Kaufman, Trading Systems and Methods, 5th ed. (2013), chapter 24.

    Example:
        >>> frame = pl.DataFrame({"ts": [1, 1, 1], "asset": ["A", "B", "C"], "up": [True, True, False]})
        >>> frame.select(fixed_slots("up", slots=4)).to_series().to_list()
        [0.25, 0.25, 0.0]
    """
    held = _of(chosen).fill_null(False)
    count = held.cast(pl.Int64).sum().over("ts").clip(lower_bound=slots)
    return pl.when(held).then(invested / count).otherwise(0.0)


def inverse_volatility(column: str | pl.Expr = "close", *, window: int = 60, invested: float = 1.0) -> pl.Expr:
    """Weights in inverse proportion to volatility: each asset brings about the same risk.

    Args:
        column: price above 0, a column name or an expression.
        window: log returns in each standard deviation, 2 or more.
        invested: sum of the weights.

    Formula: ``invested * (1 / s) / sum(1 / s)``, ``s`` the standard deviation of log returns, over the assets of the bar.
    Unit: fraction of equity.
    Lookback: ``window`` bars.
    Nulls: 0 until an asset has ``window`` returns, where a null is inside, and where it does not move.
    Source: Maillard, Roncalli and Teiletche (2010), The Properties of Equally Weighted Risk Contribution Portfolios.

    Example:
        >>> from rustybt.spec.planner import plan_terms
        >>> rows = {"asset": ["A"] * 3 + ["B"] * 3, "ts": [1, 2, 3] * 2, "x": [1.0, 1.1, 1.0, 2.0, 2.42, 2.0]}
        >>> plan = plan_terms({"target": inverse_volatility("x", window=2).round(4)})
        >>> plan.evaluate(pl.DataFrame(rows), [])["target"].to_list()
        [0.0, 0.0, 0.6667, 0.0, 0.0, 0.3333]
    """
    sigma = _sigma(column, window, 1)
    inverse = pl.when(sigma > 1e-12).then(1 / sigma)
    return (invested * inverse / inverse.sum().over("ts")).fill_null(0.0)


def volatility_target(
    column: str | pl.Expr = "close", *, target: float = 0.1, window: int = 60, periods: int = 252, most: float = 1.0
) -> pl.Expr:
    """The weight at which one asset alone would have a wanted volatility.

    Args:
        column: price above 0, a column name or an expression.
        target: wanted volatility per year, 0.1 = 10 %.
        window: log returns in the standard deviation, 2 or more.
        periods: bars in a year.
        most: largest weight.

    Formula: ``min(most, target / (sqrt(periods) * std(ln(x[t] / x[t - 1]), window)))``.
    Unit: fraction of equity.
    Lookback: ``window`` bars.
    Nulls: null until there are ``window`` returns; a null inside the window gives null; ``most`` where nothing moves.
    Source: Moreira and Muir (2017), Volatility-Managed Portfolios.

    Example:
        >>> frame = pl.DataFrame({"asset": ["A"] * 3, "x": [1.0, 1.1, 1.0]})
        >>> frame.select(volatility_target("x", window=2, periods=1, target=0.05).round(4)).to_series().to_list()
        [None, None, 0.371]
    """
    sigma = _sigma(column, window, periods)
    return pl.when(sigma * most <= target).then(most).when(sigma > 0).then(target / sigma)


def fixed_fractional(column: str | pl.Expr = "close", *, distance: str | pl.Expr, risk: float = 0.01, most: float = 1.0) -> pl.Expr:
    """The weight at which a stop at some distance costs a fixed part of equity.

    Args:
        column: price, a column name or an expression.
        distance: from the price to the stop, such as two average true ranges: a column name or an expression.
        risk: part of equity lost at the stop, 0.01 = 1 %.
        most: largest weight.

    Formula: ``min(most, risk * x / distance)``.
    Unit: fraction of equity.
    Lookback: ``0`` bars.
    Nulls: null where the price or the distance is; 0 where the distance is not positive.
    Source: Vince, The Mathematics of Money Management (1992).

    Example:
        >>> frame = pl.DataFrame({"asset": ["A"], "x": [50.0], "stop": [2.0]})
        >>> frame.select(fixed_fractional("x", distance="stop")).to_series().to_list()
        [0.25]
    """
    x, away = _of(column), _of(distance)
    weight = pl.when(away > 0).then(risk * x / away).when(away <= 0).then(0.0 * x)
    return weight.clip(upper_bound=most)


def capped(weight: str | pl.Expr, *, most: float) -> pl.Expr:
    """Weights with the single ones cut to a cap; what is cut stays in cash.

    Args:
        weight: a column name or an expression.
        most: largest weight, long or short.

    Formula: ``min(max(w, -most), most)``.
    Unit: fraction of equity.
    Lookback: ``0`` bars.
    Nulls: null where the weight is.
    Source: Jagannathan and Ma (2003), Risk Reduction in Large Portfolios: Why Imposing the Wrong Constraints Helps.

    Example:
        >>> pl.DataFrame({"asset": ["A", "B"], "w": [0.7, -0.3]}).select(capped("w", most=0.5)).to_series().to_list()
        [0.5, -0.3]
    """
    return _of(weight).clip(-most, most)


def gross_limited(weight: str | pl.Expr, *, most: float = 1.0) -> pl.Expr:
    """Weights scaled down together where their sizes add up to more than a limit.

    Args:
        weight: a column name or an expression.
        most: largest sum of absolute weights.

    Formula: ``w * min(1, most / sum(|w|))`` over the assets of the bar.
    Unit: fraction of equity.
    Lookback: ``0`` bars.
    Nulls: null where the weight is; nulls are left out of the sum.
    Source: Grinold and Kahn, Active Portfolio Management, 2nd ed. (2000), chapter 15.

    Example:
        >>> frame = pl.DataFrame({"ts": [1, 1], "asset": ["A", "B"], "w": [1.5, -0.5]})
        >>> frame.select(gross_limited("w")).to_series().to_list()
        [0.75, -0.25]
    """
    w = _of(weight)
    gross = w.abs().sum().over("ts")
    return pl.when(gross > most).then(w * (most / gross)).otherwise(w)


def signal_weight(signal: str | pl.Expr, *, gross: float = 1.0) -> pl.Expr:
    """Weights in proportion to a signal, long and short: a mean of 0 and a fixed gross exposure.

    Args:
        signal: a column name or an expression; more is better.
        gross: sum of absolute weights.

    Formula: ``gross * (s - mean(s)) / sum(|s - mean(s)|)`` over the assets of the bar.
    Unit: fraction of equity, negative = short.
    Lookback: ``0`` bars.
    Nulls: 0 where the signal is null and where all signals are equal.
    Source: Lo and MacKinlay (1990), When Are Contrarian Profits Due to Stock Market Overreaction?

    Example:
        >>> frame = pl.DataFrame({"ts": [1, 1, 1], "asset": ["A", "B", "C"], "s": [1.0, 2.0, 3.0]})
        >>> frame.select(signal_weight("s")).to_series().to_list()
        [-0.5, 0.0, 0.5]
    """
    s = _of(signal)
    centred = s - s.mean().over("ts")
    total = (s.over("asset") - s.mean().over("ts")).abs().sum().over("ts")
    return pl.when(total > 0).then(gross * centred / total).otherwise(0.0).fill_null(0.0)
