"""RustyBT: the workloads as ordinary strategies.

The clock runs from a validated panel in memory to the log of orders and fills, the equity curve and its metrics; with ``frames`` to
those of orders, fills and equity as Decimal frames as well.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

import numpy as np
import polars as pl

import rustybt as rbt
from benchmarks import cases
from benchmarks.cases import CASES, Case
from benchmarks.markets import FIELDS, Bars
from benchmarks.models import Facts, Job
from rustybt.analysis.metrics import measure
from rustybt.engine import RunConfig, configure, run_configured
from rustybt.engine.summary import curve_of
from rustybt.model import Panel


@dataclass(frozen=True)
class Spec:
    """A workload as users write it.

    Attributes:
        strategies: one, or one per variant.
        run: settings of `rustybt.run`.
        load: settings of `rustybt.load`.
    """

    strategies: list[rbt.Strategy]
    run: dict[str, Any] = field(default_factory=dict)
    load: dict[str, Any] = field(default_factory=dict)


def mean(window: int) -> pl.Expr:
    """A simple moving average of the close."""
    return pl.col("close").rolling_mean(window)


def crossing(fast: int, slow: int) -> rbt.Strategy:
    """A fixed number of shares while the fast average is above the slow one."""
    shares = pl.when(mean(fast) > mean(slow)).then(cases.SHARES).otherwise(0)
    return rbt.Strategy("crossing", target=rbt.quantity(shares))


def momentum() -> rbt.Strategy:
    """The winners of the last year without the last month, equally weighted."""
    score = (pl.col("close").shift(cases.SKIP) / pl.col("close").shift(cases.LOOKBACK) - 1).over("asset")
    wins = score.rank("ordinal", descending=True).over("ts") <= cases.TOP
    weight = rbt.weight(pl.when(wins).then(cases.INVESTED / cases.TOP).otherwise(0.0))
    return rbt.Strategy("momentum", target=weight, schedule=rbt.every(cases.REBALANCE), warmup=cases.LOOKBACK + cases.SKIP)


def alternate() -> rbt.Strategy:
    """In on every second bar."""
    return rbt.Strategy("alternate", target=rbt.quantity(1 - pl.int_range(pl.len()) % 2))


def brackets() -> rbt.Strategy:
    """A position with a stop and a take-profit, taken anew on a schedule."""
    exits = rbt.exits(stop_loss=str(cases.STOP), take_profit=str(cases.TAKE), reentry="schedule")
    return rbt.Strategy("brackets", target=rbt.quantity(cases.SHARES), schedule=rbt.every(cases.EVERY), exits=exits, warmup=0)


def brackets_of_orders() -> rbt.Strategy:
    """The same with orders: an entry at the open, whose fill sends a stop and a limit; what is held lets no other entry in."""
    close = pl.col("close")
    deal = rbt.bracket(
        rbt.order("market", cases.SHARES, tif="gtc"),
        stop=rbt.order("stop", "filled", stop=close * (1 - cases.STOP), tif="gtc"),
        target=rbt.order("limit", "filled", limit=close * (1 + cases.TAKE), tif="gtc"),
    )
    return rbt.Strategy("brackets", orders=[deal], schedule=rbt.every(cases.EVERY), warmup=0)


def limits() -> rbt.Strategy:
    """A day order at every bar: in turn a purchase below and a sale above the close."""
    close, even = pl.col("close"), pl.int_range(pl.len()).over("asset") % 2 == 0
    sides: tuple[tuple[Literal["buy", "sell"], int, pl.Expr], ...] = (("buy", -cases.BEYOND, even), ("sell", cases.BEYOND, ~even))
    return rbt.Strategy(
        "limits",
        orders=[rbt.order("limit", cases.LOTS, side=side, limit=close * (100 + away) / 100, when=when) for side, away, when in sides],
    )


def resting() -> rbt.Strategy:
    """Orders that wait until they are filled or replaced: in turn a purchase below and a sale above the close."""
    close, buys = pl.col("close"), pl.int_range(pl.len()).over("asset") // cases.REST % 2 == 0
    limit = close * (100 + pl.when(buys).then(-cases.FAR).otherwise(cases.FAR)) / 100
    sent = rbt.order("limit", cases.LOTS, side=buys, limit=limit, tif="gtc", replace=True)
    return rbt.Strategy("resting", orders=[sent], schedule=rbt.every(cases.REST), warmup=0)


def spec_of(case: Case) -> Spec:
    """A workload in our words."""
    if case.name.startswith("W3"):  # fractional shares, sized when they are bought
        return Spec([momentum()], {"sizing": "at_fill", "money_scale": 10}, {"lot_size": "0.00000001", "tick_size": "0.01"})
    if case.name == "W6":
        return Spec([alternate()])
    if case.name == "W7":
        return Spec([brackets()])
    if case.name == "W7 orders":
        return Spec([brackets_of_orders()], {"controls": rbt.controls(position=cases.SHARES)})
    if case.name == "W8":
        return Spec([limits()])
    if case.name == "W9":
        return Spec([resting()])
    return Spec([crossing(fast, slow) for fast, slow in case.pairs])


def frame_of(bars: Bars) -> pl.DataFrame:
    """The bars as a user has them: one row per asset and instant, prices in Float64."""
    assets, count = bars.close.shape
    digits = len(str(assets - 1))
    names = pl.Series([f"{j:0{digits}d}" for j in range(assets)])
    columns = {
        "asset": names.gather(np.repeat(np.arange(assets), count)),
        "ts": pl.Series(np.tile(bars.ts, assets)).cast(pl.Datetime("us", "UTC")),
    }
    prices = {name: getattr(bars, name).ravel() / 100.0 for name in FIELDS}
    return pl.DataFrame(columns | prices | {"volume": bars.volume.ravel().astype(np.float64)})


def panel_of(case: Case, spec: Spec) -> tuple[Panel, dict[str, float]]:
    """The bars behind the door, and the seconds of the door and of the identity."""
    frame = frame_of(case.data())
    began = time.perf_counter()
    panel = rbt.load(frame, **spec.load)
    door = time.perf_counter() - began
    began = time.perf_counter()
    panel.snapshot  # noqa: B018 - a cached property: asking for it is the work
    return panel, {"door_s": door, "identity_s": time.perf_counter() - began}


def settings(case: Case, spec: Spec) -> RunConfig:
    """Settings of the run of a workload."""
    return configure(cash=int(case.cash), costs=rbt.costs(commission=rbt.bps(10)), **spec.run)


def prepare(case: Facts) -> Job:
    """A workload behind the door."""
    workload = CASES[case["workload"]]
    spec = spec_of(workload)
    panel, notes = panel_of(workload, spec)
    config = settings(workload, spec)
    frames = tuple(case.get("frames", ()))

    def run() -> dict[str, Any]:
        ends, orders, rows, numbers = [], 0, 0, []
        for strategy in spec.strategies:
            result = run_configured({strategy.name: strategy}, panel, config)
            numbers.append(measure(curve_of(result)))
            counts = result.counts()
            if strategy.orders:
                orders += counts["fills"]
            else:
                orders += counts["orders"] - counts["working"]  # what was decided on the last bar is still waiting for an open
            ends.append(Decimal(result.final_equity))
            rows += sum(getattr(result, frame).height for frame in frames)
        sharpe = [float(one["sharpe"] or 0.0) for one in numbers]
        return {"final_equity": str(sum(ends) / len(ends)), "orders": orders, "sharpe": sum(sharpe) / len(sharpe), "rows": rows}

    return Job(run, notes | {"version": rbt.__version__})
