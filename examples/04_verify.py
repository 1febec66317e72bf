"""Proof instead of trust: what a strategy reads, a look-ahead refused, and a strategy verified on data.

Run: .venv/bin/python examples/04_verify.py
"""

import polars as pl

import rustybt as rbt

try:
    peek = pl.col("close") > pl.col("close").rolling_mean(20, center=True)
    rbt.Strategy("peek", target=rbt.weight(pl.when(peek).then(0.2).otherwise(0.0)))
except rbt.LookaheadError as error:
    print(error, end="\n\n")

honest = pl.col("close") > pl.col("close").rolling_mean(20)
strategy = rbt.Strategy("honest", target=rbt.weight(pl.when(honest).then(0.19).otherwise(0.0)), exits=rbt.exits(stop_loss="0.1"))
verdict = rbt.verify(strategy, rbt.load("demo", start="2011-01-01"), points=5)
print(verdict)
assert verdict.ok
