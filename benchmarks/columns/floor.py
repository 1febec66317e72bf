"""No product: one hand-written pass per workload, compiled, in float, without an order log. It fixes what the workloads mean.

Averages are compared as whole cents cross-multiplied, so that a tie is a tie.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numba as nb
import numpy as np

from benchmarks import cases
from benchmarks.cases import CASES, Case
from benchmarks.markets import Bars, Floats, Ints
from benchmarks.models import Facts, Job


@nb.njit(cache=True)
def above(cents: Ints, fast: int, slow: int) -> Any:
    """1 where the fast average is above the slow one."""
    out = np.zeros(len(cents), np.uint8)
    f = s = 0
    for t in range(len(cents)):
        f += cents[t] - (cents[t - fast] if t >= fast else 0)
        s += cents[t] - (cents[t - slow] if t >= slow else 0)
        out[t] = t >= slow - 1 and f * slow > s * fast
    return out


@nb.njit(cache=True)
def statistics(equity: Floats, year: float) -> tuple[float, float]:
    """Sharpe ratio (sample deviation, no risk-free rate) and deepest fall of a curve, in one pass."""
    mean = spread = 0.0
    peak, deepest = equity[0], 0.0
    for t in range(len(equity)):
        if t > 0:
            change = equity[t] / equity[t - 1] - 1.0
            off = change - mean
            mean += off / t
            spread += off * (change - mean)
        peak = max(peak, equity[t])
        deepest = min(deepest, equity[t] / peak - 1.0)
    deviation = np.sqrt(spread / (len(equity) - 2))
    return (mean / deviation * np.sqrt(year) if deviation > 0 else np.nan), deepest


@nb.njit(cache=True)
def follow(want: Any, opened: Floats, close: Floats, cash: float, terms: tuple[float, float]) -> tuple[Floats, int]:
    """Hold a fixed number of shares while wanted, a bar later."""
    shares, fee = terms
    held, orders = 0.0, 0
    equity = np.empty(len(close))
    for t in range(len(close)):
        goal = shares if t > 0 and want[t - 1] else 0.0
        if goal != held:
            cash -= (goal - held) * opened[t] + abs(goal - held) * opened[t] * fee
            held = goal
            orders += 1
        equity[t] = cash + held * close[t]
    return equity, orders


@nb.njit(cache=True)
def rebalance(weights: Floats, opened: Floats, close: Floats, cash: float, fee: float) -> tuple[Floats, int]:
    """Carry out each row of weights at the next open: what shrinks before what grows."""
    bars, assets = close.shape
    held, equity, orders = np.zeros(assets), np.empty(bars), 0
    for t in range(bars):
        if t > 0 and not np.isnan(weights[t - 1, 0]):
            worth = cash + (held * opened[t]).sum()
            change = weights[t - 1] * worth / opened[t] - held
            for sign in (-1.0, 1.0):
                for j in range(assets):
                    if change[j] * sign > 0:
                        cash -= change[j] * opened[t, j] + abs(change[j]) * opened[t, j] * fee
                        held[j] += change[j]
                        orders += 1
        worth = cash
        for j in range(assets):
            worth += held[j] * close[t, j]
        equity[t] = worth
    return equity, orders


@nb.njit(cache=True)
def alternate(opened: Floats, close: Floats, cash: float, fee: float) -> tuple[Floats, int]:
    """Buy one, sell one, at every open but the first."""
    held, equity = 0.0, np.empty(len(close))
    equity[0] = cash
    for t in range(1, len(close)):
        side = 1.0 if t % 2 else -1.0
        cash -= side * opened[t] + opened[t] * fee
        held += side
        equity[t] = cash + held * close[t]
    return equity, len(close) - 1


@nb.njit(cache=True)
def brackets(
    prices: tuple[Floats, Floats, Floats, Floats], cash: float, terms: tuple[float, float, float, float], every: int, decided: bool
) -> Any:
    """If flat, buy at the open after every n-th bar; leave at the stop or the take-profit, the stop first, gaps at the open.

    Both are told from the price of the entry, or from the close at which it was decided.
    """
    opened, high, low, close = prices
    shares, fee, stop, take = terms
    held = entry = 0.0
    orders, equity = 0, np.empty(len(close))
    for t in range(len(close)):
        if t % every == 1 and held == 0:
            held, entry = shares, opened[t]
            cash -= held * entry * (1 + fee)
            orders += 1
            if decided:
                entry = close[t - 1]
        if held > 0:
            floor, roof, price = entry * (1 - stop), entry * (1 + take), 0.0
            if low[t] <= floor:
                price = min(opened[t], floor)
            elif high[t] >= roof:
                price = max(opened[t], roof)
            if price > 0:
                cash += held * price * (1 - fee)
                held = 0.0
                orders += 1
        equity[t] = cash + held * close[t]
    return equity, orders


@nb.njit(cache=True)
def limits(wanted: Floats, prices: tuple[Floats, Floats, Floats, Floats], cash: float, terms: tuple[float, float]) -> Any:
    """At every bar, in turn, an order to buy and one to sell, for the next bar: at the open where that is better than its limit."""
    opened, high, low, close = prices
    lots, fee = terms
    bars, assets = close.shape
    held, equity, orders = np.zeros(assets), np.empty(bars), 0
    equity[0] = cash
    for t in range(1, bars):
        for j in range(assets):
            limit, price, side = wanted[t - 1, j], 0.0, 0.0
            if t % 2 == 1 and low[t, j] <= limit:
                price, side = min(opened[t, j], limit), 1.0
            elif t % 2 == 0 and high[t, j] >= limit:
                price, side = max(opened[t, j], limit), -1.0
            if price > 0:
                cash -= side * lots * price + lots * price * fee
                held[j] += side * lots
                orders += 1
        worth = cash
        for j in range(assets):
            worth += held[j] * close[t, j]
        equity[t] = worth
    return equity, orders


@nb.njit(cache=True)
def resting(decided: Ints, wanted: Floats, prices: tuple[Floats, Floats, Floats, Floats], cash: float, terms: tuple[float, float]) -> Any:
    """In turn an order to buy and one to sell, which waits until it is filled or the next takes its place."""
    opened, high, low, close = prices
    lots, fee = terms
    bars, assets = close.shape
    held, equity, orders = np.zeros(assets), np.empty(bars), 0
    waiting, last = np.zeros(assets), 0
    for t in range(bars):
        for j in range(assets):
            limit, price, side = waiting[j], 0.0, 1.0 if last % 2 == 0 else -1.0
            if limit > 0 and side > 0 and low[t, j] <= limit:
                price = min(opened[t, j], limit)
            elif limit > 0 and side < 0 and high[t, j] >= limit:
                price = max(opened[t, j], limit)
            if price > 0:
                cash -= side * lots * price + lots * price * fee
                held[j] += side * lots
                orders += 1
                waiting[j] = 0.0
        worth = cash
        for j in range(assets):
            worth += held[j] * close[t, j]
        equity[t] = worth
        following = 0 if t == 0 else last + 1
        if following < len(decided) and decided[following] == t:
            last = following
            waiting[:] = wanted[following]
    return equity, orders


def told(equity: Floats, orders: int) -> dict[str, Any]:
    """The facts of one run."""
    sharpe, fall = statistics(equity, float(cases.YEAR))
    return {"final_equity": float(equity[-1]), "orders": int(orders), "sharpe": sharpe, "max_drawdown": fall}


def crossing(case: Case, bars: Bars) -> Callable[[], dict[str, Any]]:
    """W1, W2, W4, W5: each asset and each pair of windows by itself; profits of assets add up."""
    opened, close = bars.open / 100.0, bars.close / 100.0
    terms = (float(cases.SHARES), cases.FEE)

    def run() -> dict[str, Any]:
        runs, orders = [], 0
        for fast, slow in case.pairs:
            equity = np.full(len(bars.ts), case.cash)
            for j in range(len(close)):
                curve, count = follow(above(bars.close[j], fast, slow), opened[j], close[j], case.cash, terms)
                equity += curve - case.cash
                orders += count
            runs.append(told(equity, orders))
        return means(runs) | {"orders": orders}

    return run


def means(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The means over several variants, and all their orders."""
    return {name: float(np.mean([one[name] for one in runs])) for name in runs[0]} | {"orders": sum(one["orders"] for one in runs)}


