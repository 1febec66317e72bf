"""Trees: reading, changing, building back, and their text."""

from __future__ import annotations

import sys

import polars as pl
import pytest

from rustybt.errors import MissingExtraError, SpecError
from rustybt.spec.tree import build, call, children, columns, integer, is_column, is_pointwise, key, kind, parse, render, symbol, text, walk
from tests.temporal.corpus import pairs

c, o = pl.col("close"), pl.col("open")


@pytest.mark.parametrize("expr", [expr for _, leak, clean in pairs()[::3] for expr in (leak, clean)], ids=lambda expr: str(expr)[:60])
def test_tree_survives_building_and_parsing_again(expr: pl.Expr) -> None:
    node = parse(expr)
    assert parse(build(node)) == node
    assert render(node)
    assert "{" not in render(node)


def test_every_parse_gives_a_tree_of_its_own() -> None:
    first, second = parse(c + o), parse(c + o)
    children(first)[0].put({"Column": "high"})
    assert columns(first) == {"high", "open"}
    assert columns(second) == {"close", "open"}
    assert build(first).meta.eq(pl.col("high") + o)


@pytest.mark.parametrize(
    ("expr", "roles"),
    [
        (c.shift(1).over("asset", "session"), ["function", "key", "key"]),
        (c.shift(1).over("asset", order_by="ts"), ["function", "key", "order"]),
        (c.mean().rolling("ts", period="3d"), ["function", "index"]),
        (pl.when(c > 1).then(o).otherwise(2), ["input", "input", "input"]),
        (c.sort_by("open", "high"), ["input", "input", "input"]),
        (c.cumulative_eval(pl.element().sum()), ["input", "evaluation"]),
        (pl.struct(c).struct.with_fields(pl.field("close") * 2), ["input", "evaluation"]),
        (c.std(), ["input"]),
        (c.min(), ["input"]),
        (c.alias("x"), ["input"]),
        (c.alias("x").name.keep(), ["input"]),
        (pl.len(), []),
        (c.slice(0, 3), ["input", "input", "input"]),
        (c.filter(c > 1), ["input", "input"]),
        (c.get(0), ["input", "input"]),
        (c.cast(pl.Int64), ["input"]),
        (c.implode(), ["input"]),
    ],
    ids=str,
)
def test_children_are_found_with_their_roles(expr: pl.Expr, roles: list[str]) -> None:
    assert [slot.role for slot in children(parse(expr))] == roles


@pytest.mark.parametrize(
    ("expr", "name"),
    [
        (c.is_null(), "Boolean.IsNull"),
        (c.fill_null(strategy="forward"), "FillNullWithStrategy.Forward"),
        (c.fill_null(strategy="mean"), "FillNullWithStrategy.Mean"),
        (c.sqrt(), "Pow.Sqrt"),
        (pl.col("ts").dt.date(), "TemporalExpr.Date"),
        (c.sum(), "Agg.Sum"),
        (c.rolling_mean(3), "RollingExpr"),
        (c.shift(1), "Shift"),
        (c + 1, "BinaryExpr"),
        (pl.concat_list(c).list.eval(pl.element()), "Eval.List"),
        (pl.len(), "Len"),
    ],
    ids=str,
)
def test_operations_have_dotted_names(expr: pl.Expr, name: str) -> None:
    assert call(parse(expr))[0] == name


