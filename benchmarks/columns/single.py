"""backtesting.py through its public interface: one asset at a time, so W5 is ten runs whose profits add up.

Market orders fill at the next open in whole shares; the commission is charged on the traded value. Its first decision comes a bar late, so
the first bar is fed twice.
"""

from __future__ import annotations

import importlib
import os
import warnings
from collections.abc import Callable
from typing import Any

from benchmarks import cases
from benchmarks.cases import CASES, Case
from benchmarks.columns.frames import frames_of
from benchmarks.models import Facts, Job

os.environ.setdefault("TQDM_DISABLE", "1")  # no progress bar
warnings.simplefilter("ignore")
pd: Any = importlib.import_module("pandas")
backtesting: Any = importlib.import_module("backtesting")


def average(close: Any, window: int) -> Any:
    """A simple moving average."""
    return pd.Series(close).rolling(window).mean()


class Crossing(backtesting.Strategy):  # type: ignore[misc]
    """A fixed number of shares while the fast average is above the slow one."""

    fast, slow = 20, 50

    def init(self) -> None:
        self.short = self.I(average, self.data.Close, self.fast)
        self.long = self.I(average, self.data.Close, self.slow)

    def next(self) -> None:
        if self.short[-1] > self.long[-1]:
            if not self.position:
                self.buy(size=cases.SHARES)
        elif self.position:
            self.position.close()


def led(frame: Any) -> Any:
    """A frame with its first bar twice, under the names that it wants."""
    first = frame.iloc[:1].copy()
    first.index = frame.index[:1] - (frame.index[1] - frame.index[0])
    return pd.concat([first, frame]).rename(columns=str.capitalize)


def orders(statistics: Any) -> int:
    """Fills: two per closed trade, one per open one."""
    return 2 * len(statistics["_trades"]) + len(statistics["_strategy"].trades)


def crossing(case: Case, frames: list[Any]) -> Callable[[], dict[str, Any]]:
    """W1, W5."""
    ((fast, slow),) = case.pairs

    def run() -> dict[str, Any]:
        ran = [backtesting.Backtest(frame, Crossing, cash=case.cash, commission=cases.FEE).run(fast=fast, slow=slow) for frame in frames]
        ends = case.cash + sum(one["Equity Final [$]"] - case.cash for one in ran)
        return {"final_equity": float(ends), "orders": sum(map(orders, ran)), "sharpe": float(ran[0]["Sharpe Ratio"])}

    return run


def prepare(case: Facts) -> Job:
    """A workload, asset by asset."""
    workload = CASES[case["workload"]]
    return Job(crossing(workload, [led(frame) for frame in frames_of(workload.data())]), {"version": backtesting.__version__})