def momenta(case: Case, bars: Bars) -> Callable[[], dict[str, Any]]:
    """W3, each variant by itself."""
    opened, close = bars.price("open"), bars.price("close")

    def run() -> dict[str, Any]:
        weights = (cases.momentum_weights(close, *pair) for pair in case.momenta)
        return means([told(*rebalance(one, opened, close, case.cash, cases.FEE)) for one in weights])

    return run


def prepare(case: Facts) -> Job:
    """A workload as a compiled pass."""
    workload = CASES[case["workload"]]
    bars, cash = workload.data(), workload.cash
    opened, high, low, close = (bars.price(name) for name in ("open", "high", "low", "close"))
    terms = (float(cases.SHARES), cases.FEE, cases.STOP, cases.TAKE)
    runs: dict[str, Callable[[], dict[str, Any]]] = {
        "W3": momenta(workload, bars),
        "W3 x100": momenta(workload, bars),
        "W6": lambda: told(*alternate(opened, close, cash, cases.FEE)),
        "W7": lambda: told(*brackets((opened, high, low, close), cash, terms, cases.EVERY, False)),
        "W7 orders": lambda: told(*brackets((opened, high, low, close), cash, terms, cases.EVERY, True)),
        "W9": lambda: told(*resting(*cases.resting(bars.close), (opened, high, low, close), cash, (float(cases.LOTS), cases.FEE))),
        "W8": lambda: told(*limits(cases.limits(bars.close), (opened, high, low, close), cash, (float(cases.LOTS), cases.FEE))),
    }
    return Job(runs.get(workload.name) or crossing(workload, bars), {"version": f"numba {nb.__version__}"})
