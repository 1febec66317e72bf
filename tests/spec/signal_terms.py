"""Random terms, each built beside its value by one plain Polars step after another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import polars as pl

close, volume, factor = pl.col("close"), pl.col("volume"), pl.col("factor")

type Unary = Callable[[pl.Expr], pl.Expr]
type Grouped = Callable[[pl.Expr, Unary], pl.Expr]
"""An operation on groups; the second argument is put around each part that needs the whole group."""

ALONG: list[Unary] = [
    lambda x: x.shift(1),
    lambda x: x.shift(3),
    lambda x: x.shift(2, fill_value=0.5),
    lambda x: x.diff(2),
    lambda x: x.pct_change(3),
    lambda x: x.rolling_mean(4),
    lambda x: x.rolling_mean(4, min_samples=2),
    lambda x: x.rolling_sum(3),
    lambda x: x.rolling_std(5),
    lambda x: x.rolling_min(4),
    lambda x: x.rolling_max(3, min_samples=1),
    lambda x: x.rolling_median(5),
    lambda x: x.rolling_quantile(0.3, window_size=4, interpolation="linear"),
    lambda x: x.rolling_rank(4),
    lambda x: x.ewm_mean(span=5),
    lambda x: x.ewm_std(span=4),
    lambda x: x.cum_sum(),
    lambda x: x.cum_max(),
    lambda x: x.forward_fill(2),
]
SCOPED: list[Grouped] = [
    *(lambda x, g, one=one: g(one(x)) for one in ALONG),
    lambda x, g: g(x.first()),
    lambda x, g: x / g(x.first()),
    lambda x, g: g(g(x.cum_sum()).rolling_max(2)),
    lambda x, g: g(x.first().cum_sum()),
]
SESSION: list[Grouped] = [
    lambda x, g: g(x.cum_sum()),
    lambda x, g: g(g(x.shift(1)).cum_max()),
    lambda x, g: x / g(x.first()),
    lambda x, g: g(x.rolling_mean(2)),
]
ACROSS: list[Grouped] = [
    lambda x, g: g(x.rank()),
    lambda x, g: g(x.rank("ordinal", descending=True)),
    lambda x, g: g(x.mean()),
    lambda x, g: x - g(x.mean()),
    lambda x, g: (x - g(x.mean())) / g(x.std()),
    lambda x, g: g(x.max()),
    lambda x, g: g(x.median()),
    lambda x, g: g(x.count()),
    lambda x, g: x / g(x.abs().sum()),
    lambda x, g: g(x.filter(x > 0).mean()),
    lambda x, g: pl.when(x > g(x.mean())).then(1.0).otherwise(0.0),
    lambda x, g: g((x - g(x.mean())).rank()),
]
ROWWISE: list[Unary] = [
    lambda x: x.abs(),
    lambda x: 1 - x,
    lambda x: x * 2 + 1,
    lambda x: x.clip(0, 3),
    lambda x: x.fill_null(0.25),
    lambda x: x / 3,
    lambda x: pl.when(x > 1).then(x).otherwise(0.0),
]
PAIRS: list[Callable[[pl.Expr, pl.Expr], pl.Expr]] = [
    lambda x, y: x + y,
    lambda x, y: x - y,
    lambda x, y: x / y,
    lambda x, y: pl.max_horizontal(x, y),
    lambda x, y: pl.when(x > y).then(x).otherwise(y),
]
KINDS = ["along", "along", "scoped", "across", "across", "rowwise", "pair", "session"]


def bare(expr: pl.Expr) -> pl.Expr:
    return expr


@dataclass
class Oracle:
    """Builds an expression and, beside it, its value by one plain Polars step after another."""

    rng: np.random.Generator
    frame: pl.DataFrame
    member: str | None = None
    count: int = field(default=0)

    def keep(self, expr: pl.Expr) -> str:
        self.count += 1
        name = f"o{self.count}"
        self.frame = self.frame.with_columns(expr.alias(name))
        return name

    def within(self, *keys: str) -> Unary:
        return lambda expr: pl.col(self.keep(expr.over(*keys)))

    def pick[T](self, of: list[T]) -> T:
        return of[int(self.rng.integers(len(of)))]

    def tree(self, depth: int) -> tuple[pl.Expr, str]:
        kind = "leaf" if depth == 0 else self.pick(KINDS)
        if kind == "leaf":
            gap = close - pl.col("open")
            return (factor, "factor") if self.rng.random() < 0.6 else (gap, self.keep(gap))
        if kind == "pair":
            (left, a), (right, b) = self.tree(depth - 1), self.tree(depth - 1)
            pair = self.pick(PAIRS)
            return pair(left, right), self.keep(pair(pl.col(a), pl.col(b)))
        if kind == "session":
            grouped, column = self.pick(SESSION), pl.col(self.pick(["factor", "close"]))
            return grouped(column, bare).over("asset", "sector"), self.keep(grouped(column, self.within("asset", "sector")))
        inner, name = self.tree(depth - 1)
        if kind == "rowwise":
            one = self.pick(ROWWISE)
            return one(inner), self.keep(one(pl.col(name)))
        if kind == "along":
            one = self.pick(ALONG)
            return one(inner), self.keep(one(pl.col(name)).over("asset"))
        if kind == "scoped":
            grouped = self.pick(SCOPED)
            return grouped(inner, bare).over("asset"), self.keep(grouped(pl.col(name), self.within("asset")))
        grouped = self.pick(ACROSS)
        return grouped(inner, bare).over("ts"), self.across(grouped, name)

    def across(self, grouped: Grouped, name: str) -> str:
        if self.member is None:
            return self.keep(grouped(pl.col(name), self.within("ts")))
        members = Oracle(self.rng, self.frame.with_row_index("i").filter(pl.col(self.member)), count=self.count)
        value = members.keep(grouped(pl.col(name), members.within("ts")))
        index = self.frame.with_row_index("i").select("i")
        joined = index.join(members.frame.select("i", value), on="i", how="left", maintain_order="left")
        return self.keep(pl.lit(joined[value]))
