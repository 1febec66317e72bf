"""Donchian breakout: buy new highs, sell new lows, and keep a trailing stop in between.

Each asset is bought when it closes above the highest high of the bars before, and sold when it closes below the lowest low of a shorter
window, or when it falls from its best price by the trailing stop. After a stop it is bought again at the next new decision. The capital is
split evenly over the assets that trade, and a change of their number is a new decision.

Source: the Turtle rules, as in Faith, Way of the Turtle (2007), with a trailing stop in place of theirs.

Parameters: windows of entry and exit, the trailing stop, the share of equity used.
"""

from __future__ import annotations

from typing import Annotated

import polars as pl

import rustybt as rbt
from expressions import donchian_high, donchian_low


@rbt.strategy
def donchian_breakout(
    entry: Annotated[int, rbt.Range(2, 1000)] = 55,
    leave: Annotated[int, rbt.Range(1, 1000)] = 20,
    trailing: Annotated[float, rbt.Range(0.001, 0.99)] = 0.15,
    invested: Annotated[float, rbt.Range(0.0, 1.0)] = 0.99,
) -> rbt.Strategy:
    """Long from a new high until a new low or the trailing stop.

    Args:
        entry: bars whose highs are to be broken.
        leave: bars whose lows end the position, at most ``entry``.
        trailing: fall from the best price since the entry, as a fraction of it.
        invested: share of equity used when every asset is held.
    """
    if leave > entry:
        raise rbt.SpecError(f"leave {leave} is longer than entry {entry}", where="donchian_breakout", do="choose leave <= entry")
    close = pl.col("adj_close")
    up, down = close > donchian_high("adj_high", window=entry), close < donchian_low("adj_low", window=leave)
    held = pl.when(up).then(1.0).when(down).then(0.0).forward_fill()
    share = invested / pl.col("asset").n_unique().over("ts")
    return rbt.Strategy(target=rbt.weight(held * share), exits=rbt.exits(trailing=trailing), warmup=entry)