@pytest.mark.parametrize(
    ("expr", "written"),
    [
        (c.rolling_mean(20).shift(1).over("asset"), 'close.rolling_mean(20).shift(1).over("asset")'),
        (c.rolling_std(5, center=True), "close.rolling_std(5, center=True)"),
        (c.rolling_max_by("ts", "36h", closed="both"), 'close.rolling_max_by(ts, "36h", closed="both")'),
        (c.sum().rolling("ts", period="3d", offset="-1d"), 'close.sum().rolling(ts, period="3d", offset="-1d")'),
        ((c - o).abs() / 2 > 1, "((close - open).abs() / 2) > 1"),
        (pl.when(c > o).then(1.5).otherwise(None), "when(close > open).then(1.5).otherwise(None)"),
        (c.cum_sum(reverse=True), "close.cum_sum(reverse=True)"),
        (c.forward_fill(3), "close.forward_fill(limit=3)"),
        (c.fill_null(strategy="min"), 'close.fill_null(strategy="min")'),
        (pl.max_horizontal(c, o), "max_horizontal(close, open)"),
        (pl.rolling_corr(c, o, window_size=5), "close.rolling_corr(open, 5)"),
        (-c, "-close"),
        (~(c > 1), "~(close > 1)"),
        (pl.col("asset") == "AAPL", 'asset == "AAPL"'),
        (pl.col("my col"), 'col("my col")'),
        (c.ewm_mean(span=3), "close.ewm_mean(alpha=0.5)"),
        (c.shift(1).over("asset", order_by="ts", descending=True), 'close.shift(1).over("asset", order_by=ts, descending=True)'),
        (pl.col("ts").dt.truncate("1h"), 'ts.dt.truncate("1h")'),
        (pl.struct(c).struct.field("close"), 'struct(close).struct.field("close")'),
    ],
    ids=str,
)
def test_text_shows_what_decides_the_window(expr: pl.Expr, written: str) -> None:
    assert render(parse(expr)) == written


def test_long_text_is_cut_in_the_middle() -> None:
    long = sum((pl.col(f"column_{at}") for at in range(60)), pl.lit(0))
    assert len(render(parse(long), 80)) <= 80
    assert " ... " in render(parse(long), 80)


def test_integers_are_read_from_literals_only() -> None:
    others = (pl.lit(2.0), pl.lit(True), pl.lit("2"), c, -pl.lit(1))
    assert [integer(parse(expr)) for expr in (pl.lit(-3), pl.lit(2, dtype=pl.UInt8), *others)] == [
        -3, 2, None, None, None, None, None,
    ]  # fmt: skip


def test_columns_include_keys_orders_and_selectors() -> None:
    expr = pl.max_horizontal(pl.col("a", "b")) + c.sum().over("sector", order_by="volume")
    assert columns(parse(expr)) == {"a", "b", "close", "sector", "volume"}


def test_renamed_column_is_still_that_column() -> None:
    assert is_column(parse(pl.col("ts").alias("when")), "ts")
    assert not is_column(parse(pl.col("ts").shift(1)), "ts")


@pytest.mark.parametrize(
    ("expr", "alone"),
    [
        (c + o, True),
        (c.is_in([1, 2]), True),
        (pl.col("s").str.to_date("%Y"), True),
        (pl.col("s").str.to_date(), False),
        (c.bin_intervals([1.0], labels=False), True),
        (c.bin_intervals(3, labels=False), False),
        (pl.repeat(1, pl.len()), True),
        (c.rolling_mean(1), False),
        (c.sum(), False),
        (pl.len(), False),
        (c.shift(0), False),
    ],
    ids=str,
)
def test_row_by_row_nodes(expr: pl.Expr, alone: bool) -> None:
    assert is_pointwise(parse(expr)) is alone


def test_equal_trees_have_equal_keys() -> None:
    assert key(parse(c.shift(1))) == key(parse(pl.col("close").shift(1)))
    assert key(parse(c.shift(1))) != key(parse(c.shift(2)))


def test_walk_visits_parents_first() -> None:
    assert [kind(node) for node in walk(parse((c + o).shift(1)))] == ["Function", "BinaryExpr", "Column", "Column", "Literal"]


def test_what_is_no_expression_is_refused() -> None:
    with pytest.raises(SpecError, match="is not a Polars expression"):
        text("close")  # type: ignore[arg-type]


def test_callback_without_cloudpickle_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    with pytest.raises(MissingExtraError, match=r"cloudpickle.*\n.*\n.*pip install 'rustybt\[callbacks\]'"):
        parse(c.map_batches(lambda s: s, return_dtype=pl.Float64))


def test_plugin_is_named_by_its_symbol() -> None:
    plugin = {
        "Function": {"input": [{"Column": "a"}], "function": {"FfiPlugin": {"symbol": "zscore", "lib": "x.so", "kwargs": [], "flags": {}}}}
    }
    assert symbol(plugin) == "zscore"
    assert render(plugin) == "zscore(a)"
