"""The planner against a naive oracle: every sub-expression a column of its own, one window level at a time."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import polars as pl
import pytest

from rustybt.errors import SpecError
from rustybt.model import Asset
from rustybt.model.panel import largest_of
from rustybt.spec.planner import check_target, plan_terms
from tests.spec.signal_frames import Made, Shape, made
from tests.spec.signal_terms import Oracle, close, volume

SHAPES = {
    "dense": (4, 40, Shape()),
    "ragged": (5, 50, Shape(missing=0.3)),
    "nulls": (4, 60, Shape(missing=0.1, nulls=0.25)),
    "mixed ticks": (4, 40, Shape(missing=0.1, ticks=("0.01", "0.0001", "0.25", "5"))),
    "one asset": (1, 60, Shape(nulls=0.1)),
}


def same(found: pl.Series, wanted: pl.Series) -> bool:
    return found.equals(wanted.cast(found.dtype) if wanted.dtype == pl.Null else wanted, check_dtypes=False)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("block", range(3))
def test_generated_terms_equal_hand_staged_polars(shape: str, block: int) -> None:
    data = made(*SHAPES[shape][:2], seed=block, shape=SHAPES[shape][2])
    for seed in range(20):
        oracle = Oracle(np.random.default_rng([seed, block, len(shape)]), data.frame)
        built = [oracle.tree(1 + seed % 4) for _ in range(3)]
        terms = {f"s{i}": expr for i, (expr, _) in enumerate(built)}
        found = plan_terms(terms).evaluate(data.frame, data.assets)
        for i, (expr, name) in enumerate(built):
            assert same(found[f"s{i}"], oracle.frame[name]), f"seed {seed}: {expr}"


@pytest.mark.parametrize("shape", ["dense", "ragged", "nulls"])
def test_universe_masks_cross_sections_and_never_time_windows(shape: str) -> None:
    data = made(*SHAPES[shape][:2], seed=5, shape=SHAPES[shape][2])
    universe = (volume.rolling_mean(3) > 2000) & (close.rank().over("ts") > 1)
    frame = data.frame.with_columns(
        k=(pl.col("ticks_volume").rolling_sum(3).over("asset") / 3 > 2000), r=pl.col("close").rank().over("ts") > 1
    ).with_columns(member=(pl.col("k") & pl.col("r")).fill_null(False))
    for seed in range(40):
        oracle = Oracle(np.random.default_rng(seed), frame, "member")
        expr, name = oracle.tree(1 + seed % 4)
        found = plan_terms({"universe": universe, "target": expr}).evaluate(data.frame, data.assets)
        assert found["universe"].equals(frame["member"])
        assert same(found["target"], oracle.frame[name]), f"seed {seed}: {expr}"


@pytest.mark.parametrize("shape", SHAPES)
def test_schedule_pushed_down_equals_filtering_afterwards(shape: str) -> None:
    data = made(*SHAPES[shape][:2], seed=9, shape=SHAPES[shape][2])
    rows = data.whole_bars
    for seed in range(25):
        oracle = Oracle(np.random.default_rng([seed, 77]), data.frame)
        terms = {f"s{i}": oracle.tree(1 + seed % 4)[0] for i in range(2)}
        terms |= {"mean": close.rolling_mean(5), "last": close.shift(2) / close - 1, "young": volume.rolling_std(4, min_samples=2)}
        if seed % 2:
            terms["universe"] = volume.rolling_mean(3) > 2000
        plan = plan_terms(terms)
        wanted = plan.evaluate(data.frame, data.assets).filter(pl.Series(rows))
        assert plan.evaluate(data.frame, data.assets, rows).equals(wanted), f"seed {seed}"


def test_nested_windows_mean_what_they_say() -> None:
    data = made(3, 6)
    frame = data.frame
    yesterday = frame.with_columns(x=close.shift(1).over("asset")).select(pl.col("x").rank().over("ts")).to_series()
    smooth = frame.with_columns(x=close.rank().over("ts")).select(pl.col("x").rolling_mean(2).over("asset")).to_series()
    terms = {
        "scoped": close.shift(1).over("asset").rank().over("ts"),
        "bare": close.shift(1).rank().over("ts"),
        "smooth": close.rank().over("ts").rolling_mean(2).over("asset"),
        "inside": close.rank().shift(1).abs().over("ts"),
    }
    lagged = frame.with_columns(x=close.rank().over("ts")).select(pl.col("x").shift(1).over("asset")).to_series()
    found = plan_terms(terms).evaluate(frame, data.assets)
    for term, wanted in {"scoped": yesterday, "bare": yesterday, "smooth": smooth, "inside": lagged}.items():
        assert found[term].equals(wanted, check_names=False), term


def test_equal_sub_trees_of_all_terms_are_computed_once() -> None:
    strong = close.pct_change(5).rank().over("ts")
    plan = plan_terms({"strong": strong, "weak": -strong, "target": pl.when(strong > 2).then(close.pct_change(5)).otherwise(0)})
    assert sum(item.kind in ("time", "cross") for item in plan.graph.items) == 2
    assert plan_terms({"strong": strong, "weak": -strong, "target": pl.when(strong > 2).then(close.pct_change(5)).otherwise(0)}) is plan


def test_the_function_right_under_a_cross_section_goes_from_asset_to_asset() -> None:
    data = made(3, 5)
    found = plan_terms({"running": volume.cum_sum().over("ts")}).evaluate(data.frame, data.assets)
    assert found["running"].equals(data.frame.select(volume.cum_sum().over("ts")).to_series(), check_names=False)


def test_constant_terms_fill_every_row() -> None:
    data = made(2, 4)
    found = plan_terms({"target": pl.lit(0.5)}).evaluate(data.frame, data.assets)
    assert found["target"].to_list() == [0.5] * 8
    assert found["row"].to_list() == list(range(8))
    assert plan_terms({"target": pl.lit(0.5)}).evaluate(data.frame, data.assets, data.whole_bars)["target"].len() == data.whole_bars.sum()


def test_empty_frame_gives_no_rows() -> None:
    data = made(2, 4)
    plan = plan_terms({"signal": close.rolling_mean(3), "target": close.rank().over("ts")})
    assert plan.evaluate(data.frame.clear(), data.assets).height == 0


@pytest.mark.parametrize(
    ("expr", "lookback", "exact"),
    [
        (close, 0, True),
        (close.rolling_mean(20), 19, True),
        (close.rolling_mean(20).shift(1), 20, True),
        (close.rolling_std(10) / close.shift(3), 9, True),
        ((close / close.shift(1) - 1).rolling_max(5), 5, True),
        ((close / close.shift(1) - 1).rolling_std(5), 5, False),
        (close.ewm_mean(span=3), None, False),
        (close.cum_max(), None, False),
        (close.shift(252).rank().over("ts"), 252, True),
        (close.rank().over("ts").shift(2), 2, True),
        (close.shift(1).rank().over("ts").shift(2), None, True),
        (close.forward_fill(3), 3, False),
    ],
)
def test_lookback_and_exactness(expr: pl.Expr, lookback: int | None, exact: bool) -> None:
    plan = plan_terms({"target": expr})
    assert (plan.lookback, plan.exact) == (lookback, exact)


def test_columns_are_those_an_evaluation_reads() -> None:
    plan = plan_terms({"target": close.rolling_mean(3) / pl.col("open").shift(1).rank().over("ts")})
    assert plan.columns == ("asset", "close", "open", "ticks_close", "ts")
    data = made(2, 5)
    assert plan.evaluate(data.frame.select(plan.columns), data.assets).height == 10


def test_stages_tell_what_is_exact_and_what_is_masked() -> None:
    lines = plan_terms({"universe": volume > 0, "target": close.rolling_mean(3).rank().over("ts")}).stages
    assert lines[0] == 'close.rolling_mean(3).over("asset")  [exact on ticks]'
    assert lines[1].endswith("[per ts, members of the universe only]")


def refused(terms: dict[str, pl.Expr], data: Made | None = None) -> SpecError:
    data = data or made(2, 5)
    with pytest.raises(SpecError) as caught:
        plan_terms(terms).evaluate(data.frame, data.assets)
    return caught.value


def test_unknown_column_names_the_term_and_the_nearest_column() -> None:
    error = refused({"signal": close, "target": pl.col("clsoe").shift(1)})
    assert error.what == "unknown column 'clsoe'"
    assert error.where == "term 'target'"
    assert "'close'" in error.do


def test_failing_expression_names_term_and_sub_expression() -> None:
    error = refused({"signal": close, "target": pl.col("asset").str.to_integer() + 1})
    assert error.where == "term 'target'"
    assert "asset" in error.what
    assert "\n" not in error.what


def test_boolean_target_is_refused_with_advice() -> None:
    error = refused({"target": close > 3})
    assert "pl.when" in error.do


def test_text_target_and_numeric_universe_are_refused() -> None:
    assert "not a number" in refused({"target": pl.lit("x")}).what
    assert "not true or false" in refused({"universe": close, "target": close}).what


def test_unsorted_assets_are_refused() -> None:
    data = made(3, 5)
    shuffled = Made(data.frame.sort("ts"), data.assets)
    assert "not together" in refused({"target": close}, shuffled).what


def test_nan_or_infinite_target_names_the_first_row() -> None:
    values, asset, ts = pl.Series([1.0, float("nan"), float("inf")]), pl.Series(["A", "B", "A"]), pl.Series([3, 2, 1])
    with pytest.raises(SpecError, match="target is inf") as caught:
        check_target(values, asset, ts)
    assert caught.value.where == "term 'target', asset 'A', ts 1"
    check_target(pl.Series([1.0, None]), asset[:2], ts[:2])


def test_near_ties_beyond_2_to_53_are_reported() -> None:
    plan = plan_terms({"target": (close.rolling_mean(13) - close.rolling_mean(97)).sign()})
    small = made(1, 5)
    assert plan.warnings(lambda column: largest_of(small.frame[column])) == []
    large = small.frame.with_columns(ticks_close=pl.lit(10**13))
    assert "13 and 97" in plan.warnings(lambda column: largest_of(large[column]))[0]


def test_ties_of_means_are_ties() -> None:
    ticks = [2, 2, 1, 3, 2, 2, 2, 1, 1, 2, 3, 1]
    frame = pl.DataFrame({"asset": ["A"] * 12, "close": [t / 10 for t in ticks], "ticks_close": ticks}).cast({"asset": pl.Enum(["A"])})
    found = plan_terms({"cmp": close.rolling_mean(3) > close.rolling_mean(6)}).evaluate(frame, [Asset.of("A", tick_size="0.1")])
    wanted = [None if i < 5 else Fraction(sum(ticks[i - 2 : i + 1]), 3) > Fraction(sum(ticks[i - 5 : i + 1]), 6) for i in range(12)]
    assert found["cmp"].to_list() == wanted
