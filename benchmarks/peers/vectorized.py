"""vectorbt: signals and sizes shifted by a bar, filled at the open."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.models import Facts, Job
from benchmarks.peers import Play, plays_of

warnings.simplefilter("ignore")
pd: Any = importlib.import_module("pandas")
vbt: Any = importlib.import_module("vectorbt")


def portfolio_of(play: Play) -> Any:
    """A play as a portfolio."""
    index = pd.DatetimeIndex(play.days)
    opened, high, low, close = (pd.DataFrame(play.prices[name], index) for name in ("open", "high", "low", "close"))
    money = {"init_cash": peers.CASH, "fees": peers.FEE, "freq": "1D"}
    if play.strategy == "cross":
        fast, slow = (vbt.MA.run(close, window).ma.values.reshape(close.shape) for window in (peers.FAST, peers.SLOW))
        want = np.zeros(close.shape, bool)
        want[1:] = (fast > slow)[:-1]
        return vbt.Portfolio.from_signals(close, want, ~want, price=opened, size=peers.SHARES, **money)
    if play.strategy == "fractional":
        size = np.full(close.shape, np.nan)
        size[1 :: peers.MONTH] = play.weight
        shared = {"cash_sharing": True, "group_by": True, "call_seq": "auto"}
        return vbt.Portfolio.from_orders(close, size, size_type="targetpercent", price=opened, **shared, **money)
    entries = np.zeros(close.shape, bool)
    entries[1 :: peers.EVERY] = True
    at_the_fill = importlib.import_module("vectorbt.portfolio.enums").StopEntryPrice.FillPrice
    trail = play.strategy == "trail"
    stops = {"sl_stop": peers.TRAIL, "sl_trail": True} if trail else {"sl_stop": peers.STOP, "tp_stop": peers.TAKE}
    prices = {"price": opened, "open": opened, "high": high, "low": low}
    return vbt.Portfolio.from_signals(close, entries, False, size=peers.SHARES, stop_entry_price=at_the_fill, **prices, **stops, **money)


def prepare(case: Facts) -> Job:
    """All plays of a case."""
    plays = plays_of(case)

    def run() -> dict[str, Any]:
        fills, equity = {}, {}
        for play in plays:
            portfolio = portfolio_of(play)
            rows = portfolio.order_records
            signs = np.where(rows["side"] == 0, 1.0, -1.0)
            columns = (rows["idx"], rows["col"], signs * rows["size"], rows["price"])
            fills[play.name] = np.column_stack([np.asarray(column, dtype=float) for column in columns]).tolist()
            equity[play.name] = float(np.sum(portfolio.final_value()))
        return {"fills": fills, "equity": equity}

    return Job(run, {"version": vbt.__version__})
