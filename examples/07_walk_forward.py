"""Search for parameters, walk forward with the search, and see what is left of the result out of sample.

Run: .venv/bin/python examples/07_walk_forward.py     (needs the extra: pip install 'rustybt[optuna]')
"""

from typing import Annotated

import polars as pl

import rustybt as rbt


@rbt.strategy
def channel(entry: Annotated[int, rbt.Range(10, 120)] = 55, calm: Annotated[int, rbt.Range(5, 60)] = 20) -> rbt.Strategy:
    close = pl.col("adj_close")
    place = (close - close.rolling_min(entry)) / (close.rolling_max(entry) - close.rolling_min(entry))
    rising = close > close.shift(calm)
    return rbt.Strategy(target=rbt.weight(pl.when((place > 0.8) & rising).then(0.19).when(place < 0.5).then(0.0)))


panel = rbt.demo_data()
settings = {"cash": "100000", "costs": rbt.costs(commission=rbt.bps(10))}

found = rbt.search(channel, panel, method="tpe", trials=48, batch=12, where="calm < entry", **settings)
print(found)
print("report:", found.report("runs/07/search.html"))

walk = rbt.walk_forward(
    channel, panel, search={"method": "tpe", "trials": 24, "batch": 12}, where="calm < entry", train="4y", test="2y", embargo="1w",
    positions="carry", **settings,
)  # fmt: skip
print(walk)
print(walk.compared())
print("report:", walk.report("runs/07/walk.html"))

paths = rbt.cross_validate(channel, panel, grid={"entry": [20, 55, 100], "calm": [10, 20]}, groups=6, tests=2, embargo=120, **settings)
print(paths)
print("report:", paths.report("runs/07/paths.html"))
