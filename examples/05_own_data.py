"""Your own file: hourly bars of a coin with holes and a bad row, stamped at their start.

Run: .venv/bin/python examples/05_own_data.py
"""

from pathlib import Path

import polars as pl

import rustybt as rbt
from rustybt.testing import markets

# A file as an exchange would give it: hours without a trade are missing, bars are stamped at their start, and one row is broken.
bars = markets.market(assets=1, bars=3_000, seed=3, frequency="1h", gaps=0.1).bars
bars = bars.with_columns(
    pl.col("ts").dt.offset_by("-1h"), asset=pl.lit("COIN"), low=pl.when(pl.int_range(pl.len()) == 100).then(1e6).otherwise("low")
)
path = Path("runs/05/coin.csv")
path.parent.mkdir(parents=True, exist_ok=True)
bars.select("ts", "asset", "open", "high", "low", "close", "volume").write_csv(path)

panel = rbt.load(path, stamp="open", interval="1h", asset_class="crypto", tick_size="0.01", lot_size="0.001")
for warning in panel.warnings:
    print("note:", warning)
print(panel.quarantine.select("ts", "low", "reason"))

channel = pl.col("close") >= pl.col("high").shift(1).rolling_max(48)
strategy = rbt.Strategy(
    "breakout", target=rbt.weight(pl.when(channel).then(0.95)), exits=rbt.exits(trailing="0.03", max_bars=72, cool_down=6)
)
result = rbt.run(strategy, panel, cash="25000", costs=rbt.costs(commission=rbt.bps(10)))
print(result)
print(result.save("runs/05/run"))
