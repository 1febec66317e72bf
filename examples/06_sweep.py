"""A small sweep: every combination of a grid, and any row run again in full with identical numbers.

Run: .venv/bin/python examples/06_sweep.py
"""

from typing import Annotated

import polars as pl

import rustybt as rbt


@rbt.strategy
def cross(fast: Annotated[int, rbt.Range(2, 200)] = 20, slow: Annotated[int, rbt.Range(3, 400)] = 50) -> rbt.Strategy:
    up = pl.col("adj_close").rolling_mean(fast) > pl.col("adj_close").rolling_mean(slow)
    return rbt.Strategy(target=rbt.weight(pl.when(up).then(0.198).otherwise(0.0)))


panel = rbt.demo_data()
costs = rbt.costs(commission=rbt.bps(10))
sweep = rbt.sweep(cross, panel, grid={"fast": range(10, 60, 10), "slow": range(50, 250, 50)}, where="fast < slow", costs=costs)
print(sweep)

best = sweep.top(1).row(0, named=True)
again = sweep.run(best["variant"])
assert str(best["final_equity"]) == again.final_equity
print(again)
