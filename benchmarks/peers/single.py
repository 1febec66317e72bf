"""backtesting.py: one asset. Stops are absolute prices, so they are set once the fill is known; the first bar is fed twice."""

from __future__ import annotations

import importlib
import os
import warnings
from typing import Any

from benchmarks import peers
from benchmarks.columns.single import average, led
from benchmarks.markets import FIELDS
from benchmarks.models import Facts, Job
from benchmarks.peers import Play, plays_of

os.environ.setdefault("TQDM_DISABLE", "1")
warnings.simplefilter("ignore")
pd: Any = importlib.import_module("pandas")
backtesting: Any = importlib.import_module("backtesting")


class Cross(backtesting.Strategy):  # type: ignore[misc]
    """Shares while the fast average is above the slow one."""

    def init(self) -> None:
        self.fast, self.slow = self.I(average, self.data.Close, peers.FAST), self.I(average, self.data.Close, peers.SLOW)

    def next(self) -> None:
        if self.fast[-1] > self.slow[-1] and not self.position:
            self.buy(size=peers.SHARES)
        elif self.fast[-1] <= self.slow[-1] and self.position:
            self.position.close()


class Rebalance(backtesting.Strategy):  # type: ignore[misc]
    """Whole shares, by a weight of the equity at the close."""

    weight = 0.0

    def init(self) -> None:
        """Nothing to compute beforehand."""

    def next(self) -> None:
        if (len(self.data) - 2) % peers.MONTH == 0:
            change = int(self.equity * self.weight / self.data.Close[-1]) - self.position.size
            if change:
                (self.buy if change > 0 else self.sell)(size=abs(change))


class Bracket(backtesting.Strategy):  # type: ignore[misc]
    """A stop and a take-profit, set at the first close after the entry."""

    def init(self) -> None:
        """Nothing to compute beforehand."""

    def next(self) -> None:
        for trade in self.trades:
            self.protect(trade)
        if (len(self.data) - 2) % peers.EVERY == 0 and not self.position:
            self.buy(size=peers.SHARES)

    def protect(self, trade: Any) -> None:
        """Set the exits of a trade."""
        if trade.sl is None:
            trade.sl, trade.tp = trade.entry_price * (1 - peers.STOP), trade.entry_price * (1 + peers.TAKE)


class Trail(Bracket):
    """A stop below the highest high since the entry."""

    def protect(self, trade: Any) -> None:
        """Raise the stop of a trade."""
        trade.sl = max(trade.entry_price, self.data.High[trade.entry_bar :].max()) * (1 - peers.TRAIL)


class Limit(backtesting.Strategy):  # type: ignore[misc]
    """A bid below the close while flat, an offer above it while held, each for one bar."""

    def init(self) -> None:
        """Nothing to compute beforehand."""

    def next(self) -> None:
        for order in self.orders:
            order.cancel()
        send, part = (self.sell, peers.OFFER) if self.position else (self.buy, peers.BID)
        send(size=peers.SHARES, limit=round(self.data.Close[-1] * part, peers.DIGITS))


STRATEGIES = {"cross": Cross, "rebalance": Rebalance, "bracket": Bracket, "trail": Trail, "limit": Limit}


def run_of(play: Play) -> tuple[list[peers.Fill], float]:
    """Fills and final equity of a play."""
    frame = pd.DataFrame({name: play.prices[name][:, 0] for name in FIELDS} | {"volume": 1.0}, pd.DatetimeIndex(play.days))
    made = backtesting.Backtest(led(frame), STRATEGIES[play.strategy], cash=peers.CASH, commission=peers.FEE)
    ran = made.run(**({"weight": play.weight} if play.strategy == "rebalance" else {}))
    fills = [[trade.entry_bar - 1, 0, trade.size, trade.entry_price] for trade in ran["_strategy"].trades]
    for trade in ran["_trades"].itertuples():
        fills.append([trade.EntryBar - 1, 0, trade.Size, trade.EntryPrice])
        fills.append([trade.ExitBar - 1, 0, -trade.Size, trade.ExitPrice])
    return fills, float(ran["Equity Final [$]"])


def prepare(case: Facts) -> Job:
    """All plays of a case."""
    plays = plays_of(case)

    def run() -> dict[str, Any]:
        found = {play.name: run_of(play) for play in plays}
        return {"fills": {name: fills for name, (fills, _) in found.items()}, "equity": {name: worth for name, (_, worth) in found.items()}}

    return Job(run, {"version": backtesting.__version__})
