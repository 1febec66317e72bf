"""backtrader through its public interface: an event loop in Python, indicators over preloaded lines.

Market orders fill at the next open in whole shares; the commission is charged on the traded value; equity is marked at the close.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import cases
from benchmarks.cases import CASES, Case
from benchmarks.columns.frames import frames_of
from benchmarks.markets import Floats
from benchmarks.models import Facts, Job

bt: Any = importlib.import_module("backtrader")


class Crossing(bt.Strategy):  # type: ignore[misc]
    """A fixed number of shares of each feed while its fast average is above its slow one."""

    params = (("fast", 20), ("slow", 50))

    def __init__(self) -> None:
        average = bt.indicators.SimpleMovingAverage
        self.pairs = [(d, average(d.close, period=self.p.fast), average(d.close, period=self.p.slow)) for d in self.datas]

    def next(self) -> None:
        for feed, fast, slow in self.pairs:
            held = self.getposition(feed).size
            if fast[0] > slow[0] and not held:
                self.buy(feed, size=cases.SHARES)
            elif fast[0] <= slow[0] and held:
                self.close(feed)


class Curve(bt.Analyzer):  # type: ignore[misc]
    """Equity after every bar, and the orders that were filled."""

    def start(self) -> None:
        self.equity: list[float] = []
        self.orders = 0

    def notify_order(self, order: Any) -> None:
        self.orders += order.status == order.Completed

    def next(self) -> None:
        self.equity.append(self.strategy.broker.getvalue())


def statistics(equity: Floats) -> dict[str, float]:
    """Sharpe ratio and deepest fall, as the pass by hand has them."""
    change = equity[1:] / equity[:-1] - 1.0
    sharpe = float(change.mean() / change.std(ddof=1) * np.sqrt(cases.YEAR))
    return {"sharpe": sharpe, "max_drawdown": float((equity / np.maximum.accumulate(equity) - 1.0).min())}


def crossing(case: Case, frames: list[Any]) -> Callable[[], dict[str, Any]]:
    """W1, W5."""
    ((fast, slow),) = case.pairs

    def run() -> dict[str, Any]:
        cerebro = bt.Cerebro(stdstats=False)
        for number, frame in enumerate(frames):
            cerebro.adddata(bt.feeds.PandasData(dataname=frame), name=str(number))
        cerebro.broker.setcash(case.cash)
        cerebro.broker.setcommission(commission=cases.FEE)
        cerebro.addstrategy(Crossing, fast=fast, slow=slow)
        cerebro.addanalyzer(Curve, _name="curve")
        curve = cerebro.run()[0].analyzers.curve
        return {"final_equity": cerebro.broker.getvalue(), "orders": curve.orders} | statistics(np.array(curve.equity))

    return run


def prepare(case: Facts) -> Job:
    """A workload as an event loop."""
    workload = CASES[case["workload"]]
    return Job(crossing(workload, frames_of(workload.data())), {"version": bt.__version__})
