"""RustyBT: the workloads with many variants as one sweep of an ordinary ``@strategy`` function.

The clock runs from a validated panel in memory to the frame of results: the function learned and filled in, features, runs, metrics.
Nothing is kept between sweeps but compiled code.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl

import rustybt as rbt
from benchmarks import cases
from benchmarks.cases import CASES
from benchmarks.columns.ours import crossing, panel_of, settings, spec_of
from benchmarks.models import Facts, Job
from rustybt.sweeps import Sweep, sweep


@rbt.strategy
def cross(fast: int = 20, slow: int = 50) -> rbt.Strategy:
    """A fixed number of shares while the fast average is above the slow one."""
    return crossing(fast, slow)


@rbt.strategy
def winners(lookback: int = cases.LOOKBACK, top: int = cases.TOP) -> rbt.Strategy:
    """The winners of some months without the last one, equally weighted."""
    score = (pl.col("close").shift(cases.SKIP) / pl.col("close").shift(lookback) - 1).over("asset")
    wins = score.rank("ordinal", descending=True).over("ts") <= top
    weight = rbt.weight(pl.when(wins).then(cases.INVESTED / top).otherwise(0.0))
    return rbt.Strategy(target=weight, schedule=rbt.every(cases.REBALANCE), warmup=cases.LOOKBACK + cases.SKIP)


def prepare(case: Facts) -> Job:
    """A workload behind the door."""
    workload = CASES[case["workload"]]
    spec = spec_of(workload)
    panel, notes = panel_of(workload, spec)
    if workload.name.startswith("W3"):
        family, variants = winners, [{"lookback": lookback, "top": top} for lookback, top in workload.momenta]
    else:
        family, variants = cross, [{"fast": fast, "slow": slow} for fast, slow in workload.pairs]
    shared: dict[str, Any] = {"cash": int(workload.cash), "costs": rbt.costs(commission=rbt.bps(10)), **spec.run}
    assert settings(workload, spec).cash == int(workload.cash)

    def run() -> dict[str, Any]:
        done: Sweep = sweep(
            family, panel, variants=variants, trials="off", progress=False, workers=case.get("workers"), budget="500MB", **shared
        )
        rows = done.frame
        if rows["error"].null_count() < rows.height:
            raise ValueError(rows["error"].drop_nulls()[0])
        equity = Decimal(rows["final_equity"].sum())
        return {
            "final_equity": str(equity / rows.height),
            "orders": int(rows["fills"].sum()),  # what was decided on the last bar is still waiting for an open
            "sharpe": float(rows["sharpe"].fill_null(0.0).to_numpy().mean()),
            "rows": rows.height,
        }

    return Job(run, notes | {"version": rbt.__version__})
