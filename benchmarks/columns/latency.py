"""One bar at a time: ten expressions kept up to date, in several ways.

``numpy`` writes them by hand on an (assets, look-back) array; ``polars`` selects them over a frame of the last bars; ``window`` is our
`rustybt.spec.window.Window`; ``engine`` is the whole `rustybt.engine.Incremental`: window, target, kernel. Beside them ``callback``: the
engine with a strategy that is an `on_bar` callback with the same look-back, which looks at the last close.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np
import polars as pl

import rustybt as rbt
from benchmarks.columns.ours import frame_of
from benchmarks.markets import Floats, Market, draw
from benchmarks.models import Facts, Job
from rustybt.engine import Bar, Incremental, bars_of, configure
from rustybt.model import Panel
from rustybt.spec import Context, OnBar

BLOCK = 40
"""Bars of one turn."""
BARS = 2_000
"""Bars in all, before the rounds end."""
FIELDS = ("high", "low", "close", "volume")


def terms(lookback: int) -> dict[str, pl.Expr]:
    """The ten expressions."""
    high, low, close, volume = (pl.col(name) for name in FIELDS)
    half = lookback // 2
    slow, wide = close.rolling_mean(lookback), close.rolling_std(lookback)
    top, bottom = high.rolling_max(lookback), low.rolling_min(lookback)
    return {
        "fast": close.rolling_mean(half),
        "slow": slow,
        "deviation": wide,
        "highest": top,
        "lowest": bottom,
        "momentum": close / close.shift(lookback - 1) - 1,
        "return": close / close.shift(1) - 1,
        "score": (close - slow) / wide,
        "turnover": volume.rolling_mean(lookback),
        "place": (close - bottom) / (top - bottom),
    }


def by_hand(last: Floats) -> Floats:
    """The same in numpy: (fields, assets, look-back) to (10, assets)."""
    high, low, close, volume = last
    half, now = close.shape[1] // 2, close[:, -1]
    slow, wide = close.mean(axis=1), close.std(axis=1, ddof=1)
    top, bottom = high.max(axis=1), low.min(axis=1)
    score, place = (now - slow) / wide, (now - bottom) / (top - bottom)
    momentum, step = now / close[:, 0] - 1, now / close[:, -2] - 1
    return np.stack([close[:, -half:].mean(axis=1), slow, wide, top, bottom, momentum, step, score, volume.mean(axis=1), place])


def in_numpy(panel: Panel, lookback: int) -> Callable[[Bar], Floats]:
    """A rolling array, fed from arrays."""
    last = np.full((len(FIELDS), len(panel.assets), lookback), np.nan)
    given = panel.frame.select(FIELDS).to_numpy().T.reshape(len(FIELDS), len(panel.assets), -1)

    def take(bar: Bar) -> Floats:
        last[:, :, :-1] = last[:, :, 1:]
        last[:, :, -1] = given[:, :, bar.index]
        return by_hand(last)

    return take


def in_polars(panel: Panel, lookback: int) -> Callable[[Bar], pl.DataFrame]:
    """A frame of the last bars and one eager select."""
    wanted = [expr.over("asset").alias(name) for name, expr in terms(lookback).items()]
    names, count = ("ts", "asset", *FIELDS), len(panel.assets)
    given = panel.frame.select(names).sort("ts", "asset")
    last = given.clear()

    def take(bar: Bar) -> pl.DataFrame:
        nonlocal last
        last = pl.concat([last.tail((lookback - 1) * count), given.slice(bar.index * count, count)], rechunk=True)
        return last.select(wanted).tail(count)

    return take


def in_window(panel: Panel, lookback: int) -> Callable[[Bar], pl.DataFrame]:
    """Our window."""
    from rustybt.spec.planner import plan_terms
    from rustybt.spec.window import Window

    window = Window(plan_terms(terms(lookback)), panel.assets, adj_digits=panel.adj_digits)
    return lambda bar: window.push(bar.rows)


def in_engine(panel: Panel, lookback: int) -> Callable[[Bar], None]:
    """The whole engine, deciding and trading."""
    signals = terms(lookback)
    weight = pl.when(signals["fast"] > signals["slow"]).then(0.9 / len(panel.assets)).otherwise(0.0)
    strategy = rbt.Strategy("ten", target=rbt.weight(weight), signals=signals)
    config = configure(cash=10_000_000, costs=rbt.costs(commission=rbt.bps(10)))
    return Incremental({"ten": strategy}, panel.assets, config, panel.adj_digits).on_bar


def look(context: Context) -> None:
    """Read the last bars, the cheapest way."""
    if context.bars["close"][-1] <= 0:
        context.order(context.bars["asset"][-1], 1)


def in_callback(panel: Panel, lookback: int) -> Callable[[Bar], None]:
    """The engine and a callback."""
    strategy = rbt.Strategy("looking", on_bar=OnBar(look, lookback))
    return Incremental({"looking": strategy}, panel.assets, configure(cash=10_000_000), panel.adj_digits).on_bar


WAYS: dict[str, Callable[[Panel, int], Callable[[Bar], Any]]] = {
    "numpy": in_numpy,
    "polars": in_polars,
    "window": in_window,
    "engine": in_engine,
    "callback": in_callback,
}


def prepare(case: Facts) -> Job:
    """A market that has run for one look-back already."""
    assets, lookback = case["assets"], case["lookback"]
    panel = rbt.load(frame_of(draw(Market(5, assets, BARS, 0.0, 0.01, 100.0, daily=True))))
    take = WAYS[case["way"]](panel, lookback)
    bars: Iterator[Bar] = bars_of(panel)
    for bar in islice(bars, lookback + BLOCK):
        take(bar)
    each: list[float] = []

    def run() -> dict[str, Any]:
        for bar in islice(bars, BLOCK):
            began = time.perf_counter()
            take(bar)
            each.append(time.perf_counter() - began)
        return {"bars": len(each), "p50": float(np.percentile(each, 50)), "p99": float(np.percentile(each, 99))}

    return Job(run)
