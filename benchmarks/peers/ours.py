"""RustyBT: the strategies as users write them."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

import rustybt as rbt
from benchmarks import peers
from benchmarks.markets import FIELDS
from benchmarks.models import Facts, Job
from benchmarks.peers import Play, plays_of
from rustybt.spec import Context, OnBar


def bid_or_offer(context: Context) -> None:
    """A bid below the close while flat, an offer above it while held, each for one bar."""
    asset, close = context.bars["asset"][-1], context.bars["close"][-1]
    held = bool(context.positions)
    limit = round(close * (peers.OFFER if held else peers.BID), peers.DIGITS)
    context.order(asset, -peers.SHARES if held else peers.SHARES, "limit", limit=limit)


def strategy_of(play: Play) -> rbt.Strategy:
    """A play as a strategy."""
    if play.strategy == "cross":
        above = pl.col("close").rolling_mean(peers.FAST) > pl.col("close").rolling_mean(peers.SLOW)
        return rbt.Strategy("cross", target=rbt.quantity(pl.when(above).then(peers.SHARES).otherwise(0)))
    if play.strategy in ("rebalance", "fractional"):
        return rbt.Strategy("rebalance", target=rbt.weight(play.weight), schedule=rbt.every(peers.MONTH), warmup=0)
    if play.strategy == "limit":
        return rbt.Strategy("limit", on_bar=OnBar(bid_or_offer))
    if play.strategy == "bracket":
        exits = rbt.exits(stop_loss=str(peers.STOP), take_profit=str(peers.TAKE), reentry="schedule")
    else:
        exits = rbt.exits(trailing=str(peers.TRAIL), reentry="schedule")
    return rbt.Strategy(play.strategy, target=rbt.quantity(peers.SHARES), schedule=rbt.every(peers.EVERY), exits=exits, warmup=0)


def frame_of(play: Play) -> pl.DataFrame:
    """The bars of a play, one row per asset and session."""
    ts = pl.Series(play.days).cast(pl.Datetime("us", "UTC"))
    columns = [
        {"ts": ts, "asset": [asset] * len(ts)} | {name: play.prices[name][:, j] for name in FIELDS} for j, asset in enumerate(play.assets)
    ]
    return pl.concat([pl.DataFrame(one) for one in columns]).with_columns(pl.lit(1.0).alias("volume"))


def run_of(play: Play) -> rbt.Result:
    """The result of a play."""
    part = play.strategy == "fractional"
    panel = rbt.load(frame_of(play), stamp="session", calendar="XNYS", lot_size="0.00000001" if part else "1")
    sizing = "at_fill" if part else "at_decision"
    return rbt.run(strategy_of(play), panel, cash=int(peers.CASH), costs=rbt.costs(commission=rbt.bps(10)), sizing=sizing)


def fills_of(play: Play, result: rbt.Result) -> list[peers.Fill]:
    """Its fills."""
    days = result.fills["ts"].cast(pl.Date).to_numpy().astype("datetime64[D]")
    bars = np.searchsorted(play.days, days)
    columns = [play.assets.index(name) for name in result.fills["asset"].to_list()]
    signs = [1 if side == "buy" else -1 for side in result.fills["side"].to_list()]
    rows = zip(bars.tolist(), columns, signs, result.fills["quantity"].to_list(), result.fills["price"].to_list(), strict=True)
    return [[bar, column, sign * float(quantity), float(price)] for bar, column, sign, quantity, price in rows]


def prepare(case: Facts) -> Job:
    """All plays of a case."""
    plays = plays_of(case)

    def run() -> dict[str, Any]:
        found = {play.name: run_of(play) for play in plays}
        return {
            "fills": {play.name: fills_of(play, found[play.name]) for play in plays},
            "equity": {name: float(result.final_equity) for name, result in found.items()},
        }

    return Job(run, {"version": rbt.__version__})
