"""Random expression trees: past, future, cross-section and row-by-row operations in any nesting, from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

type Step = Callable[[pl.Expr, random.Random], pl.Expr]

LEAVES = ("close", "open", "high", "volume", "vendor", "vendor", "n")

PAST: tuple[Step, ...] = (
    lambda x, r: x.shift(r.randint(0, 4)),
    lambda x, r: x.diff(r.randint(1, 3)),
    lambda x, r: x.pct_change(r.randint(1, 3)),
    lambda x, r: x.shift(r.randint(1, 2), fill_value=0.0),
    lambda x, r: x.rolling_mean(r.randint(1, 6)),
    lambda x, r: x.rolling_sum(r.randint(2, 6), min_samples=1),
    lambda x, r: x.rolling_max(r.randint(2, 6)),
    lambda x, r: x.rolling_min(r.randint(2, 6)),
    lambda x, r: x.rolling_median(r.randint(2, 5)),
    lambda x, r: x.rolling_quantile(0.5, window_size=r.randint(2, 5)),
    lambda x, r: x.rolling_rank(r.randint(2, 5)),
    lambda x, r: x.rolling_max_by("ts", r.choice(["2h", "5h", "1d", "3d"])),
    lambda x, r: x.rolling_min_by("ts", r.choice(["3h", "1d"]), closed=r.choice(["left", "both", "none"])),
    lambda x, r: x.max().rolling("ts", period=r.choice(["2h", "1d"])),
    lambda x, r: x.last().rolling("ts", period="2h", offset=r.choice(["-2h", "-1d"])),
    lambda x, r: x.max().rolling("ts", period=r.choice(["3h", "2d"]), closed="both").over("asset"),
    lambda x, r: x.forward_fill(),
    lambda x, r: x.forward_fill(r.randint(1, 3)),
    lambda x, r: x.cum_max(),
    lambda x, r: x.cum_min(),
    lambda x, r: x.cum_count().cast(pl.Float64),
    lambda x, r: x.ewm_mean(span=3, ignore_nulls=True),
    lambda x, r: x.first(),
    lambda x, r: x.rle_id().cast(pl.Float64),
    lambda x, r: x.is_first_distinct().cast(pl.Float64),
    lambda x, r: x.cumulative_eval(pl.element().last()),
    lambda x, r: x.cum_max().over("asset", "session"),
    lambda x, r: x.shift(r.randint(1, 2)).over("asset", "session"),
    lambda x, r: x.first().over("asset", pl.col("ts").dt.date()),
    lambda x, r: x.shift(1).over("asset", "flag"),
    lambda x, r: x.cum_max().over("asset", "session", "flag"),
    lambda x, r: x.shift(r.randint(1, 3)).over("asset"),
    lambda x, r: x.rolling_max(r.randint(2, 4)).over("asset"),
    lambda x, r: x - pl.int_range(pl.len()),
)
FUTURE: tuple[Step, ...] = (
    lambda x, r: x.shift(-r.randint(1, 3)),
    lambda x, r: x.diff(-1),
    lambda x, r: x.backward_fill(),
    lambda x, r: x.backward_fill(1),
    lambda x, r: x.rolling_mean(3, center=True),
    lambda x, r: x.rolling_max(4, center=True),
    lambda x, r: x.mean(),
    lambda x, r: x.max(),
    lambda x, r: x.last(),
    lambda x, r: x.rank(),
    lambda x, r: x.reverse(),
    lambda x, r: x.sort(),
    lambda x, r: x.interpolate(),
    lambda x, r: x.peak_max().cast(pl.Float64),
    lambda x, r: x.cum_max(reverse=True),
    lambda x, r: x.fill_null(strategy="mean"),
    lambda x, r: x.is_last_distinct().cast(pl.Float64),
    lambda x, r: x.max().over("asset", "session"),
    lambda x, r: x.mean().over("asset", "flag"),
    lambda x, r: x.mean().over("sector"),
    lambda x, r: x.max().rolling("ts", period="3h", offset="-1h"),
    lambda x, r: x.quantile(0.5),
    lambda x, r: x.cum_max().over("asset", order_by="volume"),
    lambda x, r: x.is_in(x.implode()).cast(pl.Float64),
    lambda x, r: x - pl.len(),
)
CROSS: tuple[Step, ...] = (
    lambda x, r: x.rank().over("ts"),
    lambda x, r: x.max().over("ts"),
    lambda x, r: x.median().over("ts"),
    lambda x, r: x - x.min().over("ts"),
    lambda x, r: x.count().over("ts").cast(pl.Float64),
    lambda x, r: x.max().over("ts", "sector"),
    lambda x, r: x.filter(pl.col("flag")).max().over("ts"),
    lambda x, r: x.max().over("ts", pl.col("close").over("asset") > pl.col("close").shift(1).over("asset")),
    lambda x, r: (x > x.median()).sum().over("ts").cast(pl.Float64),
    lambda x, r: x.cum_max().over("ts", order_by="asset"),
)
ROW: tuple[Step, ...] = (
    lambda x, r: x.abs(),
    lambda x, r: -x,
    lambda x, r: x.fill_null(0.0),
    lambda x, r: x.clip(-5, 5),
    lambda x, r: x.round(1),
    lambda x, r: x.sign(),
    lambda x, r: x.is_null().cast(pl.Float64),
    lambda x, r: pl.when(pl.col("flag")).then(x).otherwise(0.0),
    lambda x, r: pl.struct(a=x).struct.field("a"),
    lambda x, r: pl.concat_list(x, "open").list.max(),
    lambda x, r: x.replace(1.0, 2.0),
    lambda x, r: x.is_in([1.0, 2.0]).cast(pl.Float64),
)


@dataclass(frozen=True)
class Mix:
    """Chances of the four families; the rest is row by row."""

    past: float = 0.5
    future: float = 0.0
    cross: float = 0.25


def tree(seed: int, mix: Mix, depth: int = 4) -> pl.Expr:
    """A random tree; the same seed gives the same tree."""
    return _grow(random.Random(seed), mix, depth)


def _grow(rng: random.Random, mix: Mix, depth: int) -> pl.Expr:
    if depth == 0:
        return pl.col(rng.choice(LEAVES)).cast(pl.Float64)
    inner = _grow(rng, mix, depth - 1 if rng.random() < 0.8 else 0)
    if rng.random() < 0.2:
        other = _grow(rng, mix, rng.randint(0, depth - 1))
        return rng.choice(
            [inner + other, inner - other, pl.max_horizontal(inner, other), pl.when(inner > other).then(inner).otherwise(other)]
        )
    draw = rng.random()
    for chance, family in ((mix.past, PAST), (mix.future, FUTURE), (mix.cross, CROSS)):
        if draw < chance:
            return rng.choice(family)(inner, rng)
        draw -= chance
    return rng.choice(ROW)(inner, rng)
