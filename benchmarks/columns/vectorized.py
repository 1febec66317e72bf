"""vectorbt through its public interface, with either of its engines.

It fills at whatever price array it is given (here the open, decisions shifted by a bar), marks at the close, allows fractional shares
and looks at brackets from the bar after the entry on, stop before take-profit. W2 and W4 differ from exact arithmetic where rounded
averages tie. It has no limit orders: `from_orders` carries out what it is given, at the price it is given. Limit orders of which none
depends on what became of another can be worked out beforehand, for the next bar (W8) or for all bars that one rests (W9); others would be
state in a function of the user's own for `from_order_func`, which the fast engine does not run.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import cases
from benchmarks.cases import CASES, Case
from benchmarks.markets import Bars
from benchmarks.models import Facts, Job

warnings.simplefilter("ignore")
pd: Any = importlib.import_module("pandas")
vbt: Any = importlib.import_module("vectorbt")


def prepare(case: Facts) -> Job:
    """A workload with the engine named in the case."""
    engine = case["engine"]
    vbt.settings["engine"] = engine
    workload = CASES[case["workload"]]
    makers: dict[str, Callable[[Case, Bars, str], Callable[[], dict[str, Any]]]] = {
        "W3": momentum,
        "W3 x100": momentum,
        "W5": crossings_of_many,
        "W6": alternate,
        "W7": brackets,
        "W7 orders": brackets_of_orders,
        "W8": limits,
        "W9": resting,
    }
    return Job(makers.get(workload.name, crossing)(workload, workload.data(), engine), {"version": vbt.__version__})


def index(bars: Bars) -> Any:
    """The instants as pandas takes them."""
    return pd.DatetimeIndex(bars.ts.astype("datetime64[us]"))


def delayed(wanted: Any) -> Any:
    """A decision on the bar that carries it out."""
    out = np.zeros_like(wanted)
    out[1:] = wanted[:-1]
    return out


def measured(portfolio: Any) -> dict[str, Any]:
    """The facts of a portfolio, or the means over several variants."""
    return {
        "final_equity": float(np.mean(portfolio.final_value())),
        "orders": len(portfolio.order_records),
        "sharpe": float(np.mean(portfolio.sharpe_ratio(year_freq="252D"))),
        "max_drawdown": float(np.mean(portfolio.max_drawdown())),
    }


def crossing(case: Case, bars: Bars, engine: str) -> Callable[[], dict[str, Any]]:
    """W1, W2, W4."""
    close, opened = (pd.Series(bars.price(name), index(bars)) for name in ("close", "open"))
    fast, slow = (list(windows) for windows in zip(*case.pairs, strict=True))
    frequency = "1D" if case.market == "daily_1" else "1min"

    def run() -> dict[str, Any]:
        short = vbt.MA.run(close, fast, short_name="fast").ma.values.reshape(len(close), -1)
        long = vbt.MA.run(close, slow, short_name="slow").ma.values.reshape(len(close), -1)
        want = delayed(short > long)
        return measured(
            vbt.Portfolio.from_signals(
                close, want, ~want, price=opened, size=cases.SHARES, fees=cases.FEE, init_cash=case.cash, freq=frequency, engine=engine
            )
        )

    return run


def crossings_of_many(case: Case, bars: Bars, engine: str) -> Callable[[], dict[str, Any]]:
    """W5."""
    close, opened = (pd.DataFrame(bars.price(name), index(bars)) for name in ("close", "open"))
    ((fast, slow),) = case.pairs

    def run() -> dict[str, Any]:
        want = delayed(vbt.MA.run(close, fast).ma.values > vbt.MA.run(close, slow).ma.values)
        return measured(
            vbt.Portfolio.from_signals(
                close,
                want,
                ~want,
                price=opened,
                size=cases.SHARES,
                fees=cases.FEE,
                init_cash=case.cash,
                cash_sharing=True,
                group_by=True,
                freq="1D",
                engine=engine,
            )
        )

    return run


def momentum(case: Case, bars: Bars, engine: str) -> Callable[[], dict[str, Any]]:
    """W3, each variant by itself: side by side a hundred of them do not fit 24 GB."""
    prices = bars.price("close")
    close, opened = (pd.DataFrame(bars.price(name), index(bars)) for name in ("close", "open"))

    def one(lookback: int, top: int) -> dict[str, Any]:
        size = np.full(close.shape, np.nan)
        size[1:] = cases.momentum_weights(prices, lookback, top)[:-1]
        return measured(
            vbt.Portfolio.from_orders(
                close,
                size,
                size_type="targetpercent",
                price=opened,
                fees=cases.FEE,
                init_cash=case.cash,
                cash_sharing=True,
                group_by=True,
                call_seq="auto",
                freq="1D",
                engine=engine,
            )
        )

    def run() -> dict[str, Any]:
        found = [one(*pair) for pair in case.momenta]
        means = {name: float(np.mean([row[name] for row in found])) for name in found[0]}
        return means | {"orders": sum(row["orders"] for row in found)}

    return run


def alternate(case: Case, bars: Bars, engine: str) -> Callable[[], dict[str, Any]]:
    """W6."""
    close, opened = bars.price("close"), bars.price("open")
    size = np.where(np.arange(len(close)) % 2, 1.0, -1.0)
    size[0] = np.nan
    return lambda: measured(
        vbt.Portfolio.from_orders(close, size, price=opened, fees=cases.FEE, init_cash=case.cash, freq="1min", engine=engine)
    )


def brackets(case: Case, bars: Bars, engine: str, decided: bool = False) -> Callable[[], dict[str, Any]]:
    """W7, and with stops and targets told from the close at which the entry was decided."""
    opened, high, low, close = (bars.price(name) for name in ("open", "high", "low", "close"))
    entries = np.zeros(len(close), bool)
    entries[1 :: cases.EVERY] = True
    base = importlib.import_module("vectorbt.portfolio.enums").StopEntryPrice
    before = np.roll(close, 1)
    before[0] = close[0]
    valued = {"val_price": before, "stop_entry_price": base.ValPrice} if decided else {"stop_entry_price": base.FillPrice}
    return lambda: measured(
        vbt.Portfolio.from_signals(
            close,
            entries,
            False,
            price=opened,
            size=cases.SHARES,
            fees=cases.FEE,
            open=opened,
            high=high,
            low=low,
            sl_stop=cases.STOP,
            tp_stop=cases.TAKE,
            init_cash=case.cash,
            freq="1min",
            engine=engine,
            **valued,
        )
    )


def brackets_of_orders(case: Case, bars: Bars, engine: str) -> Callable[[], dict[str, Any]]:
    """W7 orders."""
    return brackets(case, bars, engine, decided=True)


def limits(case: Case, bars: Bars, engine: str) -> Callable[[], dict[str, Any]]:
    """W8: which orders are filled, and where, is worked out with numpy, on the clock."""
    opened, high, low, close = (bars.price(name) for name in ("open", "high", "low", "close"))
    frame, cents = pd.DataFrame(close, index(bars)), bars.close

    def run() -> dict[str, Any]:
        limit = delayed(cases.limits(cents))
        buys = (np.arange(len(close)) % 2 == 1)[:, None]
        filled = np.where(buys, low <= limit, high >= limit)
        filled[0] = False
        size = np.where(filled, np.where(buys, float(cases.LOTS), -float(cases.LOTS)), np.nan)
        price = np.where(buys, np.minimum(opened, limit), np.maximum(opened, limit))
        return measured(carried_out(case, frame, size, price, engine))

    return run


def resting(case: Case, bars: Bars, engine: str) -> Callable[[], dict[str, Any]]:
    """W9: likewise. An order is filled at the first of its bars that reaches it, whatever becomes of others."""
    opened, high, low, close = (bars.price(name) for name in ("open", "high", "low", "close"))
    frame, cents = pd.DataFrame(close, index(bars)), bars.close

    def run() -> dict[str, Any]:
        decided, limits = cases.resting(cents)
        buys, done = (np.arange(len(decided)) % 2 == 0)[:, None], np.zeros(limits.shape, bool)
        size, price = np.full(close.shape, np.nan), np.full(close.shape, np.nan)
        lots = np.where(buys, float(cases.LOTS), -float(cases.LOTS))
        for after in range(1, cases.REST + 1):
            live = decided + after < len(close)
            bar, limit, side = decided[live] + after, limits[live], buys[live]
            filled = np.where(side, low[bar] <= limit, high[bar] >= limit) & ~done[live]
            done[live] |= filled
            size[bar] = np.where(filled, lots[live], np.nan)
            price[bar] = np.where(side, np.minimum(opened[bar], limit), np.maximum(opened[bar], limit))
        return measured(carried_out(case, frame, size, price, engine))

    return run


def carried_out(case: Case, frame: Any, size: Any, price: Any, engine: str) -> Any:
    """Daily orders of many assets with shared cash."""
    return vbt.Portfolio.from_orders(
        frame,
        size,
        price=price,
        fees=cases.FEE,
        init_cash=case.cash,
        cash_sharing=True,
        group_by=True,
        freq="1D",
        engine=engine,
    )
