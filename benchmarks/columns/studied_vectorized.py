"""vectorbt: the sweeps of `benchmarks.studies`, each in the fastest way that was found for it.

Indicators are computed once for each different window, by its own indicators or its functions over many windows, and put side by side for
all variants; one portfolio runs them all at once, at the next open. With fifty assets a portfolio holds ten variants: with more of them, or
with fewer, it is slower.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from benchmarks.columns.vectorized import delayed, index, measured, pd, vbt
from benchmarks.markets import Bars
from benchmarks.models import Facts, Job
from benchmarks.studies import CASH, FAST, FEE, SHARES, SLOW, STUDIES, family_of

nb: Any = importlib.import_module("vectorbt.generic.nb")
prices: Any = importlib.import_module("vectorbt.portfolio.enums").StopEntryPrice
TRACE = 1e-12
TOGETHER = 10
"""Variants of fifty assets in a portfolio."""

type Varied = Mapping[str, Any]
"""Values of each parameter, one per variant."""
type Signals = tuple[Any, Any]
"""Where each variant enters and leaves, (bars, variants), at the bar that decides."""


def spread(values: Any, compute: Callable[[list[Any]], Any]) -> Any:
    """What is computed for each different value once, put side by side for all variants."""
    different, which = np.unique(values, return_inverse=True)
    return compute(different.tolist())[:, which]


def each(windows: list[int], compute: Callable[[int], Any]) -> Any:
    """Columns of windows, computed one by one."""
    return np.column_stack([compute(window) for window in windows])


def rsi(bars: Bars, varied: Varied) -> Signals:
    """Plain averages, its default."""
    close = pd.Series(bars.price("close"))
    value = spread(varied["window"], lambda windows: vbt.RSI.run(close, windows).rsi.to_numpy())
    return value < varied["low"], value > 100 - varied["low"]


def bollinger(bars: Bars, varied: Varied) -> Signals:
    """Averages and deviations once for each window."""
    close = bars.price("close")
    mean = spread(varied["window"], lambda windows: vbt.MA.run(pd.Series(close), windows).ma.to_numpy())
    deviation = spread(varied["window"], lambda windows: vbt.MSTD.run(pd.Series(close), windows).mstd.to_numpy())
    return mean - varied["width"] * deviation > close[:, None], mean < close[:, None]


def donchian(bars: Bars, varied: Varied) -> Signals:
    """Highest highs and lowest lows of the bars before."""
    high, low, close = (bars.price(name) for name in ("high", "low", "close"))
    top = spread(varied["entry"], lambda windows: each(windows, lambda n: nb.rolling_max_1d_nb(high, n, n)))
    bottom = spread(varied["leave"], lambda windows: each(windows, lambda n: nb.rolling_min_1d_nb(low, n, n)))
    enter, leave = np.zeros(top.shape, bool), np.zeros(top.shape, bool)
    enter[1:], leave[1:] = close[1:, None] > top[:-1], close[1:, None] < bottom[:-1]
    return enter, leave


def ema(close: Any, spans: Any) -> Any:
    """Exponential averages of all variants."""
    return spread(spans, lambda different: vbt.MA.run(pd.Series(close), different, ewm=True).ma.to_numpy())


def ema_cross(bars: Bars, varied: Varied) -> Signals:
    """In while the fast is above the slow."""
    close = bars.price("close")
    above = ema(close, varied["fast"]) > ema(close, varied["slow"])
    return above, ~above


def macd(bars: Bars, varied: Varied) -> Signals:
    """Its own indicator, all three averages exponential."""
    found = vbt.MACD.run(
        pd.Series(bars.price("close")),
        fast_window=varied["fast"].tolist(), slow_window=varied["slow"].tolist(), signal_window=varied["signal"].tolist(),
        macd_ewm=True, signal_ewm=True,
    )  # fmt: skip
    above = found.macd.to_numpy() > found.signal.to_numpy()
    return above, ~above


def stochastic(bars: Bars, varied: Varied) -> Signals:
    """Its own indicator."""
    high, low, close = (pd.Series(bars.price(name)) for name in ("high", "low", "close"))
    value = spread(varied["window"], lambda windows: vbt.STOCH.run(high, low, close, windows).percent_k.to_numpy())
    return value < varied["low"], value > 100 - varied["low"]


SIGNALS: dict[str, Callable[[Bars, Varied], Signals]] = {
    "rsi": rsi, "bollinger": bollinger, "donchian": donchian, "ema cross": ema_cross, "macd": macd, "stochastic": stochastic,
}  # fmt: skip


def prepare(case: Facts) -> Job:
    """A sweep with the engine named in the case."""
    vbt.settings["engine"] = case["engine"]
    name, study = str(case["study"]), STUDIES[case["study"]]
    variants, bars = study.variants(case["small"]), study.bars(int(case["bars"]))
    varied = {key: np.array([variant[key] for variant in variants]) for key in study.grid}
    close, opened = bars.price("close"), bars.price("open")
    given = {"fees": FEE, "init_cash": CASH, "freq": "1D", "engine": case["engine"]}

    def signals() -> dict[str, Any]:
        enter, leave = (delayed(part) for part in SIGNALS[family_of(name)](bars, varied))
        series, price = pd.Series(close, index(bars)), opened[:, None]
        return measured(vbt.Portfolio.from_signals(series, enter, leave, price=price, size=SHARES, **given))

    def reversion() -> dict[str, Any]:
        mean = spread(varied["window"], lambda windows: vbt.MA.run(pd.Series(close), windows).ma.to_numpy())
        deviation = spread(varied["window"], lambda windows: vbt.MSTD.run(pd.Series(close), windows).mstd.to_numpy())
        z = (close[:, None] - mean) / deviation
        size = np.full(z.shape, np.nan)
        size[np.abs(z) < varied["leave"]] = 0.0
        size[z > varied["enter"]] = -SHARES
        size[z < -varied["enter"]] = SHARES
        held = np.full(z.shape, np.nan)
        held[1:] = size[:-1]
        series, price = pd.Series(close, index(bars)), opened[:, None]
        return measured(vbt.Portfolio.from_orders(series, held, size_type="targetamount", price=price, **given))

    def ranked() -> dict[str, Any]:
        parts = [slice(at, at + TOGETHER) for at in range(0, len(variants), TOGETHER)]
        ranks = {}
        for look in np.unique(varied["look"]).tolist():
            rise = np.full(close.shape, -np.inf)
            rise[look:] = close[look:] / close[:-look]
            ranks[look] = np.empty(close.shape, dtype=np.int64)
            np.put_along_axis(ranks[look], np.argsort(-rise, axis=1, kind="stable"), np.arange(close.shape[1])[None, :], axis=1)
            ranks[look][:look] = close.shape[1]
        found = [_winners(close, opened, bars, ranks, varied["look"][part], varied["top"][part], given) for part in parts]
        orders = sum(one.pop("orders") for one in found)
        return {key: float(np.mean([one[key] for one in found])) for key in found[0]} | {"orders": orders}

    def bracketed() -> dict[str, Any]:
        fast, slow = (vbt.MA.run(pd.Series(close), window).ma.to_numpy() for window in (FAST, SLOW))
        enter, leave = delayed(fast > slow), delayed(fast <= slow)
        enter[1:] &= ~enter[:-1]
        path = {"open": opened[:, None]}  # where it leaves at the open nothing else of the bar counts: it looks at stops first
        path |= {part: np.where(leave, opened, bars.price(part))[:, None] for part in ("high", "low")}
        stop, take = (varied[part][None, :] - TRACE for part in ("stop", "take"))  # a price that is the level to the cent reaches it
        levels = {"sl_stop": stop, "tp_stop": take, "stop_entry_price": prices.FillPrice}
        frame, signals = pd.Series(close, index(bars)), (enter[:, None], leave[:, None])
        return measured(vbt.Portfolio.from_signals(frame, *signals, price=opened[:, None], size=SHARES, **path, **levels, **given))

    runs = {"z-score": reversion, "momentum": ranked, "brackets": bracketed}
    return Job(runs.get(name, signals), {"version": vbt.__version__})


def _winners(close: Any, opened: Any, bars: Bars, ranks: Varied, looks: Any, tops: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Some variants of the cross-section, the assets of each a group of columns."""
    assets = close.shape[1]
    size = np.full((len(close), assets * len(looks)), np.nan)
    for at, (look, top) in enumerate(zip(looks.tolist(), tops.tolist(), strict=True)):
        size[1:, at * assets : (at + 1) * assets] = np.where(ranks[look] < top, float(SHARES), 0.0)[:-1]
    columns = pd.MultiIndex.from_product([range(len(looks)), range(assets)], names=["variant", "asset"])
    frame = pd.DataFrame(np.tile(close, len(looks)), index(bars), columns)
    price = np.tile(opened, len(looks))
    portfolio = vbt.Portfolio.from_orders(
        frame, size, size_type="targetamount", price=price, cash_sharing=True, group_by="variant", **given
    )
    return measured(portfolio)
