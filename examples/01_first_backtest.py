"""A first backtest: trend following on five real stocks, with costs, a benchmark and a report.

Run: .venv/bin/python examples/01_first_backtest.py
"""

import polars as pl

import rustybt as rbt

fast = pl.col("adj_close").rolling_mean(50)
slow = pl.col("adj_close").rolling_mean(200)
strategy = rbt.Strategy("trend", target=rbt.weight(pl.when(fast > slow).then(0.198).otherwise(0.0)))

result = rbt.run(strategy, "demo", cash="100000", costs=rbt.costs(commission=rbt.bps(10)), benchmark="IBM")

print(rbt.explain(strategy))
print(result)
for name in ("cagr", "volatility", "sharpe", "max_drawdown", "win_rate", "alpha", "beta"):
    print(f"{name:>14}: {result.metrics[name]:.4f}")
print(result.trades.select("asset", "entry_ts", "exit_ts", "quantity", "pnl").tail(5))
print("report:", result.report("runs/01/report.html"))
