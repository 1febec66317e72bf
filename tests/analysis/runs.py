"""Synthetic runs for the tests of the report: seeded, no engine, money in Decimal."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

from rustybt.analysis.metrics import Benchmark, Curve, RunFacts, Trades, measure
from rustybt.analysis.report import ReportInputs

SCALE = 8


def weekdays(count: int, start: date = date(2015, 1, 2)) -> list[date]:
    """Consecutive Mondays to Fridays."""
    days = [start + timedelta(days=day) for day in range(count * 7 // 5 + 8)]
    return [day for day in days if day.weekday() < 5][:count]


def decimals(name: str, values: np.ndarray) -> pl.Series:
    """Floats as a Decimal column of eight digits, through integers."""
    units = np.round(values * 10**SCALE).astype(np.int64)
    return pl.Series(name, units, dtype=pl.Int64).cast(pl.Int128).reinterpret(dtype=pl.Decimal(38, SCALE))


def synthetic_run(sessions: int = 2_520, assets: int = 6, trades: int = 420, seed: int = 7, **overrides: Any) -> ReportInputs:
    """A run that looks like one: correlated benchmark, positions that add up to the gross exposure, trades, costs and verdicts."""
    rng = np.random.default_rng(seed)
    days = weekdays(sessions)
    market = rng.standard_t(4, sessions) * 0.007 + 0.0003
    r = 0.65 * market + rng.standard_t(5, sessions) * 0.004 + 0.0002
    r[0] = market[0] = 0.0
    equity, benchmark = 100_000 * np.cumprod(1 + r), 320.0 * np.cumprod(1 + market)
    symbols = (
        [f"A{number:02d}" for number in range(assets)] if assets > 8 else ["AAPL", "IBM", "KO", "MSFT", "WMT", "XOM", "GE", "F"][:assets]
    )
    weights = held_weights(rng, sessions, assets)
    gross, net = np.abs(weights).sum(axis=1), weights.sum(axis=1)
    ts = [datetime(day.year, day.month, day.day, 21, tzinfo=UTC) for day in days]
    curve = pl.DataFrame(
        {
            "ts": pl.Series(ts, dtype=pl.Datetime("us", "UTC")),
            "session": days,
            "equity": decimals("equity", equity),
            "cash": decimals("cash", equity * (1 - net)),
            "gross": decimals("gross", equity * gross),
            "benchmark": benchmark,
        }
    )
    frame = trade_rows(rng, ts, symbols, trades)
    costs = {"commission": Decimal("4183.27190000"), "slippage": Decimal("2610.05000000"), "borrow": Decimal("318.44120000")}
    income = {"dividends": Decimal("9120.33000000"), "cash in lieu": Decimal("12.57000000")}
    facts = RunFacts(
        orders=2 * trades + 31,
        fills=2 * trades,
        rejected=12,
        cancelled=17,
        working=2,
        traded=int(equity.sum() * 0.02) * 10**SCALE,
        costs={kind: int(value * 10**SCALE) for kind, value in costs.items()},
        income={kind: int(value * 10**SCALE) for kind, value in income.items()},
        trades=Trades.from_frame(frame),
    )
    days32 = np.array([(day - date(1970, 1, 1)).days for day in days], dtype=np.int32)
    money = {
        name: np.round(values * 10**SCALE).astype(np.int64)
        for name, values in (("e", equity), ("c", equity * (1 - net)), ("g", equity * gross))
    }
    shape = Curve(days32.astype(np.int64), days32, money["e"], money["c"], money["g"], SCALE, 100_000 * 10**SCALE)
    fields: dict[str, Any] = {
        "title": "Momentum 12-1, top three",
        "metrics": measure(shape, Benchmark(days32, benchmark), facts),
        "curve": curve,
        "opening": Decimal(100_000),
        "spec": {"name": "momentum", "params": {"lookback": 252, "skip": 21, "top": 3}, "schedule": "month_end"},
        "identity": {"run_id": "9f" * 32, "spec_id": "3ac1" * 16, "snapshot": "c0de" * 16, "engine": "0.1.0"},
        "positions": position_rows(ts, symbols, weights),
        "trades": frame,
        "orders": order_rows(trades),
        "costs": costs,
        "income": income,
        "verdict": verdict(),
        "books": {
            "ok": True,
            "summary": f"{2 * trades:,} log rows rebuild cash and equity to the last digit.",
            "checks": [
                {"name": "cash + positions = equity", "ok": True, "detail": f"at each of {sessions:,} bars"},
                {"name": "debits = credits", "ok": True, "detail": f"{4 * trades:,} postings"},
                {"name": "rebuilt from the log alone", "ok": True, "detail": "same cash, same positions"},
            ],
            "equity": format(curve["equity"][-1], "f"),
        },
        "warnings": ("12 rows with a null close were quarantined.", "No calendar was given: sessions are the UTC dates of the bars."),
        "config": {"cash": "100000", "currency": "USD", "costs": {"commission": {"bps": "10", "minimum": "1"}, "slippage": {"bps": "2"}},
                   "fill": "next_open", "sizing": "at_decision", "max_gross": "1", "benchmark": "SPY", "anchor": "first row"},
        "assets": symbols,
        "benchmark_name": "SPY",
    }  # fmt: skip
    return ReportInputs(**(fields | overrides))


def held_weights(rng: np.random.Generator, sessions: int, assets: int) -> np.ndarray:
    """(sessions, assets) weights that change monthly and drift in between; the first year is in cash."""
    weights = np.zeros((sessions, assets))
    for start in range(min(252, sessions // 4), sessions, 21):
        chosen = rng.permutation(assets)[: max(1, assets // 2)]
        weights[start : start + 21, chosen] = 0.96 / len(chosen)
        if assets > 2:
            weights[start : start + 21, chosen[0]] *= -0.4
    return np.asarray(weights * (1 + rng.normal(0, 0.02, weights.shape)).clip(0.9, 1.04))


def position_rows(ts: list[datetime], symbols: list[str], weights: np.ndarray) -> pl.DataFrame:
    """The held weights in long form, and the instants at which nothing is held left out."""
    wide = pl.DataFrame(dict(zip(symbols, weights.T, strict=True))).insert_column(0, pl.Series("ts", ts, dtype=pl.Datetime("us", "UTC")))
    return wide.unpivot(index="ts", variable_name="asset", value_name="weight").filter(pl.col("weight") != 0).sort("ts", "asset")


def trade_rows(rng: np.random.Generator, ts: list[datetime], symbols: list[str], count: int) -> pl.DataFrame:
    """Closed round trips and two that are still open."""
    entry = np.sort(rng.integers(0, max(len(ts) - 30, 1), count))
    held = rng.integers(1, 25, count)
    price = np.round(rng.uniform(20, 300, count), 2)
    moved = np.round(rng.standard_t(4, count) * 0.03 + 0.004, 6)
    short = rng.random(count) < 0.2
    quantity = rng.integers(10, 400, count).astype(float)
    leave = np.round(price * (1 + np.where(short, -moved, moved)), 2)
    fees = np.round(quantity * price * 0.002, 4)
    pnl = np.round(np.where(short, -1, 1) * quantity * (leave - price) - fees, 4)
    exits = np.minimum(entry + held, len(ts) - 1)
    reasons = np.array(["target", "stop_loss", "take_profit", "trailing_stop", "max_bars"])[rng.integers(0, 5, count)]
    frame = pl.DataFrame(
        {
            "asset": np.array(symbols)[rng.integers(0, len(symbols), count)],
            "sleeve": ["momentum"] * count,
            "side": np.where(short, "short", "long"),
            "quantity": decimals("quantity", quantity),
            "entry_ts": pl.Series([ts[row] for row in entry], dtype=pl.Datetime("us", "UTC")),
            "exit_ts": pl.Series([ts[row] for row in exits], dtype=pl.Datetime("us", "UTC")),
            "entry_price": decimals("entry_price", price),
            "exit_price": decimals("exit_price", leave),
            "entry_order": np.arange(count),
            "fees": decimals("fees", fees),
            "pnl": decimals("pnl", pnl),
            "return": pnl / (quantity * price),
            "bars_held": held,
            "exit_reason": reasons,
        }
    )
    still = pl.int_range(pl.len()) >= count - 2
    return frame.with_columns(
        pl.when(~still).then(pl.col(name)).alias(name) for name in ("exit_ts", "exit_price", "pnl", "return", "bars_held", "exit_reason")
    )


def order_rows(trades: int) -> pl.DataFrame:
    """Order outcomes by kind."""
    rows = [("filled", "target", "none", 2 * trades - 90), ("filled", "stop_loss", "none", 40), ("filled", "take_profit", "none", 36),
            ("filled", "target", "unaffordable", 14), ("rejected", "target", "cool_down", 12), ("cancelled", "target", "replaced", 17),
            ("working", "target", "none", 2)]  # fmt: skip
    return pl.DataFrame(rows, schema=["status", "reason", "detail", "count"], orient="row")


def verdict() -> dict[str, Any]:
    """What the guard says of the spec."""
    return {
        "ok": True,
        "summary": "Every term is provably past-only.",
        "lookback": "274 rows",
        "terms": [
            {
                "name": "momentum",
                "expr": "col(adj_close).shift(21) / col(adj_close).shift(252) - 1",
                "lookback": "252 rows",
                "future": "no",
            },
            {"name": "universe", "expr": "col(volume).rolling_mean(20) > 1e6", "lookback": "19 rows", "future": "no"},
            {
                "name": "target",
                "expr": "when(rank(momentum).over(ts) <= 3).then(1 / 3).otherwise(0)",
                "lookback": "252 rows",
                "future": "no",
            },
        ],
        "trusted": ["vendor_score"],
        "flags": [],
    }
