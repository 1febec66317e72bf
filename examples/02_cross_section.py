"""Cross-sectional momentum on a market of 100 assets, with a universe, a schedule and named signals.

The market is synthetic and seeded, with listings, halts, splits and dividends: it runs offline and always gives the same numbers.

Run: .venv/bin/python examples/02_cross_section.py
"""

import polars as pl

import rustybt as rbt
from rustybt.testing import markets

panel = markets.panel(assets=100, bars=1_000, seed=7, listings=0.3, halts=0.1, splits=0.2, dividends=0.5)

score = (pl.col("adj_close").shift(21) / pl.col("adj_close").shift(126) - 1).over("asset")
rank = score.rank("ordinal", descending=True).over("ts")
strategy = rbt.Strategy(
    "momentum",
    target=rbt.weight(pl.when(rank <= 10).then(0.099).otherwise(0.0)),
    universe=pl.col("close").rolling_mean(20) > 5,
    schedule=rbt.month_start(),
    signals={"score": score, "rank": rank},
)

result = rbt.run(
    strategy, panel, cash="1000000", costs=rbt.costs(commission=rbt.per_share("0.005", minimum="1", cap="0.01"), slippage=rbt.bps(2))
)
print(result)
print(result.signals.filter(pl.col("rank") <= 3).tail(6))
print(result.positions.group_by("ts").len().tail(3))
print({kind: result.metrics[kind] for kind in ("cost_commission", "cost_slippage", "income_dividends", "turnover")})
