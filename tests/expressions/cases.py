"""Every entry with small parameters, beside the plain Python that says what it should give."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime

import polars as pl

import expressions as ex
from tests.expressions import crossings as cross
from tests.expressions import oracles as o
from tests.expressions.oracles import Bars, Series

type Along = tuple[dict[str, object], Callable[[str], pl.Expr], Callable[[Bars], Series]]
"""Parameters, the expression for a prefix of the columns, and its oracle on one asset."""


def _column(name: str, column: str, oracle: Callable[..., Series], **params: object) -> Along:
    """An entry of one column."""
    return params, lambda p: getattr(ex, name)(p + column, **params), lambda b: oracle(b[column])


def _bars(name: str, oracle: Callable[[Bars], Series], **params: object) -> Along:
    """An entry of several columns with a prefix."""
    return params, lambda p: getattr(ex, name)(prefix=p, **params), oracle


def _close(name: str, oracle: Callable[..., Series], **params: object) -> Along:
    return _column(name, "close", oracle, **params)


ALONG: dict[str, Along] = {
    "simple_return": _close("simple_return", lambda x: o.returns_of(x, 2), periods=2),
    "log_return": _close("log_return", lambda x: o.logs_of(x, 3), periods=3),
    "overnight_return": _bars("overnight_return", lambda b: o.each(lambda a, c: a / c - 1, b["open"], o.back(b["close"], 1))),
    "intraday_return": _bars("intraday_return", lambda b: o.each(lambda a, c: c / a - 1, b["open"], b["close"])),
    "cumulative_return": _close("cumulative_return", o.cumulative_return),
    "annualised_return": _close(
        "annualised_return", lambda x: o.each(lambda r: (1 + r) ** (252 / 5) - 1, o.returns_of(x, 5)), window=5, periods=252
    ),
    "drawdown": _close("drawdown", lambda x: o.walked(lambda w: w[-1] / max(w) - 1, x)),
    "rolling_drawdown": _close("rolling_drawdown", lambda x: o.rolled(lambda w: w[-1] / max(w) - 1, x, 7), window=7),
    "sma": _close("sma", lambda x: o.rolled(o.mean, x, 5), window=5),
    "ema": _close("ema", lambda x: o.ema(x, 5), window=5),
    "wma": _close("wma", lambda x: o.wma(x, 5), window=5),
    "hull": _close("hull", lambda x: o.wma(o.each(lambda a, b: 2 * a - b, o.wma(x, 4), o.wma(x, 9)), 3), window=9),
    "dema": _close("dema", lambda x: o.each(lambda a, b: 2 * a - b, o.ema(x, 4), o.ema(o.ema(x, 4), 4)), window=4),
    "tema": _close(
        "tema",
        lambda x: o.each(lambda a, b, c: 3 * a - 3 * b + c, o.ema(x, 3), o.ema(o.ema(x, 3), 3), o.ema(o.ema(o.ema(x, 3), 3), 3)),
        window=3,
    ),
    "macd_line": _close("macd_line", lambda x: o.macd(x, 3, 7), fast=3, slow=7),
    "macd_signal": _close("macd_signal", lambda x: o.ema(o.macd(x, 3, 7), 4), fast=3, slow=7, signal=4),
    "macd_histogram": _close(
        "macd_histogram",
        lambda x: o.each(lambda a, b: a - b, o.macd(x, 3, 7), o.ema(o.macd(x, 3, 7), 4)),
        fast=3,
        slow=7,
        signal=4,
    ),
    "linear_slope": _close("linear_slope", lambda x: o.rolled(o.slope, x, 6), window=6),
    "price_to_average": _close("price_to_average", lambda x: o.rolled(lambda w: w[-1] / o.mean(w) - 1, x, 6), window=6),
    "plus_di": _bars("plus_di", lambda b: o.directional(b, 4, 1), window=4),
    "minus_di": _bars("minus_di", lambda b: o.directional(b, 4, -1), window=4),
    "adx": _bars("adx", lambda b: o.adx(b, 4), window=4),
    "aroon_up": _column("aroon_up", "high", lambda x: o.aroon(x, 6, max), window=6),
    "aroon_down": _column("aroon_down", "low", lambda x: o.aroon(x, 6, min), window=6),
    "aroon_oscillator": _bars(
        "aroon_oscillator", lambda b: o.each(lambda u, d: u - d, o.aroon(b["high"], 5, max), o.aroon(b["low"], 5, min)), window=5
    ),
    "momentum": _close("momentum", lambda x: o.each(lambda a, b: a / b - 1, o.back(x, 2), o.back(x, 8)), lookback=8, skip=2),
    "roc": _close("roc", lambda x: o.each(lambda r: 100 * r, o.returns_of(x, 4)), window=4),
    "change": _close("change", lambda x: o.moves_of(x, 4), window=4),
    "rsi": _close("rsi", lambda x: o.rsi(x, 5), window=5),
    "cmo": _close("cmo", lambda x: o.cmo(x, 5), window=5),
    "stochastic_k": _bars("stochastic_k", lambda b: o.stochastic(b, 5), window=5),
    "stochastic_d": _bars("stochastic_d", lambda b: o.rolled(o.mean, o.stochastic(b, 5), 3), window=5, smooth=3),
    "williams_r": _bars("williams_r", lambda b: o.williams(b, 5), window=5),
    "cci": _bars("cci", lambda b: o.cci(b, 5), window=5),
    "trix": _close("trix", lambda x: o.trix(x, 3), window=3),
    "ppo": _close("ppo", lambda x: o.each(lambda a, b: 100 * (a / b - 1), o.ema(x, 3), o.ema(x, 6)), fast=3, slow=6),
    "ultimate_oscillator": _bars("ultimate_oscillator", lambda b: o.ultimate(b, (2, 4, 8)), short=2, middle=4, long=8),
    "true_range": _bars("true_range", o.true_range),
    "atr": _bars("atr", lambda b: o.wilder(o.true_range(b), 5), window=5),
    "natr": _bars("natr", lambda b: o.each(lambda a, c: a / c, o.wilder(o.true_range(b), 5), b["close"]), window=5),
    "bollinger_upper": _close("bollinger_upper", lambda x: o.bollinger(x, 6, 1.5), window=6, deviations=1.5),
    "bollinger_lower": _close("bollinger_lower", lambda x: o.bollinger(x, 6, -1.5), window=6, deviations=1.5),
    "percent_b": _close("percent_b", lambda x: o.percent_b(x, 6, 1.5), window=6, deviations=1.5),
    "bandwidth": _close("bandwidth", lambda x: o.rolled(lambda w: 3 * o.std(w, 0) / o.mean(w), x, 6), window=6, deviations=1.5),
    "keltner_upper": _bars("keltner_upper", lambda b: o.keltner(b, 5, 2.0), window=5, ranges=2.0),
    "keltner_lower": _bars("keltner_lower", lambda b: o.keltner(b, 5, -2.0), window=5, ranges=2.0),
    "donchian_high": _column("donchian_high", "high", lambda x: o.back(o.rolled(max, x, 6), 1), window=6),
    "donchian_low": _column("donchian_low", "low", lambda x: o.back(o.rolled(min, x, 6), 1), window=6),
    "realised_volatility": _close(
        "realised_volatility", lambda x: o.rolled(lambda w: o.std(w) * math.sqrt(252), o.logs_of(x), 6), window=6, periods=252
    ),
    "downside_volatility": _close("downside_volatility", lambda x: o.downside(x, 6, 252), window=6, periods=252),
    "ewm_volatility": _close("ewm_volatility", lambda x: o.riskmetrics(x, 0.9, 4, 252), decay=0.9, window=4, periods=252),
    "parkinson": _bars("parkinson", lambda b: o.parkinson(b, 6, 252), window=6),
    "garman_klass": _bars("garman_klass", lambda b: o.garman_klass(b, 6, 252), window=6),
    "rogers_satchell": _bars("rogers_satchell", lambda b: o.root_mean(o.satchell_days(b), 6, 252), window=6),
    "yang_zhang": _bars("yang_zhang", lambda b: o.yang_zhang(b, 6, 252), window=6),
    "obv": _bars("obv", o.obv),
    "ad_line": _bars("ad_line", lambda b: o.walked(math.fsum, o.flows_of(b))),
    "cmf": _bars("cmf", lambda b: o.cmf(b, 5), window=5),
    "mfi": _bars("mfi", lambda b: o.mfi(b, 5), window=5),
    "vwap": _bars("vwap", o.vwap),
    "rolling_vwap": _bars("rolling_vwap", lambda b: o.rolling_vwap(b, 5), window=5),
    "volume_ratio": _column("volume_ratio", "volume", lambda x: o.each(lambda v, m: v / m, x, o.back(o.rolled(o.mean, x, 5), 1)), window=5),
    "dollar_volume": _bars("dollar_volume", lambda b: o.rolled(o.mean, o.traded(b), 5), window=5),
    "amihud": _bars("amihud", lambda b: o.amihud(b, 5), window=5),
    "force_index": _bars("force_index", lambda b: o.ema(o.each(lambda m, v: m * v, o.moves_of(b["close"]), b["volume"]), 4), window=4),
    "zscore": _close("zscore", lambda x: o.rolled(lambda w: o.divided(w[-1] - o.mean(w), o.std(w)), x, 6), window=6),
    "rolling_correlation": (
        {"window": 6},
        lambda p: ex.rolling_correlation(p + "close", p + "volume", window=6),
        lambda b: o.paired(o.correlation, b["close"], b["volume"], 6),
    ),
    "rolling_beta": (
        {"window": 6},
        lambda p: ex.rolling_beta(p + "close", p + "open", window=6),
        lambda b: o.paired(o.beta, b["close"], b["open"], 6),
    ),
    "autocorrelation": _close("autocorrelation", lambda x: o.paired(o.correlation, x, o.back(x, 2), 7), window=7, lag=2),
    "rolling_skew": _column("rolling_skew", "volume", lambda x: o.rolled(o.skew, x, 6), window=6),
    "rolling_kurtosis": _column("rolling_kurtosis", "volume", lambda x: o.rolled(o.kurtosis, x, 6), window=6),
    "rolling_rank": _close("rolling_rank", lambda x: o.rolled(lambda w: o.average_rank(w, w[-1]) / 6, x, 6), window=6),
    "rolling_quantile": _close("rolling_quantile", lambda x: o.rolled(lambda w: o.quantile(w, 0.3), x, 6), quantile=0.3, window=6),
    "rolling_sharpe": _close(
        "rolling_sharpe",
        lambda x: o.rolled(lambda w: o.divided(math.sqrt(252) * o.mean(w), o.std(w)), o.returns_of(x), 6),
        window=6,
        periods=252,
    ),
    "efficiency_ratio": _close("efficiency_ratio", lambda x: o.efficiency(x, 5), window=5),
    "price_above": _close("price_above", lambda x: o.true(o.each(lambda v: v > 80, x)), least=80.0),
    "volume_above": _column(
        "volume_above", "volume", lambda x: o.true(o.each(lambda v: v > 160_000, o.rolled(o.mean, x, 5))), least=160_000.0, window=5
    ),
    "liquid": (
        {"window": 5},
        lambda p: ex.liquid(least=1.5e7, window=5),
        lambda b: o.true(o.each(lambda v: v > 1.5e7, o.rolled(o.mean, o.traded(b), 5))),
    ),
    "listed_for": (
        {"bars": 9},
        lambda p: ex.listed_for(bars=9, column=p + "close"),
        lambda b: [v is not None for v in o.back(b["close"], 8)],
    ),
    "crosses_above": (
        {},
        lambda p: ex.crosses_above(p + "close", p + "open"),
        lambda b: o.crossed(b["close"], b["open"], 1),
    ),
    "crosses_below": (
        {},
        lambda p: ex.crosses_below(p + "close", p + "open"),
        lambda b: o.crossed(b["close"], b["open"], -1),
    ),
    "above_average": _close("above_average", lambda x: o.true(o.rolled(o.above_mean, x, 7)), window=7),
    "new_high": _close("new_high", lambda x: o.true(o.rolled(lambda w: w[-1] > max(w[:-1]), x, 8)), window=7),
    "new_low": _close("new_low", lambda x: o.true(o.rolled(lambda w: w[-1] < min(w[:-1]), x, 8)), window=7),
    "trend_regime": _close(
        "trend_regime",
        lambda x: o.labelled(o.rolled(lambda w: w[-1] / o.mean(w) - 1, x, 6), [-0.01] * len(x), [0.01] * len(x), ("down", "flat", "up")),
        window=6,
        band=0.01,
    ),
    "volatility_regime": _close("volatility_regime", lambda x: o.volatility_regime(x, 4, 12), window=4, history=12),
    "candle": _bars("candle", lambda b: o.candle(b, 0.2), doji=0.2),
    "volatility_target": _close(
        "volatility_target",
        lambda x: o.rolled(lambda w: min(0.8, 0.1 / s) if (s := o.std(w) * math.sqrt(252)) else 0.8, o.logs_of(x), 6),
        target=0.1,
        window=6,
        periods=252,
        most=0.8,
    ),
    "fixed_fractional": (
        {"risk": 0.01, "most": 0.5},
        lambda p: ex.fixed_fractional(p + "close", distance=pl.col(p + "high") - pl.col(p + "low"), risk=0.01, most=0.5),
        lambda b: o.each(lambda c, h, lo: min(0.5, 0.01 * c / (h - lo)) if h > lo else 0.0, b["close"], b["high"], b["low"]),
    ),
    "capped": (
        {"most": 1.0},
        lambda p: ex.capped(pl.col(p + "close") / pl.col(p + "open") * 100 - 100, most=1.0),
        lambda b: o.each(lambda c, a: max(-1.0, min(1.0, c / a * 100 - 100)), b["close"], b["open"]),
    ),
}

CROSS: dict[str, tuple[dict[str, object], pl.Expr, Callable[[cross.Rows], Series]]] = {
    "cross_rank": ({}, ex.cross_rank("x", descending=True), lambda r: cross.ranks(r["x"], descending=True)),
    "cross_percentile": ({}, ex.cross_percentile("x"), cross.percentiles),
    "cross_zscore": ({}, ex.cross_zscore("x"), cross.zscores),
    "demean": ({}, ex.demean("x"), lambda r: cross.demeaned(r["x"])),
    "market_mean": ({}, ex.market_mean("x"), cross.means),
    "winsorise": ({}, ex.winsorise("x", lower=0.2, upper=0.7), lambda r: cross.winsorised(r["x"], 0.2, 0.7)),
    "top_n": ({"n": 2}, ex.top_n("x", n=2), lambda r: cross.chosen(r["x"], 2, highest=True)),
    "bottom_n": ({"n": 2}, ex.bottom_n("x", n=2), lambda r: cross.chosen(r["x"], 2, highest=False)),
    "quantile_bucket": ({"buckets": 3}, ex.quantile_bucket("x", buckets=3), lambda r: cross.buckets(r["x"], 3)),
    "group_neutralise": ({}, ex.group_neutralise("x", group="sector"), lambda r: cross.by_group(cross.demeaned, r)),
    "group_rank": ({}, ex.group_rank("x", group="sector"), lambda r: cross.by_group(cross.ranks, r)),
    "size_bucket": ({}, ex.size_bucket("x"), cross.sizes),
    "equal_weight": ({}, ex.equal_weight(pl.col("x") > 0, invested=0.9), lambda r: cross.equal(r["x"], 0.9, 0)),
    "fixed_slots": ({"slots": 3}, ex.fixed_slots(pl.col("x") > 0, slots=3, invested=0.9), lambda r: cross.equal(r["x"], 0.9, 3)),
    "gross_limited": ({}, ex.gross_limited("x", most=0.5), lambda r: cross.limited(r["x"], 0.5)),
    "signal_weight": ({}, ex.signal_weight("x", gross=0.8), lambda r: cross.proportional(r["x"], 0.8)),
    "most_liquid": ({"window": 1, "n": 2}, ex.most_liquid(n=2, window=1), cross.most_traded),
    "inverse_volatility": (
        {"window": 5},
        ex.inverse_volatility(window=5, invested=0.9),
        lambda r: cross.inverse(r["sigma"], 0.9),
    ),
}
"""Entries over the assets of a bar, and their oracles on the rows of one ts. ``x`` holds ties and nulls, ``sigma`` a deviation."""

DATES: dict[str, tuple[pl.Expr, Callable[[date, datetime], float]]] = {
    "day_of_week": (ex.day_of_week(), lambda day, ts: day.isoweekday()),
    "day_of_month": (ex.day_of_month(), lambda day, ts: day.day),
    "month_of_year": (ex.month_of_year(), lambda day, ts: day.month),
    "hour_of_day": (ex.hour_of_day(zone="Asia/Kolkata"), cross.local_hour),
    "weekdays_left_in_month": (ex.weekdays_left_in_month(), lambda day, ts: len(cross.weekdays_after(day))),
    "turn_of_month": (
        ex.turn_of_month(before=2, after=3),
        lambda day, ts: len(cross.weekdays_after(day)) < 2 or len(cross.weekdays_until(day)) <= 3,
    ),
    "winter_half": (ex.winter_half(), lambda day, ts: day.month in (11, 12, 1, 2, 3, 4)),
    "year_sine": (
        ex.year_sine(harmonic=2),
        lambda day, ts: math.sin(4 * math.pi * day.timetuple().tm_yday / 365.25),
    ),
}
"""Entries of the calendar, and their oracles of a session and a ts."""
