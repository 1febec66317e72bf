"""Layouts of frames, and flat evaluation against evaluation asset by asset."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from rustybt.errors import SpecError
from rustybt.spec.evaluate import Layout, doubled
from rustybt.spec.planner import plan_terms
from tests.spec.signal_frames import Shape, made

factor = pl.col("factor")
FLAT = {
    "shift": factor.shift(3),
    "filled": factor.shift(2, fill_value=-1.0),
    "diff": factor.diff(2),
    "change": factor.pct_change(2),
    "min": factor.rolling_min(4),
    "max": factor.rolling_max(9),
    "median": factor.rolling_median(4),
    "quantile": factor.rolling_quantile(0.2, window_size=7, interpolation="midpoint"),
    "rank": factor.rolling_rank(5),
    "long": factor.shift(1000),
}


@pytest.mark.parametrize("shape", [Shape(), Shape(missing=0.4), Shape(missing=0.2, nulls=0.3), Shape(nulls=0.9)])
@pytest.mark.parametrize("seed", range(3))
def test_flat_evaluation_equals_asset_by_asset(shape: Shape, seed: int) -> None:
    data = made(7, 40, seed=seed, shape=shape)
    found = plan_terms(FLAT).evaluate(data.frame, data.assets)
    for name, expr in FLAT.items():
        assert found[name].equals(data.frame.select(expr.over("asset").alias(name)).to_series()), name


def test_layout_of_ragged_assets() -> None:
    layout = Layout(pl.DataFrame({"asset": pl.Series(["A", "C", "C", "D"], dtype=pl.Enum(["A", "B", "C", "D"]))}))
    assert layout.starts.tolist() == [0, 1, 3]
    assert layout.symbols == ["A", "C", "D"]
    assert layout.position.tolist() == [0, 0, 1, 0]
    assert layout.first_of(np.array([0, 2, 3])).tolist() == [0, 1, 3]


def test_layout_of_nothing_is_a_single_one() -> None:
    layout = Layout(pl.DataFrame({"asset": pl.Series([], dtype=pl.Enum(["A"]))}))
    assert (layout.single, layout.symbols) == (True, [])


@pytest.mark.parametrize("dtype", [pl.String, pl.Enum(["A", "B"])])
def test_assets_that_are_not_together_are_refused(dtype: pl.DataType) -> None:
    with pytest.raises(SpecError, match="not together"):
        Layout(pl.DataFrame({"asset": pl.Series(["A", "B", "A"], dtype=dtype)}))


def test_a_doubled_row_is_divided_as_many_rows_are() -> None:
    frame = pl.DataFrame({"x": np.random.default_rng(0).random(200) * 100})
    many = frame.select(pl.col("x") / 3).to_series().to_list()
    assert [doubled(frame.slice(i, 1)).select(pl.col("x") / 3).to_series()[0] for i in range(200)] == many


def test_chosen_rows_may_be_a_mask_of_either_kind() -> None:
    data = made(3, 9)
    plan = plan_terms({"target": factor.shift(1)})
    mask = data.whole_bars
    assert plan.evaluate(data.frame, data.assets, pl.Series(mask)).equals(plan.evaluate(data.frame, data.assets, mask))
    assert plan.evaluate(data.frame, data.assets, np.zeros(len(mask), np.bool_)).height == 0


@pytest.mark.parametrize(("assets", "back"), [(1, 9), (1, 2**63 - 1), (3, 9), (3, 2**31), (3, 2**63), (3, 2**64 - 1)])
def test_nothing_lies_before_the_first_bar_however_far_one_looks(assets: int, back: int) -> None:
    data = made(assets, 9)
    plan = plan_terms({"target": pl.col("close").shift(back)})
    for rows in (None, data.whole_bars):
        assert plan.evaluate(data.frame, data.assets, rows)["target"].is_null().all()


@pytest.mark.parametrize("assets", [1, 6])
@pytest.mark.parametrize("kept", [1.0, 0.3, 0.02])
def test_the_number_of_a_bar_is_known_without_counting(assets: int, kept: float) -> None:
    data = made(assets, 50, seed=assets, shape=Shape(missing=0.2))
    number = pl.int_range(pl.len()).over("asset")
    plan = plan_terms({"number": number, "back": factor.shift(2), "target": number // 3 % 2 * factor})
    rows = np.random.default_rng(assets).random(data.frame.height) < kept
    found = plan.evaluate(data.frame, data.assets, None if kept == 1.0 else rows)
    wanted = data.frame.select(number=number, back=factor.shift(2).over("asset"), target=number // 3 % 2 * factor)
    assert found.drop("row").equals(wanted if kept == 1.0 else wanted.filter(pl.Series(rows)))
    steps = [step for program in plan._programs.values() for step in (*program.every, *program.some, program.final)]
    assert not any("int_range" in str(expr) for step in steps for expr in step.exprs)
