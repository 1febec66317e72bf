"""backtrader: market orders for the next open; brackets and trailing stops are orders, sent once the fill is known.

Its own trailing order follows the close; here a stop is sent again after each bar, below the highest high, as the rule book has it.
"""

from __future__ import annotations

import importlib
from typing import Any

from benchmarks import peers
from benchmarks.markets import FIELDS
from benchmarks.models import Facts, Job
from benchmarks.peers import Play, plays_of

bt: Any = importlib.import_module("backtrader")
pd: Any = importlib.import_module("pandas")


class Recorded(bt.Strategy):  # type: ignore[misc]
    """Keeps what was filled; the base of the others."""

    params = (("weight", 0.0),)

    def __init__(self) -> None:
        self.fills: list[peers.Fill] = []

    def notify_order(self, order: Any) -> None:
        if order.status == order.Completed:
            self.fills.append([len(self) - 1, self.datas.index(order.data), order.executed.size, order.executed.price])
            self.filled(order)

    def filled(self, order: Any) -> None:
        """What follows a fill: nothing."""

    def on(self, every: int) -> bool:
        """Whether this is one of every n bars, the first among them."""
        return (len(self) - 1) % every == 0


class Cross(Recorded):
    """Shares while the fast average is above the slow one."""

    def __init__(self) -> None:
        super().__init__()
        average = bt.indicators.SimpleMovingAverage
        self.fast, self.slow = average(self.data.close, period=peers.FAST), average(self.data.close, period=peers.SLOW)

    def next(self) -> None:
        if self.fast[0] > self.slow[0] and not self.position:
            self.buy(size=peers.SHARES)
        elif self.fast[0] <= self.slow[0] and self.position:
            self.close()


class Rebalance(Recorded):
    """Whole shares of each asset, by its weight of the equity at the close."""

    def next(self) -> None:
        if self.on(peers.MONTH):
            worth = self.broker.getvalue()
            changes = [(int(worth * self.p.weight / feed.close[0]) - self.getposition(feed).size, feed) for feed in self.datas]
            for change, feed in sorted(changes, key=lambda one: one[0]):  # sales first, so that their cash is there for the purchases
                if change:
                    (self.buy if change > 0 else self.sell)(feed, size=abs(change))


class Bracket(Recorded):
    """A stop and a limit, one cancels the other."""

    def filled(self, order: Any) -> None:
        if order.isbuy():
            price = order.executed.price
            stop = self.sell(size=peers.SHARES, exectype=bt.Order.Stop, price=price * (1 - peers.STOP))
            self.sell(size=peers.SHARES, exectype=bt.Order.Limit, price=price * (1 + peers.TAKE), oco=stop)

    def next(self) -> None:
        if self.on(peers.EVERY) and not self.position:
            self.buy(size=peers.SHARES)


class Trail(Recorded):
    """A stop below the highest high since the entry, sent again after each bar."""

    def __init__(self) -> None:
        super().__init__()
        self.stop_order, self.peak = None, 0.0

    def filled(self, order: Any) -> None:
        if order.isbuy():
            self.peak = order.executed.price

    def next(self) -> None:
        if self.position:
            self.peak = max(self.peak, self.data.high[0])
            if self.stop_order is not None and self.stop_order.alive():
                self.cancel(self.stop_order)
            self.stop_order = self.sell(size=peers.SHARES, exectype=bt.Order.Stop, price=self.peak * (1 - peers.TRAIL))
        elif self.on(peers.EVERY):
            self.buy(size=peers.SHARES)


class Limit(Recorded):
    """A bid below the close while flat, an offer above it while held, each for one bar."""

    def __init__(self) -> None:
        super().__init__()
        self.standing: Any = None

    def next(self) -> None:
        if self.standing is not None and self.standing.alive():
            self.cancel(self.standing)
        send, part = (self.sell, peers.OFFER) if self.position else (self.buy, peers.BID)
        self.standing = send(size=peers.SHARES, exectype=bt.Order.Limit, price=round(self.data.close[0] * part, peers.DIGITS))


STRATEGIES = {"cross": Cross, "rebalance": Rebalance, "bracket": Bracket, "trail": Trail, "limit": Limit}


def run_of(play: Play) -> tuple[list[peers.Fill], float]:
    """Fills and final equity of a play."""
    cerebro = bt.Cerebro(stdstats=False)
    for j, asset in enumerate(play.assets):
        frame = pd.DataFrame({name: play.prices[name][:, j] for name in FIELDS} | {"volume": 1.0}, pd.DatetimeIndex(play.days))
        cerebro.adddata(bt.feeds.PandasData(dataname=frame), name=asset)
    cerebro.broker.setcash(peers.CASH)
    cerebro.broker.setcommission(commission=peers.FEE)
    cerebro.addstrategy(STRATEGIES[play.strategy], weight=play.weight)
    return cerebro.run()[0].fills, float(cerebro.broker.getvalue())


def prepare(case: Facts) -> Job:
    """All plays of a case."""
    plays = plays_of(case)

    def run() -> dict[str, Any]:
        found = {play.name: run_of(play) for play in plays}
        return {"fills": {name: fills for name, (fills, _) in found.items()}, "equity": {name: worth for name, (_, worth) in found.items()}}

    return Job(run, {"version": bt.__version__})
