"""Lowering: axes made explicit, windows hoisted, equal sub-trees shared."""

from __future__ import annotations

import polars as pl
import pytest

from rustybt.errors import SpecError
from rustybt.spec.bounds import analyse
from rustybt.spec.lower import CROSS, GROUP, POINT, TIME, lower, shape
from rustybt.spec.planner import plan_terms
from rustybt.spec.tree import build, parse

close, volume, ts = pl.col("close"), pl.col("volume"), pl.col("ts")


def written(expr: pl.Expr) -> str:
    graph = lower({"target": parse(expr)})
    return graph.written(graph.roots["target"], 400)


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (close.shift(1), 'close.shift(1).over("asset")'),
        (close.shift(1).over("asset"), 'close.shift(1).over("asset")'),
        (close.shift(1).over("asset", order_by="ts"), 'close.shift(1).over("asset")'),
        (close.shift(1).alias("x").rank().over("ts"), 'close.shift(1).over("asset").rank().over("ts")'),
        (close.rank().over("ts").shift(1), 'close.rank().over("ts").shift(1).over("asset")'),
        ((close - close.mean()).over("ts"), 'close - close.mean().over("ts")'),
        (close.rank().shift(1).abs().over("ts"), 'close.rank().over("ts").shift(1).over("asset").abs()'),
        (close.shift(1).over("ts"), 'close.shift(1).over("ts")'),
        ((close / close.first()).over("asset", ts.dt.date()), 'close / close.first().over("asset", ts.dt.date())'),
        (volume.filter(close > 3).sum().over("ts"), 'volume.filter(close > 3).sum().over("ts")'),
        (close.mean().over("ts", close.rolling_max(3) > 9), 'close.mean().over("ts", close.rolling_max(3).over("asset") > 9)'),
        (pl.sum_horizontal(pl.col("open", "close")), "sum_horizontal(open, close)"),
    ],
)
def test_every_axis_is_written_out(expr: pl.Expr, text: str) -> None:
    assert written(expr) == text


def test_equal_trees_of_different_terms_are_one_node() -> None:
    ranked = close.shift(1).rank().over("ts")
    graph = lower({"a": parse(ranked), "b": parse(ranked + 1), "c": parse(close.shift(1).over("asset"))})
    kinds = [item.kind for item in graph.items]
    assert (kinds.count(TIME), kinds.count(CROSS), kinds.count(POINT)) == (1, 1, 1)


def test_the_universe_masks_other_terms_and_not_itself() -> None:
    ranked = close.rank().over("ts")
    graph = lower({"universe": parse(ranked > 1), "target": parse(ranked)})
    members = [item.member for item in graph.items if item.kind == CROSS]
    assert members == [None, graph.roots["universe"]]


def test_whole_groups_along_time_stay_one_node() -> None:
    graph = lower({"target": parse(close.sort().first().over("asset"))})
    assert [item.kind for item in graph.items if item.kind in (TIME, GROUP)] == [GROUP]


@pytest.mark.parametrize(
    ("expr", "found"),
    [
        (close, "row"),
        (close.shift(1), "row"),
        (close.mean(), "scalar"),
        (close - close.mean(), "row"),
        (close.mean() * 2, "scalar"),
        (close.rank(), "row"),
        (close.mean().cum_sum(), None),
        (close.filter(close > 1), None),
        (close.filter(close > 1).mean(), "scalar"),
        (pl.int_range(pl.len()), "row"),
        (pl.lit(1.0), "scalar"),
    ],
)
def test_shapes(expr: pl.Expr, found: str | None) -> None:
    assert shape(parse(expr)) == found


def test_several_columns_are_refused() -> None:
    with pytest.raises(SpecError, match="selector"):
        lower({"target": parse(pl.col("open", "close").shift(1))})


def test_mappings_that_lose_rows_are_refused() -> None:
    with pytest.raises(SpecError, match="mapping_strategy"):
        lower({"target": parse(close.over("asset", mapping_strategy="join"))})


@pytest.mark.parametrize(
    "expr",
    [
        close.rolling_mean(20).shift(1),
        (close.shift(21) / close.shift(252) - 1).over("asset").rank().over("ts"),
        ((close - close.rolling_mean(20)) / close.rolling_std(20)).diff(2),
        (close / close.shift(1) - 1).rolling_quantile(0.2, window_size=9),
        close.rank().over("ts").shift(2),
        close.ewm_mean(span=4),
        close.forward_fill(3),
    ],
)
def test_the_plan_reads_as_far_back_as_the_guard_says(expr: pl.Expr) -> None:
    graph = lower({"target": parse(expr)})
    assert plan_terms({"target": expr}).lookback == analyse(expr).rows == analyse(build(graph.explicit(graph.roots["target"]))).rows
