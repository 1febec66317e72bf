"""Long and short with stops, targets, trailing stops and a cool-down; how each trade ended.

Run: .venv/bin/python examples/03_exits_and_shorts.py
"""

import polars as pl

import rustybt as rbt

price = pl.col("adj_close")
stretch = (price - price.rolling_mean(20)) / price.rolling_std(20)
strategy = rbt.Strategy(
    "reversion",
    target=rbt.weight(pl.when(stretch < -2).then(0.19).when(stretch > 2).then(-0.19).when(stretch.abs() < 0.5).then(0.0)),
    exits=rbt.exits(stop_loss="0.06", take_profit="0.09", trailing="0.08", max_bars=30, cool_down=3),
)

result = rbt.run(strategy, "demo", costs=rbt.costs(commission=rbt.bps(5), slippage=rbt.ticks(100)))
print(result)
print(result.trades.group_by("side", "exit_reason").agg(pl.len(), pl.col("pnl").sum(), pl.col("return").mean()).sort("side", "len"))
print(result.orders.group_by("status", "detail").len())
